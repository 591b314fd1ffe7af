/** Is all arithmetic of a program 8 bits in, 32 bits accumulate? Walks every instruction. */
import { bindViews, type Format, type Handlers, handlerOf, type Program, SHIFT_ENTRY_BYTES } from "../../isa/index.ts";

/** How wide what an instruction computes with is. accumulator: int32 by design, read by the shift and range units alone. */
type Width = "8 bits" | "accumulator" | "moved";

const BITS: Readonly<Record<Format, number>> = { i8: 8, u8: 8, i32: 32 };

/** Every view an instruction names, by what it does with it; a new instruction does not compile until it is here. */
const OPERANDS: Handlers<[], Readonly<Record<string, Width>>> = {
  halt: () => ({}),
  view: () => ({}),
  sync: () => ({}),
  fence: () => ({}),
  reduce: () => ({}),
  exponent: () => ({}),
  scalar: () => ({}),
  load: () => ({ dst: "moved" }),
  store: () => ({ src: "moved" }),
  conv: () => ({ src: "8 bits", weights: "8 bits" }),
  // table: int8 bias, two shift amounts, 0
  shift: () => ({ src: "accumulator", table: "8 bits", dst: "moved" }),
  range: () => ({ src: "accumulator", table: "8 bits" }),
  // average pooling also has a 16-bit reciprocal: the one named exception
  pool: () => ({ src: "8 bits", dst: "8 bits" }),
  add: () => ({ a: "8 bits", b: "8 bits", dst: "8 bits" }),
  copy: () => ({ src: "8 bits", dst: "8 bits" }),
};

/** One line for each operand that is wider than it may be. */
export function tooWide(program: Program): string[] {
  const wrong: string[] = [];
  const streams = [program.prologue, program.body].flatMap((stream) => bindViews(stream, String));
  for (const { instruction, views } of streams) {
    const widths = handlerOf(OPERANDS, instruction)(instruction);
    for (const [field, view] of Object.entries(views)) {
      const { name, format, channels } = program.tensors[view.tensor];
      const bits = BITS[format];
      const allowed = { "8 bits": 8, accumulator: 32, moved: 32 }[widths[field]];
      if (allowed === undefined || bits > allowed) wrong.push(`${instruction.op}.${field}: '${name}' is ${format}`);
      if (field === "table" && channels !== SHIFT_ENTRY_BYTES) wrong.push(`${instruction.op}.table: ${channels} bytes`);
    }
  }
  return wrong;
}

/** Views of int32 values: they are for the shift and range units, the DMA and the host. */
const MAY_BE_WIDE = ["load.dst", "store.src", "shift.src", "shift.dst", "range.src"];

/** One line for each instruction outside these that touches int32 values. */
export function readersOfWide(program: Program): string[] {
  const readers = new Set<string>();
  for (const { instruction, views } of bindViews(program.body, String)) {
    for (const [field, { tensor }] of Object.entries(views))
      if (program.tensors[tensor].format === "i32") readers.add(`${instruction.op}.${field}`);
  }
  return [...readers].filter((reader) => !MAY_BE_WIDE.includes(reader));
}
