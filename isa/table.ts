/**
 * The instruction table: the one definition of the instruction set. Types, codec, assembler, validation, the random
 * program generator and docs/isa.md derive from it; `effects`, `execute`, `timing` and `energy` are total over it.
 */
import { shapeOf } from "./shape.ts";

/** Version of encoding and meaning; a program states it and other versions are refused. */
export const ISA_VERSION = 1;

/** Every instruction is this long. */
export const INSTRUCTION_BYTES = 64;

/**
 * The units of one agent. load, store: DMA from and to DRAM; link: copies, also to other agents; scalar: run-time exponents;
 * mac, shift, pool, range: one of each per tensor processor.
 */
export const UNIT_KINDS = ["load", "store", "link", "scalar", "mac", "shift", "pool", "range"] as const;
export type UnitKind = (typeof UNIT_KINDS)[number];

/** Where an instruction runs: in a unit, or in the scalar processor as it issues. */
export type Place = UnitKind | "issue" | "any";

/** What a number may name: a register file of an agent, or the program's tensors. */
export type Reference = "view" | "scalar" | "histogram" | "tensor";

/**
 * - `uint`, `int`: a number; `minus1` stores value - 1, so 1..2^bits. `default` is the value when nothing is said
 *   (without it 0, or 1 with `minus1`); `refersTo` says what the number names.
 * - `enum`: one of `names`, stored as its index. `flag`: true or false.
 * - `axis`: one coordinate of a box: base + iy * stepA + ix * stepB, and an extent (4 x 16 bits).
 * - `list`: up to `count` numbers 1..2^bits - 1 (0 ends it). `units`: a set of unit kinds, one bit each.
 */
export type Field =
  | {
      readonly type: "uint";
      readonly bits: number;
      readonly minus1?: boolean;
      readonly default?: number;
      readonly refersTo?: Reference;
      readonly meaning: string;
    }
  | { readonly type: "int"; readonly bits: number; readonly default?: number; readonly meaning: string }
  | { readonly type: "enum"; readonly bits: number; readonly names: readonly string[]; readonly meaning: string }
  | { readonly type: "flag"; readonly bits: 1; readonly meaning: string }
  | { readonly type: "axis"; readonly bits: 64; readonly meaning: string }
  | { readonly type: "list"; readonly bits: number; readonly count: number; readonly meaning: string }
  | { readonly type: "units"; readonly bits: 8; readonly meaning: string };

export const WAIT_SLOTS = 6;
/** Registers holding tile views. */
export const VIEW_REGISTERS = 64;
/** Scalar registers; register 0 reads as 0 and writes to it are lost. */
export const SCALAR_REGISTERS = 32;
/** Histogram registers of the range unit and the scalar processor, per agent. */
export const HISTOGRAM_REGISTERS = 16;

const uint = <B extends number>(bits: B, meaning: string) => ({ type: "uint", bits, meaning }) as const;
const int = <B extends number>(bits: B, meaning: string) => ({ type: "int", bits, meaning }) as const;
const minus1 = <B extends number>(bits: B, meaning: string) => ({ type: "uint", bits, minus1: true, meaning }) as const;
const oneOf = <const N extends readonly string[]>(bits: number, names: N, meaning: string) =>
  ({ type: "enum", bits, names, meaning }) as const;
const flag = (meaning: string) => ({ type: "flag", bits: 1, meaning }) as const;
const axis = (meaning: string) => ({ type: "axis", bits: 64, meaning }) as const;
const list = (bits: number, count: number, meaning: string) => ({ type: "list", bits, count, meaning }) as const;
const units = (meaning: string) => ({ type: "units", bits: 8, meaning }) as const;

const withDefault = <F extends object, const D extends number>(field: F, byDefault: D) =>
  ({ ...field, default: byDefault }) as const;
const refersTo = <F extends object, const R extends Reference>(reference: R, field: F) =>
  ({ ...field, refersTo: reference }) as const;

const view = (meaning: string) => refersTo("view", uint(6, `view register: ${meaning}`));
const scalar = (meaning: string) => refersTo("scalar", uint(5, meaning));
const histogram = refersTo("histogram", uint(4, "histogram register"));
const tensor = refersTo("tensor", uint(16, "tensor whose coordinates the box is in and that clips it"));
const box = {
  y: axis("rows of the box"),
  x: axis("columns of the box"),
  c: axis("channels of the box"),
} as const;
const channelOffset = int(17, "added to the channel when writing: parts of a concatenation land side by side");
const accRow = uint(
  20,
  "first accumulator row (one row: `array.cols` int32); the tile takes blocks x extent y x extent x rows",
);
const exponentIn = scalar("scalar register with the input's run-time exponent (0: none)");
const exponentOut = scalar("scalar register with the output's run-time exponent (0: none)");
const low = withDefault(int(10, "lower clamp of the result (0 makes a ReLU)"), -128);
const high = withDefault(int(10, "upper clamp of the result"), 127);
const kernel = {
  kernelY: withDefault(uint(8, "kernel rows"), 1),
  kernelX: withDefault(uint(8, "kernel columns"), 1),
} as const;
const stride = {
  strideY: withDefault(uint(8, "row stride"), 1),
  strideX: withDefault(uint(8, "column stride"), 1),
} as const;
const pad = { padTop: uint(8, "padding rows above"), padLeft: uint(8, "padding columns on the left") } as const;
const source = oneOf(1, ["accumulators", "view"], "where the int32 values come from");

/** In every instruction, before its own fields. */
export const COMMON_FIELDS = {
  gridY: minus1(
    8,
    "rows of the agent grid: agent a has iy = floor(a / gridX), ix = a mod gridX; agents with iy >= gridY do no work",
  ),
  gridX: minus1(8, "columns of the agent grid"),
  tp: uint(2, "tensor processor, for mac, shift, pool and range"),
  waits: list(8, WAIT_SLOTS, "semaphores to take before the start"),
  signals: list(8, WAIT_SLOTS, "semaphores to give at the end"),
} as const satisfies Record<string, Field>;

export interface InstructionRow {
  readonly opcode: number;
  readonly place: Place;
  readonly meaning: string;
  readonly fields: Readonly<Record<string, Field>>;
}

export const INSTRUCTIONS = {
  halt: {
    opcode: 0,
    place: "issue",
    meaning: "Ends the prologue or the frame; the last instruction of each.",
    fields: {},
  },
  view: {
    opcode: 1,
    place: "issue",
    meaning:
      "Sets a view register: a window of a tensor held in SRAM. Element (y, x, c) lies at address + (y - y.base) * rowPitch + (x - x.base) * pixelPitch + (c - c.base) * bytes. Instructions issued later see it.",
    fields: {
      view: view("the one to set"),
      tensor: refersTo("tensor", uint(16, "tensor the window is of")),
      ...box,
      address: uint(32, "SRAM byte address of the window's first element"),
      rowPitch: uint(32, "bytes from row to row"),
      pixelPitch: uint(32, "bytes from column to column"),
    },
  },
  load: {
    opcode: 2,
    place: "load",
    meaning:
      "DRAM to SRAM: the box of the view's tensor. With a multicast group one DRAM read feeds all agents of the group, starting when all have arrived; the box must be the same for all of them.",
    fields: {
      dst: view("destination"),
      ...box,
      multicast: oneOf(
        2,
        ["none", "all", "row", "column"],
        "agents that share one DRAM read: all agents of the grid, one grid row, or one grid column",
      ),
      fill: flag("write fillValue where the box lies outside the tensor but inside the view"),
      fillValue: int(9, "padding value of the consumer"),
    },
  },
  store: {
    opcode: 3,
    place: "store",
    meaning: "SRAM to DRAM: the box of the view's tensor.",
    fields: { src: view("source"), ...box },
  },
  conv: {
    opcode: 4,
    place: "mac",
    meaning:
      "int8 convolution of one tile into the accumulators. The box is the output tile: rows, columns, output channels of `tensor`. Output channel k reads input channels floor(k / groupOut) * groupIn + cBegin .. + cCount - 1. Input outside the input tensor counts as 0.",
    fields: {
      src: view("input tile"),
      weights: view("weights [block][row][column in block] (isa layout); block = output channel / array.cols"),
      tensor,
      ...box,
      accRow,
      add: flag("add to the accumulators instead of setting them"),
      weightRow: uint(
        16,
        "row, within a block of the weight tensor, of tap (0, 0) and channel cBegin; rows follow as [kernelY][kernelX][cCount]",
      ),
      cBegin: uint(16, "first input channel within the group"),
      cCount: minus1(16, "input channels"),
      groupIn: minus1(16, "input channels per group (dense: all)"),
      groupOut: minus1(16, "output channels per group (dense: all)"),
      ...kernel,
      strideY: withDefault(uint(4, "row stride"), 1),
      strideX: withDefault(uint(4, "column stride"), 1),
      dilationY: withDefault(uint(4, "row dilation"), 1),
      dilationX: withDefault(uint(4, "column dilation"), 1),
      ...pad,
      packing: oneOf(
        2,
        ["perTap", "kernelRow", "full"],
        "how taps share array rows: one tap per pass, one kernel row, or all taps together",
      ),
    },
  },
  shift: {
    opcode: 5,
    place: "shift",
    meaning:
      "Shift unit: adds the aligned bias, applies LeakyReLU if any, shifts right with rounding, clamps, and writes the box to the destination. An i32 destination gets accumulator + bias, unshifted and unclamped.",
    fields: {
      source,
      src: view("int32 tile when source is view"),
      table: view("shift table [1, channels, 4]: int8 bias, bias shift, shift, 0"),
      dst: view("destination"),
      tensor,
      ...box,
      accRow,
      channelOffset,
      low,
      high,
      leaky: flag("apply LeakyReLU with slope 2^-slopeA + 2^-slopeB (slopeB = 0: one term)"),
      slopeA: uint(5, "first shift of the slope"),
      slopeB: uint(5, "second shift of the slope"),
      exponentIn,
      exponentOut,
    },
  },
  pool: {
    opcode: 6,
    place: "pool",
    meaning:
      "Pooling. The box is the output tile. Padding is the format's minimum for max, left out for average, counted as 0 for averageAll.",
    fields: {
      src: view("input tile"),
      dst: view("destination"),
      tensor,
      ...box,
      channelOffset,
      mode: oneOf(2, ["max", "average", "averageAll"], "what is computed"),
      ...kernel,
      ...stride,
      ...pad,
    },
  },
  add: {
    opcode: 7,
    place: "pool",
    meaning: "Elementwise sum of two tiles, each shifted to the finer exponent, rounded once to the output's.",
    fields: {
      a: view("first operand"),
      b: view("second operand"),
      dst: view("destination"),
      tensor,
      ...box,
      channelOffset,
      exponentA: int(7, "exponent of a"),
      exponentB: int(7, "exponent of b"),
      exponentOut: int(7, "exponent of the result"),
      registerA: scalar("scalar register added to exponentA (0: none)"),
      registerB: scalar("scalar register added to exponentB (0: none)"),
      registerOut: scalar("scalar register added to exponentOut (0: none)"),
      low,
      high,
    },
  },
  copy: {
    opcode: 8,
    place: "link",
    meaning:
      "SRAM to SRAM, in the agent or to the agent at a grid offset (void outside the grid). The box is in the source view's tensor, clipped as in the source agent; an 8-bit tile is shifted by `shift` + f(in) - f(out) and clamped to the destination's format.",
    fields: {
      src: view("source"),
      dst: view("destination, in the receiving agent"),
      ...box,
      channelOffset,
      offsetY: int(9, "grid rows to the receiving agent"),
      offsetX: int(9, "grid columns to the receiving agent"),
      shift: int(6, "right shift with rounding; negative: left"),
      exponentIn,
      exponentOut,
    },
  },
  range: {
    opcode: 9,
    place: "range",
    meaning:
      "Range unit: adds the leading-bit positions of the biased accumulators, in real units, to a histogram register.",
    fields: {
      source,
      src: view("int32 tile when source is view"),
      table: view("shift table"),
      tensor,
      ...box,
      accRow,
      histogram,
      relu: flag("negative values count as 0"),
      exponentIn,
      accHeight: uint(16, "rows of the accumulator tile that the box is a part of; 0: the box's own"),
      accWidth: uint(16, "columns of that tile; 0: the box's own"),
    },
  },
  reduce: {
    opcode: 10,
    place: "scalar",
    meaning:
      "Sums a histogram register over all agents of the chip; every agent gets the sum. Starts when all agents have arrived.",
    fields: { histogram },
  },
  exponent: {
    opcode: 11,
    place: "scalar",
    meaning:
      "Chooses a tensor's run-time exponent from a histogram register (docs/arithmetic.md, chooseExponent) and clears the histogram.",
    fields: {
      dst: scalar("scalar register to set"),
      histogram,
      bits: uint(4, "magnitude bits of the format: 7 for i8, 8 for u8"),
      clipLog2: uint(5, "at most one value in 2^clipLog2 may saturate"),
    },
  },
  scalar: {
    opcode: 12,
    place: "scalar",
    meaning: "Scalar register arithmetic: dst = operation(a, b) + immediate, saturated to -64..63.",
    fields: {
      dst: scalar("scalar register to set"),
      a: scalar("first operand register"),
      b: scalar("second operand register"),
      operation: oneOf(2, ["add", "subtract", "minimum", "maximum"], "what is computed"),
      immediate: int(16, "added to the result"),
    },
  },
  sync: {
    opcode: 13,
    place: "issue",
    meaning:
      "Barrier over all agents: no unit in `before` starts a later instruction until every unit in `after`, in every agent, has finished all earlier ones. Does not hold up issue.",
    fields: { after: units("units that must have finished"), before: units("units held back") },
  },
  fence: {
    opcode: 14,
    place: "any",
    meaning: "Does nothing in the named unit but wait and signal.",
    fields: { unit: oneOf(3, UNIT_KINDS, "the unit") },
  },
} as const satisfies Record<string, InstructionRow>;

export type Op = keyof typeof INSTRUCTIONS;
export const OPS = Object.keys(INSTRUCTIONS) as Op[];

/** One coordinate of a box: base + iy * stepA + ix * stepB, over `extent` elements. */
export interface Axis {
  readonly base: number;
  readonly stepA: number;
  readonly stepB: number;
  readonly extent: number;
}

type FieldValue<F> = F extends { type: "axis" }
  ? Axis
  : F extends { type: "flag" }
    ? boolean
    : F extends { type: "enum"; names: readonly (infer N)[] }
      ? N
      : F extends { type: "list" }
        ? readonly number[]
        : F extends { type: "units" }
          ? readonly UnitKind[]
          : number;

type Fields<T> = { readonly [K in keyof T]: FieldValue<T[K]> };

/** The decoded form of one operation: `op`, the common fields, its own fields. */
export type InstructionOf<O extends Op> = { readonly op: O } & Fields<typeof COMMON_FIELDS> &
  Fields<(typeof INSTRUCTIONS)[O]["fields"]>;
export type Instruction = { [O in Op]: InstructionOf<O> }[Op];

/** A handler for every operation: a missing one does not compile. */
export type Handlers<Args extends unknown[], R> = {
  readonly [O in Op]: (instruction: InstructionOf<O>, ...args: Args) => R;
};

/** The handler of an instruction's operation: handlerOf(HANDLERS, instruction)(instruction, ...). */
export function handlerOf<Args extends unknown[], R>(
  handlers: Handlers<Args, R>,
  { op }: Instruction,
): (instruction: Instruction, ...args: Args) => R {
  return handlers[op] as (instruction: Instruction, ...args: Args) => R;
}

/** The unit an instruction runs in, or null when the scalar processor does it at issue. */
export function unitKindOf(instruction: Instruction): UnitKind | null {
  if (instruction.op === "fence") return instruction.unit;
  const place: Place = INSTRUCTIONS[instruction.op].place;
  return place === "issue" ? null : place;
}

/** A field's value when nothing is said of it. */
export function defaultOf(field: Field): number | boolean | string | Axis | readonly never[] {
  switch (field.type) {
    case "uint":
      return field.default ?? (field.minus1 ? 1 : 0);
    case "int":
      return field.default ?? 0;
    case "enum":
      return field.names[0];
    case "flag":
      return false;
    case "axis":
      return { base: 0, stepA: 0, stepB: 0, extent: 0 };
    case "list":
    case "units":
      return [];
  }
}

/** An instruction from some of its fields; the others are at their defaults: see `defaultOf`. */
export function instruction<O extends Op>(op: O, given: Partial<Omit<InstructionOf<O>, "op">>): InstructionOf<O> {
  return Object.assign({ ...DEFAULTS[op] }, given) as unknown as InstructionOf<O>;
}

const FIELDS = new Map(
  OPS.map((op): [Op, readonly (readonly [name: string, field: Field])[]] => [
    op,
    [...Object.entries<Field>(COMMON_FIELDS), ...Object.entries<Field>(INSTRUCTIONS[op].fields)],
  ]),
);

const SHAPES = Object.fromEntries(OPS.map((op) => [op, shapeOf(["op", ...FIELDS.get(op)!.map(([name]) => name)])]));

/** An instruction whose fields are yet to be given. */
export function blank(op: Op): Record<string, unknown> {
  return { ...SHAPES[op], op };
}

/** What instructions of which nothing is said share. */
const DEFAULTS = Object.fromEntries(
  OPS.map((op) => {
    const made = blank(op);
    for (const [name, field] of FIELDS.get(op)!) made[name] = defaultOf(field);
    return [op, made];
  }),
);

/** All fields of an operation in encoding order. */
export function fieldsOf(op: Op): readonly (readonly [name: string, field: Field])[] {
  return FIELDS.get(op)!;
}

const UNIT_KINDS_PER_TP = UNIT_KINDS.slice(4);
const UNITS_PER_AGENT_SHARED = 4;

/** Index of a unit within its agent: the shared ones first, then mac, shift, pool, range of each tensor processor. */
export function unitIndex(kind: UnitKind, tp: number): number {
  const index = UNIT_KINDS.indexOf(kind);
  return index < UNITS_PER_AGENT_SHARED ? index : index + UNIT_KINDS_PER_TP.length * tp;
}

/** Units of one agent. */
export function unitCount(tensorProcessors: number): number {
  return UNITS_PER_AGENT_SHARED + UNIT_KINDS_PER_TP.length * tensorProcessors;
}

/** Kind and tensor processor of a unit index. */
export function unitAt(index: number): { kind: UnitKind; tp: number } {
  if (index < UNITS_PER_AGENT_SHARED) return { kind: UNIT_KINDS[index], tp: 0 };
  const at = index - UNITS_PER_AGENT_SHARED;
  return { kind: UNIT_KINDS_PER_TP[at % UNIT_KINDS_PER_TP.length], tp: Math.floor(at / UNIT_KINDS_PER_TP.length) };
}

/** `load`, or `mac0` when there are several tensor processors. */
export function unitName(index: number, tensorProcessors: number): string {
  const { kind, tp } = unitAt(index);
  return index < UNITS_PER_AGENT_SHARED || tensorProcessors === 1 ? kind : `${kind}${tp}`;
}
