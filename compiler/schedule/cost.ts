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
  loadBytes: number;
  storeBytes: number;
  dramBytes: number;
  instructions: number;
  /** waiting of one operator for the one before it, per stripe */
  bubbles: number;
}

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
  const work: Work = {
    mac: 0,
    shift: 0,
    pool: 0,
    link: 0,
    loadBytes: 0,
    storeBytes: 0,
    dramBytes: 0,
    instructions: 0,
    bubbles: 0,
  };
  for (const col of cols)
    for (const row of rows) addStripe(work, row.count * col.count, row.of, col.of, shape, choice, context);
  const agents = choice.gridY * choice.gridX;
  const residentBytes = choice.weightsResident ? weightBytes(shape, machine) : 0;
  work.loadBytes += residentBytes;
  work.dramBytes += residentBytes + 64 * work.instructions;
  const tps = p["agent.tensorProcessors"];
  const dmaOf = (bytes: number) => bytes / p["dma.bytesPerCycle"];
  const times = {
    mac: work.mac / tps,
    shift: work.shift / tps,
    pool: work.pool / tps,
    link: work.link,
    dma: Math.max(dmaOf(work.loadBytes), dmaOf(work.storeBytes)),
    dram: work.dramBytes / p["dram.bytesPerCycle"],
  };
  const bound = (Object.keys(times) as (keyof typeof times)[]).reduce((a, b) => (times[b] > times[a] ? b : a));
  // the first stripe's data come before anything can be done
  const [{ of: firstRows }, { of: firstCols }] = [rows[0], cols[0]];
  let start = 0;
  for (const use of shape.uses.values())
    if (use.kind === "input" && choice.homes.get(use.root.name) === "dram")
      start +=
        (useBytes(use, firstRows.fresh.get(use.root.name)!, firstCols.columns.get(use.root.name)!) * agents) /
        p["dram.bytesPerCycle"];
  // in one stripe a pooling has nothing to work beside
  const serial = rows.length * cols.length === 1 && bound !== "pool" ? times.pool : 0;
  const cycles = times[bound] + serial + work.bubbles + p["dram.latencyCycles"] + p["dma.setupCycles"] + start;
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
      work.bubbles += weight * (tail + lastValues / p["shift.lanes"]);
      if (!choice.weightsResident) {
        const reload = pieces.chunk < inputChannels(group.conv);
        const times = reload ? Math.ceil(height / pieces.rows) * Math.ceil(width / pieces.cols) : 1;
        const bytes = (group.conv.weights.length / group.conv.bias.length) * output.channels * times;
        work.loadBytes += weight * bytes;
        work.dramBytes += weight * bytes;
      }
    } else if (group.kind === "pool") {
      work.pool += (weight * values * window.kernel[0] * window.kernel[1]) / p["pool.lanes"];
      work.instructions += 3 * weight;
    } else if (group.kind === "add") {
      work.pool += (weight * values) / p["pool.lanes"];
      work.instructions += 3 * weight;
      work.bubbles += (weight * values) / p["pool.lanes"];
    } else {
      work.link += (weight * values) / p["link.bytesPerCycle"];
      work.instructions += 3 * weight;
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
      work.loadBytes += weight * bytes;
      work.dramBytes += weight * agents * inside * rounded(bytes, cols.hi - cols.lo);
      work.instructions += 3 * weight;
    } else if (use.kind === "output") {
      const bytes = useBytes(use, rows, cols);
      work.storeBytes += weight * bytes;
      work.dramBytes += weight * agents * inside * rounded(bytes, cols.hi - cols.lo);
      work.instructions += 3 * weight;
    }
  }
}
