/**
 * A program as the engine sees it: what does not depend on time, rates or agents' progress, in tables. Instructions are named
 * by their index, prologue first; units by their index within an agent; layers by slots: 0 is `(start)`, then the program's
 * layers, then `(end)`.
 */
import {
  type CheckedProgram,
  type Instruction,
  NO_LAYER,
  UNIT_KINDS,
  type UnitKind,
  unitAt,
  unitCount,
  unitIndex,
  unitKindOf,
  WAIT_SLOTS,
} from "../../isa/index.ts";

/** A barrier: units held back, and units that must have finished so many instructions of the stream. */
export interface Barrier {
  readonly index: number;
  readonly before: readonly number[];
  readonly after: readonly { readonly unit: number; readonly earlier: number }[];
}

export interface Stream {
  readonly instructions: readonly Instruction[];
  readonly prologueLength: number;
  readonly agents: number;
  /** Units of one agent. */
  readonly units: number;
  readonly unitKinds: readonly UnitKind[];
  /** Unit of each instruction; -1: done as it issues. */
  readonly unitOf: Int32Array;
  readonly slotOf: Int32Array;
  readonly slots: number;
  /** Each unit's instructions in order, prologue first, and how many of them are the prologue's. */
  readonly lists: readonly Int32Array[];
  readonly prologueCounts: Int32Array;
  /** Semaphores (ids less 1) an instruction takes, by kind of producer, and gives: WAIT_SLOTS per instruction, -1 ends. */
  readonly waits: Int32Array;
  readonly signals: Int32Array;
  readonly barriers: { readonly prologue: readonly Barrier[]; readonly body: readonly Barrier[] };
  /** Barriers of its stream that precede an instruction and hold its unit back. */
  readonly barriersBefore: Int32Array;
  /** 1 when a later barrier looks at this instruction: the last one of its unit before it. */
  readonly barrierAwaits: Uint8Array;
}

/** Slot of each instruction: instructions without a layer belong to `(start)`, behind the last layer's to `(end)`. */
function slotsOf({ program, bound }: CheckedProgram): Int32Array {
  const { sourceMap, layers, prologue } = program;
  const slots = new Int32Array(bound.length);
  for (const [from, to] of [
    [0, prologue.length],
    [prologue.length, bound.length],
  ]) {
    let last = to - 1;
    while (last >= from && sourceMap[last].layer === NO_LAYER) last--;
    for (let i = from; i < to; i++) {
      const { layer } = sourceMap[i];
      slots[i] = layer !== NO_LAYER ? layer + 1 : i < last || last < from ? 0 : layers.length + 1;
    }
  }
  return slots;
}

function buildBarriers(stream: Stream, from: number, to: number): Barrier[] {
  const { instructions, unitOf, units, unitKinds, barriersBefore, barrierAwaits } = stream;
  const issued = new Int32Array(units);
  const latest = new Int32Array(units).fill(-1);
  const holding = new Int32Array(units);
  const barriers: Barrier[] = [];
  for (let i = from; i < to; i++) {
    const instruction = instructions[i];
    const unit = unitOf[i];
    if (unit >= 0) {
      issued[unit]++;
      latest[unit] = i;
      barriersBefore[i] = holding[unit];
    } else if (instruction.op === "sync") {
      const named = (kinds: readonly UnitKind[]) =>
        [...unitKinds.keys()].filter((candidate) => kinds.includes(unitKinds[candidate]));
      const before = named(instruction.before);
      const after = named(instruction.after).map((awaited) => ({ unit: awaited, earlier: issued[awaited] }));
      for (const held of before) holding[held]++;
      for (const awaited of after) if (awaited.earlier > 0) barrierAwaits[latest[awaited.unit]] = 1;
      barriers.push({ index: i, before, after });
    }
  }
  // a barrier that no instruction of the unit precedes awaits the frame before
  for (const { after } of barriers)
    for (const { unit, earlier } of after) if (earlier === 0 && latest[unit] >= 0) barrierAwaits[latest[unit]] = 1;
  return barriers;
}

export function buildStream(checked: CheckedProgram): Stream {
  const { program, bound } = checked;
  const p = program.machine.parameters;
  const length = bound.length;
  const prologueLength = program.prologue.length;
  const instructions = bound.map(({ instruction }) => instruction);
  const units = unitCount(p["agent.tensorProcessors"]);
  const unitKinds = Array.from({ length: units }, (_, unit) => unitAt(unit).kind);

  const unitOf = new Int32Array(length);
  const lists: number[][] = unitKinds.map(() => []);
  const prologueCounts = new Int32Array(units);
  const waits = new Int32Array(length * WAIT_SLOTS).fill(-1);
  const signals = new Int32Array(length * WAIT_SLOTS).fill(-1);
  const producerRank = (id: number) => UNIT_KINDS.indexOf(program.semaphores[id - 1].producer.kind);
  instructions.forEach((instruction, i) => {
    const kind = unitKindOf(instruction);
    const unit = kind === null ? -1 : unitIndex(kind, instruction.tp);
    unitOf[i] = unit;
    if (unit >= 0) {
      lists[unit].push(i);
      if (i < prologueLength) prologueCounts[unit]++;
    }
    const byProducer = [...instruction.waits].sort((a, b) => producerRank(a) - producerRank(b));
    byProducer.forEach((id, k) => {
      waits[i * WAIT_SLOTS + k] = id - 1;
    });
    instruction.signals.forEach((id, k) => {
      signals[i * WAIT_SLOTS + k] = id - 1;
    });
  });

  const slotOf = slotsOf(checked);
  const slots = program.layers.length + 2;
  const stream: Stream = {
    instructions,
    prologueLength,
    agents: p.agents,
    units,
    unitKinds,
    unitOf,
    slotOf,
    slots,
    lists: lists.map((list) => Int32Array.from(list)),
    prologueCounts,
    waits,
    signals,
    barriers: { prologue: [], body: [] },
    barriersBefore: new Int32Array(length),
    barrierAwaits: new Uint8Array(length),
  };
  return {
    ...stream,
    barriers: {
      prologue: buildBarriers(stream, 0, prologueLength),
      body: buildBarriers(stream, prologueLength, length),
    },
  };
}
