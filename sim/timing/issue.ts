/** The front end: instruction fetch, shared by all agents, and the scalar processors that issue in order. */
import type { MachineParameters } from "../../isa/index.ts";
import type { FetchBlock, FetchPlan } from "./fetch.ts";
import type { Stream } from "./stream.ts";

/** What the front end asks of the engine. */
export interface IssueTarget {
  /** Puts an instruction into its unit's queue; false when the queue is full. */
  enqueue(agent: number, unit: number): boolean;
  sync(agent: number): void;
  /** The agent issued the halt of a segment. */
  halted(segment: number): void;
  /** Wants `issue(agent)` called at a time. */
  issueAt(agent: number, time: number): void;
  fetch(block: FetchBlock): void;
}

/**
 * `issue.fetchBuffers` blocks are buffered: with two, block b + 2 is requested when the slowest agent has issued the last
 * instruction of block b. Blocks are numbered through the run; a *course* is what runs without a full barrier: the prologue, one frame, or all frames.
 */
export class FrontEnd {
  /** Agents' next instruction. */
  private readonly pc: Int32Array;
  private readonly segment: Int32Array;
  private readonly block: Int32Array;
  /** Unit whose full queue holds the agent up, or -1. */
  private readonly blockedOn: Int32Array;
  /** 1: the agent waits for its block. */
  private readonly starved: Uint8Array;
  /** 1 for the last instruction of a block. */
  private readonly endsBlock: Uint8Array;
  /** Instructions from here on that only the scalar processor sees: their issue needs no event. */
  private readonly silent: Int32Array;
  private readonly cyclesPerInstruction: number;
  private readonly buffers: number;
  /** Agents past a block, by block number modulo its length: they are never that far apart. */
  private readonly passed: Int32Array;
  private lastSegment = -1;
  private blockLimit = 0;
  private requested = 0;
  private arrived = 0;
  /** The block to be requested next. */
  private fetchSegment = 0;
  private fetchIndex = 0;

  constructor(
    private readonly stream: Stream,
    private readonly blocks: FetchPlan,
    p: MachineParameters,
    private readonly target: IssueTarget,
  ) {
    const { agents, instructions, unitOf } = stream;
    this.pc = new Int32Array(agents);
    this.segment = new Int32Array(agents);
    this.block = new Int32Array(agents);
    this.blockedOn = new Int32Array(agents).fill(-1);
    this.starved = new Uint8Array(agents);
    this.cyclesPerInstruction = p["issue.cyclesPerInstruction"];
    this.buffers = p["issue.fetchBuffers"];
    this.passed = new Int32Array(this.buffers + 2);
    this.endsBlock = new Uint8Array(instructions.length);
    for (const { end } of [...this.blocks.prologue, ...this.blocks.body]) this.endsBlock[end - 1] = 1;
    this.silent = new Int32Array(instructions.length + 1);
    for (let i = instructions.length - 1; i >= 0; i--) {
      const isSilent = unitOf[i] < 0 && instructions[i].op === "view" && this.endsBlock[i] === 0;
      this.silent[i] = isSilent ? this.silent[i + 1] + 1 : 0;
    }
  }

  private blocksOf(segment: number): readonly FetchBlock[] {
    return this.isPrologue(segment) ? this.blocks.prologue : this.blocks.body;
  }

  private isPrologue(segment: number): boolean {
    return segment === 0 && this.stream.prologueLength > 0;
  }

  /** Starts a course of segments in all agents. */
  start(firstSegment: number, lastSegment: number): void {
    this.lastSegment = lastSegment;
    this.fetchSegment = firstSegment;
    this.fetchIndex = 0;
    for (let segment = firstSegment; segment <= lastSegment; segment++)
      this.blockLimit += this.blocksOf(segment).length;
    this.pc.fill(this.blocksOf(firstSegment)[0].first);
    this.segment.fill(firstSegment);
    this.starved.fill(1);
    const first = Math.min(this.requested + this.buffers, this.blockLimit);
    while (this.requested < first) this.fetchNext();
  }

  private fetchNext(): void {
    const blocks = this.blocksOf(this.fetchSegment);
    const block = blocks[this.fetchIndex++];
    if (this.fetchIndex === blocks.length) {
      this.fetchIndex = 0;
      this.fetchSegment++;
    }
    this.requested++;
    this.target.fetch(block);
  }

  /** The oldest requested block is in the buffer. */
  blockArrived(now: number): void {
    this.arrived++;
    for (let agent = 0; agent < this.stream.agents; agent++) {
      if (this.starved[agent] === 1 && this.block[agent] < this.arrived) {
        this.starved[agent] = 0;
        this.decode(agent, now);
      }
    }
  }

  /** Decoding of the agent's next instruction begins. */
  private decode(agent: number, now: number): void {
    const silent = this.silent[this.pc[agent]];
    this.pc[agent] += silent;
    this.target.issueAt(agent, now + (silent + 1) * this.cyclesPerInstruction);
  }

  /** The agent's next instruction is decoded: it issues, or waits for its unit's queue. */
  issue(agent: number, now: number): void {
    const { unitOf, instructions } = this.stream;
    const index = this.pc[agent];
    const unit = unitOf[index];
    if (unit >= 0) {
      if (!this.target.enqueue(agent, unit)) {
        this.blockedOn[agent] = unit;
        return;
      }
    } else if (instructions[index].op === "sync") {
      this.target.sync(agent);
    }
    if (this.endsBlock[index] === 1) this.leaveBlock(agent);
    if (instructions[index].op === "halt") {
      const segment = this.segment[agent];
      const isLast = segment === this.lastSegment;
      // may start the next course
      this.target.halted(segment);
      if (isLast) return;
      this.segment[agent] = segment + 1;
      this.pc[agent] = this.blocksOf(segment + 1)[0].first;
    } else {
      this.pc[agent] = index + 1;
    }
    if (this.block[agent] < this.arrived) this.decode(agent, now);
    else this.starved[agent] = 1;
  }

  private leaveBlock(agent: number): void {
    const block = this.block[agent]++;
    const at = block % this.passed.length;
    if (++this.passed[at] < this.stream.agents) return;
    this.passed[at] = 0;
    if (block + this.buffers < this.blockLimit) this.fetchNext();
  }

  /** A queue of the agent has room again. */
  queueHasRoom(agent: number, unit: number, now: number): void {
    if (this.blockedOn[agent] !== unit) return;
    this.blockedOn[agent] = -1;
    this.issue(agent, now);
  }
}
