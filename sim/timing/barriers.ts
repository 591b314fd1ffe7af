/** `sync`: barriers over all agents. The b-th barrier of the run is named by b, counting all frames. */
import type { Barrier, Stream } from "./stream.ts";

export class Barriers {
  /** Barriers of the run that hold a unit back and have been released, counted without gaps from the first. [unit of an agent] */
  readonly released: Int32Array;
  /** Barriers of the prologue and of one frame that hold a unit back. */
  readonly heldInPrologue: Int32Array;
  readonly heldInFrame: Int32Array;
  private readonly prologue: readonly Barrier[];
  private readonly body: readonly Barrier[];
  private readonly instancesInPrologue: number;
  private readonly arrivals: Int32Array;
  private readonly isReleased: Uint8Array;
  /** Next barrier each unit's `released` looks at. */
  private readonly next: Int32Array;
  /** Per agent: barriers issued, at which it has not arrived. */
  private readonly pending: number[][];
  /** Per agent: barriers issued so far. */
  private readonly issuedCounts: Int32Array;

  constructor(
    private readonly stream: Stream,
    frames: number,
    /** Called when the last agent arrives. */
    private readonly onComplete: (barrier: number, now: number) => void,
  ) {
    const { barriers, units, agents } = stream;
    this.prologue = barriers.prologue;
    this.body = barriers.body;
    this.instancesInPrologue = this.prologue.length;
    const instances = this.prologue.length + frames * this.body.length;
    this.arrivals = new Int32Array(instances);
    this.isReleased = new Uint8Array(instances);
    this.released = new Int32Array(units);
    this.next = new Int32Array(units);
    this.pending = Array.from({ length: agents }, () => []);
    this.issuedCounts = new Int32Array(agents);
    const held = (list: readonly Barrier[]) => {
      const counts = new Int32Array(units);
      for (const { before } of list) for (const unit of before) counts[unit]++;
      return counts;
    };
    this.heldInPrologue = held(this.prologue);
    this.heldInFrame = held(this.body);
  }

  private barrier(instance: number): Barrier {
    return instance < this.instancesInPrologue
      ? this.prologue[instance]
      : this.body[(instance - this.instancesInPrologue) % this.body.length];
  }

  /** An agent issued its next sync. finished: instructions finished by the agent's units so far. */
  issue(agent: number, finished: Int32Array, now: number): void {
    const instance = this.issuedCounts[agent]++;
    if (this.hasArrived(agent, instance, finished)) this.arrive(instance, now);
    else this.pending[agent].push(instance);
  }

  /** A unit of the agent finished an instruction that a barrier awaits. */
  recheck(agent: number, finished: Int32Array, now: number): void {
    const pending = this.pending[agent];
    for (let k = 0; k < pending.length; ) {
      if (this.hasArrived(agent, pending[k], finished)) this.arrive(pending.splice(k, 1)[0], now);
      else k++;
    }
  }

  private hasArrived(agent: number, instance: number, finished: Int32Array): boolean {
    const { lists, prologueCounts, units } = this.stream;
    const frame =
      instance < this.instancesInPrologue ? -1 : Math.floor((instance - this.instancesInPrologue) / this.body.length);
    return this.barrier(instance).after.every(({ unit, earlier }) => {
      const inFrame = lists[unit].length - prologueCounts[unit];
      const before = frame < 0 ? 0 : prologueCounts[unit] + frame * inFrame;
      return finished[agent * units + unit] >= before + earlier;
    });
  }

  private arrive(instance: number, now: number): void {
    if (++this.arrivals[instance] === this.stream.agents) this.onComplete(instance, now);
  }

  /** The barrier lets go; returns the units of every agent that it held back. */
  release(instance: number): readonly number[] {
    this.isReleased[instance] = 1;
    const { before } = this.barrier(instance);
    for (const unit of before) {
      let next = this.next[unit];
      for (; next < this.isReleased.length; next++) {
        if (!this.barrier(next).before.includes(unit)) continue;
        if (this.isReleased[next] === 0) break;
        this.released[unit]++;
      }
      this.next[unit] = next;
    }
    return before;
  }
}
