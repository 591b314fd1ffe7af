/** Is the binary form of instructions what the table says: nothing overlaps, everything survives, damage is refused? */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeCode,
  decodeInstruction,
  defaultOf,
  encodeCode,
  encodedBits,
  encodeInstruction,
  type Field,
  type FieldContents,
  fieldBits,
  fieldRange,
  fieldsOf,
  INSTRUCTION_BYTES,
  INSTRUCTIONS,
  type Instruction,
  instruction,
  OPS,
  RapError,
  UNIT_KINDS,
} from "../../isa/index.ts";
import { arbitraryInstruction } from "../arbitrary/instruction.ts";

/** The contents whose bits are all 0, or all 1. */
function extremeContents(field: Field, ones: boolean): FieldContents {
  switch (field.type) {
    case "uint":
      return ones ? fieldRange(field).max : fieldRange(field).min;
    case "int":
      return ones ? -1 : 0;
    case "enum":
      return field.names[ones ? 2 ** field.bits - 1 : 0];
    case "flag":
      return ones;
    case "axis": {
      const part = ones ? -1 : 0;
      return { base: part, stepA: part, stepB: part, extent: ones ? 65535 : 0 };
    }
    case "list":
      return Array<number>(ones ? field.count : 0).fill(2 ** field.bits - 1);
    case "units":
      return ones ? [...UNIT_KINDS] : [];
  }
}

/** Indices of the bits that are set. */
function setBits(bytes: Uint8Array): number[] {
  return Array.from({ length: bytes.length * 8 }, (_, i) => i).filter((i) => (bytes[i >> 3] >> (i & 7)) & 1);
}

describe("encoding", () => {
  it("gives back every instruction", () => {
    fc.assert(
      fc.property(arbitraryInstruction(), (i) => {
        expect(decodeInstruction(encodeInstruction(i), 0, "test")).toEqual(i);
      }),
      { numRuns: 2000 },
    );
  });

  it("has one form for each instruction: any 64 bytes are refused, or come back bit for bit", () => {
    const bytes = fc
      .tuple(arbitraryInstruction(), fc.array(fc.nat(INSTRUCTION_BYTES * 8 - 1), { maxLength: 3 }))
      .map(([i, flips]) => {
        const code = encodeInstruction(i);
        for (const bit of flips) code[bit >> 3] ^= 1 << (bit & 7);
        return code;
      });
    fc.assert(
      fc.property(fc.oneof(bytes, fc.uint8Array({ minLength: 64, maxLength: 64 })), (code) => {
        let decoded: Instruction;
        try {
          decoded = decodeInstruction(code, 0, "test");
        } catch (error) {
          expect(error).toBeInstanceOf(RapError);
          return;
        }
        expect(encodeInstruction(decoded)).toEqual(code);
      }),
      { numRuns: 2000 },
    );
  });

  it("gives every operation its own opcode of 8 bits", () => {
    const opcodes = OPS.map((op) => INSTRUCTIONS[op].opcode);
    expect(new Set(opcodes).size).toBe(OPS.length);
    for (const opcode of opcodes) expect(opcode).toBeLessThan(256);
  });

  it.each(OPS)("%s: fields fill the encoding without gap or overlap, in at most 512 bits", (op) => {
    expect(encodedBits(op)).toBeLessThanOrEqual(INSTRUCTION_BYTES * 8);
    const zeros = Object.fromEntries(fieldsOf(op).map(([name, field]) => [name, extremeContents(field, false)]));
    const opcodeOnly = setBits(encodeInstruction({ op, ...zeros } as Instruction));
    let next = 8;
    for (const [name, field] of fieldsOf(op)) {
      const width = fieldBits(field);
      const ones = extremeContents(field, true);
      if (field.type !== "enum" || ones !== undefined) {
        const set = setBits(encodeInstruction({ op, ...zeros, [name]: ones } as Instruction));
        const own = set.filter((bit) => !opcodeOnly.includes(bit));
        expect(own, `${op}.${name}`).toEqual(Array.from({ length: width }, (_, i) => next + i));
      }
      next += width;
    }
    expect(next).toBe(encodedBits(op));
  });

  it.each(OPS)("%s: defaults and names fit their fields", (op) => {
    expect(() => encodeInstruction(instruction(op, {}) as Instruction)).not.toThrow();
    for (const [name, field] of fieldsOf(op)) {
      if (field.type === "enum") expect(field.names.length, name).toBeLessThanOrEqual(2 ** field.bits);
      if (field.type === "enum") expect(field.names, name).toContain(defaultOf(field));
      expect(field.meaning, name).not.toBe("");
    }
  });
});

const code = (op: string, fields: object = {}) =>
  encodeCode([instruction("halt", {}), { ...instruction(op as "load", {}), ...fields } as Instruction]);

describe("refusals", () => {
  it.each<[string, () => unknown, string]>([
    [
      "an unknown opcode",
      () => {
        const bytes = code("halt");
        bytes[64] = 200;
        return decodeCode(bytes, "a.bin: section CODE");
      },
      "a.bin: section CODE: offset 64: opcode 200 is not one of 0..14; the code is damaged",
    ],
    [
      "an unused name of an enum",
      () => {
        const bytes = code("pool");
        for (let i = 64; i < 128; i++) bytes[i] |= i > 80 ? 0xff : 0;
        return decodeCode(bytes, "CODE");
      },
      "CODE: offset 64: pool.mode holds no legal value; the code is damaged",
    ],
    [
      "a list with a hole",
      () => {
        const bytes = code("load", { waits: [5, 6] });
        // waits follow opcode (8), grid (16) and tp (2): bit 26 on, 8 bits each
        bytes[64 + 3] &= 0x03;
        bytes[64 + 4] &= 0xfc;
        return decodeCode(bytes, "CODE");
      },
      "CODE: offset 64: load.waits holds no legal value; the code is damaged",
    ],
    [
      "bits behind the last field",
      () => {
        const bytes = code("halt");
        bytes[127] = 1;
        return decodeCode(bytes, "CODE");
      },
      "CODE: offset 64: halt has bits set beyond its fields; the code is damaged",
    ],
    [
      "half an instruction",
      () => decodeCode(new Uint8Array(96), "CODE"),
      "CODE: 96 bytes is not a multiple of 64; the code is damaged",
    ],
    [
      "a value that does not fit",
      () => code("load", { dst: 64 }),
      "instruction 1: load.dst: 64 is not a whole number 0..63",
    ],
    [
      "a fraction",
      () => code("view", { address: 0.5 }),
      "instruction 1: view.address: 0.5 is not a whole number 0..4294967295",
    ],
    [
      "too many semaphores",
      () => code("load", { waits: [1, 2, 3, 4, 5, 6, 7] }),
      "instruction 1: load.waits: 7 entries, at most 6 fit",
    ],
    [
      "a name not in the list",
      () => code("pool", { mode: "min" }),
      "instruction 1: pool.mode: 'min' is not one of max, average, averageAll",
    ],
    [
      "an extent below 0",
      () => code("load", { y: { base: 0, stepA: 0, stepB: 0, extent: -1 } }),
      "instruction 1: load.y: extent -1 is not a whole number 0..65535",
    ],
  ])("%s", (_, act, message) => {
    expect(act).toThrow(new RapError(message));
  });
});
