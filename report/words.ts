/** What reports call the simulator's causes and bounds. */
import type { Bounds, StallCause } from "../sim/result.ts";

const BOUND_TEXT: { readonly [B in keyof Bounds]: string } = {
  computeCycles: "MAC arrays: useful MACs",
  dramCycles: "DRAM: weights, input, output",
  trafficCycles: "DRAM: this program's traffic",
  shiftCycles: "shift units",
  poolCycles: "pool units",
  sramCycles: "SRAM ports",
};

export const CAUSE_TEXT: { readonly [C in StallCause]: string } = {
  finished: "has finished",
  notIssued: "next instruction not issued yet",
  sync: "held by a barrier",
  waitLoad: "waits for a load",
  waitStore: "waits for a store",
  waitLink: "waits for a copy",
  waitScalar: "waits for a scalar operation",
  waitMac: "waits for a MAC array",
  waitShift: "waits for a shift unit",
  waitPool: "waits for a pool unit",
  waitRange: "waits for a range unit",
  group: "waits for other agents",
  sram: "SRAM banks",
  refresh: "refresh",
  turnaround: "turn-around",
  row: "opening rows",
  noRequest: "no request",
};

/** Names that a report has and this version does not know stay as they are. */
export const causeText = (cause: string) => CAUSE_TEXT[cause as StallCause] ?? cause;
export const boundText = (bound: string) => BOUND_TEXT[bound as keyof Bounds] ?? bound;
