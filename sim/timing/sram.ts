/**
 * Banks of the agents' SRAM. What an instruction reads and writes takes a share of the bank cycles while it occupies its unit. An
 * instruction books its share when it starts: the shares of an agent never exceed its banks. MAC arrays, which cannot wait, go
 * first at a bank; whoever else wants it in that cycle tries again.
 */
import type { MachineParameters } from "../../isa/index.ts";
import { sramBytesPerCycle } from "./costs.ts";
import { wholeCycle } from "./dram.ts";

/** An instruction starts when this much of the bank cycles is free: no conflict stretches it more than eightfold. */
const LEAST_FREE = 1 / 8;
/** Conflicts rarer than this are none, so that SRAM without limits leaves whole numbers of cycles whole. */
const NEGLIGIBLE = 1 / 1024;
/** Sums of shares are off by rounding errors of this size at most. */
const ROUNDING = 1e-9;
const NONE = -1;

export class SramBanks {
  /** Shares of the bank cycles booked, by agent; and those of MAC arrays among them. */
  private readonly booked: Float64Array;
  private readonly byArrays: Float64Array;
  private readonly users: Int32Array;
  // what a unit of the chip has booked
  private readonly shares: Float64Array;
  private readonly isArray: Uint8Array;
  /** Agent whose banks the unit uses as well as its own; NONE. */
  private readonly targets: Int32Array;
  private readonly bytesPerCycle: number;

  constructor(
    agents: number,
    private readonly unitsPerAgent: number,
    p: MachineParameters,
  ) {
    this.booked = new Float64Array(agents);
    this.byArrays = new Float64Array(agents);
    this.users = new Int32Array(agents);
    this.shares = new Float64Array(agents * unitsPerAgent);
    this.isArray = new Uint8Array(agents * unitsPerAgent);
    this.targets = new Int32Array(agents * unitsPerAgent).fill(NONE);
    this.bytesPerCycle = sramBytesPerCycle(p);
  }

  hasRoom(agent: number): boolean {
    return this.booked[agent] <= 1 - LEAST_FREE + ROUNDING;
  }

  /** Bytes per cycle that no instruction in flight has booked. */
  freeBytesPerCycle(agent: number): number {
    return (1 - this.booked[agent]) * this.bytesPerCycle;
  }

  /** How much longer an access takes on average while MAC arrays are busy: tries until it finds its bank free. */
  retries(agent: number): number {
    const taken = this.byArrays[agent];
    return taken < NEGLIGIBLE ? 1 : 1 / (1 - taken);
  }

  /** Books the banks for a MAC array's instruction; returns the cycles for which it occupies its unit. */
  bookArray(unit: number, agent: number, occupancy: number, bytes: number): number {
    const cycles = Math.max(occupancy, wholeCycle(bytes / this.freeBytesPerCycle(agent)));
    this.isArray[unit] = 1;
    this.byArrays[agent] += this.take(unit, agent, bytes / cycles);
    return cycles;
  }

  /**
   * Books the banks for an instruction of another unit; returns the cycles for which it occupies its unit.
   * @param target agent in whose banks it writes as many bytes; NONE: its own
   */
  bookTimed(unit: number, agent: number, target: number, occupancy: number, bytes: number): number {
    let free = this.freeBytesPerCycle(agent);
    let retries = this.retries(agent);
    if (target !== NONE) {
      free = Math.min(free, this.freeBytesPerCycle(target));
      retries = Math.max(retries, this.retries(target));
    }
    const cycles = Math.max(occupancy, Math.round(occupancy * retries), wholeCycle(bytes / free));
    this.take(unit, agent, bytes / cycles);
    if (target === NONE) return cycles;
    this.targets[unit] = target;
    this.booked[target] += this.shares[unit];
    this.users[target]++;
    return cycles;
  }

  /** Books the banks for a unit at a rate of bytes per cycle; returns its share. */
  take(unit: number, agent: number, rate: number): number {
    const share = rate / this.bytesPerCycle;
    this.shares[unit] = share;
    this.booked[agent] += share;
    this.users[agent]++;
    return share;
  }

  /** The unit's instruction no longer uses its banks. Returns false when it had booked none. */
  release(unit: number): boolean {
    const share = this.shares[unit];
    if (share === 0) return false;
    const agent = Math.floor(unit / this.unitsPerAgent);
    this.shares[unit] = 0;
    this.give(agent, share);
    if (this.isArray[unit] === 1) this.byArrays[agent] = this.users[agent] === 0 ? 0 : this.byArrays[agent] - share;
    if (this.targets[unit] !== NONE) {
      this.give(this.targets[unit], share);
      this.targets[unit] = NONE;
    }
    return true;
  }

  private give(agent: number, share: number): void {
    // nothing in flight: no rounding error stays behind
    this.booked[agent] = --this.users[agent] === 0 ? 0 : this.booked[agent] - share;
  }
}
