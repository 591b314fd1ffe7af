/** Units over time, few enough intervals for a page: what each did, and why it stood still. */
import type { StallCause } from "../sim/result.ts";
import { groupBy, type Recording } from "./recording.ts";
import type { Report } from "./report.ts";

/** More make the page slow and large. */
const MOST_INTERVALS = 80_000;

export interface Track {
  /** -1: the chip's DRAM */
  readonly agent: number;
  readonly unit: string;
  /** Four numbers an interval: start cycle from the end of the interval before, length, layer, index of the instruction; -1: none, or several. */
  readonly work: readonly number[];
  /** Three numbers an interval: start cycle from the end of the interval before, length, cause. */
  readonly stalls: readonly number[];
}

export interface Timeline {
  readonly tracks: readonly Track[];
  /** Names that the stalls' numbers stand for. */
  readonly causes: readonly StallCause[];
  /** Intervals this many cycles apart or less are one, if they are of one layer or cause or lie within as many cycles. */
  readonly joinedCycles: number;
}

interface Interval {
  readonly start: number;
  end: number;
  /** layer or cause */
  readonly what: number;
  /** Index of the instruction; -1: several. */
  index: number;
}

/** Tracks of agents' units in the report's order, DRAM's first; empty without a recording. `most` is at least twice the number of tracks. */
export function timelineOf(
  { units, layers }: Pick<Report, "units" | "layers">,
  recording: Pick<Recording, "instructions" | "stalls" | "dram">,
  most = MOST_INTERVALS,
): Timeline {
  const layerOf = new Map(layers.map(({ name }, i) => [name, i]));
  const worked = (rows: readonly { startCycle: number; endCycle: number; layer: string; index?: number }[]) =>
    rows
      .map(({ startCycle: start, endCycle: end, layer, index = -1 }) => ({
        ...{ start, end, index },
        what: layerOf.get(layer) ?? -1,
      }))
      .sort((a, b) => a.start - b.start);
  const unitOf = ({ agent, unit }: { agent: number; unit: string }) => `${agent} ${unit}`;
  const rows = groupBy(recording.instructions, unitOf);
  const stalled = groupBy(recording.stalls, unitOf);
  const causes = [...new Set(recording.stalls.map(({ cause }) => cause))];
  const tracks = [
    { agent: -1, unit: "reads", work: worked(recording.dram.filter(({ write }) => !write)), stalls: [] },
    { agent: -1, unit: "writes", work: worked(recording.dram.filter(({ write }) => write)), stalls: [] },
    ...units.map(({ agent, unit }) => ({
      ...{ agent, unit },
      work: worked(rows.get(unitOf({ agent, unit })) ?? []),
      stalls: (stalled.get(unitOf({ agent, unit })) ?? []).map(({ startCycle: start, endCycle: end, cause }) => ({
        ...{ start, end, index: -1 },
        what: causes.indexOf(cause),
      })),
    })),
  ].filter(({ work }) => work.length > 0);

  for (let gap = 0; ; gap = Math.max(1, 2 * gap)) {
    const joined = tracks.map(({ work, stalls, ...place }) => ({
      ...{ ...place, work: join(work, gap), stalls: join(stalls, gap) },
    }));
    if (joined.reduce((sum, { work, stalls }) => sum + work.length + stalls.length, 0) > most) continue;
    return {
      tracks: joined.map(({ work, stalls, ...place }) => ({
        ...place,
        work: packed(work, ({ what, index }) => [what, index]),
        stalls: packed(stalls, ({ what }) => [what]),
      })),
      causes,
      joinedCycles: gap,
    };
  }
}

function join(intervals: readonly Interval[], gap: number): Interval[] {
  const joined: Interval[] = [];
  let end = 0;
  for (const interval of intervals) {
    const last = joined[joined.length - 1];
    // where passes overlap, the later one begins when the earlier ends
    const start = Math.max(interval.start, end);
    if (interval.end <= start) continue;
    end = interval.end;
    // what is another's goes unseen only where all of it is short
    const alike = gap > 0 && (last?.what === interval.what || interval.end - last?.start <= gap);
    if (last !== undefined && alike && start - last.end <= gap) {
      last.end = interval.end;
      last.index = -1;
    } else joined.push({ ...interval, start });
  }
  return joined;
}

function packed(intervals: readonly Interval[], detail: (interval: Interval) => readonly number[]): number[] {
  let end = 0;
  return intervals.flatMap((interval) => {
    const numbers = [interval.start - end, interval.end - interval.start, ...detail(interval)];
    end = interval.end;
    return numbers;
  });
}
