/**
 * The event loop. An instruction starts as soon as it is issued, its unit takes it, no barrier holds it, its semaphores have been
 * given and its group has arrived; each condition is looked at again only when something touches the unit.
 */
import { type MachineParameters, type Program, UNIT_KINDS, unitIndex, WAIT_SLOTS } from "../../isa/index.ts";
import { Attribution } from "./attribution.ts";
import { Barriers } from "./barriers.ts";
import { costTable } from "./cost-table.ts";
import { sramBytesPerCycle } from "./costs.ts";
import { type DramHost, type DramModel, Ports, wholeCycle } from "./dram.ts";
import { type FetchBlock, FetchEngine, type FetchPlan, planFetch } from "./fetch.ts";
import { EventQueue } from "./heap.ts";
import { FrontEnd, type IssueTarget } from "./issue.ts";
import { MemoryController } from "./memory-controller.ts";
import type { ProgramWork } from "./program-work.ts";
import { Semaphores } from "./semaphores.ts";
import { SramBanks } from "./sram.ts";
import type { Stream } from "./stream.ts";
import { CAUSES, type StallListener, Timeline } from "./timeline.ts";
import { DmaEngines, GOES_ON, type Transfers, transfersOf } from "./transfers.ts";

/** Who wants to see what happens; null: nobody. */
export interface Listeners {
  readonly onStall: StallListener | null;
  readonly onInstruction: ((unit: number, index: number, startCycle: number, endCycle: number) => void) | null;
  /** slot -1: instruction fetch */
  readonly onDram: ((startCycle: number, endCycle: number, bytes: number, write: boolean, slot: number) => void) | null;
  readonly onFrame: ((frame: number, startCycle: number, endCycle: number) => void) | null;
}

/** @param slots of requests that can be in flight */
export type CreateDram = (p: MachineParameters, ports: Ports, slots: number, host: DramHost) => DramModel;

export interface RunOptions {
  readonly frames: number;
  readonly overlapFrames: boolean;
  readonly createDram?: CreateDram | undefined;
}

/** A prologue or a frame of a run. */
export interface Segment {
  readonly isPrologue: boolean;
  startCycle: number;
  endCycle: number;
  /** Start of its first instruction that belongs to a layer; -1: none. */
  firstStart: number;
  /** When each instruction had ended in all agents; nothing unless it runs. */
  ends: Float64Array;
}

const NOT_RUNNING = new Float64Array(0);

/** What kind of event, in the low bits; the rest names the unit, agent or barrier. */
const EVENT_BITS = 3;
const ISSUE = 0;
/** The unit takes its next instruction. */
const ENTER = 1;
/** The unit's oldest instruction ends. */
const END = 2;
/** Both. */
const END_AND_ENTER = 3;
const FETCHED = 4;
const RELEASE = 5;

const FINISHED = CAUSES.indexOf("finished");
const NOT_ISSUED = CAUSES.indexOf("notIssued");
const SYNC = CAUSES.indexOf("sync");
const GROUP = CAUSES.indexOf("group");
const SRAM = CAUSES.indexOf("sram");
/** The causes of waiting for a unit follow each other as the unit kinds do. */
const WAIT = CAUSES.indexOf("waitLoad");

export class Engine implements IssueTarget, DramHost {
  readonly timeline: Timeline;
  readonly dram: DramModel;
  readonly transfers: Transfers;
  readonly fetchPlan: FetchPlan;
  readonly segments: Segment[];
  readonly attribution: Attribution;
  /** First start and last end of each slot; -1: none. */
  readonly slotStarts: Float64Array;
  readonly slotEnds: Float64Array;

  private readonly queue = new EventQueue();
  /** What happens in DRAM in one cycle comes after everything else of the cycle. */
  private readonly dramQueue = new EventQueue();
  /** Events of DRAM that went through no queue. */
  private skipped = 0;
  private readonly stream: Stream;
  private readonly agents: number;
  /** Units of one agent. */
  private readonly units: number;
  private readonly semaphores: Semaphores;
  private readonly consumerUnits: Int32Array;
  private readonly waitCauses: Uint8Array;
  private readonly frontEnd: FrontEnd;
  private readonly barriers: Barriers;
  private readonly ports: Ports;
  private readonly dma: DmaEngines;
  private readonly fetcher: FetchEngine;
  private readonly sram: SramBanks;
  private readonly queueDepth: number;
  private readonly syncLatency: number;
  private readonly multicastCycles: number;
  /** Bytes per cycle: the most a DMA engine moves, and DRAM delivers. */
  private readonly dmaRate: number;
  private readonly dramRate: number;

  // the table of costs
  private readonly occupancy: Float64Array;
  private readonly tail: Float64Array;
  private readonly isTransfer: Uint8Array;
  private readonly sramBytes: Float64Array;
  private readonly copiesTo: Int16Array;
  /** [instruction * agents + leader] */
  private readonly arrivals: Int32Array;

  // per unit of the chip
  private readonly unitInAgent: Int32Array;
  private readonly agentOf: Int32Array;
  private readonly isArray: Uint8Array;
  /** Port of a DMA engine. */
  private readonly portOf: Int32Array;
  private readonly loadUnit = unitIndex("load", 0);
  private readonly storeUnit = unitIndex("store", 0);
  /** Positions in the unit's list: next to start, next to end. */
  private readonly startAt: Int32Array;
  private readonly endAt: Int32Array;
  /** Issued and not started; issued and not ended; started and not ended. */
  private readonly waiting: Int32Array;
  private readonly queued: Int32Array;
  private readonly inFlight: Int32Array;
  private readonly leftToStart: Float64Array;
  private readonly occupied: Uint8Array;
  private readonly arrived: Uint8Array;
  private readonly startedAt: Float64Array;
  private readonly latestEnd: Float64Array;
  private readonly finished: Int32Array;
  private readonly startSegment: Int32Array;
  private readonly endSegment: Int32Array;
  private readonly barriersBefore: Int32Array;

  /** Of segments that have ended, for those to come. */
  private readonly unusedEnds: Float64Array[] = [];
  /** Instructions of a segment that have not ended, halts included. */
  private readonly segmentLeft: Float64Array;
  private sequence = 0;
  private now = 0;

  /** Units to look at again, in order. */
  private readonly touched: Int32Array;
  private readonly isTouched: Uint8Array;
  private touchedFrom = 0;
  private touchedCount = 0;
  /** Units that wait for room in SRAM. */
  private readonly waitsForSram: Uint8Array;
  private waitingForSram = 0;
  /** Of the transfer started last: bytes per cycle of SRAM. */
  private bookedRate = 0;

  constructor(
    program: Program,
    private readonly programWork: ProgramWork,
    p: MachineParameters,
    readonly options: RunOptions,
    private readonly listeners: Listeners,
  ) {
    const { stream, work } = programWork;
    const { agents, units, slots, lists, prologueCounts } = stream;
    const chipUnits = agents * units;
    this.stream = stream;
    this.agents = agents;
    this.units = units;
    this.queueDepth = p["issue.queueDepth"];
    this.syncLatency = p["sync.latencyCycles"];
    this.multicastCycles = p["dma.multicastCycles"];
    this.dmaRate = Math.min(p["dma.bytesPerCycle"], sramBytesPerCycle(p));
    this.dramRate = p["dram.bytesPerCycle"];

    const hasPrologue = stream.prologueLength > 0;
    this.segments = Array.from({ length: options.frames + (hasPrologue ? 1 : 0) }, (_, s) => ({
      isPrologue: hasPrologue && s === 0,
      startCycle: -1,
      endCycle: -1,
      firstStart: -1,
      ends: NOT_RUNNING,
    }));
    const unitInstructions = (from: number, to: number) =>
      stream.unitOf.subarray(from, to).reduce((sum, unit) => sum + (unit >= 0 ? 1 : 0), 0);
    const inPrologue = unitInstructions(0, stream.prologueLength);
    const inFrame = unitInstructions(stream.prologueLength, stream.instructions.length);
    this.segmentLeft = Float64Array.from(
      this.segments,
      ({ isPrologue }) => agents * ((isPrologue ? inPrologue : inFrame) + 1),
    );
    this.attribution = new Attribution(stream, options.overlapFrames);
    this.slotStarts = new Float64Array(slots).fill(-1);
    this.slotEnds = new Float64Array(slots).fill(-1);

    const costs = costTable(programWork, p);
    this.occupancy = costs.occupancy;
    this.tail = costs.tail;
    this.isTransfer = costs.isTransfer;
    this.sramBytes = costs.sramBytes;
    this.copiesTo = costs.copiesTo;
    this.arrivals = new Int32Array(work.length * agents);

    this.unitInAgent = Int32Array.from({ length: chipUnits }, (_, unit) => unit % units);
    this.agentOf = Int32Array.from({ length: chipUnits }, (_, unit) => Math.floor(unit / units));
    this.isArray = Uint8Array.from(this.unitInAgent, (unit) => (stream.unitKinds[unit] === "mac" ? 1 : 0));
    this.startAt = new Int32Array(chipUnits);
    this.endAt = new Int32Array(chipUnits);
    this.waiting = new Int32Array(chipUnits);
    this.queued = new Int32Array(chipUnits);
    this.inFlight = new Int32Array(chipUnits);
    this.occupied = new Uint8Array(chipUnits);
    this.arrived = new Uint8Array(chipUnits);
    this.startedAt = new Float64Array(chipUnits);
    this.latestEnd = new Float64Array(chipUnits);
    this.finished = new Int32Array(chipUnits);
    this.touched = new Int32Array(chipUnits);
    this.isTouched = new Uint8Array(chipUnits);
    this.waitsForSram = new Uint8Array(chipUnits);
    this.leftToStart = Float64Array.from(
      this.unitInAgent,
      (unit) => prologueCounts[unit] + options.frames * (lists[unit].length - prologueCounts[unit]),
    );

    this.timeline = new Timeline(chipUnits, slots, listeners.onStall);
    this.semaphores = new Semaphores(program.semaphores, agents);
    this.consumerUnits = Int32Array.from(program.semaphores, ({ consumer }) => unitIndex(consumer.kind, consumer.tp));
    this.waitCauses = Uint8Array.from(program.semaphores, ({ producer }) => WAIT + UNIT_KINDS.indexOf(producer.kind));
    this.barriers = new Barriers(stream, options.frames, (barrier, now) =>
      this.push(now + this.syncLatency, RELEASE, barrier),
    );
    const firstSegment = (unit: number) => (hasPrologue && prologueCounts[unit] === 0 ? 1 : 0);
    this.startSegment = Int32Array.from(this.unitInAgent, firstSegment);
    this.endSegment = Int32Array.from(this.unitInAgent, firstSegment);
    this.barriersBefore = Int32Array.from(this.unitInAgent, (unit) =>
      prologueCounts[unit] === 0 ? this.barriers.heldInPrologue[unit] : 0,
    );
    this.sram = new SramBanks(agents, units, p);
    this.transfers = transfersOf(programWork, p);
    this.fetchPlan = planFetch(program, p);
    this.ports = new Ports(agents);
    this.portOf = Int32Array.from(this.agentOf, (agent, unit) =>
      stream.unitKinds[unit % units] === "store" ? this.ports.store(agent) : this.ports.load(agent),
    );
    const dmaSlots = this.ports.fetch * p["dma.outstanding"];
    this.fetcher = new FetchEngine(this.fetchPlan, dmaSlots, p, (time) => this.push(time, FETCHED, 0));
    const createDram = options.createDram ?? ((...given) => new MemoryController(...given));
    this.dram = createDram(p, this.ports, dmaSlots + this.fetcher.slots, this);
    this.dma = new DmaEngines(this.ports, this.transfers, this.dram, p);
    this.frontEnd = new FrontEnd(stream, this.fetchPlan, p, this);
  }

  /** Events processed. */
  get events(): number {
    return this.queue.popped + this.dramQueue.popped + this.skipped;
  }

  run(): void {
    this.startCourse(0);
    this.touchAll();
    const { queue, dramQueue } = this;
    while (queue.size + dramQueue.size > 0) {
      if (dramQueue.nextTime < queue.nextTime) {
        const token = dramQueue.pop();
        this.now = dramQueue.time;
        this.dram.wake(token, this.now);
      } else {
        const event = queue.pop();
        this.now = queue.time;
        this.handle(event & ((1 << EVENT_BITS) - 1), event >> EVENT_BITS);
        this.settle();
      }
    }
    const last = this.segments[this.segments.length - 1];
    if (last.endCycle < 0) throw new Error(`the simulation stands still at cycle ${this.now}`);
    this.attribution.finish();
    for (let unit = 0; unit < this.agents * this.units; unit++) this.timeline.charge(unit, last.endCycle);
  }

  private push(time: number, kind: number, id: number): void {
    this.queue.push(time, this.sequence++, (id << EVENT_BITS) | kind);
  }

  private handle(kind: number, id: number): void {
    switch (kind) {
      case ISSUE:
        this.frontEnd.issue(id, this.now);
        break;
      case ENTER:
        this.leave(id);
        this.touch(id);
        break;
      case END:
        this.end(id);
        break;
      case END_AND_ENTER:
        this.endOccupant(id);
        break;
      case FETCHED:
        this.frontEnd.blockArrived(this.now);
        break;
      case RELEASE:
        for (const unit of this.barriers.release(id)) {
          for (let agent = 0; agent < this.agents; agent++) this.touch(agent * this.units + unit);
        }
        break;
    }
  }

  // --- segments -----------------------------------------------------------------------------------------------------

  /** Starts the segments from one on that run without a full barrier between them. */
  private startCourse(first: number): void {
    const chained = this.options.overlapFrames && !this.segments[first].isPrologue;
    const last = chained ? this.segments.length - 1 : first;
    this.open(this.segments[first]);
    if (!this.segments[first].isPrologue) this.semaphores.reset();
    this.frontEnd.start(first, last);
  }

  private open(segment: Segment): void {
    segment.startCycle = this.now;
    segment.ends = this.unusedEnds.pop() ?? new Float64Array(this.stream.instructions.length);
  }

  /** One instruction less of a segment. */
  private countDown(index: number): void {
    if (--this.segmentLeft[index] > 0) return;
    const segment = this.segments[index];
    segment.endCycle = this.now;
    this.attribution.add(segment);
    this.unusedEnds.push(segment.ends);
    segment.ends = NOT_RUNNING;
    const frame = this.segments[0].isPrologue ? index - 1 : index;
    if (this.listeners.onFrame !== null) this.listeners.onFrame(frame, segment.startCycle, this.now);
    const next = this.segments[index + 1];
    if (next !== undefined && next.startCycle < 0) this.startCourse(index + 1);
  }

  // --- the front end asks -------------------------------------------------------------------------------------------

  enqueue(agent: number, unitInAgent: number): boolean {
    const unit = agent * this.units + unitInAgent;
    if (this.queued[unit] >= this.queueDepth) return false;
    this.queued[unit]++;
    if (this.waiting[unit]++ === 0) this.touch(unit);
    return true;
  }

  sync(agent: number): void {
    this.barriers.issue(agent, this.finished, this.now);
  }

  halted(segment: number): void {
    const next = this.segments[segment + 1];
    if (this.options.overlapFrames && next !== undefined && !this.segments[segment].isPrologue && next.startCycle < 0) {
      this.open(next);
    }
    this.countDown(segment);
  }

  issueAt(agent: number, time: number): void {
    this.push(time, ISSUE, agent);
  }

  fetch(block: FetchBlock): void {
    this.fetcher.fetch(block, this.dram, this.ports.fetch, this.now);
  }

  // --- DRAM asks ----------------------------------------------------------------------------------------------------

  wakeDram(time: number, token: number): void {
    this.dramQueue.push(time, token, token);
  }

  skipTo(time: number): boolean {
    if (this.queue.nextTime <= time || this.dramQueue.nextTime <= time) return false;
    this.now = time;
    this.skipped++;
    return true;
  }

  dramServed(port: number, slot: number, start: number, end: number): void {
    if (port === this.ports.fetch) {
      this.fetcher.served(slot, end);
      this.noteDram(start, end, this.fetcher.lastBytes, false, -1);
      return;
    }
    const isStore = this.ports.isStore(port);
    const agent = isStore ? port - this.agents : port;
    const unit = agent * this.units + (isStore ? this.storeUnit : this.loadUnit);
    const ended = this.dma.served(port, slot, start, end, this.sram.retries(agent));
    if (ended === GOES_ON && this.listeners.onDram === null) return;
    const index = this.stream.lists[this.unitInAgent[unit]][this.endAt[unit]];
    this.noteDram(start, end, this.dma.lastBytes, isStore, this.stream.slotOf[index]);
    if (ended === GOES_ON) return;
    const group = this.programWork.groups[index];
    const spread = group !== null && group.sizes[agent] > 1 ? this.multicastCycles : 0;
    this.push(ended + spread, END_AND_ENTER, unit);
  }

  private noteDram(start: number, end: number, bytes: number, write: boolean, slot: number): void {
    if (this.listeners.onDram === null) return;
    this.listeners.onDram(Math.floor(start), wholeCycle(end), bytes, write, slot);
  }

  // --- units --------------------------------------------------------------------------------------------------------

  private touchAll(): void {
    for (let unit = 0; unit < this.agents * this.units; unit++) this.touch(unit);
    this.settle();
  }

  private touch(unit: number): void {
    if (this.isTouched[unit] === 1) return;
    this.isTouched[unit] = 1;
    const size = this.touched.length;
    const at = this.touchedFrom + this.touchedCount++;
    this.touched[at < size ? at : at - size] = unit;
  }

  private settle(): void {
    while (this.touchedCount > 0) {
      const unit = this.touched[this.touchedFrom++];
      if (this.touchedFrom === this.touched.length) this.touchedFrom = 0;
      this.touchedCount--;
      this.isTouched[unit] = 0;
      this.advance(unit);
    }
  }

  /** Starts what the unit can start; otherwise notes why it stands still. */
  private advance(unit: number): void {
    while (this.occupied[unit] === 0) {
      const cause = this.tryStart(unit);
      if (cause < 0) continue;
      if (cause === SRAM && this.waitsForSram[unit] === 0) {
        this.waitsForSram[unit] = 1;
        this.waitingForSram++;
      }
      if (this.inFlight[unit] === 0) this.timeline.idleFor(unit, cause, this.now);
      return;
    }
  }

  /** Starts the unit's next instruction; returns -1, or the cause that keeps it from starting. */
  private tryStart(unit: number): number {
    if (this.leftToStart[unit] === 0) return FINISHED;
    if (this.waiting[unit] === 0) return NOT_ISSUED;
    const { stream, agents } = this;
    const agent = this.agentOf[unit];
    const unitInAgent = this.unitInAgent[unit];
    const index = stream.lists[unitInAgent][this.startAt[unit]];
    if (this.barriers.released[unitInAgent] < this.barriersBefore[unit] + stream.barriersBefore[index]) return SYNC;
    const { counts, free } = this.semaphores;
    for (let k = index * WAIT_SLOTS; k < (index + 1) * WAIT_SLOTS; k++) {
      const semaphore = stream.waits[k];
      if (semaphore < 0) break;
      const at = semaphore * agents + agent;
      if (counts[at] === 0 && free[at] === 0) return this.waitCauses[semaphore];
    }
    const group = this.programWork.groups[index];
    if (group === null || group.leaders[agent] < 0) {
      if (!this.sramHasRoom(index, agent)) return SRAM;
      this.start(unit, index);
      return -1;
    }
    const leader = group.leaders[agent];
    if (this.arrived[unit] === 0) {
      this.arrived[unit] = 1;
      this.arrivals[index * agents + leader]++;
    }
    if (this.arrivals[index * agents + leader] < group.sizes[leader]) return GROUP;
    for (let member = leader; member < agents; member++) {
      if (group.leaders[member] === leader && !this.sramHasRoom(index, member)) return SRAM;
    }
    this.arrivals[index * agents + leader] = 0;
    for (let member = leader; member < agents; member++) {
      if (group.leaders[member] === leader) this.start(member * this.units + unitInAgent, index);
    }
    return -1;
  }

  private sramHasRoom(index: number, agent: number): boolean {
    const at = index * this.agents + agent;
    if (this.sramBytes[at] === 0) return true;
    const target = this.copiesTo[at];
    return this.sram.hasRoom(agent) && (target < 0 || this.sram.hasRoom(target));
  }

  private start(unit: number, index: number): void {
    const { now, stream, agents } = this;
    const agent = this.agentOf[unit];
    const unitInAgent = this.unitInAgent[unit];
    const { counts, free } = this.semaphores;
    for (let k = index * WAIT_SLOTS; k < (index + 1) * WAIT_SLOTS; k++) {
      const semaphore = stream.waits[k];
      if (semaphore < 0) break;
      const at = semaphore * agents + agent;
      if (free[at] === 0) counts[at]--;
    }
    if (this.inFlight[unit]++ === 0) this.timeline.charge(unit, now);
    this.arrived[unit] = 0;
    this.waiting[unit]--;
    this.leftToStart[unit]--;
    this.noteStart(unit, index);
    const prologueCount = stream.prologueCounts[unitInAgent];
    if (++this.startAt[unit] === stream.lists[unitInAgent].length) {
      this.startAt[unit] = prologueCount;
      this.startSegment[unit]++;
      this.barriersBefore[unit] += this.barriers.heldInFrame[unitInAgent];
    } else if (this.startAt[unit] === prologueCount) {
      this.startSegment[unit]++;
      this.barriersBefore[unit] += this.barriers.heldInPrologue[unitInAgent];
    }
    const at = index * agents + agent;
    if (this.isTransfer[at] === 0) this.startTimed(unit, index, at);
    else this.startTransfer(unit, index, at);
  }

  private noteStart(unit: number, index: number): void {
    const slot = this.stream.slotOf[index];
    if (this.slotStarts[slot] < 0) this.slotStarts[slot] = this.now;
    if (slot === 0 || slot === this.stream.slots - 1) return;
    const segment = this.segments[this.startSegment[unit]];
    if (segment.firstStart < 0) segment.firstStart = this.now;
  }

  private startTimed(unit: number, index: number, at: number): void {
    const { now } = this;
    const group = this.programWork.groups[index];
    const leads = group === null || group.leaders[this.agentOf[unit]] === this.agentOf[unit];
    const enter = now + this.occupy(unit, at);
    // in order: nothing ends before what started earlier
    const end = Math.max(enter + this.tail[at], this.latestEnd[unit]);
    const busyFrom = Math.max(now, this.latestEnd[unit]);
    if (end > busyFrom) this.timeline.addBusy(unit, this.stream.slotOf[index], end - busyFrom);
    this.latestEnd[unit] = end;
    if (this.listeners.onInstruction !== null) this.listeners.onInstruction(unit, index, now, end);
    if (end === now && this.inFlight[unit] === 1) {
      this.end(unit);
      return;
    }
    if (enter > now) this.occupied[unit] = 1;
    if (!leads) return;
    if (enter > now && enter === end) {
      this.push(end, END_AND_ENTER, unit);
      return;
    }
    if (enter > now) this.push(enter, ENTER, unit);
    this.push(end, END, unit);
  }

  /** Books SRAM for an instruction; returns the cycles for which it occupies its unit. */
  private occupy(unit: number, at: number): number {
    const occupancy = this.occupancy[at];
    const bytes = this.sramBytes[at];
    if (occupancy === 0 || bytes === 0) return occupancy;
    const agent = this.agentOf[unit];
    if (this.isArray[unit] === 1) return this.sram.bookArray(unit, agent, occupancy, bytes);
    return this.sram.bookTimed(unit, agent, this.copiesTo[at], occupancy, bytes);
  }

  /** A group's first agent, which starts first, has its engine move the data, as fast as the fullest SRAM of the group lets it. */
  private startTransfer(unit: number, index: number, at: number): void {
    const agent = this.agentOf[unit];
    this.occupied[unit] = 1;
    this.startedAt[unit] = this.now;
    const group = this.programWork.groups[index];
    if (group !== null && group.leaders[agent] !== agent) {
      this.sram.take(unit, agent, this.bookedRate);
      return;
    }
    let free = this.sram.freeBytesPerCycle(agent);
    for (let member = agent + 1; group !== null && member < this.agents; member++) {
      if (group.leaders[member] === agent) free = Math.min(free, this.sram.freeBytesPerCycle(member));
    }
    // padding is written as fast as the engine can, data come as fast as DRAM can
    const most = this.transfers.fillBytes[at] > 0 ? this.dmaRate : Math.min(this.dmaRate, this.dramRate);
    this.bookedRate = Math.min(most, free);
    this.sram.take(unit, agent, this.bookedRate);
    const rate = most <= free ? this.dmaRate : free;
    this.dma.start(this.portOf[unit], at, this.now, rate, this.sram.retries(agent));
  }

  /** The unit takes the next instruction; SRAM has more room. */
  private leave(unit: number): void {
    this.occupied[unit] = 0;
    if (!this.sram.release(unit) || this.waitingForSram === 0) return;
    for (let waiting = 0; waiting < this.waitsForSram.length; waiting++) {
      if (this.waitsForSram[waiting] === 1) this.touch(waiting);
    }
    this.waitsForSram.fill(0);
    this.waitingForSram = 0;
  }

  /** The instruction that occupied the unit ends; so it does in every agent of its group. */
  private endOccupant(unit: number): void {
    const unitInAgent = this.unitInAgent[unit];
    const index = this.stream.lists[unitInAgent][this.endAt[unit]];
    const group = this.programWork.groups[index];
    const leader = group === null ? -1 : group.leaders[this.agentOf[unit]];
    if (group === null || leader < 0) {
      this.leave(unit);
      this.end(unit);
      return;
    }
    for (let member = leader; member < this.agents; member++) {
      if (group.leaders[member] !== leader) continue;
      this.leave(member * this.units + unitInAgent);
      this.end(member * this.units + unitInAgent);
    }
  }

  /** The unit's oldest instruction ends: signals, barriers, room in the queue. */
  private end(unit: number): void {
    const { now, stream, agents, units } = this;
    const agent = this.agentOf[unit];
    const unitInAgent = this.unitInAgent[unit];
    const list = stream.lists[unitInAgent];
    const index = list[this.endAt[unit]];
    const slot = stream.slotOf[index];
    const segment = this.endSegment[unit];
    if (++this.endAt[unit] === list.length) {
      this.endAt[unit] = stream.prologueCounts[unitInAgent];
      this.endSegment[unit]++;
    } else if (this.endAt[unit] === stream.prologueCounts[unitInAgent]) {
      this.endSegment[unit]++;
    }
    if (this.isTransfer[index * agents + agent] === 1) {
      const start = this.startedAt[unit];
      this.timeline.addBusy(unit, slot, now - start);
      this.latestEnd[unit] = now;
      if (this.listeners.onInstruction !== null) this.listeners.onInstruction(unit, index, start, now);
    }
    this.slotEnds[slot] = now;
    this.segments[segment].ends[index] = now;
    this.queued[unit]--;
    this.finished[unit]++;
    if (--this.inFlight[unit] === 0) this.timeline.becameIdle(unit, now);
    for (let k = index * WAIT_SLOTS; k < (index + 1) * WAIT_SLOTS; k++) {
      const semaphore = stream.signals[k];
      if (semaphore < 0) break;
      const target = this.semaphores.targets[semaphore * agents + agent];
      if (target < 0) continue;
      this.semaphores.counts[semaphore * agents + target]++;
      this.touch(target * units + this.consumerUnits[semaphore]);
    }
    if (stream.barrierAwaits[index] === 1) this.barriers.recheck(agent, this.finished, now);
    this.frontEnd.queueHasRoom(agent, unitInAgent, now);
    this.touch(unit);
    this.countDown(segment);
  }
}
