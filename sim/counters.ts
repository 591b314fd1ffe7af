/** Counting what instructions do. Total over the instruction table; nothing here depends on time. */
import { type Handlers, handlerOf, type Instruction } from "../isa/index.ts";
import { COUNTERS, type Counter, type Counters } from "./result.ts";
import type { Work } from "./timing/work.ts";

export const COUNTER_NAMES = Object.keys(COUNTERS) as Counter[];

export function noCounters(): Counters {
  return Object.fromEntries(COUNTER_NAMES.map((name) => [name, 0])) as Counters;
}

/** Adds `times` times the counters of `more` to `sum`. */
export function addCounters(sum: Counters, more: Counters, times = 1): void {
  for (const name of COUNTER_NAMES) sum[name] += times * more[name];
}

type Count = (counters: Counters, work: Work, times: number) => void;

const nothing: Count = () => {};
const transfer: Count = (counters, { bytes, fillBytes }, times) => {
  counters.dmaBytes += times * bytes;
  counters.fillBytes += times * fillBytes;
};
const lanes: Count = (counters, { values }, times) => {
  counters.shiftedValues += times * values;
};
const link: Count = (counters, { bytes }, times) => {
  counters.linkBytes += times * bytes;
};

/** What an operation counts besides its accesses to SRAM and accumulators. */
const count =
  (counting: Count) =>
  (_: Instruction, counters: Counters, work: Work, times: number): void =>
    counting(counters, work, times);

const COUNT: Handlers<[Counters, Work, number], void> = {
  halt: count(nothing),
  view: count(nothing),
  sync: count(nothing),
  fence: count(nothing),
  exponent: count(nothing),
  scalar: count(nothing),
  load: count(transfer),
  store: count(transfer),
  conv: count((counters, { macs }, times) => {
    counters.macsExecuted += times * macs;
  }),
  shift: count(lanes),
  pool: count(lanes),
  add: count(lanes),
  range: count(lanes),
  copy: count(link),
  reduce: count(link),
};

/**
 * Adds the shares of so many agents, all alike, of an instruction. DRAM bytes, useful MACs and instructions are not per agent and
 * not here.
 */
export function countWork(counters: Counters, instruction: Instruction, work: Work, times: number): void {
  if (work.idle) return;
  counters.sramReadBytes += times * work.sramReadBytes;
  counters.sramWriteBytes += times * work.sramWriteBytes;
  counters.accumulatorAccesses += times * work.accumulatorAccesses;
  handlerOf(COUNT, instruction)(instruction, counters, work, times);
}
