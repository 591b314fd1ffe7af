/** DMA engines: each agent has one for loads and one for stores. */
import type { MachineParameters } from "../../isa/index.ts";
import { sramBytesPerCycle } from "./costs.ts";
import { type DramModel, wholeCycle } from "./dram.ts";
import type { ProgramWork } from "./program-work.ts";
import { appendRequests, RequestList } from "./requests.ts";

/** The DRAM requests of every transfer. A multicast load's are its group leader's. */
export interface Transfers {
  readonly requests: RequestList;
  /** Requests of a transfer, from `first` up to `end`: [instruction * agents + agent]. */
  readonly first: Int32Array;
  readonly end: Int32Array;
  /** Padding that the engine writes, of the agent of the group that writes most. */
  readonly fillBytes: Float64Array;
}

function build({ stream, work, groups }: ProgramWork, p: MachineParameters): Transfers {
  const { agents } = stream;
  const requests = new RequestList();
  const first = new Int32Array(work.length * agents);
  const end = new Int32Array(work.length * agents);
  const fillBytes = new Float64Array(work.length * agents);
  work.forEach((shares, i) => {
    const group = groups[i];
    shares.forEach(({ region, fillBytes: fill }, agent) => {
      if (region === null) return;
      const leader = group === null ? agent : group.leaders[agent];
      const at = i * agents + leader;
      fillBytes[at] = Math.max(fillBytes[at], fill);
      if (leader !== agent) return;
      first[at] = requests.length;
      appendRequests(requests, region, p["dma.requestBytes"], p["dram.burstBytes"]);
      end[at] = requests.length;
    });
  });
  return { requests, first, end, fillBytes };
}

const known = new WeakMap<ProgramWork, { readonly rates: string; readonly transfers: Transfers }>();

/** The program's transfers; those of the rates used last are kept. */
export function transfersOf(programWork: ProgramWork, p: MachineParameters): Transfers {
  const rates = `${p["dma.requestBytes"]} ${p["dram.burstBytes"]}`;
  const latest = known.get(programWork);
  if (latest?.rates === rates) return latest.transfers;
  const transfers = build(programWork, p);
  known.set(programWork, { rates, transfers });
  return transfers;
}

/**
 * An engine makes its requests in order, one per cycle at most, and keeps up to `dma.outstanding` of them in flight. Because
 * DRAM serves in order of arrival, the end of a request is known when it arrives. Engines are numbered as units of the chip.
 */
export class DmaEngines {
  /** Bytes of the latest request, rounded out to bursts. */
  lastBytes = 0;
  private readonly next: Int32Array;
  private readonly begin: Int32Array;
  private readonly end: Int32Array;
  /** When the engine has moved everything so far; fractions of cycles. */
  private readonly movedAt: Float64Array;
  /** Ends of the latest requests, [engine][request modulo outstanding]. */
  private readonly ends: Float64Array;
  private readonly setup: number;
  private readonly outstanding: number;
  private readonly rate: number;
  private readonly latency: number;

  constructor(
    engines: number,
    private readonly transfers: Transfers,
    private readonly dram: DramModel,
    p: MachineParameters,
  ) {
    this.next = new Int32Array(engines);
    this.begin = new Int32Array(engines);
    this.end = new Int32Array(engines);
    this.movedAt = new Float64Array(engines);
    this.setup = p["dma.setupCycles"];
    this.outstanding = p["dma.outstanding"];
    this.ends = new Float64Array(engines * this.outstanding);
    this.rate = Math.min(p["dma.bytesPerCycle"], sramBytesPerCycle(p));
    this.latency = p["dram.latencyCycles"];
  }

  /** Starts a load; returns when its first request arrives at DRAM. Padding is written meanwhile. */
  startLoad(engine: number, transfer: number, now: number): number {
    this.open(engine, transfer);
    this.movedAt[engine] = now + this.setup + this.transfers.fillBytes[transfer] / this.rate;
    return now + this.setup;
  }

  /** Starts a store; returns when its first request, with the data, arrives at DRAM. */
  startStore(engine: number, transfer: number, now: number): number {
    this.open(engine, transfer);
    this.movedAt[engine] = now + this.setup;
    return this.readForNext(engine);
  }

  private open(engine: number, transfer: number): void {
    this.begin[engine] = this.transfers.first[transfer];
    this.next[engine] = this.begin[engine];
    this.end[engine] = this.transfers.end[transfer];
  }

  /** The store engine reads the next request's bytes from SRAM. */
  private readForNext(engine: number): number {
    this.movedAt[engine] += this.transfers.requests.requested[this.next[engine]] / this.rate;
    return wholeCycle(this.movedAt[engine]);
  }

  /** The next request is the transfer's last. */
  atLast(engine: number): boolean {
    return this.next[engine] + 1 === this.end[engine];
  }

  /** The next load request arrives at DRAM now. Returns when the one after it does, or when the last byte is in SRAM. */
  load(engine: number, now: number): number {
    const { requests } = this.transfers;
    const request = this.next[engine]++;
    this.lastBytes = requests.rounded[request];
    this.dram.serve(now, requests.addresses[request], this.lastBytes, false);
    const dataStart = this.dram.serviceStart + this.latency;
    const dataEnd = this.dram.serviceEnd + this.latency;
    const moved = Math.max(this.movedAt[engine], dataStart) + requests.requested[request] / this.rate;
    this.movedAt[engine] = Math.max(dataEnd, moved);
    this.setEnd(engine, request, this.movedAt[engine]);
    if (request + 1 === this.end[engine]) return wholeCycle(this.movedAt[engine]);
    return Math.max(now + 1, wholeCycle(this.slotFree(engine)));
  }

  /** The next store request arrives at DRAM now. Returns when the one after it does, or when DRAM has taken the last byte. */
  store(engine: number, now: number): number {
    const { requests } = this.transfers;
    const request = this.next[engine]++;
    this.lastBytes = requests.rounded[request];
    this.dram.serve(now, requests.addresses[request], this.lastBytes, true);
    this.setEnd(engine, request, this.dram.serviceEnd);
    if (request + 1 === this.end[engine]) return wholeCycle(this.dram.serviceEnd);
    this.movedAt[engine] = Math.max(this.movedAt[engine], this.slotFree(engine));
    return Math.max(now + 1, this.readForNext(engine));
  }

  private setEnd(engine: number, request: number, time: number): void {
    this.ends[engine * this.outstanding + ((request - this.begin[engine]) % this.outstanding)] = time;
  }

  /** When the request before the next `outstanding` ones has ended; 0 when there is none. */
  private slotFree(engine: number): number {
    const index = this.next[engine] - this.begin[engine];
    return index < this.outstanding ? 0 : this.ends[engine * this.outstanding + (index % this.outstanding)];
  }
}
