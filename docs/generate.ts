/**
 * The parts of these pages that are made from the code's tables. A page holds them between
 * `<!-- generated: name -->` and `<!-- end -->`; `npm run docs` writes them, test/docs.test.ts fails when they are stale.
 */
import {
  BLOCK_DIRECTIVES,
  COMMON_FIELDS,
  DIRECTIVES,
  defaultOf,
  encodedBits,
  type Field,
  fieldBits,
  formOf,
  INSTRUCTIONS,
  loadPreset,
  OPERANDS,
  OPS,
  type Op,
  PARAMETER_KEYS,
  PARAMETERS,
  type Parameter,
  presetNames,
} from "../isa/index.ts";

type Row = readonly string[];

/** A Markdown table; bars inside cells are escaped. */
function table(head: Row, rows: readonly Row[]): string {
  const line = (cells: Row) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

const OPCODE_BITS = 8;

const code = (text: string) => `\`${text}\``;

function bitRange(first: number, width: number): string {
  return width === 1 ? String(first) : `${first}..${first + width - 1}`;
}

function fieldKind(field: Field): string {
  switch (field.type) {
    case "uint":
      return field.minus1 ? "unsigned, minus 1" : "unsigned";
    case "int":
      return "signed";
    case "enum":
      return field.names.map((name, i) => `${i}: ${name}`).join(", ");
    case "flag":
      return "flag";
    case "axis":
      return "4 x 16 bits: base, stepA, stepB (signed), extent";
    case "list":
      return `${field.count} x ${field.bits} bits`;
    case "units":
      return "one bit per unit";
  }
}

function defaultText(field: Field): string {
  const value = defaultOf(field);
  if (field.type === "axis" || (field.type === "uint" && (field.refersTo === "view" || field.refersTo === "tensor")))
    return "";
  return Array.isArray(value) ? "none" : String(value);
}

/** Rows of a field table. @param first bit of the first field */
function fieldRows(fields: Readonly<Record<string, Field>>, first: number): Row[] {
  let bit = first;
  return Object.entries(fields).map(([name, field]) => {
    const width = fieldBits(field);
    const row = [code(name), bitRange(bit, width), fieldKind(field), defaultText(field), field.meaning];
    bit += width;
    return row;
  });
}

const FIELD_HEAD = ["field", "bits", "stored as", "default", "meaning"];
const COMMON_BITS = Object.values(COMMON_FIELDS).reduce((sum, field) => sum + fieldBits(field), 0);

function instructionTable(): string {
  const rows = OPS.map((op) => {
    const { opcode, place, meaning } = INSTRUCTIONS[op];
    return [String(opcode), code(op), place, String(encodedBits(op)), meaning];
  });
  return table(["opcode", "instruction", "unit", "bits", "meaning"], rows);
}

/** `conv src=vN ... [kernel=YxX] ...`: how an instruction is written; what may be left out stands in brackets. */
function synopsis(op: Op): string {
  const own = new Set(Object.keys(INSTRUCTIONS[op].fields));
  const words = OPERANDS[op]
    .filter(({ fields }) => own.has(fields[0][0]))
    .map((operand) => {
      const { name, fields } = operand;
      const [[fieldName, field]] = fields;
      const form = formOf(operand);
      const word = fieldName === op ? form : field.type === "flag" ? name : `${name}=${form}`;
      return defaultText(field) === "" ? word : `[${word}]`;
    });
  return code([op, ...words].join(" "));
}

function fieldTables(): string {
  return OPS.map((op) => {
    const { place, meaning, fields } = INSTRUCTIONS[op];
    const rows = fieldRows(fields, OPCODE_BITS + COMMON_BITS);
    const head = [
      `### ${op}`,
      "",
      `${place === "issue" ? "At issue" : place === "any" ? "Any unit" : `Unit: ${place}`}. ${meaning}`,
    ];
    return [...head, "", synopsis(op), ...(rows.length > 0 ? ["", table(FIELD_HEAD, rows)] : [])].join("\n");
  }).join("\n\n");
}

function directiveTable(): string {
  const rows = Object.values({ ...DIRECTIVES, ...BLOCK_DIRECTIVES }).map(({ usage, meaning }) => [
    code(usage),
    meaning,
  ]);
  return table(["directive", "meaning"], rows);
}

function rangeText(parameter: Parameter): string {
  if (parameter.type !== "number") return parameter.type === "enum" ? parameter.names.join(", ") : "true, false";
  const step = parameter.step > 1 ? `, multiples of ${parameter.step}` : parameter.step === 0 ? ", any number" : "";
  return `${parameter.min}..${parameter.max}${step}`;
}

function parameterTable(): string {
  const rows = PARAMETER_KEYS.map((key) => {
    const parameter: Parameter = PARAMETERS[key];
    const { kind, unit, meaning, source } = parameter;
    return [code(key), kind, String(parameter.default), rangeText(parameter), unit, meaning, source];
  });
  return table(["parameter", "kind", "default", "range", "unit", "meaning", "source"], rows);
}

/** All presets beside each other, with the parameters in which any two differ. */
function presetTable(): string {
  const presets = presetNames().map(loadPreset);
  const rows = PARAMETER_KEYS.map((key) => [
    code(key),
    ...presets.map(({ parameters }) => String(parameters[key])),
  ]).filter(([, ...values]) => new Set(values).size > 1);
  return table(["parameter", ...presets.map(({ name }) => name)], rows);
}

/** Page -> name of the part -> its text. */
export const GENERATED: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
  "isa.md": {
    instructions: instructionTable,
    "common fields": () => table(FIELD_HEAD, fieldRows(COMMON_FIELDS, OPCODE_BITS)),
    fields: fieldTables,
    directives: directiveTable,
  },
  "machine.md": { parameters: parameterTable, presets: presetTable },
};

const BLOCK = /<!-- generated: ([a-z ]+) -->\n[\s\S]*?<!-- end -->/g;

/** A page with its generated parts up to date. @throws Error when a part is missing or unknown */
export function withGenerated(page: string, text: string): string {
  const parts = GENERATED[page];
  const found = [...text.matchAll(BLOCK)].map(([, name]) => name);
  const names = Object.keys(parts);
  if (found.join() !== names.join())
    throw new Error(`docs/${page} holds the parts ${found.join(", ")}, not ${names.join(", ")}`);
  return text.replaceAll(BLOCK, (_, name: string) => `<!-- generated: ${name} -->\n${parts[name]()}\n<!-- end -->`);
}
