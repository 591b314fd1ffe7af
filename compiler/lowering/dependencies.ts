/**
 * Waits and signals from what instructions read and write. Two frames are looked at one behind the other, so that the
 * second holds all that a frame in the middle of a run must wait for; what it waits for in the frame before becomes the
 * semaphore's initial credit.
 */
import {
  type Context,
  effects,
  type Instruction,
  RapError,
  type Region,
  regionCovers,
  regionEnd,
  regionsOverlap,
  type Semaphore,
  type UnitKind,
  unitAt,
  unitCount,
  unitIndex,
  unitKindOf,
} from "../../isa/index.ts";
import type { Draft } from "../../kernels/index.ts";
import type { Binder } from "./binder.ts";

/** Columns of `Accesses`. */
const [MEMORY, WRITES, UNIT, BASE, END, N0, PITCH0, N1, PITCH1, BYTES, COLUMNS] = Array(11).keys();

/**
 * What a frame reads and writes of SRAM, accumulators and registers, all agents' accesses as those of one: they run the same instructions
 * at the same addresses. An access is a row of numbers: a program of 100,000 instructions has some 400,000.
 */
class Accesses {
  private rows = new Int32Array(4096 * COLUMNS);
  /** row of each instruction's first access; at the end the number of rows */
  private readonly firsts: number[] = [];
  private count = 0;

  constructor(context: Context, frame: readonly Draft[], binder: Binder, units: readonly number[]) {
    const { agents } = context.machine.parameters;
    frame.forEach((draft, index) => {
      const bound = binder.bind(draft);
      this.firsts.push(this.count);
      for (let agent = 0; agent < agents; agent++) {
        for (const { space, tp, write, region } of effects(context, bound, agent)) {
          // DRAM is shared and ordered by barriers, which the compiler places itself
          if (space === "dram") continue;
          const memory = space === "accumulators" ? 2 + tp : space === "sram" ? 0 : 1;
          this.add(memory, write, units[index], region);
        }
      }
    });
    this.firsts.push(this.count);
  }

  private add(memory: number, write: boolean, unit: number, region: Region): void {
    if (this.rows.length === this.count * COLUMNS) this.rows = doubled(this.rows);
    const { base, n0, pitch0, n1, pitch1, bytes } = region;
    const row = [memory, write ? 1 : 0, unit, base, regionEnd(region), n0, pitch0, n1, pitch1, bytes];
    const at = this.count * COLUMNS;
    for (let column = 0; column < COLUMNS; column++) this.rows[at + column] = row[column];
    // agents mostly do the same
    for (let other = this.firsts[this.firsts.length - 1]; other < this.count; other++) if (this.isSame(other)) return;
    this.count++;
  }

  private isSame(other: number): boolean {
    for (let column = 0; column < COLUMNS; column++)
      if (this.rows[other * COLUMNS + column] !== this.rows[this.count * COLUMNS + column]) return false;
    return true;
  }

  /** Rows first..end of an instruction. */
  of(index: number): { readonly first: number; readonly end: number } {
    return { first: this.firsts[index], end: this.firsts[index + 1] };
  }

  get(access: number, column: number): number {
    return this.rows[access * COLUMNS + column];
  }

  /** Whether accesses whose stretches from first to last byte meet share one. */
  overlaps(a: number, b: number): boolean {
    return (this.isRun(a) && this.isRun(b)) || regionsOverlap(this.region(a), this.region(b));
  }

  covers(outer: number, inner: number): boolean {
    if (this.get(inner, BASE) < this.get(outer, BASE) || this.get(inner, END) > this.get(outer, END)) return false;
    return this.isRun(outer) || regionCovers(this.region(outer), this.region(inner));
  }

  private isRun(access: number): boolean {
    return this.get(access, N0) === 1 && this.get(access, N1) === 1;
  }

  private region(access: number): Region {
    const [base, n0, pitch0] = [this.get(access, BASE), this.get(access, N0), this.get(access, PITCH0)];
    const [n1, pitch1, bytes] = [this.get(access, N1), this.get(access, PITCH1), this.get(access, BYTES)];
    return { base, n0, pitch0, n1, pitch1, bytes };
  }
}

/** The accesses of one memory that later ones may depend on, in any order: rows of first byte, end, access and its time. */
class Memory {
  private rows = new Int32Array(4 * 256);
  /** of `rows` that hold accesses */
  private length = 0;

  constructor(private readonly accesses: Accesses) {}

  /** Raises what must have ended, unit by unit, to the accesses that a new one conflicts with. The new one takes the place of those it covers. */
  visit(access: number, time: number, needed: Int32Array): void {
    const { accesses, rows } = this;
    const write = accesses.get(access, WRITES) === 1;
    const unit = accesses.get(access, UNIT);
    const base = accesses.get(access, BASE);
    const end = accesses.get(access, END);
    for (let at = 0; at < this.length; at += 4) {
      if (rows[at] >= end || base >= rows[at + 1]) continue;
      const earlier = rows[at + 2];
      const earlierUnit = accesses.get(earlier, UNIT);
      const earlierWrote = accesses.get(earlier, WRITES) === 1;
      const isNews = earlierUnit !== unit && rows[at + 3] > needed[earlierUnit];
      if (isNews && (write || earlierWrote) && accesses.overlaps(earlier, access)) needed[earlierUnit] = rows[at + 3];
      // whoever conflicts with what is covered conflicts with the write that covers it, and that is ordered behind it;
      // an equal read by the same unit comes later in the same order
      if ((write || (!earlierWrote && earlierUnit === unit)) && accesses.covers(access, earlier)) {
        this.length -= 4;
        rows.copyWithin(at, this.length, this.length + 4);
        at -= 4;
      }
    }
    if (this.length === rows.length) this.rows = doubled(rows);
    this.rows.set([base, end, access, time], this.length);
    this.length += 4;
  }
}

function doubled(rows: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * rows.length);
  larger.set(rows);
  return larger;
}

function unitOf(item: Instruction): number {
  const kind = unitKindOf(item);
  return kind === null ? -1 : unitIndex(kind, item.tp);
}

/**
 * Tells the dependencies of the second of two equal frames that are not implied by others.
 * @param onEdge of two instructions in different units; cross: the first is of the frame before
 */
function deriveEdges(
  context: Context,
  frame: readonly Draft[],
  binder: Binder,
  onEdge: (from: number, to: number, cross: boolean) => void,
): void {
  const units = unitCount(context.machine.parameters["agent.tensorProcessors"]);
  const unitOfIndex = frame.map(({ instruction }) => unitOf(instruction));
  const accesses = new Accesses(context, frame, binder, unitOfIndex);
  const memories: Memory[] = [];
  const count = 2 * frame.length;
  /** for each time, per unit: the time of its last instruction known to have ended when that of this time ends */
  const done = new Int32Array(count * units);
  /** for each unit, per unit: what its next instruction knows before any wait */
  const known = new Int32Array(units * units).fill(-1);
  const lastOf = new Int32Array(units).fill(-1);
  /** What is known by now, and of each unit what must be before the instruction starts. */
  const clock = new Int32Array(units);
  const needed = new Int32Array(units);
  const join = (times: Int32Array, at: number) => {
    for (let u = 0; u < units; u++) clock[u] = Math.max(clock[u], times[at * units + u]);
  };
  for (let time = 0; time < count; time++) {
    const index = time % frame.length;
    const { instruction } = frame[index];
    const unit = unitOfIndex[index];
    if (unit < 0) {
      if (instruction.op === "sync") barrier(instruction.after, instruction.before);
      continue;
    }
    for (let u = 0; u < units; u++) needed[u] = clock[u] = known[unit * units + u];
    const { first, end } = accesses.of(index);
    for (let access = first; access < end; access++) {
      const memory = accesses.get(access, MEMORY);
      memories[memory] ??= new Memory(accesses);
      memories[memory].visit(access, time, needed);
    }
    for (let from = latest(); from >= 0; from = latest()) {
      if (time >= frame.length) onEdge(needed[from] % frame.length, index, needed[from] < frame.length);
      join(done, needed[from]);
    }
    clock[unit] = time;
    done.set(clock, time * units);
    known.set(clock, unit * units);
    lastOf[unit] = time;
  }

  /** The unit whose needed instruction is the last of those not known to have ended; -1: none is left. */
  function latest(): number {
    let found = -1;
    for (let u = 0; u < units; u++) if (needed[u] > clock[u] && (found < 0 || needed[u] > needed[found])) found = u;
    return found;
  }

  function barrier(after: readonly UnitKind[], before: readonly UnitKind[]): void {
    clock.fill(-1);
    for (let u = 0; u < units; u++) if (after.includes(unitAt(u).kind) && lastOf[u] >= 0) join(done, lastOf[u]);
    const ended = clock.slice();
    for (let u = 0; u < units; u++) {
      if (!before.includes(unitAt(u).kind)) continue;
      clock.set(ended);
      join(known, u);
      known.set(clock, u * units);
    }
  }
}

/** Semaphore ids. Few lists differ, and each stands at thousands of instructions. */
class IdList {
  private readonly longer: IdList[] = [];

  constructor(readonly ids: readonly number[]) {}

  /** The list with one more. */
  with(id: number): IdList {
    this.longer[id] ??= new IdList([...this.ids, id]);
    return this.longer[id];
  }
}

/** Semaphores (ids from 1), and by instruction those it waits for and signals. */
export interface Synchronization {
  readonly semaphores: readonly Semaphore[];
  readonly waits: readonly (readonly number[])[];
  readonly signals: readonly (readonly number[])[];
}

/** The waits and signals of a frame. @throws RapError when they take too many semaphores */
export function synchronize(context: Context, frame: readonly Draft[], binder: Binder): Synchronization {
  const semaphores: Semaphore[] = [];
  const ids = new Map<number, number>();
  const none = new IdList([]);
  const waits = frame.map(() => none);
  const signals = frame.map(() => none);
  deriveEdges(context, frame, binder, (from, to, cross) => {
    const [producer, consumer] = [unitOf(frame[from].instruction), unitOf(frame[to].instruction)];
    const key = producer * 256 + consumer;
    let id = ids.get(key);
    if (id === undefined) {
      const ends = { producer: unitAt(producer), consumer: unitAt(consumer) };
      id = semaphores.push({ ...ends, gridY: 1, gridX: 256, offsetY: 0, offsetX: 0, initial: 0 });
      if (id > MAX_SEMAPHORES)
        throw new RapError(`the schedule needs more than ${MAX_SEMAPHORES} semaphores; use fewer tensor processors`);
      ids.set(key, id);
    }
    waits[to] = waits[to].with(id);
    signals[from] = signals[from].with(id);
    if (cross) semaphores[id - 1] = { ...semaphores[id - 1], initial: semaphores[id - 1].initial + 1 };
  });
  const idsOf = ({ ids }: IdList) => ids;
  return { semaphores, waits: waits.map(idsOf), signals: signals.map(idsOf) };
}

const MAX_SEMAPHORES = 255;
