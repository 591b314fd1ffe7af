/** Counting what instructions do. Total over the instruction table; nothing here depends on time. */
import { dispatch, type Handlers, type Instruction } from "../isa/index.ts";
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

type Count = (counters: Counters, work: Work) => void;

const nothing: Count = () => {};
const transfer: Count = (counters, { bytes, fillBytes }) => {
  counters.dmaBytes += bytes;
  counters.fillBytes += fillBytes;
};
const lanes: Count = (counters, { values }) => {
  counters.shiftedValues += values;
};
const link: Count = (counters, { bytes }) => {
  counters.linkBytes += bytes;
};

/** What an operation counts besides its accesses to SRAM and accumulators. */
const count =
  (counting: Count) =>
  (_: Instruction, counters: Counters, work: Work): void =>
    counting(counters, work);

const COUNT: Handlers<[Counters, Work], void> = {
  halt: count(nothing),
  view: count(nothing),
  sync: count(nothing),
  fence: count(nothing),
  exponent: count(nothing),
  scalar: count(nothing),
  load: count(transfer),
  store: count(transfer),
  conv: count((counters, { macs }) => {
    counters.macsExecuted += macs;
  }),
  shift: count(lanes),
  pool: count(lanes),
  add: count(lanes),
  range: count(lanes),
  copy: count(link),
  reduce: count(link),
};

/** Adds one agent's share of an instruction. DRAM bytes, useful MACs and instructions are not per agent and not here. */
export function countWork(counters: Counters, instruction: Instruction, work: Work): void {
  if (work.idle) return;
  counters.sramReadBytes += work.sramReadBytes;
  counters.sramWriteBytes += work.sramWriteBytes;
  counters.accumulatorAccesses += work.accumulatorAccesses;
  dispatch(COUNT, instruction, counters, work);
}
