/** Words that the forms of a report share: names of causes and bounds, and what is known of a picture. */
import type { Bounds, StallCause } from "../sim/result.ts";
import { count } from "./numbers.ts";
import type { ReportObject } from "./report.ts";

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

/** How many of the objects that a picture is known to show were found. */
export function knownWords(objects: readonly ReportObject[]): string {
  const found = objects.filter(({ iou }) => iou > 0);
  const overlap = found.reduce((sum, { iou }) => sum + iou, 0) / found.length;
  const mean = found.length === 0 ? "" : ` (mean IoU ${overlap.toFixed(2)})`;
  const missed = objects
    .filter(({ iou }) => iou === 0)
    .map(({ class: name, box }) => `${name} at ${box.map(Math.round).join(", ")}`);
  return `${found.length} of ${count(objects.length, "labelled object")} found${mean}${missed.length === 0 ? "" : `; missed: ${missed.join("; ")}`}`;
}
