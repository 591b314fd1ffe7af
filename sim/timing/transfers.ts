/** DMA engines: each agent has one for loads and one for stores. */
import type { MachineParameters } from "../../isa/index.ts";
import { type DramModel, type Ports, wholeCycle } from "./dram.ts";
import type { ProgramWork } from "./program-work.ts";
import { appendRequests, RequestList, requestPageBytes } from "./requests.ts";

/** The DRAM requests of every transfer. A multicast load's are its group leader's. */
export interface Transfers {
  readonly requests: RequestList;
  /** Requests of a transfer, from `first` up to `end`: [instruction * agents + agent]. */
  readonly first: Int32Array;
  readonly end: Int32Array;
  /** Bytes of its requests, and of the bursts that they take. */
  readonly requestedBytes: Float64Array;
  readonly roundedBytes: Float64Array;
  /** Padding that the engine writes, of the agent of the group that writes most. */
  readonly fillBytes: Float64Array;
}

function build({ stream, work, groups }: ProgramWork, p: MachineParameters): Transfers {
  const { agents } = stream;
  const requests = new RequestList();
  const first = new Int32Array(work.length * agents);
  const end = new Int32Array(work.length * agents);
  const requestedBytes = new Float64Array(work.length * agents);
  const roundedBytes = new Float64Array(work.length * agents);
  const fillBytes = new Float64Array(work.length * agents);
  const pageBytes = requestPageBytes(p);
  for (let i = 0; i < work.length; i++) {
    const { op } = stream.instructions[i];
    if (op !== "load" && op !== "store") continue;
    const group = groups[i];
    for (let agent = 0; agent < agents; agent++) {
      const { region, fillBytes: fill } = work[i][agent];
      if (region === null) continue;
      const leader = group === null ? agent : group.leaders[agent];
      const at = i * agents + leader;
      fillBytes[at] = Math.max(fillBytes[at], fill);
      if (leader !== agent) continue;
      first[at] = requests.length;
      appendRequests(requests, region, p["dma.requestBytes"], p["dram.burstBytes"], pageBytes);
      end[at] = requests.length;
      for (let request = first[at]; request < end[at]; request++) {
        requestedBytes[at] += requests.requested[request];
        roundedBytes[at] += requests.rounded[request];
      }
    }
  }
  return { requests, first, end, requestedBytes, roundedBytes, fillBytes };
}

const known = new WeakMap<ProgramWork, { readonly rates: string; readonly transfers: Transfers }>();

/** The program's transfers; those of the rates used last are kept. */
export function transfersOf(programWork: ProgramWork, p: MachineParameters): Transfers {
  const rates = `${p["dma.requestBytes"]} ${p["dram.burstBytes"]} ${requestPageBytes(p)}`;
  const latest = known.get(programWork);
  if (latest?.rates === rates) return latest.transfers;
  const transfers = build(programWork, p);
  known.set(programWork, { rates, transfers });
  return transfers;
}

/** No transfer ends with this request. */
export const GOES_ON = -1;

/**
 * An engine makes its requests in order, and keeps up to `dma.outstanding` of them in flight. A request arrives at DRAM when the
 * addresses of the one before are made, one run of contiguous bytes per `dma.runCycles`, one request per cycle at most, and when one
 * of those in flight has ended. Engines are numbered as DRAM's ports, their requests in flight by slots.
 */
export class DmaEngines {
  /** Rounded bytes of the request served last. */
  lastBytes = 0;
  /** Slots of one engine. */
  readonly outstanding: number;
  private readonly begin: Int32Array;
  private readonly end: Int32Array;
  /** Next request to submit, and the oldest in flight. */
  private readonly next: Int32Array;
  private readonly oldest: Int32Array;
  private readonly lastArrival: Float64Array;
  /** When the engine has moved everything so far; fractions of cycles. */
  private readonly movedAt: Float64Array;
  /** Bytes per cycle of the transfer at hand. */
  private readonly rates: Float64Array;
  /** By slot: its request, and when the data are on DRAM's bus; NaN: not known yet. */
  private readonly requestIn: Int32Array;
  private readonly starts: Float64Array;
  private readonly ends: Float64Array;
  private readonly setup: number;
  private readonly runCycles: number;
  private readonly latency: number;

  constructor(
    private readonly ports: Ports,
    private readonly transfers: Transfers,
    private readonly dram: DramModel,
    p: MachineParameters,
  ) {
    const engines = ports.fetch;
    this.outstanding = p["dma.outstanding"];
    this.begin = new Int32Array(engines);
    this.end = new Int32Array(engines);
    this.next = new Int32Array(engines);
    this.oldest = new Int32Array(engines);
    this.lastArrival = new Float64Array(engines);
    this.movedAt = new Float64Array(engines);
    this.rates = new Float64Array(engines);
    this.requestIn = new Int32Array(engines * this.outstanding);
    this.starts = new Float64Array(engines * this.outstanding);
    this.ends = new Float64Array(engines * this.outstanding);
    this.setup = p["dma.setupCycles"];
    this.runCycles = p["dma.runCycles"];
    this.latency = p["dram.latencyCycles"];
  }

  /**
   * Starts a transfer at a rate of bytes per cycle; a load writes its padding before the first data come.
   * @param retries how much longer SRAM accesses take because of bank conflicts
   */
  start(engine: number, transfer: number, now: number, rate: number, retries: number): void {
    this.begin[engine] = this.transfers.first[transfer];
    this.end[engine] = this.transfers.end[transfer];
    this.next[engine] = this.begin[engine];
    this.oldest[engine] = this.begin[engine];
    this.rates[engine] = rate;
    const ready = now + this.setup;
    this.lastArrival[engine] = ready;
    this.movedAt[engine] = ready + this.transfers.fillBytes[transfer] / rate;
    const first = Math.min(this.end[engine], this.begin[engine] + this.outstanding);
    while (this.next[engine] < first) this.submit(engine, ready, retries);
  }

  private slotOf(engine: number, request: number): number {
    return engine * this.outstanding + ((request - this.begin[engine]) % this.outstanding);
  }

  /** The engine's next request, for which there has been room since `room`. A store's data leave SRAM first. */
  private submit(engine: number, room: number, retries: number): void {
    const { requests } = this.transfers;
    const request = this.next[engine]++;
    const isStore = this.ports.isStore(engine);
    let arrival = wholeCycle(room);
    if (isStore) {
      this.movedAt[engine] = Math.max(this.movedAt[engine], room) + this.movingCycles(engine, request, retries);
      arrival = wholeCycle(this.movedAt[engine]);
    }
    if (request > this.begin[engine]) {
      const addressing = Math.max(1, this.runCycles * requests.runs[request - 1]);
      arrival = Math.max(arrival, this.lastArrival[engine] + addressing);
    }
    this.lastArrival[engine] = arrival;
    const slot = this.slotOf(engine, request);
    this.requestIn[slot] = request;
    this.ends[slot] = Number.NaN;
    this.dram.submit(engine, slot, arrival, requests.addresses[request], requests.rounded[request], isStore);
  }

  /** Cycles that the engine takes to move a request's bytes between SRAM and the bus. */
  private movingCycles(engine: number, request: number, retries: number): number {
    const { requested, runs } = this.transfers.requests;
    return Math.max((requested[request] * retries) / this.rates[engine], this.runCycles * runs[request]);
  }

  /**
   * DRAM has served a request. Requests end in order, whatever the order in which channels serve them.
   * @returns when the transfer ends, or GOES_ON
   */
  served(engine: number, slot: number, start: number, end: number, retries: number): number {
    this.lastBytes = this.transfers.requests.rounded[this.requestIn[slot]];
    this.starts[slot] = start;
    this.ends[slot] = end;
    let oldest = this.oldest[engine];
    for (let at = this.slotOf(engine, oldest); !Number.isNaN(this.ends[at]); at = this.slotOf(engine, oldest)) {
      const ended = this.finish(engine, oldest, at, retries);
      this.oldest[engine] = ++oldest;
      if (oldest === this.end[engine]) return wholeCycle(ended);
      if (this.next[engine] < this.end[engine]) this.submit(engine, ended, retries);
    }
    return GOES_ON;
  }

  /** A load's request ends when its last byte is in SRAM, a store's when DRAM has taken it. */
  private finish(engine: number, request: number, slot: number, retries: number): number {
    if (this.ports.isStore(engine)) return this.ends[slot];
    const dataStart = Math.max(this.movedAt[engine], this.starts[slot] + this.latency);
    const moved = dataStart + this.movingCycles(engine, request, retries);
    this.movedAt[engine] = Math.max(this.ends[slot] + this.latency, moved);
    return this.movedAt[engine];
  }
}
