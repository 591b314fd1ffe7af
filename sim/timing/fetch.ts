/** Instruction fetch: the blocks of the code, their DRAM requests, and when each is in the buffer. */
import { INSTRUCTION_BYTES, type MachineParameters, type Program, region } from "../../isa/index.ts";
import { type DramModel, wholeCycle } from "./dram.ts";
import { appendRequests, RequestList, requestPageBytes } from "./requests.ts";

/** A block of instructions of the stream. */
export interface FetchBlock {
  readonly first: number;
  readonly end: number;
  /** Its requests in the plan's list. */
  readonly firstRequest: number;
  readonly endRequest: number;
}

export interface FetchPlan {
  readonly prologue: readonly FetchBlock[];
  readonly body: readonly FetchBlock[];
  readonly requests: RequestList;
}

/** Code lies behind the tensors; prologue and frame begin at multiples of this. */
const CODE_ALIGNMENT = 4096;

const aligned = (address: number) => Math.ceil(address / CODE_ALIGNMENT) * CODE_ALIGNMENT;

export function planFetch({ prologue, body, dramBytes }: Program, p: MachineParameters): FetchPlan {
  const requests = new RequestList();
  const perBlock = p["issue.fetchInstructions"];
  const blocks = (from: number, to: number, address: number) =>
    Array.from({ length: Math.ceil((to - from) / perBlock) }, (_, b): FetchBlock => {
      const first = from + b * perBlock;
      const end = Math.min(first + perBlock, to);
      const firstRequest = requests.length;
      const bytes = (end - first) * INSTRUCTION_BYTES;
      const code = region(address + b * perBlock * INSTRUCTION_BYTES, 1, 0, 1, 0, bytes);
      appendRequests(requests, code, p["dma.requestBytes"], p["dram.burstBytes"], requestPageBytes(p));
      return { first, end, firstRequest, endRequest: requests.length };
    });
  const prologueAddress = aligned(dramBytes);
  const bodyAddress = aligned(prologueAddress + prologue.length * INSTRUCTION_BYTES);
  return {
    prologue: blocks(0, prologue.length, prologueAddress),
    body: blocks(prologue.length, prologue.length + body.length, bodyAddress),
    requests,
  };
}

/** Bytes of the bursts a block touches. */
export function blockBytes({ requests }: FetchPlan, { firstRequest, endRequest }: FetchBlock): number {
  return requests.rounded.subarray(firstRequest, endRequest).reduce((sum, bytes) => sum + bytes, 0);
}

/** Fetches blocks; they arrive in order. At most `issue.fetchBuffers` are on their way at a time. */
export class FetchEngine {
  /** Rounded bytes of the request served last. */
  lastBytes = 0;
  /** Slots of DRAM that it uses, from its first one on. */
  readonly slots: number;
  private readonly buffers: number;
  private readonly latency: number;
  private readonly perBlock: number;
  /** By block modulo buffers: requests not served yet, end of the latest. */
  private readonly left: Int32Array;
  private readonly ends: Float64Array;
  /** By slot: request. */
  private readonly requestIn: Int32Array;
  private submitted = 0;
  private complete = 0;
  private latestArrival = 0;

  constructor(
    private readonly plan: FetchPlan,
    private readonly firstSlot: number,
    p: MachineParameters,
    /** A block, the next in order, is in the buffer from a whole cycle on. */
    private readonly onArrival: (time: number) => void,
  ) {
    const lengths = [...plan.prologue, ...plan.body].map(({ firstRequest, endRequest }) => endRequest - firstRequest);
    this.buffers = p["issue.fetchBuffers"];
    this.latency = p["dram.latencyCycles"];
    this.perBlock = lengths.reduce((most, length) => Math.max(most, length), 0);
    this.slots = this.buffers * this.perBlock;
    this.left = new Int32Array(this.buffers);
    this.ends = new Float64Array(this.buffers);
    this.requestIn = new Int32Array(this.slots);
  }

  fetch(block: FetchBlock, dram: DramModel, port: number, now: number): void {
    const { addresses, rounded } = this.plan.requests;
    const buffer = this.submitted++ % this.buffers;
    this.left[buffer] = block.endRequest - block.firstRequest;
    this.ends[buffer] = 0;
    for (let request = block.firstRequest; request < block.endRequest; request++) {
      const place = buffer * this.perBlock + request - block.firstRequest;
      this.requestIn[place] = request;
      dram.submit(port, this.firstSlot + place, now, addresses[request], rounded[request], false);
    }
  }

  served(slot: number, end: number): void {
    const place = slot - this.firstSlot;
    const buffer = Math.floor(place / this.perBlock);
    this.lastBytes = this.plan.requests.rounded[this.requestIn[place]];
    this.left[buffer]--;
    this.ends[buffer] = Math.max(this.ends[buffer], end);
    for (; this.complete < this.submitted; this.complete++) {
      const oldest = this.complete % this.buffers;
      if (this.left[oldest] > 0) return;
      this.latestArrival = Math.max(this.latestArrival, wholeCycle(this.ends[oldest] + this.latency));
      this.onArrival(this.latestArrival);
    }
  }
}
