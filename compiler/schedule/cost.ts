/** What a phase takes: SRAM, cycles and DRAM bytes, from the machine's own parameters. */
import type { Machine, Packing } from "../../isa/index.ts";
import { aligned } from "../lowering/buffers.ts";
import { phaseDelays, slotsOf } from "./delays.ts";
import {
  hasBuffer,
  type PhaseChoice,
  type PhaseShape,
  type Stripe,
  stripesOf,
  tableBytes,
  useBytes,
  weightBytes,
} from "./phase.ts";
import { cutBox, streamedWeights } from "./pieces.ts";

/** Pieces of output on their way to DRAM. */
export const SLOTS = 2;
/** Pieces of streamed weights in SRAM: one in use, the others on their way. */
export const WEIGHT_SLOTS = 3;
/** Streamed weights may take this part of SRAM. */
const STREAM_SHARE = 0.25;

export interface PhaseCost {
  readonly sramBytes: number;
  readonly cycles: number;
  readonly dramBytes: number;
  /** the unit that takes longest */
  readonly bound: "mac" | "shift" | "pool" | "link" | "dma" | "dram";
}

/** Bytes of one piece of streamed weights at most. */
export const streamedPieceBytes = (machine: Machine) =>
  Math.floor((machine.parameters["sram.bytes"] * STREAM_SHARE) / WEIGHT_SLOTS);

export function phaseSramBytes(
  shape: PhaseShape,
  choice: PhaseChoice,
  machine: Machine,
  stripes = stripesOf(shape, choice),
): number {
  const delays = phaseDelays(shape, choice, stripes.length);
  let bytes = tableBytes(shape);
  if (choice.weightsResident) bytes += weightBytes(shape, machine);
  else {
    const cols = machine.parameters["array.cols"];
    let piece = 0;
    for (const { group } of shape.operators) {
      if (group.kind !== "conv") continue;
      const { maxBlocks, chunk } = streamedWeights(group.conv, streamedPieceBytes(machine), machine);
      const blocks = Math.min(maxBlocks, Math.ceil(group.conv.bias.length / cols));
      piece = Math.max(piece, blocks * chunk * group.conv.kernel[0] * group.conv.kernel[1] * cols);
    }
    bytes += WEIGHT_SLOTS * aligned(piece);
  }
  for (const use of shape.uses.values()) {
    if (!hasBuffer(use, choice)) {
      if (use.kind === "output" && choice.homes.get(use.root.name) === "dram")
        bytes += SLOTS * aligned(itemBytes(machine));
      continue;
    }
    let largest = 0;
    for (const { needed, columns } of stripes.slice(0, 3))
      largest = Math.max(largest, useBytes(use, needed.get(use.root.name)!, columns.get(use.root.name)!));
    bytes += slotsOf(use, shape, delays, stripes.length) * aligned(largest);
  }
  return bytes;
}

/** An output stored piece by piece: what half the accumulators hold, at 4 bytes. */
export function itemBytes(machine: Machine): number {
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

export function phaseCost(shape: PhaseShape, choice: PhaseChoice, machine: Machine, packing: Packing): PhaseCost {
  const p = machine.parameters;
  const stripes = stripesOf(shape, choice);
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
  const perColumn = Math.ceil(choice.tile.height / choice.stripeRows);
  // all stripes of a column but the first and the last are alike, and so are all columns but the last
  const columns = stripes.length / perColumn;
  stripes.forEach((stripe, i) => {
    const [x, y] = [Math.floor(i / perColumn), i % perColumn];
    const like = (at: number, count: number) =>
      count <= 3 || at === 0 || at === count - 1 ? 1 : at === 1 ? count - 2 : 0;
    const weight = like(x, columns) * like(y, perColumn);
    if (weight > 0) addStripe(work, weight, stripe, shape, choice, machine, packing);
  });
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
  const sramBytes = phaseSramBytes(shape, choice, machine, stripes);
  // the first stripe's data come before anything can be done
  const first = stripes[0];
  let start = 0;
  for (const use of shape.uses.values())
    if (use.kind === "input" && choice.homes.get(use.root.name) === "dram")
      start +=
        (useBytes(use, first.fresh.get(use.root.name)!, first.columns.get(use.root.name)!) * agents) /
        p["dram.bytesPerCycle"];
  // in one stripe a pooling has nothing to work beside
  const serial = stripes.length === 1 && bound !== "pool" ? times.pool : 0;
  const cycles = times[bound] + serial + work.bubbles + p["dram.latencyCycles"] + p["dma.setupCycles"] + start;
  return { sramBytes, cycles, dramBytes: work.dramBytes, bound };
}

function addStripe(
  work: Work,
  weight: number,
  { needed, fresh, columns }: Stripe,
  shape: PhaseShape,
  choice: PhaseChoice,
  machine: Machine,
  packing: Packing,
): void {
  const p = machine.parameters;
  const tail = p["array.rows"] + p["array.cols"] + p["lanes.latencyCycles"];
  for (const operator of shape.operators) {
    const { group, output, window } = operator;
    const rows = fresh.get(output.root)!;
    const cols = columns.get(output.root)!;
    const [height, width] = [rows.hi - rows.lo, cols.hi - cols.lo];
    if (height <= 0) continue;
    const values = height * width * output.channels;
    if (group.kind === "conv") {
      const { maxBlocks, chunk } = choice.weightsResident
        ? { maxBlocks: 65535, chunk: 65535 }
        : streamedWeights(group.conv, streamedPieceBytes(machine), machine);
      const pieces = cutBox(group.conv, height, width, maxBlocks, machine, packing);
      work.mac += weight * pieces.cycles;
      work.shift += (weight * values) / p["shift.lanes"];
      work.instructions += 5 * weight * pieces.instructions;
      const lastValues = Math.min(values, pieces.rows * pieces.cols * pieces.blocks * p["array.cols"]);
      work.bubbles += weight * (tail + lastValues / p["shift.lanes"]);
      if (!choice.weightsResident) {
        const reload =
          chunk < group.conv.weights.length / (group.conv.bias.length * window.kernel[0] * window.kernel[1]);
        const times = reload ? Math.ceil(height / pieces.rows) * Math.ceil(width / pieces.cols) : 1;
        const bytes = group.conv.weights.length * times;
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
    const run = (width: number) => (span === root.channels ? width * span : span) * root.bytes;
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
