/**
 * Whose a cycle is: the layer's whose instruction is the oldest, in program order, that has not ended at that cycle. Loads
 * count only when nothing else is left: they stand early in the program, and what waits for them has not ended either. Before the first instruction of a layer starts a cycle is
 * `(start)`'s, after the last one has ended `(end)`'s. Frames that overlap follow each other in that order; the prologue, and
 * frames that do not overlap, are each taken by themselves.
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
  for (const isLoad of [false, true]) {
    for (const { isPrologue, ends } of course) {
      const [from, to] = isPrologue ? [0, stream.prologueLength] : [stream.prologueLength, ends.length];
      for (let i = from; i < to; i++) {
        const unit = stream.unitOf[i];
        if (ends[i] <= reached || unit < 0 || (stream.unitKinds[unit] === "load") !== isLoad) continue;
        attributed[stream.slotOf[i]] += ends[i] - reached;
        reached = ends[i];
      }
    }
  }
  attributed[stream.slots - 1] += end - reached;
}
