/**
 * Happens-before over the units of all agents, with vector clocks. A thread is one unit of one agent; its clock says, for
 * every thread, the epoch up to which that thread's instructions have certainly ended. The rules are docs/races.md.
 */
import {
  agentWork,
  type CheckedProgram,
  type InstructionOf,
  multicastGroup,
  type Semaphore,
  type UnitKind,
  unitAt,
  unitCount,
  unitIndex,
  unitKindOf,
} from "../../isa/index.ts";

export interface OrderOptions {
  /** Frames looked at, 1 or more. One shows races within a frame, two also those between frames. */
  readonly frames?: number;
  /** Whether a frame may begin before the one before it has ended. */
  readonly overlapFrames?: boolean;
}

/** Frame number of the prologue. */
export const PROLOGUE = -1;

/** One agent's share of one executed instruction. */
export interface Event {
  readonly index: number;
  readonly frame: number;
  readonly agent: number;
  readonly thread: number;
  /** Number of the instruction in the whole run, counted from 1. */
  readonly epoch: number;
  /** Its clock when it starts: `clock[t] >= e` when epoch e of thread t has ended by then. Valid during the visit only. */
  readonly clock: Int32Array;
}

type Clock = Int32Array;

function join(into: Clock, from: Clock): void {
  for (let i = 0; i < into.length; i++) if (from[i] > into[i]) into[i] = from[i];
}

/** A semaphore's signals on their way, per receiving agent. null: one of the initial ones. */
class Channel {
  private readonly queues: (Clock | null)[][];

  constructor(
    private readonly semaphore: Semaphore,
    agents: number,
  ) {
    this.queues = Array.from({ length: agents }, () => []);
  }

  /** The agent at an offset in the semaphore's grid, or null when either end is outside grid or chip. */
  private partner(agent: number, sign: 1 | -1): number | null {
    const { gridY, gridX, offsetY, offsetX } = this.semaphore;
    if (agent >= gridY * gridX) return null;
    const iy = Math.floor(agent / gridX) + sign * offsetY;
    const ix = (agent % gridX) + sign * offsetX;
    if (iy < 0 || iy >= gridY || ix < 0 || ix >= gridX) return null;
    const partner = iy * gridX + ix;
    return partner < this.queues.length ? partner : null;
  }

  /** Puts the initial signals there, as when the first frame starts. */
  begin(): void {
    this.queues.forEach((queue, agent) => {
      if (this.partner(agent, -1) === null) return;
      for (let i = 0; i < this.semaphore.initial; i++) queue.push(null);
    });
  }

  signal(agent: number, clock: Clock): void {
    const receiver = this.partner(agent, 1);
    if (receiver !== null) this.queues[receiver].push(clock);
  }

  /** The clock of the signal this wait takes; null when there is none to learn from. */
  take(agent: number): Clock | null {
    if (this.partner(agent, -1) === null) return null;
    const clock = this.queues[agent].shift();
    if (clock === undefined) throw new Error("a wait without a signal; checkProgram refuses such programs");
    return clock;
  }
}

/** The threads that exist: those of units some instruction runs in. */
export class Threads {
  readonly agents: number;
  readonly count: number;
  private readonly units: number[];
  private readonly slots: number[];

  constructor({ program, bound }: CheckedProgram) {
    const { agents, "agent.tensorProcessors": tensorProcessors } = program.machine.parameters;
    const used = new Set<number>();
    for (const { instruction } of bound) {
      const kind = unitKindOf(instruction);
      if (kind !== null) used.add(unitIndex(kind, instruction.tp));
    }
    this.agents = agents;
    this.units = [...used].sort((a, b) => a - b);
    this.slots = Array.from({ length: unitCount(tensorProcessors) }, (_, unit) => this.units.indexOf(unit));
    this.count = agents * this.units.length;
  }

  of(agent: number, unit: number): number {
    return agent * this.units.length + this.slots[unit];
  }

  /** Threads of some kinds of units, of one agent or all. */
  ofKinds(kinds: readonly UnitKind[], agent: number | "all"): number[] {
    const threads: number[] = [];
    const [from, to] = agent === "all" ? [0, this.agents] : [agent, agent + 1];
    for (let a = from; a < to; a++) {
      for (const unit of this.units) if (kinds.includes(unitAt(unit).kind)) threads.push(this.of(a, unit));
    }
    return threads;
  }
}

/** Walks a run of a program and tells, for every instruction and agent, what has happened before. */
export class Order {
  readonly threads: Threads;
  /** The clock at the end of each thread's latest instruction. */
  private readonly ended: Clock[];
  /** What barriers make each thread's next instruction wait for; null: nothing new. */
  private readonly held: (Clock | null)[];
  private readonly channels: Channel[];
  private epoch = 0;

  constructor(
    private readonly checked: CheckedProgram,
    private readonly options: OrderOptions,
  ) {
    this.threads = new Threads(checked);
    const { count, agents } = this.threads;
    this.ended = Array.from({ length: count }, () => new Int32Array(count));
    this.held = Array.from({ length: count }, () => null);
    this.channels = checked.program.semaphores.map((semaphore) => new Channel(semaphore, agents));
  }

  /** Calls `visit` for each instruction that runs in a unit, in program order, in every agent, work or not. */
  walk(visit: (event: Event) => void): void {
    const { program, bound } = this.checked;
    const { frames = 1, overlapFrames = false } = this.options;
    const body = program.prologue.length;
    this.walkStream(0, body, PROLOGUE, visit);
    this.barrier();
    for (const channel of this.channels) channel.begin();
    for (let frame = 0; frame < frames; frame++) {
      if (frame > 0 && !overlapFrames) this.barrier();
      this.walkStream(body, bound.length, frame, visit);
    }
  }

  /** Oldest epoch, per thread, that some of the given threads may not know to have ended when they go on. */
  knownToAll(threads: readonly number[]): Clock {
    const oldest = new Int32Array(this.threads.count).fill(0x7fffffff);
    for (const thread of threads) {
      const ended = this.ended[thread];
      const held = this.held[thread];
      for (let i = 0; i < oldest.length; i++) {
        const known = held === null ? ended[i] : Math.max(ended[i], held[i]);
        if (known < oldest[i]) oldest[i] = known;
      }
    }
    return oldest;
  }

  private walkStream(from: number, to: number, frame: number, visit: (event: Event) => void): void {
    for (let index = from; index < to; index++) {
      const { instruction } = this.checked.bound[index];
      if (instruction.op === "sync") this.sync(instruction);
      const kind = unitKindOf(instruction);
      if (kind === null) continue;
      const epoch = ++this.epoch;
      const unit = unitIndex(kind, instruction.tp);
      for (let agent = 0; agent < this.threads.agents; agent++) this.start(this.threads.of(agent, unit), agent, index);
      const collective = this.meet(index, unit);
      for (let agent = 0; agent < this.threads.agents; agent++) {
        const thread = this.threads.of(agent, unit);
        visit({ index, frame, agent, thread, epoch, clock: this.ended[thread] });
      }
      for (let agent = 0; agent < this.threads.agents; agent++) this.end(index, agent, unit, epoch, collective);
    }
  }

  /** Brings the thread's clock to the start of its next instruction: after barriers and waits. */
  private start(thread: number, agent: number, index: number): void {
    const clock = this.ended[thread];
    const held = this.held[thread];
    if (held !== null) join(clock, held);
    this.held[thread] = null;
    for (const id of this.checked.bound[index].instruction.waits) {
      const given = this.channels[id - 1].take(agent);
      if (given !== null) join(clock, given);
    }
  }

  /** Joins agents that start together. Returns whether they also end together. */
  private meet(index: number, unit: number): boolean {
    const item = this.checked.bound[index];
    const { instruction } = item;
    if (instruction.op === "reduce") {
      this.meetIn(this.threads.ofKinds(["scalar"], "all"));
      return true;
    }
    if (instruction.op !== "load" || instruction.multicast === "none") return false;
    for (let agent = 0; agent < this.threads.agents; agent++) {
      const group = multicastGroup(instruction, agent);
      // Each group once; a load clipped to nothing need not meet anybody.
      if (group[0] !== agent || agentWork(this.checked.program, item, agent) === null) continue;
      this.meetIn(group.map((member) => this.threads.of(member, unit)));
    }
    return false;
  }

  private meetIn(threads: readonly number[]): void {
    const all = this.joined(threads);
    for (const thread of threads) this.ended[thread].set(all);
  }

  private joined(threads: readonly number[]): Clock {
    const all = new Int32Array(this.threads.count);
    for (const thread of threads) join(all, this.ended[thread]);
    return all;
  }

  private end(index: number, agent: number, unit: number, epoch: number, collective: boolean): void {
    const thread = this.threads.of(agent, unit);
    const clock = this.ended[thread];
    if (collective) for (let a = 0; a < this.threads.agents; a++) clock[this.threads.of(a, unit)] = epoch;
    else clock[thread] = epoch;
    const { signals } = this.checked.bound[index].instruction;
    if (signals.length === 0) return;
    const given = clock.slice();
    for (const id of signals) this.channels[id - 1].signal(agent, given);
  }

  /** A barrier learns from what has ended; what earlier barriers hold back in a unit at rest, it does not wait for. */
  private sync({ after, before }: InstructionOf<"sync">): void {
    const all = this.joined(this.threads.ofKinds(after, "all"));
    for (const thread of this.threads.ofKinds(before, "all")) {
      const held = this.held[thread];
      if (held === null) this.held[thread] = all;
      else {
        const both = held.slice();
        join(both, all);
        this.held[thread] = both;
      }
    }
  }

  /** Everything before ends before anything after starts. */
  private barrier(): void {
    const all = this.joined(this.ended.map((_, thread) => thread));
    for (const clock of this.ended) clock.set(all);
    this.held.fill(null);
  }
}
