/**
 * Whose a cycle is: the layer's whose instruction is the oldest, in program order, that has not ended at that cycle. Loads
 * count only when nothing else is left: they stand early in the program, and what waits for them has not ended either. Before the first instruction of a layer starts a cycle is
 * `(start)`'s, after the last one has ended `(end)`'s. Frames that overlap follow each other in that order; the prologue, and
 * frames that do not overlap, are each taken by themselves.
 */
import type { Stream } from "./stream.ts";

/** A prologue or a frame that has ended. */
export interface EndedSegment {
  readonly isPrologue: boolean;
  readonly startCycle: number;
  readonly endCycle: number;
  /** Start of its first instruction that belongs to a layer; -1: none. */
  readonly firstStart: number;
  /** When each of its instructions had ended in all agents. */
  readonly ends: Float64Array;
}

/** Takes segments as they end, and keeps none of them: frames may be many. */
export class Attribution {
  /** Cycles by slot; they add up to the cycles of the run. */
  readonly cycles: Float64Array;
  /** Up to where the cycles of what runs without a full barrier are given; null: nothing does. Infinity: no layer ever starts. */
  private reached: number | null = null;
  private startCycle = 0;
  private endCycle = 0;
  /** Loads that outlast everything else so far. */
  private lateLoads: { readonly slot: number; readonly end: number }[] = [];

  constructor(
    private readonly stream: Stream,
    private readonly overlapFrames: boolean,
  ) {
    this.cycles = new Float64Array(stream.slots);
  }

  /** The next segment in order has ended. */
  add({ isPrologue, startCycle, endCycle, firstStart, ends }: EndedSegment): void {
    const { stream, cycles } = this;
    if (this.reached === null) {
      this.startCycle = startCycle;
      this.reached = firstStart < 0 ? Number.POSITIVE_INFINITY : firstStart;
      if (firstStart >= 0) cycles[0] += firstStart - startCycle;
    }
    this.endCycle = endCycle;
    const [from, to] = isPrologue ? [0, stream.prologueLength] : [stream.prologueLength, ends.length];
    for (let i = from; i < to; i++) {
      if (ends[i] > this.reached && stream.unitOf[i] >= 0 && !this.isLoad(i)) this.give(stream.slotOf[i], ends[i]);
    }
    this.lateLoads = this.lateLoads.filter(({ end }) => end > this.reached!);
    for (let i = from; i < to; i++) {
      if (ends[i] > this.reached && stream.unitOf[i] >= 0 && this.isLoad(i)) {
        this.lateLoads.push({ slot: stream.slotOf[i], end: ends[i] });
      }
    }
    if (isPrologue || !this.overlapFrames) this.finish();
  }

  /** The run has ended. */
  finish(): void {
    if (this.reached === null) return;
    for (const { slot, end } of this.lateLoads) if (end > this.reached) this.give(slot, end);
    const { cycles, reached } = this;
    if (reached === Number.POSITIVE_INFINITY) cycles[0] += this.endCycle - this.startCycle;
    else cycles[cycles.length - 1] += this.endCycle - reached;
    this.reached = null;
    this.lateLoads = [];
  }

  private isLoad(index: number): boolean {
    return this.stream.unitKinds[this.stream.unitOf[index]] === "load";
  }

  private give(slot: number, end: number): void {
    this.cycles[slot] += end - this.reached!;
    this.reached = end;
  }
}
