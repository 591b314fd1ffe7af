/**
 * Whose a cycle is: the oldest layer's, in program order, that has not finished at that cycle. Before the first instruction of a
 * layer starts it is `(start)`'s, after the last layer has finished `(end)`'s. Frames that overlap follow each other in
 * that order; the prologue, and frames that do not overlap, are each taken by themselves.
 */
import type { Segment } from "./engine.ts";
import type { Stream } from "./stream.ts";

/** Attributed cycles by slot; they add up to the cycles of the run. */
export function attributeCycles(stream: Stream, segments: readonly Segment[], overlapFrames: boolean): Float64Array {
  const attributed = new Float64Array(stream.slots);
  for (let first = 0; first < segments.length; ) {
    const chained = overlapFrames && !segments[first].isPrologue;
    const end = chained ? segments.length : first + 1;
    attributeCourse(attributed, stream, segments.slice(first, end));
    first = end;
  }
  return attributed;
}

function attributeCourse(attributed: Float64Array, stream: Stream, course: readonly Segment[]): void {
  const start = course[0].startCycle;
  const end = course[course.length - 1].endCycle;
  const started = course.map(({ firstStart }) => firstStart).filter((cycle) => cycle >= 0);
  let reached = started.length > 0 ? Math.min(...started) : end;
  attributed[0] += reached - start;
  for (const segment of course) {
    for (const slot of segment.isPrologue ? stream.slotOrder.prologue : stream.slotOrder.body) {
      const finished = segment.slotEnds[slot];
      if (finished <= reached) continue;
      attributed[slot] += finished - reached;
      reached = finished;
    }
  }
  attributed[stream.slots - 1] += end - reached;
}
