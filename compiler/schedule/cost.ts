/** What a phase takes: SRAM, cycles and DRAM bytes, from the machine's own parameters. */
import type { Machine } from "../../isa/index.ts";
import { aligned } from "../lowering/buffers.ts";
import { phaseDelays, slotsOf } from "./delays.ts";
import {
  hasBuffer,
  type PhaseChoice,
  type PhaseShape,
  type Sample,
  type StripeCols,
  type StripeRows,
  stripeCounts,
  tableBytes,
  useBytes,
  weightBytes,
  weightExtents,
} from "./phase.ts";
import { type ArrayContext, cutBox, inputChannels, storesPieces, streamBytes, WEIGHT_SLOTS } from "./pieces.ts";

/** Pieces of output on their way to DRAM. */
export const PIECE_SLOTS = 2;
export interface PhaseCost {
  readonly sramBytes: number;
  readonly cycles: number;
  readonly dramBytes: number;
  /** the unit that takes longest */
  readonly bound: "mac" | "shift" | "pool" | "link" | "dma" | "dram";
}

/** SRAM that a phase takes beside tensors lying there before and after. */
function phaseSramBytes(
  shape: PhaseShape,
  choice: PhaseChoice,
  machine: Machine,
  rows: readonly Sample<StripeRows>[],
  cols: readonly Sample<StripeCols>[],
): number {
  const { down, across } = stripeCounts(choice);
  const delays = phaseDelays(shape, choice, down * across);
  let bytes = tableBytes(shape);
  if (choice.weightsResident) bytes += weightBytes(shape, machine);
  else bytes += WEIGHT_SLOTS * aligned(streamBytes(shape, machine));
  if (shape.operators.some((operator) => storesPieces(operator, shape, choice)))
    bytes += PIECE_SLOTS * aligned(pieceBytes(machine));
  for (const use of shape.uses.values()) {
    if (!hasBuffer(use, choice)) continue;
    const { name } = use.root;
    let largest = 0;
    for (const row of rows)
      for (const col of cols)
        largest = Math.max(largest, useBytes(use, row.of.needed.get(name)!, col.of.columns.get(name)!));
    bytes += slotsOf(use, shape, delays, down * across) * aligned(largest);
  }
  return bytes;
}

/** An output stored piece by piece: what half the accumulators hold, at 4 bytes. */
export function pieceBytes(machine: Machine): number {
  return Math.floor(machine.parameters["array.accumulatorBytes"] / 2);
}

interface Work {
  mac: number;
  shift: number;
  pool: number;
  link: number;
  /** of the units that move between DRAM and SRAM, starting up included */
  load: number;
  store: number;
  dramBytes: number;
  instructions: number;
  /** waiting of one operator for the one before it, per stripe */
  bubbles: number;
  /** operators one behind the other, and the last of them */
  serial: number;
  last: number;
}

/** How fast bytes move. */
interface Rates {
  /** from a transfer's start to its first byte */
  readonly startUp: number;
  /** DRAM bytes per cycle, refreshes taken off */
  readonly dram: number;
  readonly dma: number;
}

export function ratesOf({ parameters: p }: Machine): Rates {
  return {
    startUp: p["dma.setupCycles"] + p["dram.latencyCycles"],
    dram: p["dram.bytesPerCycle"] * (1 - p["dram.refreshCycles"] / p["dram.refreshIntervalCycles"]),
    dma: p["dma.bytesPerCycle"],
  };
}

/** A transfer of every agent. @param bytes of one agent; @param dramBytes of all together */
const transfer = (bytes: number, dramBytes: number, { startUp, dram, dma }: Rates) =>
  startUp + Math.max(bytes / dma, dramBytes / dram);

/** What a phase costs, or null when it takes more than `freeBytes` of SRAM. @param rows, cols of the choice's stripes */
export function phaseCost(
  shape: PhaseShape,
  choice: PhaseChoice,
  context: ArrayContext,
  freeBytes: number,
  rows: readonly Sample<StripeRows>[],
  cols: readonly Sample<StripeCols>[],
): PhaseCost | null {
  const { machine } = context;
  const p = machine.parameters;
  const sramBytes = phaseSramBytes(shape, choice, machine, rows, cols);
  if (sramBytes > freeBytes) return null;
  const rates = ratesOf(machine);
  const work: Work = {
    mac: 0,
    shift: 0,
    pool: 0,
    link: 0,
    load: 0,
    store: 0,
    dramBytes: 0,
    instructions: 0,
    bubbles: 0,
    serial: 0,
    last: 0,
  };
  for (const col of cols)
    for (const row of rows) addStripe(work, row.count * col.count, row.of, col.of, shape, choice, context);
  // shift tables, and weights that stay for the phase
  let constants = 0;
  let firstConstants = 0;
  for (const operator of shape.operators) {
    const extents = weightExtents(operator, p["array.cols"]);
    if (extents === null) continue;
    const table = operator.output.channels * 4;
    const weights = choice.weightsResident ? extents.blocks * extents.rows * p["array.cols"] : 0;
    constants += transfer(table, table, rates) + (weights > 0 ? transfer(weights, weights, rates) : 0);
    if (firstConstants === 0) firstConstants = constants;
    work.dramBytes += table + weights;
  }
  work.load += constants;
  work.dramBytes += 64 * work.instructions;
  const tps = p["agent.tensorProcessors"];
  const times = {
    mac: work.mac / tps,
    shift: work.shift / tps,
    pool: work.pool / tps,
    link: work.link,
    dma: Math.max(work.load, work.store),
    dram: work.dramBytes / rates.dram,
  };
  const bound = (Object.keys(times) as (keyof typeof times)[]).reduce((a, b) => (times[b] > times[a] ? b : a));
  const { down, across } = stripeCounts(choice);
  const stripes = down * across;
  const together = Math.max(times.mac, times.shift, times.pool, times.link) + work.bubbles;
  // in one stripe operators follow each other; else one works beside another
  const compute = stripes === 1 ? work.serial : Math.min(together, work.serial);
  const last = stripes === 1 ? work.last : compute / stripes;
  // the first stripe's data come before anything can be done, and the last one's go when all is done
  const [{ of: firstRows }, { of: firstCols }] = [rows[0], cols[0]];
  // constants come during the phase before, where a phase like this one leaves them room
  const residentBytes = choice.weightsResident ? weightBytes(shape, machine) : 0;
  const isAhead = choice.first > 0 && sramBytes + residentBytes <= freeBytes;
  let [begin, end] = [isAhead ? 0 : firstConstants, 0];
  const agents = choice.gridY * choice.gridX;
  for (const use of shape.uses.values()) {
    if (choice.homes.get(use.root.name) !== "dram" || use.kind === "within") continue;
    const stripe = useBytes(use, firstRows.fresh.get(use.root.name)!, firstCols.columns.get(use.root.name)!);
    const bytes = hasBuffer(use, choice) ? stripe : Math.min(stripe, pieceBytes(machine));
    const cycles = transfer(bytes, bytes * agents, rates);
    if (use.kind === "input") begin += cycles;
    else end += cycles;
  }
  // the first instructions of a program
  if (choice.first === 0)
    begin += p["dram.latencyCycles"] + (64 * p["issue.fetchInstructions"]) / p["dram.bytesPerCycle"];
  const cycles = Math.max(begin + compute, work.load + (isAhead ? 0 : last), work.store, times.dram) + end;
  return { sramBytes, cycles, dramBytes: work.dramBytes, bound };
}

function addStripe(
  work: Work,
  weight: number,
  { needed, fresh }: StripeRows,
  { columns }: StripeCols,
  shape: PhaseShape,
  choice: PhaseChoice,
  context: ArrayContext,
): void {
  const p = context.machine.parameters;
  const rates = ratesOf(context.machine);
  const tps = p["agent.tensorProcessors"];
  /** operators of the stripe one behind the other */
  const done = (cycles: number) => {
    work.serial += weight * cycles;
    work.last = cycles;
  };
  const tail = p["array.rows"] + p["array.cols"] + p["lanes.latencyCycles"];
  /** contiguous bytes of a piece stored by itself */
  let pieceRun = 0;
  for (const operator of shape.operators) {
    const { group, output, window } = operator;
    const rows = fresh.get(output.root)!;
    const cols = columns.get(output.root)!;
    const [height, width] = [rows.hi - rows.lo, cols.hi - cols.lo];
    if (height <= 0) continue;
    const values = height * width * output.channels;
    if (group.kind === "conv") {
      const pieces = cutBox(operator, group.conv, height, width, shape, choice, context);
      const channelGroups = Math.ceil(output.channels / (pieces.blocks * p["array.cols"]));
      if (storesPieces(operator, shape, choice))
        pieceRun = (output.channels / channelGroups) * shape.uses.get(output.root)!.root.bytes;
      work.mac += weight * pieces.cycles;
      work.shift += (weight * values) / p["shift.lanes"];
      work.instructions += 5 * weight * pieces.instructions;
      const lastValues = Math.min(values, pieces.rows * pieces.cols * pieces.blocks * p["array.cols"]);
      const bubble = tail + lastValues / p["shift.lanes"];
      work.bubbles += weight * bubble;
      done(Math.max(pieces.cycles, values / p["shift.lanes"]) / tps + bubble);
      if (!choice.weightsResident) {
        const reload = pieces.chunk < inputChannels(group.conv);
        const times = reload ? Math.ceil(height / pieces.rows) * Math.ceil(width / pieces.cols) : 1;
        const bytes = (group.conv.weights.length / group.conv.bias.length) * output.channels * times;
        const chunks = Math.ceil(inputChannels(group.conv) / pieces.chunk);
        const loads = (reload ? pieces.instructions : channelGroups) * chunks;
        work.load += weight * (loads * rates.startUp + bytes / Math.min(rates.dma, rates.dram));
        work.dramBytes += weight * bytes;
      }
    } else if (group.kind === "pool") {
      const cycles = (values * window.kernel[0] * window.kernel[1]) / p["pool.lanes"];
      work.pool += weight * cycles;
      work.instructions += 3 * weight;
      done(cycles + p["lanes.latencyCycles"]);
    } else if (group.kind === "add") {
      work.pool += (weight * values) / p["pool.lanes"];
      work.instructions += 3 * weight;
      work.bubbles += (weight * values) / p["pool.lanes"];
      done(values / p["pool.lanes"] + p["lanes.latencyCycles"]);
    } else {
      work.link += (weight * values) / p["link.bytesPerCycle"];
      work.instructions += 3 * weight;
      done(values / p["link.bytesPerCycle"]);
    }
  }
  const agents = choice.gridY * choice.gridX;
  for (const use of shape.uses.values()) {
    const { root } = use;
    const cols = columns.get(root.name)!;
    const rows = fresh.get(root.name)!;
    const span = use.channels.hi - use.channels.lo;
    const run = (width: number) =>
      use.kind === "output" && !hasBuffer(use, choice) && pieceRun > 0
        ? pieceRun
        : (span === root.channels ? width * span : span) * root.bytes;
    const rounded = (bytes: number, width: number) =>
      run(width) % p["dram.burstBytes"] === 0 ? bytes : (bytes * (run(width) + p["dram.burstBytes"])) / run(width);
    if (use.kind !== "output" && hasBuffer(use, choice)) {
      const kept = needed.get(root.name)!;
      const old = Math.max(0, rows.lo - kept.lo);
      work.link += (weight * old * (cols.hi - cols.lo) * span * root.bytes) / p["link.bytesPerCycle"];
    }
    if (choice.homes.get(root.name) !== "dram") continue;
    const inside = Math.min(
      1,
      (root.height * root.width) /
        (choice.gridY * choice.tile.height * use.ratioY * choice.gridX * choice.tile.width * use.ratioX),
    );
    if (use.kind === "input") {
      const bytes = useBytes(use, rows, cols);
      const dramBytes = agents * inside * rounded(bytes, cols.hi - cols.lo);
      work.load += weight * transfer(bytes, dramBytes, rates);
      work.dramBytes += weight * dramBytes;
      work.instructions += 3 * weight;
    } else if (use.kind === "output") {
      const bytes = useBytes(use, rows, cols);
      const dramBytes = agents * inside * rounded(bytes, cols.hi - cols.lo);
      work.store += weight * transfer(bytes, dramBytes, rates);
      work.dramBytes += weight * dramBytes;
      work.instructions += 3 * weight;
    }
  }
}
