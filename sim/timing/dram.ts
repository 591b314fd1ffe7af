/**
 * DRAM as the rest of the simulation sees it: one data bus that serves requests in the order they arrive. This is the ideal
 * model, without banks, rows, refresh or turn-around; another one takes its place behind the same two members.
 */
import type { MachineParameters } from "../../isa/index.ts";

/** Fractions of a cycle this small are rounding errors of the division by a bandwidth. */
const ROUNDING = 1e-6;

/** The first whole cycle not before a time. */
export function wholeCycle(time: number): number {
  return Math.ceil(time - ROUNDING);
}

export interface DramModel {
  /** When the data of the request served last is on the bus; fractions of cycles. */
  readonly serviceStart: number;
  readonly serviceEnd: number;
  /** Whole cycles in which the bus carried data. */
  readonly busyCycles: number;
  /** Serves a request arriving at a whole cycle; arrivals never go back in time. bytes: rounded out to bursts. */
  serve(arrival: number, address: number, bytes: number, write: boolean): void;
}

/**
 * While requests queue, the n-th byte after the start of the busy period leaves the bus at start + n / bandwidth: one
 * division of exact integers, so that no error builds up over a run.
 */
export class IdealDram implements DramModel {
  serviceStart = 0;
  serviceEnd = 0;
  private busyBefore = 0;
  private periodStart = 0;
  private periodBytes = 0;
  private readonly bytesPerCycle: number;

  constructor(p: MachineParameters) {
    this.bytesPerCycle = p["dram.bytesPerCycle"];
  }

  get busyCycles(): number {
    return this.busyBefore + wholeCycle(this.serviceEnd) - this.periodStart;
  }

  serve(arrival: number, _address: number, bytes: number, _write: boolean): void {
    if (arrival >= this.serviceEnd - ROUNDING) {
      this.busyBefore = this.busyCycles;
      this.periodStart = arrival;
      this.periodBytes = 0;
    }
    this.serviceStart = this.periodStart + this.periodBytes / this.bytesPerCycle;
    this.periodBytes += bytes;
    this.serviceEnd = this.periodStart + this.periodBytes / this.bytesPerCycle;
  }
}
