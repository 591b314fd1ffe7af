/** DRAM behind AXI: queues of requests, one for each port and channel, an arbiter and a bus for each channel. */
import type { MachineParameters } from "../../isa/index.ts";
import { Arbiter } from "./arbiter.ts";
import type { DramHost, DramModel, Ports } from "./dram.ts";
import { DramChannel } from "./dram-channel.ts";

const NONE = -1;

export class MemoryController implements DramModel {
  readonly usage: readonly DramChannel[];
  private readonly arbiters: readonly Arbiter[];
  /** A channel has a decision to come. */
  private readonly deciding: Uint8Array;
  private readonly ports: number;
  private readonly channels: number;
  private readonly interleave: number;
  private readonly rowBytes: number;
  /** Oldest and youngest request, [channel * ports + port]. */
  private readonly heads: Int32Array;
  private readonly tails: Int32Array;
  // by slot
  private readonly nextInQueue: Int32Array;
  private readonly arrivals: Float64Array;
  /** Row of the channel. */
  private readonly rows: Int32Array;
  private readonly bytes: Float64Array;
  private readonly writes: Uint8Array;

  constructor(
    p: MachineParameters,
    ports: Ports,
    slots: number,
    private readonly host: DramHost,
  ) {
    this.ports = ports.count;
    this.channels = p["dram.channels"];
    this.interleave = p["dram.interleaveBytes"];
    this.rowBytes = p["dram.rowBytes"];
    this.usage = Array.from({ length: this.channels }, () => new DramChannel(p));
    this.arbiters = this.usage.map(() => new Arbiter(ports.count, ports.fetch, p["dram.quantumBytes"]));
    this.deciding = new Uint8Array(this.channels);
    this.heads = new Int32Array(this.channels * this.ports).fill(NONE);
    this.tails = new Int32Array(this.channels * this.ports);
    this.nextInQueue = new Int32Array(slots);
    this.arrivals = new Float64Array(slots);
    this.rows = new Int32Array(slots);
    this.bytes = new Float64Array(slots);
    this.writes = new Uint8Array(slots);
  }

  submit(port: number, slot: number, arrival: number, address: number, bytes: number, write: boolean): void {
    const unit = this.channels === 1 ? 0 : Math.floor(address / this.interleave);
    const channel = unit % this.channels;
    const local = address - (unit - Math.floor(unit / this.channels)) * this.interleave;
    this.rows[slot] = Math.floor(local / this.rowBytes);
    this.arrivals[slot] = arrival;
    this.bytes[slot] = bytes;
    this.writes[slot] = write ? 1 : 0;
    this.nextInQueue[slot] = NONE;
    const queue = channel * this.ports + port;
    if (this.heads[queue] === NONE) {
      this.heads[queue] = slot;
      this.host.wakeDram(arrival, queue);
    } else this.nextInQueue[this.tails[queue]] = slot;
    this.tails[queue] = slot;
  }

  /** A queue's oldest request arrives, or a channel decides. */
  wake(token: number, now: number): void {
    if (token >= this.heads.length) {
      this.decide(token - this.heads.length, now);
      return;
    }
    const channel = Math.floor(token / this.ports);
    const { end, decisionTime } = this.usage[channel];
    const arbiter = this.arbiters[channel];
    if (arbiter.waiting === 0 && end <= now) arbiter.restart();
    arbiter.add(token - channel * this.ports);
    if (this.deciding[channel] === 0) this.decideAt(channel, Math.max(now, decisionTime));
  }

  private decideAt(channel: number, time: number): void {
    this.deciding[channel] = 1;
    this.host.wakeDram(time, this.heads.length + channel);
  }

  private decide(channel: number, from: number): void {
    let now = from;
    const bus = this.usage[channel];
    const arbiter = this.arbiters[channel];
    this.deciding[channel] = 0;
    while (arbiter.waiting > 0) {
      const time = bus.decisionTime;
      if (time > now) {
        if (!this.host.skipTo(time)) {
          this.decideAt(channel, time);
          return;
        }
        now = time;
      }
      const port = arbiter.next();
      const queue = channel * this.ports + port;
      const slot = this.heads[queue];
      bus.serve(now, this.rows[slot], this.bytes[slot], this.writes[slot] === 1);
      arbiter.charge(port, this.bytes[slot]);
      const next = this.nextInQueue[slot];
      this.heads[queue] = next;
      if (next === NONE || this.arrivals[next] > now) {
        arbiter.remove(port);
        if (next !== NONE) this.host.wakeDram(this.arrivals[next], queue);
      }
      this.host.dramServed(port, slot, bus.start, bus.end);
    }
  }
}
