/** The accesses to one memory that a later one may still race with. */
import { type Region, regionCovers, regionEnd } from "../../isa/index.ts";
import type { Event } from "./order.ts";
import { type ByteRange, firstOverlap } from "./overlap.ts";

/** An access, and what made it. */
export interface LoggedAccess {
  readonly event: Omit<Event, "clock">;
  readonly write: boolean;
  readonly region: Region;
}

class Entry {
  readonly end: number;
  live = true;
  /** The latest query that met it: an entry stands on several pages. */
  query = 0;

  constructor(
    readonly access: LoggedAccess,
    readonly region: Region,
  ) {
    this.end = regionEnd(region);
  }
}

/**
 * Entries lie on pages of addresses. An entry goes when a later access takes its place (see `supersede`) or when every
 * thread that can touch the memory knows that it has ended.
 */
export class AccessLog {
  private readonly pages: Entry[][];
  private readonly pageBytes: number;
  private queries = 0;
  private count = 0;
  private sweepAt: number;

  /**
   * @param knownToAll per thread, the epoch that all threads touching this memory know to have ended
   * @param firstSweep entries at which entries known everywhere are first looked for
   */
  constructor(
    bytes: number,
    pages: number,
    private readonly knownToAll: () => Int32Array,
    private readonly firstSweep: number,
  ) {
    this.sweepAt = firstSweep;
    this.pageBytes = Math.ceil(bytes / pages);
    this.pages = Array.from({ length: pages }, () => []);
  }

  /** Compares an access with the earlier ones, reports those it races with, and logs it. */
  add(access: LoggedAccess, clock: Int32Array, race: (earlier: LoggedAccess, bytes: ByteRange) => void): void {
    if (this.count >= this.sweepAt) this.sweep();
    const { region } = access;
    const end = regionEnd(region);
    const query = ++this.queries;
    const left: Entry[] = [];
    for (let page = this.pageOf(region.base); page <= this.pageOf(end - 1); page++) {
      const entries = this.pages[page];
      let kept = 0;
      for (const entry of entries) {
        if (!entry.live) continue;
        if (entry.query !== query) {
          entry.query = query;
          if (entry.region.base < end && region.base < entry.end) this.compare(entry, access, clock, left, race);
          if (!entry.live) continue;
        }
        entries[kept++] = entry;
      }
      entries.length = kept;
    }
    for (const entry of left) this.insert(entry);
    this.insert(new Entry(access, region));
  }

  private compare(
    entry: Entry,
    access: LoggedAccess,
    clock: Int32Array,
    left: Entry[],
    race: (earlier: LoggedAccess, bytes: ByteRange) => void,
  ): void {
    const earlier = entry.access;
    const { event } = access;
    // Within one agent's share of an instruction the order is the unit's own affair.
    if (earlier.event.epoch === event.epoch && earlier.event.thread === event.thread) return;
    if (clock[earlier.event.thread] >= earlier.event.epoch) {
      if (access.write || !earlier.write) this.supersede(entry, access.region, left);
      return;
    }
    if (!access.write && !earlier.write) return;
    const bytes = firstOverlap(entry.region, access.region);
    if (bytes !== null) race(earlier, bytes);
  }

  /**
   * The entry happened before an access that is a write, or a read like itself. Whatever races with the entry later, on
   * bytes that both touch, races with that access too, so these bytes of the entry are no longer needed.
   */
  private supersede(entry: Entry, by: Region, left: Entry[]): void {
    const { region, access } = entry;
    if (regionCovers(by, region)) entry.live = false;
    else if (isRun(by) && isRun(region)) {
      entry.live = false;
      const byEnd = regionEnd(by);
      if (region.base < by.base) left.push(new Entry(access, run(region.base, by.base)));
      if (byEnd < entry.end) left.push(new Entry(access, run(byEnd, entry.end)));
    }
    if (!entry.live) this.count--;
  }

  private insert(entry: Entry): void {
    for (let page = this.pageOf(entry.region.base); page <= this.pageOf(entry.end - 1); page++) {
      this.pages[page].push(entry);
    }
    this.count++;
  }

  private pageOf(byte: number): number {
    return Math.floor(byte / this.pageBytes);
  }

  private sweep(): void {
    const known = this.knownToAll();
    const needed = new Set<Entry>();
    this.pages.forEach((entries, page) => {
      const kept = entries.filter(({ live, access: { event } }) => live && event.epoch > known[event.thread]);
      for (const entry of kept) needed.add(entry);
      this.pages[page] = kept;
    });
    this.count = needed.size;
    this.sweepAt = Math.max(this.firstSweep, 2 * this.count);
  }
}

function isRun(region: Region): boolean {
  return region.n0 === 1 && region.n1 === 1;
}

function run(base: number, end: number): Region {
  return { base, n0: 1, pitch0: 0, n1: 1, pitch1: 0, bytes: end - base };
}
