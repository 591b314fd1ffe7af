/** What the page's timeline draws: for each unit its work as intervals of one layer, few enough for a page. */
import { groupBy, type Recording } from "./recording.ts";
import type { Report } from "./report.ts";

/** More make the page slow and large. */
const MOST_INTERVALS = 60_000;

export interface Track {
  readonly name: string;
  /** Flat triples: start cycle (from the end of the interval before), length, layer. */
  readonly work: readonly number[];
}

export interface Timeline {
  readonly tracks: readonly Track[];
  /** Intervals this many cycles apart or less are drawn as one, if they are of one layer or lie within as many cycles. */
  readonly joinedCycles: number;
}

interface Interval {
  readonly start: number;
  end: number;
  readonly layer: number;
}

/** Tracks of agents' units in the report's order, DRAM's bus first; empty without a recording. `most` is at least the number of tracks. */
export function timelineOf(
  { units, layers }: Pick<Report, "units" | "layers">,
  recording: Recording,
  most = MOST_INTERVALS,
): Timeline {
  const numbers = new Map(layers.map(({ name }, i) => [name, i]));
  const numbered = (rows: readonly { startCycle: number; endCycle: number; layer: string }[]): Interval[] =>
    rows
      .map(({ startCycle, endCycle, layer }) => ({ start: startCycle, end: endCycle, layer: numbers.get(layer) ?? -1 }))
      .sort((a, b) => a.start - b.start);
  const rows = groupBy(recording.instructions, ({ agent, unit }) => `agent ${agent}: ${unit}`);
  const tracks = [
    { name: "DRAM", intervals: numbered(recording.dram) },
    ...units.map(({ agent, unit }) => {
      const name = `agent ${agent}: ${unit}`;
      return { name, intervals: numbered(rows.get(name) ?? []) };
    }),
  ].filter(({ intervals }) => intervals.length > 0);

  for (let gap = 0; ; gap = Math.max(1, 2 * gap)) {
    const joined = tracks.map(({ name, intervals }) => ({ name, intervals: join(intervals, gap) }));
    if (joined.reduce((sum, { intervals }) => sum + intervals.length, 0) <= most) {
      return { tracks: joined.map(({ name, intervals }) => ({ name, work: packed(intervals) })), joinedCycles: gap };
    }
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
    // another layer's goes unseen only where all of it is short
    const alike = last?.layer === interval.layer || interval.end - last?.start <= gap;
    if (last !== undefined && alike && start - last.end <= gap) last.end = interval.end;
    else joined.push({ ...interval, start });
  }
  return joined;
}

function packed(intervals: readonly Interval[]): number[] {
  let end = 0;
  return intervals.flatMap((interval) => {
    const triple = [interval.start - end, interval.end - interval.start, interval.layer];
    end = interval.end;
    return triple;
  });
}
