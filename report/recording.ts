/** What was seen while a program was timed: the events behind the timeline, the trace and the page. */
import type { DramEvent, StallEvent } from "../sim/events.ts";
import type { SramMap } from "./sram-map.ts";

/** One agent's share of an instruction in time. */
export interface TimelineRow {
  readonly agent: number;
  readonly unit: string;
  readonly startCycle: number;
  readonly endCycle: number;
  /** Index in the program, prologue first. */
  readonly index: number;
  readonly op: string;
  readonly layer: string;
  readonly tile: number;
}

export interface Recording {
  readonly instructions: readonly TimelineRow[];
  readonly stalls: readonly StallEvent[];
  readonly dram: readonly DramEvent[];
  /** of one agent; null: not looked at */
  readonly sram: SramMap | null;
}

/** Items under what `keyOf` says of them, in their order. */
export function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
