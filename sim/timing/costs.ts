/**
 * Cycles of each instruction once it has started: the formulas of docs/timing.md. Total over the instruction table.
 * The time of `load` and `store` comes from their DRAM requests (transfers.ts).
 */
import { type Handlers, handlerOf, type Instruction, type MachineParameters } from "../../isa/index.ts";
import type { Work } from "./work.ts";

/**
 * The next instruction of the unit may start `occupancy` cycles after the start of this one; this one ends, and gives its
 * signals, `tail` cycles later still.
 */
export interface Cost {
  readonly occupancy: number;
  readonly tail: number;
}

const NOTHING: Cost = { occupancy: 0, tail: 0 };

/** Bytes that all banks of an agent's SRAM move in one cycle. */
export function sramBytesPerCycle(p: MachineParameters): number {
  return p["sram.banks"] * p["sram.bankBytesPerCycle"];
}

const portCycles = (bytes: number, p: MachineParameters) => Math.ceil(bytes / sramBytesPerCycle(p));

/**
 * Weight-stationary passes. A pass loads `rows` rows of weights, one per cycle, streams its pixels, and drains: the last
 * value leaves the array rows + cols - 2 cycles after the last pixel entered its first row.
 */
function convCost(work: Work, p: MachineParameters): Cost {
  const { "array.rows": rows, "array.cols": cols, "array.passOverlap": overlap, "array.hiddenPreload": hidden } = p;
  const preload = rows;
  const drain = rows + cols - 2;
  const streamed = hidden ? Math.max(work.pixels, overlap ? preload : 0) : preload + work.pixels;
  const pass = overlap ? streamed : streamed + drain;
  const occupancy = Math.max(work.passes * pass, portCycles(work.sramReadBytes, p));
  // the last stream lasts for its pixels, also when the weights of a next pass would take longer
  const lastStream = overlap ? Math.min(work.pixels, preload) : preload;
  return { occupancy, tail: (hidden ? lastStream : 0) + (overlap ? drain : 0) };
}

/**
 * Shift, pool and range units. A group of at most `cols` lanes takes, in a cycle, channels of one pixel that lie side by side; more
 * lanes make more groups. Then the depth of the pipeline.
 */
function laneCost(lanes: number, work: Work, p: MachineParameters): Cost {
  const width = Math.min(lanes, p["array.cols"]);
  const groups = Math.floor(lanes / width);
  const cyclesPerPixel = work.channelRuns.reduce((sum, run) => sum + Math.ceil(run / width), 0);
  const bytes = work.sramReadBytes + work.sramWriteBytes;
  return {
    occupancy: Math.max(Math.ceil(work.pixels / groups) * cyclesPerPixel, portCycles(bytes, p)),
    tail: p["lanes.latencyCycles"],
  };
}

function copyCost(work: Work, p: MachineParameters): Cost {
  // within an agent, reads and writes share the banks
  const isRemote = work.copiesTo >= 0;
  const bytes = isRemote ? work.bytes : 2 * work.bytes;
  const occupancy = Math.max(Math.ceil(work.bytes / p["link.bytesPerCycle"]), portCycles(bytes, p));
  return { occupancy, tail: isRemote ? p["link.latencyCycles"] : 0 };
}

const COST: Handlers<[Work, MachineParameters], Cost> = {
  halt: () => NOTHING,
  view: () => NOTHING,
  sync: () => NOTHING,
  fence: () => NOTHING,
  load: () => NOTHING,
  store: () => NOTHING,
  conv: (_, work, p) => convCost(work, p),
  shift: (_, work, p) => laneCost(p["shift.lanes"], work, p),
  pool: (_, work, p) => laneCost(p["pool.lanes"], work, p),
  add: (_, work, p) => laneCost(p["pool.lanes"], work, p),
  copy: (_, work, p) => copyCost(work, p),
  range: (_, work, p) => laneCost(p["range.lanes"], work, p),
  // from the last agent's arrival
  reduce: (_, work, p) => ({
    occupancy: p["sync.latencyCycles"] + Math.ceil(work.bytes / p["link.bytesPerCycle"]),
    tail: 0,
  }),
  exponent: (_, __, p) => ({ occupancy: p["scalar.cyclesPerOperation"], tail: 0 }),
  scalar: (_, __, p) => ({ occupancy: p["scalar.cyclesPerOperation"], tail: 0 }),
};

/** The rates that costs depend on. */
export const COST_RATES = [
  "array.passOverlap",
  "array.hiddenPreload",
  "sram.banks",
  "sram.bankBytesPerCycle",
  "shift.lanes",
  "pool.lanes",
  "range.lanes",
  "lanes.latencyCycles",
  "link.bytesPerCycle",
  "link.latencyCycles",
  "sync.latencyCycles",
  "scalar.cyclesPerOperation",
] as const satisfies readonly (keyof MachineParameters)[];

/** Cycles of one agent's share of an instruction. @param p of its rates, COST_RATES alone count */
export function cost(instruction: Instruction, work: Work, p: MachineParameters): Cost {
  return work.idle ? NOTHING : handlerOf(COST, instruction)(instruction, work, p);
}
