/**
 * Waits and signals from what instructions read and write. Two frames are looked at one behind the other, so that the
 * second holds all that a frame in the middle of a run must wait for; what it waits for in the frame before becomes the
 * semaphore's initial credit.
 */
import {
  type Access,
  type BoundInstruction,
  type Context,
  effects,
  type Instruction,
  instruction,
  RapError,
  type Region,
  regionCovers,
  regionEnd,
  regionsOverlap,
  type Semaphore,
  UNIT_KINDS,
  type UnitKind,
  unitAt,
  unitCount,
  unitIndex,
  unitKindOf,
  WAIT_SLOTS,
} from "../../isa/index.ts";

/** A dependency between instructions of different units. cross: on the frame before. */
interface Edge {
  readonly from: number;
  readonly to: number;
  readonly cross: boolean;
}

interface Live {
  readonly region: Region;
  readonly end: number;
  readonly write: boolean;
  readonly time: number;
  readonly unit: number;
}

/** The accesses of one memory that later ones may depend on. */
class Memory {
  private readonly live: Live[] = [];

  /** For each earlier access the new one conflicts with. Then the new access takes the place of those it covers. */
  visit(access: Access, time: number, unit: number, onConflict: (earlier: Live) => void): void {
    const { region, write } = access;
    const end = regionEnd(region);
    const { live } = this;
    let kept = 0;
    for (const earlier of live) {
      const touches = earlier.region.base < end && region.base < earlier.end;
      if (!touches) {
        live[kept++] = earlier;
        continue;
      }
      const conflicts = (write || earlier.write) && regionsOverlap(earlier.region, region);
      if (conflicts) onConflict(earlier);
      // whoever conflicts with what is covered conflicts with the write that covers it, and that is ordered behind it;
      // an equal read by the same unit comes later in the same order
      const superseded = write
        ? regionCovers(region, earlier.region)
        : !earlier.write && earlier.unit === unit && regionCovers(region, earlier.region);
      if (!superseded) live[kept++] = earlier;
    }
    live.length = kept;
    live.push({ region, end, write, time, unit });
  }
}

/** All agents' accesses as those of one: they run the same instructions at the same SRAM addresses. */
function unitedEffects(context: Context, bound: BoundInstruction): Access[] {
  const distinct: Access[] = [];
  for (let agent = 0; agent < context.machine.parameters.agents; agent++) {
    for (const access of effects(context, bound, agent)) {
      // DRAM is shared and ordered by barriers, which the compiler places itself
      if (access.space !== "dram" && !distinct.some((other) => isSame(access, other))) distinct.push(access);
    }
  }
  return distinct;
}

function isSame(a: Access, b: Access): boolean {
  const [x, y] = [a.region, b.region];
  return (
    x.base === y.base &&
    a.space === b.space &&
    a.tp === b.tp &&
    a.write === b.write &&
    x.n0 === y.n0 &&
    x.pitch0 === y.pitch0 &&
    x.n1 === y.n1 &&
    x.pitch1 === y.pitch1 &&
    x.bytes === y.bytes
  );
}

function unitOf(item: Instruction): number {
  const kind = unitKindOf(item);
  return kind === null ? -1 : unitIndex(kind, item.tp);
}

/** The dependencies of the second of two equal frames that are not implied by others. */
function deriveEdges(context: Context, frame: readonly BoundInstruction[]): Edge[] {
  const units = unitCount(context.machine.parameters["agent.tensorProcessors"]);
  const memories = new Map<string, Memory>();
  const edges: Edge[] = [];
  const accesses = frame.map((item) => unitedEffects(context, item));
  const count = 2 * frame.length;
  const unitOfIndex = frame.map(({ instruction }) => unitOf(instruction));
  /** for each time, per unit: the time of its last instruction known to have ended when that of this time ends */
  const done = new Int32Array(count * units);
  const doneAt = (time: number) => done.subarray(time * units, (time + 1) * units);
  /** per unit: what its next instruction knows before any wait */
  const known = Array.from({ length: units }, () => new Int32Array(units).fill(-1));
  const lastOf = new Int32Array(units).fill(-1);
  const join = (into: Int32Array, from: Int32Array) => {
    for (let u = 0; u < units; u++) if (from[u] > into[u]) into[u] = from[u];
  };
  for (let time = 0; time < count; time++) {
    const index = time % frame.length;
    const { instruction } = frame[index];
    const unit = unitOfIndex[index];
    if (unit < 0) {
      if (instruction.op === "sync") barrier(instruction.after, instruction.before);
      continue;
    }
    const needed = new Int32Array(units).fill(-1);
    for (const access of accesses[index]) {
      const key = `${access.space}${access.tp}`;
      const memory = memories.get(key) ?? new Memory();
      memories.set(key, memory);
      memory.visit(access, time, unit, (earlier) => {
        if (earlier.unit !== unit && earlier.time > needed[earlier.unit]) needed[earlier.unit] = earlier.time;
      });
    }
    const clock = doneAt(time);
    clock.set(known[unit]);
    const byTime = [...needed.keys()].filter((u) => needed[u] >= 0).sort((a, b) => needed[b] - needed[a]);
    for (const from of byTime) {
      if (clock[from] >= needed[from]) continue;
      if (time >= frame.length) {
        edges.push({ from: needed[from] % frame.length, to: index, cross: needed[from] < frame.length });
      }
      join(clock, doneAt(needed[from]));
    }
    clock[unit] = time;
    known[unit] = clock;
    lastOf[unit] = time;
  }
  return edges;

  function barrier(after: readonly UnitKind[], before: readonly UnitKind[]): void {
    const clock = new Int32Array(units).fill(-1);
    for (let u = 0; u < units; u++)
      if (after.includes(unitAt(u).kind) && lastOf[u] >= 0) join(clock, doneAt(lastOf[u]));
    for (let u = 0; u < units; u++) {
      if (!before.includes(unitAt(u).kind)) continue;
      known[u] = known[u].slice();
      join(known[u], clock);
    }
  }
}

/** Adds waits and signals to a frame. Where an instruction has more than fit, fences stand before or behind it. */
export function synchronize(
  context: Context,
  frame: readonly BoundInstruction[],
): { frame: BoundInstruction[]; origin: number[]; semaphores: Semaphore[] } {
  const semaphores: Semaphore[] = [];
  const ids = new Map<string, number>();
  const waits: number[][] = frame.map(() => []);
  const signals: number[][] = frame.map(() => []);
  for (const { from, to, cross } of deriveEdges(context, frame)) {
    const producer = unitAt(unitOf(frame[from].instruction));
    const consumer = unitAt(unitOf(frame[to].instruction));
    const key = `${producer.kind}${producer.tp}-${consumer.kind}${consumer.tp}`;
    let id = ids.get(key);
    if (id === undefined) {
      id = semaphores.push({ producer, consumer, gridY: 1, gridX: 256, offsetY: 0, offsetX: 0, initial: 0 });
      if (id > MAX_SEMAPHORES)
        throw new RapError(`the schedule needs more than ${MAX_SEMAPHORES} semaphores; use fewer tensor processors`);
      ids.set(key, id);
    }
    waits[to].push(id);
    signals[from].push(id);
    if (cross) semaphores[id - 1] = { ...semaphores[id - 1], initial: semaphores[id - 1].initial + 1 };
  }
  const out: BoundInstruction[] = [];
  const origin: number[] = [];
  frame.forEach((item, i) => {
    const push = (bound: BoundInstruction) => {
      out.push(bound);
      origin.push(i);
    };
    const kind = unitKindOf(item.instruction);
    const fence = (given: { waits?: number[]; signals?: number[] }) =>
      push({
        instruction: instruction("fence", { unit: kind ?? UNIT_KINDS[0], tp: item.instruction.tp, ...given }),
        views: {},
      });
    const waiting = waits[i];
    while (waiting.length > WAIT_SLOTS) fence({ waits: waiting.splice(0, WAIT_SLOTS) });
    const own = signals[i].splice(0, WAIT_SLOTS);
    push({ ...item, instruction: { ...item.instruction, waits: waiting, signals: own } as Instruction });
    while (signals[i].length > 0) fence({ signals: signals[i].splice(0, WAIT_SLOTS) });
  });
  return { frame: out, origin, semaphores };
}

const MAX_SEMAPHORES = 255;
