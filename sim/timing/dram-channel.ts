/**
 * One channel of DRAM: a data bus, and banks with one row open each. Times on the bus count from the column command; what
 * follows it until the data are on the chip is the same for all requests (`dram.latencyCycles`).
 */
import type { MachineParameters } from "../../isa/index.ts";
import { type DramUsage, pastCycle, wholeCycle } from "./dram.ts";

const CLOSED = -1;

export class DramChannel implements DramUsage {
  /** When the data of the request served last are on the bus; fractions of cycles. */
  start = 0;
  end = 0;
  rowCycles = 0;
  turnaroundCycles = 0;
  refreshCycles = 0;
  private readonly openRows: Int32Array;
  /** When each bank may close its row. */
  private readonly prechargeAt: Float64Array;
  private lastActivate = Number.NEGATIVE_INFINITY;
  private lastWrite = false;
  /** When the next refresh is due, and the last one ends. */
  private refreshDue: number;
  private refreshEnd = 0;
  /** While requests follow each other, the n-th byte since `periodStart` leaves the bus n / bandwidth later. */
  private busyBefore = 0;
  private periodStart = 0;
  private periodBytes = 0;

  // parameters
  private readonly bytesPerCycle: number;
  private readonly precharge: number;
  private readonly activate: number;
  private readonly readToWrite: number;
  private readonly writeToRead: number;
  private readonly writeRecovery: number;
  private readonly activateSpacing: number;
  private readonly rowOpen: number;
  private readonly refreshInterval: number;
  private readonly refreshDuration: number;
  /** How long before the bus is free to decide what comes next. */
  private readonly lead: number;

  constructor(p: MachineParameters) {
    this.bytesPerCycle = p["dram.bytesPerCycle"] / p["dram.channels"];
    this.precharge = p["dram.prechargeCycles"];
    this.activate = p["dram.activateCycles"];
    this.readToWrite = p["dram.readToWriteCycles"];
    this.writeToRead = p["dram.writeToReadCycles"];
    this.writeRecovery = p["dram.writeRecoveryCycles"];
    this.activateSpacing = p["dram.activateSpacingCycles"];
    this.rowOpen = p["dram.rowOpenCycles"];
    this.refreshInterval = p["dram.refreshIntervalCycles"];
    this.refreshDuration = p["dram.refreshCycles"];
    this.lead = this.precharge + this.activate;
    this.openRows = new Int32Array(p["dram.banks"]).fill(CLOSED);
    this.prechargeAt = new Float64Array(p["dram.banks"]);
    this.refreshDue = this.refreshDuration > 0 ? this.refreshInterval : Number.POSITIVE_INFINITY;
  }

  get lastEnd(): number {
    return wholeCycle(this.end);
  }

  get busyCycles(): number {
    return this.busyBefore + this.lastEnd - this.periodStart;
  }

  /** When to decide on the next request: a bank that is free has its row open by the time the bus is. */
  get decisionTime(): number {
    return pastCycle(this.end) - this.lead;
  }

  /**
   * Serves a request decided on now, not before `decisionTime`.
   * @param row of the channel, counted through its banks: consecutive rows lie in consecutive banks
   */
  serve(now: number, row: number, bytes: number, write: boolean): void {
    const busy = this.lastEnd;
    const asked = Math.max(now, busy);
    if (asked >= this.refreshDue) this.refresh(now, busy);
    const ready = this.openRow(row, Math.max(now, this.refreshEnd));
    let turned = busy;
    if (write !== this.lastWrite) turned += write ? this.readToWrite : this.writeToRead;
    this.lastWrite = write;
    const start = Math.max(ready, turned);
    if (start > busy || now > this.end) {
      this.chargeWait(asked, turned, start);
      this.busyBefore = this.busyCycles;
      this.periodStart = start;
      this.periodBytes = 0;
    }
    this.start = this.periodStart + this.periodBytes / this.bytesPerCycle;
    this.periodBytes += bytes;
    this.end = this.periodStart + this.periodBytes / this.bytesPerCycle;
    const bank = row % this.openRows.length;
    const closable = this.lastEnd + (write ? this.writeRecovery : 0);
    this.prechargeAt[bank] = Math.max(this.prechargeAt[bank], closable);
  }

  /** Opens a row, if it is not, from a time on; returns when it takes column commands. */
  private openRow(row: number, from: number): number {
    const { openRows, prechargeAt } = this;
    const bank = row % openRows.length;
    if (openRows[bank] === row) return from;
    const closed = openRows[bank] === CLOSED ? from : Math.max(from, prechargeAt[bank]) + this.precharge;
    const activate = Math.max(closed, this.lastActivate + this.activateSpacing);
    this.lastActivate = activate;
    openRows[bank] = row;
    prechargeAt[bank] = activate + this.rowOpen;
    return activate + this.activate;
  }

  /** The refreshes due by now, behind what is on the bus; they close all rows. */
  private refresh(now: number, busy: number): void {
    const { refreshInterval: interval, refreshDuration: duration } = this;
    // while nothing was asked for, all but the last have passed unnoticed
    if (busy <= this.refreshDue)
      this.refreshDue += Math.max(0, Math.floor((now - this.refreshDue) / interval)) * interval;
    while (this.refreshDue <= Math.max(now, busy, this.refreshEnd)) {
      this.refreshEnd = Math.max(this.refreshDue, busy, this.refreshEnd) + duration;
      this.refreshDue += interval;
    }
    this.openRows.fill(CLOSED);
  }

  /** The bus stands still from `asked` to `start`: for refresh first, then turn-around, then a row. */
  private chargeWait(asked: number, turned: number, start: number): void {
    const refreshed = Math.min(start, Math.max(asked, this.refreshEnd));
    const turnedAt = Math.min(start, Math.max(refreshed, turned));
    this.refreshCycles += refreshed - asked;
    this.turnaroundCycles += turnedAt - refreshed;
    this.rowCycles += start - turnedAt;
  }
}
