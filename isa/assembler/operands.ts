/** Instructions as text, derived from the table: `conv src=v1 weights=v2 tensor=conv1 y=0+:8 x=0+:8 c=0+:16 kernel=3x3`. */
import { checkField, type FieldContents } from "../codec.ts";
import { VIEW_FIELDS } from "../effects.ts";
import { listNames } from "../errors.ts";
import {
  type Axis,
  COMMON_FIELDS,
  defaultOf,
  type Field,
  handlerOf,
  INSTRUCTIONS,
  type Instruction,
  OPS,
  type Op,
  UNIT_KINDS,
} from "../table.ts";
import { type NameList, readJoined, readWhole, type Word } from "./words.ts";

/** The names an instruction's numbers stand for. */
export interface ProgramNames {
  readonly tensors: NameList;
  /** ids start at 1 */
  readonly semaphores: NameList;
}

type NamedField = readonly [name: string, field: Field];

/** What stands before one `=`: a field, or two fields fooY and fooX, written `foo=YxX` (signed: `foo=Y,X`). */
export interface Operand {
  readonly name: string;
  readonly fields: readonly [NamedField] | readonly [NamedField, NamedField];
}

function pairUp(fields: Readonly<Record<string, Field>>): Operand[] {
  const operands: Operand[] = [];
  for (const [name, field] of Object.entries(fields)) {
    const stem = name.slice(0, -1);
    const across = fields[`${stem}X`];
    if (stem === "" || across === undefined) operands.push({ name, fields: [[name, field]] });
    else if (name.endsWith("Y"))
      operands.push({
        name: stem,
        fields: [
          [name, field],
          [`${stem}X`, across],
        ],
      });
  }
  return operands;
}

/** The operands of every operation in the order they are printed: its own, then the common ones. */
export const OPERANDS = Object.fromEntries(
  OPS.map((op) => [op, [...pairUp(INSTRUCTIONS[op].fields), ...pairUp(COMMON_FIELDS)]]),
) as unknown as { readonly [O in Op]: readonly Operand[] };

const REGISTER_PREFIX = { view: "v", scalar: "r", histogram: "h" } as const;
const ALL_UNITS = "all";

/** How a value is written, for docs and complaints. */
export function formOf({ fields }: Operand): string {
  const [[, field]] = fields;
  if (fields.length === 2) return field.type === "int" ? "Y,X" : "YxX";
  switch (field.type) {
    case "uint":
      if (field.refersTo === undefined) return "N";
      return field.refersTo === "tensor" ? "TENSOR" : `${REGISTER_PREFIX[field.refersTo]}N`;
    case "int":
      return "N";
    case "enum":
      return field.names.join("|");
    case "flag":
      return "";
    case "axis":
      return "START+:EXTENT";
    case "list":
      return "SEMAPHORE,...";
    case "units":
      return `UNIT,...|${ALL_UNITS}`;
  }
}

/** `6*iy+:8`: starts at 6 * iy, 8 long. Parts that are 0 are left out. */
function axisText({ base, stepA, stepB, extent }: Axis): string {
  let start = base === 0 ? "" : String(base);
  for (const [step, index] of [
    [stepA, "iy"],
    [stepB, "ix"],
  ] as const) {
    if (step !== 0) start += `${step < 0 ? "-" : start === "" ? "" : "+"}${Math.abs(step)}*${index}`;
  }
  return `${start || "0"}+:${extent}`;
}

const AXIS_TERM = /([-+]?)(?:(\d+)(?:\*(iy|ix))?|(iy|ix))/y;

function readAxis(word: Word): Axis {
  const bad = (): never =>
    word.fail(`'${word.text}' is not of the form START+:EXTENT, such as 0+:8 or -1+6*iy+20*ix+:8 (start, then length)`);
  const colon = word.text.lastIndexOf("+:");
  if (colon < 1) bad();
  const start = word.text.slice(0, colon);
  const sums = { base: 0, iy: 0, ix: 0 };
  for (let at = 0; at < start.length; at = AXIS_TERM.lastIndex) {
    AXIS_TERM.lastIndex = at;
    const term = AXIS_TERM.exec(start);
    if (term === null || (at > 0 && term[1] === "")) return bad();
    const size = term[2] === undefined ? 1 : Number(term[2]);
    const part = (term[3] ?? term[4] ?? "base") as keyof typeof sums;
    sums[part] += term[1] === "-" ? -size : size;
  }
  const extent = readWhole(word.part(colon + 2));
  return { base: sums.base, stepA: sums.iy, stepB: sums.ix, extent };
}

function fieldText(field: Field, value: FieldContents, names: ProgramNames): string {
  switch (field.type) {
    case "uint":
      if (field.refersTo === undefined) return String(value);
      if (field.refersTo === "tensor") return names.tensors.text(value as number);
      return `${REGISTER_PREFIX[field.refersTo]}${value}`;
    case "int":
    case "enum":
    case "flag":
      return String(value);
    case "axis":
      return axisText(value as Axis);
    case "list":
      return (value as readonly number[]).map((id) => names.semaphores.text(id)).join(",");
    case "units":
      return (value as readonly string[]).length === UNIT_KINDS.length
        ? ALL_UNITS
        : (value as readonly string[]).join(",");
  }
}

function readRegister(word: Word, prefix: string): number {
  if (!word.text.startsWith(prefix) || !/^\d+$/.test(word.text.slice(prefix.length)))
    word.fail(`'${word.text}' is not a register ${prefix}N`);
  return Number(word.text.slice(prefix.length));
}

function readField(word: Word, field: Field, names: ProgramNames): FieldContents {
  switch (field.type) {
    case "uint":
      if (field.refersTo === undefined) return readWhole(word);
      if (field.refersTo === "tensor") return names.tensors.read(word);
      return readRegister(word, REGISTER_PREFIX[field.refersTo]);
    case "int":
      return readWhole(word);
    case "enum":
      return word.text;
    case "flag":
      if (word.text !== "true" && word.text !== "false") word.fail(`'${word.text}' is not true or false`);
      return word.text === "true";
    case "axis":
      return readAxis(word);
    case "list":
      return word.split(",").map((part) => names.semaphores.read(part));
    case "units":
      return word.text === ALL_UNITS ? [...UNIT_KINDS] : word.text.split(",");
  }
}

const sameValue = (a: FieldContents, b: FieldContents) =>
  a === b || (Array.isArray(a) && Array.isArray(b) && a.length === 0 && b.length === 0);

/** Fields that must stand in the text: boxes, tensors, the view registers in use, and an operand named like its operation. */
function isRequired(instruction: Instruction, [name, field]: NamedField): boolean {
  if (field.type === "axis" || name === instruction.op) return true;
  if (field.type !== "uint") return false;
  return field.refersTo === "tensor" || handlerOf(VIEW_FIELDS, instruction)(instruction).includes(name);
}

function operandText(instruction: Instruction, { name, fields }: Operand, names: ProgramNames): string {
  const values = instruction as unknown as Record<string, FieldContents>;
  const given = fields.some((named) => {
    const [fieldName, field] = named;
    return isRequired(instruction, named) || !sameValue(values[fieldName], defaultOf(field));
  });
  if (!given) return "";
  const [[fieldName, field]] = fields;
  if (field.type === "flag") return ` ${name}`;
  const value = fields
    .map(([part, partField]) => fieldText(partField, values[part], names))
    .join(field.type === "int" ? "," : "x");
  return fieldName === instruction.op ? ` ${value}` : ` ${name}=${value}`;
}

/** One instruction as a line of assembly; fields at their defaults are left out. */
export function instructionText(instruction: Instruction, names: ProgramNames): string {
  return instruction.op + OPERANDS[instruction.op].map((operand) => operandText(instruction, operand, names)).join("");
}

/** `name=value`, `flag`, or the bare value of the operand named like its operation (`view v1`). */
function readOperand(word: Word, op: Op): { operand: Operand; value: Word | null } {
  const equals = word.text.indexOf("=");
  const name = equals < 0 ? word.text : word.text.slice(0, equals);
  const operand = OPERANDS[op].find((candidate) => candidate.name === name);
  if (operand !== undefined && equals >= 0)
    return { operand, value: word.part(equals + 1, undefined, `${op}.${name}`) };
  if (operand !== undefined) {
    if (operand.fields[0][1].type !== "flag")
      word.fail(`${op}.${name}: a value is missing; write ${name}=${formOf(operand)}`);
    return { operand, value: null };
  }
  const own = OPERANDS[op].find((candidate) => candidate.name === op);
  if (equals < 0 && own !== undefined) return { operand: own, value: word.named(`${op}.${op}`) };
  return word.fail(
    `'${name}' is not a field of ${op}; known: ${listNames(OPERANDS[op].map((candidate) => candidate.name))}`,
  );
}

function readValues(value: Word, { fields }: Operand, names: ProgramNames): FieldContents[] {
  const values =
    fields.length === 1
      ? [readField(value, fields[0][1], names)]
      : fields[0][1].type === "int"
        ? readJoined(value, ",", 2, "Y,X, such as -1,0")
        : readJoined(value, "x", 2, "YxX, such as 3x3");
  fields.forEach(([, field], i) => {
    const wrong = checkField(field, values[i]);
    if (wrong !== null) value.fail(wrong);
  });
  return values;
}

const isOp = (text: string): text is Op => Object.hasOwn(INSTRUCTIONS, text);

/** One instruction from the words of a line. @throws RapError */
export function readInstruction(words: readonly Word[], names: ProgramNames): Instruction {
  const [first, ...rest] = words;
  const op = first.text;
  if (!isOp(op)) return first.fail(`'${op}' is not an instruction; known: ${listNames(OPS)}`);
  const given: Record<string, FieldContents> = {};
  for (const word of rest) {
    const { operand, value } = readOperand(word, op);
    if (operand.fields[0][0] in given) word.fail(`${op}.${operand.name}: given twice`);
    const values = value === null ? [true] : readValues(value, operand, names);
    operand.fields.forEach(([name], i) => {
      given[name] = values[i];
    });
  }
  const values: Record<string, FieldContents> = { op };
  for (const { fields } of OPERANDS[op])
    for (const [name, field] of fields) values[name] = given[name] ?? defaultOf(field);
  const instruction = values as unknown as Instruction;
  for (const operand of OPERANDS[op]) {
    const missing = operand.fields.find((named) => !(named[0] in given) && isRequired(instruction, named));
    if (missing !== undefined)
      first.fail(`${op}.${operand.name}: is missing; write ${operand.name}=${formOf(operand)}`);
  }
  return instruction;
}
