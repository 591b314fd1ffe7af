/** Where the cycles of every unit go: busy, or idle for one cause. Units are numbered agent * units per agent + unit. */
import { STALL_CAUSES, type StallCause } from "../result.ts";

export const CAUSES = Object.keys(STALL_CAUSES) as StallCause[];

export type StallListener = (unit: number, cause: StallCause, startCycle: number, endCycle: number) => void;

export class Timeline {
  readonly busy: Float64Array;
  /** [unit][cause] */
  readonly stalls: Float64Array;
  /** [slot][unit] */
  readonly slotBusy: Float64Array;
  private readonly idleSince: Float64Array;
  private readonly cause: Uint8Array;

  constructor(
    private readonly units: number,
    slots: number,
    private readonly onStall: StallListener | null,
  ) {
    this.busy = new Float64Array(units);
    this.stalls = new Float64Array(units * CAUSES.length);
    this.slotBusy = new Float64Array(slots * units);
    this.idleSince = new Float64Array(units);
    this.cause = new Uint8Array(units).fill(CAUSES.indexOf("notIssued"));
  }

  /** From now on the idle unit stands still for this cause; what went before is charged to the cause before. */
  idleFor(unit: number, cause: number, now: number): void {
    if (cause === this.cause[unit]) return;
    this.charge(unit, now);
    this.cause[unit] = cause;
  }

  /** The idle unit starts something, or the run ends. */
  charge(unit: number, now: number): void {
    const since = this.idleSince[unit];
    if (now === since) return;
    const cause = this.cause[unit];
    this.stalls[unit * CAUSES.length + cause] += now - since;
    this.idleSince[unit] = now;
    if (this.onStall !== null) this.onStall(unit, CAUSES[cause], since, now);
  }

  /** The unit has nothing in flight any more. */
  becameIdle(unit: number, now: number): void {
    this.idleSince[unit] = now;
  }

  addBusy(unit: number, slot: number, cycles: number): void {
    this.busy[unit] += cycles;
    this.slotBusy[slot * this.units + unit] += cycles;
  }
}
