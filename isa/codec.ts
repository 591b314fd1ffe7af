/** Binary form of instructions, derived from the table: fields follow each other bit by bit, least significant first. */
import { RapError } from "./errors.ts";
import {
  type Axis,
  blank,
  type Field,
  fieldsOf,
  INSTRUCTION_BYTES,
  INSTRUCTIONS,
  type Instruction,
  OPS,
  type Op,
  UNIT_KINDS,
  type UnitKind,
} from "./table.ts";

const OPCODE_BITS = 8;

export type FieldContents = number | boolean | string | Axis | readonly number[] | readonly string[];

/** Bits a field takes in the encoding. */
export function fieldBits(field: Field): number {
  return field.type === "list" ? field.bits * field.count : field.bits;
}

/** Bits of an operation's encoding; at most 512. */
export function encodedBits(op: Op): number {
  return OPCODE_BITS + fieldsOf(op).reduce((sum, [, field]) => sum + fieldBits(field), 0);
}

const OP_BY_CODE = new Map<number, Op>(OPS.map((op) => [INSTRUCTIONS[op].opcode, op]));

/** Smallest and largest number a numeric field holds. */
export function fieldRange(field: Extract<Field, { type: "uint" | "int" }>): { min: number; max: number } {
  if (field.type === "int") return { min: -(2 ** (field.bits - 1)), max: 2 ** (field.bits - 1) - 1 };
  return field.minus1 ? { min: 1, max: 2 ** field.bits } : { min: 0, max: 2 ** field.bits - 1 };
}

class BitWriter {
  private at = 0;
  constructor(private readonly bytes: Uint8Array) {}

  write(value: number, bits: number): void {
    // value is below 2^32 in magnitude; arithmetic avoids 32-bit shifts
    let rest = value < 0 ? value + 2 ** bits : value;
    for (let left = bits; left > 0; ) {
      const bit = this.at & 7;
      const take = Math.min(8 - bit, left);
      const mask = (1 << take) - 1;
      this.bytes[this.at >> 3] |= (rest % (mask + 1)) << bit;
      rest = Math.floor(rest / (mask + 1));
      this.at += take;
      left -= take;
    }
  }
}

class BitReader {
  private at = 0;
  constructor(
    private readonly bytes: Uint8Array,
    private readonly start: number,
  ) {}

  read(bits: number): number {
    const low = this.at & 7;
    if (low + bits <= 24) {
      const byte = this.start + (this.at >> 3);
      this.at += bits;
      const { bytes } = this;
      return ((bytes[byte] | (bytes[byte + 1] << 8) | (bytes[byte + 2] << 16)) >> low) & ((1 << bits) - 1);
    }
    let value = 0;
    let scale = 1;
    for (let left = bits; left > 0; ) {
      const bit = this.at & 7;
      const take = Math.min(8 - bit, left);
      value += ((this.bytes[this.start + (this.at >> 3)] >> bit) & ((1 << take) - 1)) * scale;
      scale *= 1 << take;
      this.at += take;
      left -= take;
    }
    return value;
  }

  readSigned(bits: number): number {
    const unused = 32 - bits;
    return (this.read(bits) << unused) >> unused;
  }

  /** True when all bits from here to the end of the instruction are zero. */
  restIsZero(): boolean {
    while (this.at < INSTRUCTION_BYTES * 8)
      if (this.read(Math.min(8, INSTRUCTION_BYTES * 8 - this.at)) !== 0) return false;
    return true;
  }
}

const AXIS_PARTS = [
  ["base", true],
  ["stepA", true],
  ["stepB", true],
  ["extent", false],
] as const;

/** The rule a field's value breaks, or null when it fits. Shared by encoder and assembler. */
export function checkField(field: Field, value: FieldContents): string | null {
  switch (field.type) {
    case "uint":
    case "int": {
      const { min, max } = fieldRange(field);
      return Number.isInteger(value) && (value as number) >= min && (value as number) <= max
        ? null
        : `${value} is not a whole number ${min}..${max}`;
    }
    case "enum":
      return field.names.includes(value as string) ? null : `'${value}' is not one of ${field.names.join(", ")}`;
    case "flag":
      return typeof value === "boolean" ? null : `${value} is not true or false`;
    case "axis": {
      const axis = value as Axis;
      for (const [part, signed] of AXIS_PARTS) {
        const [min, max] = signed ? [-32768, 32767] : [0, 65535];
        if (!Number.isInteger(axis[part]) || axis[part] < min || axis[part] > max)
          return `${part} ${axis[part]} is not a whole number ${min}..${max}`;
      }
      return null;
    }
    case "list": {
      const items = value as readonly number[];
      if (items.length > field.count) return `${items.length} entries, at most ${field.count} fit`;
      const wrong = items.find((item) => !Number.isInteger(item) || item < 1 || item >= 2 ** field.bits);
      return wrong === undefined ? null : `${wrong} is not a whole number 1..${2 ** field.bits - 1}`;
    }
    case "units": {
      const wrong = (value as readonly string[]).find((unit) => !UNIT_KINDS.includes(unit as UnitKind));
      return wrong === undefined ? null : `'${wrong}' is not one of ${UNIT_KINDS.join(", ")}`;
    }
  }
}

function writeField(writer: BitWriter, field: Field, value: FieldContents): void {
  switch (field.type) {
    case "uint":
      writer.write((value as number) - (field.minus1 ? 1 : 0), field.bits);
      break;
    case "int":
      writer.write(value as number, field.bits);
      break;
    case "enum":
      writer.write(field.names.indexOf(value as string), field.bits);
      break;
    case "flag":
      writer.write(value ? 1 : 0, 1);
      break;
    case "axis":
      for (const [part] of AXIS_PARTS) writer.write((value as Axis)[part], 16);
      break;
    case "list":
      for (let i = 0; i < field.count; i++) writer.write((value as readonly number[])[i] ?? 0, field.bits);
      break;
    case "units":
      for (const kind of UNIT_KINDS) writer.write((value as readonly string[]).includes(kind) ? 1 : 0, 1);
      break;
  }
}

/** Reads one field; returns undefined when the bits are no legal value. */
function readField(reader: BitReader, field: Field): FieldContents | undefined {
  switch (field.type) {
    case "uint":
      return reader.read(field.bits) + (field.minus1 ? 1 : 0);
    case "int":
      return reader.readSigned(field.bits);
    case "enum":
      return field.names[reader.read(field.bits)];
    case "flag":
      return reader.read(1) === 1;
    case "axis":
      return {
        base: reader.readSigned(16),
        stepA: reader.readSigned(16),
        stepB: reader.readSigned(16),
        extent: reader.read(16),
      };
    case "list": {
      const items: number[] = [];
      let ended = false;
      let legal = true;
      for (let i = 0; i < field.count; i++) {
        const item = reader.read(field.bits);
        if (item === 0) ended = true;
        else if (ended) legal = false;
        else items.push(item);
      }
      return legal ? items : undefined;
    }
    case "units": {
      const bits = reader.read(8);
      return UNIT_KINDS.filter((_, i) => (bits >> i) & 1);
    }
  }
}

/** Encodes one instruction into 64 bytes. @throws Error when a field does not fit (a bug of the caller) */
export function encodeInstruction(instruction: Instruction): Uint8Array {
  const bytes = new Uint8Array(INSTRUCTION_BYTES);
  const writer = new BitWriter(bytes);
  writer.write(INSTRUCTIONS[instruction.op].opcode, OPCODE_BITS);
  const values = instruction as unknown as Record<string, FieldContents>;
  for (const [name, field] of fieldsOf(instruction.op)) {
    const wrong = checkField(field, values[name]);
    if (wrong !== null) throw new RapError(`${instruction.op}.${name}: ${wrong}`);
    writeField(writer, field, values[name]);
  }
  return bytes;
}

/** Decodes the instruction at byte `offset`. @param place named in messages. @throws RapError */
export function decodeInstruction(bytes: Uint8Array, offset: number, place: string): Instruction {
  const reader = new BitReader(bytes, offset);
  const code = reader.read(OPCODE_BITS);
  const op = OP_BY_CODE.get(code);
  if (op === undefined)
    throw new RapError(`${place}: opcode ${code} is not one of 0..${OPS.length - 1}; the code is damaged`);
  const values = blank(op);
  // index by index: programs have tens of thousands of fields, and are read once
  const fields = fieldsOf(op);
  for (let i = 0; i < fields.length; i++) {
    const name = fields[i][0];
    const value = readField(reader, fields[i][1]);
    if (value === undefined) throw new RapError(`${place}: ${op}.${name} holds no legal value; the code is damaged`);
    values[name] = value;
  }
  if (!reader.restIsZero()) throw new RapError(`${place}: ${op} has bits set beyond its fields; the code is damaged`);
  return values as unknown as Instruction;
}

export function encodeCode(instructions: readonly Instruction[]): Uint8Array {
  const code = new Uint8Array(instructions.length * INSTRUCTION_BYTES);
  instructions.forEach((instruction, i) => {
    try {
      code.set(encodeInstruction(instruction), i * INSTRUCTION_BYTES);
    } catch (error) {
      throw new RapError(`instruction ${i}: ${(error as Error).message}`, { cause: error });
    }
  });
  return code;
}

/** @param section named in messages */
export function decodeCode(code: Uint8Array, section: string): Instruction[] {
  if (code.length % INSTRUCTION_BYTES !== 0) {
    throw new RapError(
      `${section}: ${code.length} bytes is not a multiple of ${INSTRUCTION_BYTES}; the code is damaged`,
    );
  }
  const instructions: Instruction[] = [];
  for (let offset = 0; offset < code.length; offset += INSTRUCTION_BYTES) {
    instructions.push(decodeInstruction(code, offset, `${section}: offset ${offset}`));
  }
  return instructions;
}
