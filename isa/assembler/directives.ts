/** The directives of assembly: everything of a program that is not an instruction. */
import type { z } from "zod";
import { listNames } from "../errors.ts";
import { type HostSection, hostSectionSchema } from "../host-section.ts";
import { checkParameter, type Machine, parameterKey, parseParameter } from "../machine.ts";
import { FORMATS, type Format } from "../numerics.ts";
import { loadPreset, presetNames } from "../presets.ts";
import {
  layerSchema,
  MAX_LAYERS,
  MAX_SEMAPHORES,
  MAX_TENSORS,
  type PersistentArea,
  type ProgramLayer,
  type ProgramTensor,
  type Provenance,
  persistentSchema,
  provenanceSchema,
  type Semaphore,
  scheduleSchema,
  semaphoreSchema,
  TENSOR_ROLES,
  tensorSchema,
} from "../program.ts";
import type { ScheduleStep } from "../schedule-section.ts";
import { UNIT_KINDS } from "../table.ts";
import { yaml } from "../yaml.ts";
import { DATA_LINES, type Run } from "./constants.ts";
import { NONE, readJoined, readName, readWhole, readWithin, type Word, type WordReader } from "./words.ts";

/** A tensor whose address may still have to be found. */
export type DraftTensor = Omit<ProgramTensor, "address"> & { address: number | null; readonly at: Word };

/** What instructions are for, from one `.tile` directive to the next. */
export interface TileMark {
  readonly layer: Word | null;
  readonly tile: number;
}

/** An instruction not yet read: names may be declared further down. */
export interface DraftInstruction {
  readonly words: readonly Word[];
  readonly mark: TileMark;
}

/** A program while its text is being read. */
export class Draft {
  name: string | null = null;
  machine: { readonly at: Word; readonly name: string; readonly base: Machine | null } | null = null;
  readonly parameters: Record<string, unknown> = {};
  readonly tensors: DraftTensor[] = [];
  readonly semaphores: Semaphore[] = [];
  readonly semaphoreNames: { readonly name: string }[] = [];
  readonly layers: ProgramLayer[] = [];
  readonly persistent: PersistentArea[] = [];
  readonly runs: Run[] = [];
  schedule: readonly ScheduleStep[] = [];
  host: HostSection | null = null;
  provenance: Provenance | null = null;
  dramBytes: number | null = null;
  prologue: DraftInstruction[] | null = null;
  body: DraftInstruction[] | null = null;
  mark: TileMark = { layer: null, tile: 0 };
  private readonly seen = new Set<string>();

  /** Directives that may stand once. */
  once(at: Word): void {
    if (this.seen.has(at.text)) at.fail(`${at.text}: given twice`);
    this.seen.add(at.text);
  }

  /** Where an instruction goes: the stream opened last; a text without sections is all body. */
  add(words: readonly Word[]): void {
    this.stream ??= this.body = [];
    this.stream.push({ words, mark: this.mark });
  }

  startStream(name: "prologue" | "body"): void {
    this.stream = this[name] = [];
    this.mark = { layer: null, tile: 0 };
  }

  private stream: DraftInstruction[] | null = null;
}

/** The lines between a block directive and `.end`. */
export interface Block {
  readonly text: string;
  /** Complains at an offset of the text. */
  readonly fail: (message: string, offset?: number) => never;
}

export interface Directive {
  readonly usage: string;
  readonly meaning: string;
  /** `at`: the directive itself. */
  readonly read: (draft: Draft, reader: WordReader, at: Word) => void;
}

export interface BlockDirective {
  readonly usage: string;
  readonly meaning: string;
  readonly readBlock: (draft: Draft, block: Block) => void;
}

/** Holds a value against its schema; a complaint goes to the directive. */
function checked<T>(schema: z.ZodType<T>, value: unknown, fail: (message: string) => never): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  return fail(`${issue.path.length > 0 ? `${issue.path.join(".")}: ` : ""}${issue.message}`);
}

/** The same for a line: the complaint stands at its directive. */
function checkedLine<T>(schema: z.ZodType<T>, value: unknown, at: Word): T {
  return checked(schema, value, (message) => at.fail(`${at.text}: ${message}`));
}

function oneOf<T extends string>(word: Word, names: readonly T[]): T {
  if (!(names as readonly string[]).includes(word.text)) word.fail(`'${word.text}' is not one of ${listNames(names)}`);
  return word.text as T;
}

function readUnit(word: Word): Semaphore["producer"] {
  const match = /^([a-z]+)([0-3]?)$/.exec(word.text);
  const kind = UNIT_KINDS.find((unit) => unit === match?.[1]);
  if (match === null || kind === undefined) {
    return word.fail(
      `'${word.text}' is not a unit; known: ${listNames(UNIT_KINDS)}, with the number of the tensor processor behind it (mac1)`,
    );
  }
  return { kind, tp: Number(match[2]) };
}

function readTensor(reader: WordReader, at: Word): DraftTensor {
  const name = readName(reader.next("a name"));
  const shape = readJoined(reader.next("the shape"), "x", 3, "HEIGHTxWIDTHxCHANNELS");
  const format: Format = oneOf(reader.next("the format"), FORMATS);
  let address: number | null = null;
  const place = (keyword: Word | undefined) => {
    if (keyword === undefined) return;
    if (keyword.text !== "at") keyword.fail(`'${keyword.text}' is not 'at'`);
    address = readWhole(reader.next("the address"));
  };
  const word = reader.optional();
  let role: ProgramTensor["role"] = "none";
  if (word?.text === "at") place(word);
  else if (word !== undefined) {
    role = oneOf(word, TENSOR_ROLES);
    place(reader.optional());
  }
  const [height, width, channels] = shape;
  const fixed = role === "none" ? (address ?? 0) : address;
  const tensor = checkedLine(tensorSchema, { name, height, width, channels, format, role, address: fixed ?? 0 }, at);
  return { ...tensor, address: fixed, at };
}

/** The agent grid of a semaphore without an offset: every agent signals itself. */
export const NO_OFFSET_GRID = { gridY: 1, gridX: 256 } as const;

function readSemaphore(reader: WordReader, at: Word): Semaphore {
  const producer = readUnit(reader.next("the producer"));
  if (!reader.take("->")) reader.next("'->'").fail("'->' is missing between producer and consumer");
  const consumer = readUnit(reader.next("the consumer"));
  let grid: readonly number[] = [NO_OFFSET_GRID.gridY, NO_OFFSET_GRID.gridX];
  let offset: readonly number[] = [0, 0];
  let initial = 0;
  const hasGrid = reader.take("grid");
  if (hasGrid) grid = readJoined(reader.next("the grid"), "x", 2, "YxX, such as 4x4");
  const offsetAt = reader.take("offset") ? reader.next("the offset") : null;
  if (offsetAt !== null) {
    if (!hasGrid) offsetAt.fail("an offset needs the grid it is in, before it: grid 4x4 offset 0,1");
    offset = readJoined(offsetAt, ",", 2, "Y,X, such as -1,0");
  }
  if (reader.take("initial")) initial = readWhole(reader.next("the initial count"));
  const [gridY, gridX] = grid;
  const [offsetY, offsetX] = offset;
  return checkedLine(semaphoreSchema, { producer, consumer, gridY, gridX, offsetY, offsetX, initial }, at);
}

/** Longer blocks must be JSON. */
const MAX_YAML = 1 << 16;

/** JSON or YAML between a block directive and `.end`. */
function readData<T>(schema: z.ZodType<T>, block: Block): T {
  let content: unknown;
  try {
    content = JSON.parse(block.text);
  } catch (jsonError) {
    // the YAML parser takes quadratic time on hostile text
    if (block.text.length > MAX_YAML) return block.fail(`not JSON: ${(jsonError as Error).message}`);
    try {
      content = yaml().parse(block.text, { maxAliasCount: 0, logLevel: "error", prettyErrors: false });
    } catch (error) {
      const { message, pos } = error as Error & { pos?: [number, number] };
      return block.fail(`neither JSON nor YAML: ${message}`, pos?.[0]);
    }
  }
  return checked(schema, content, (message) => block.fail(message));
}

const dataLine = (name: keyof typeof DATA_LINES): Directive => ({
  usage: DATA_LINES[name].usage,
  meaning: `${DATA_LINES[name].meaning}, behind a .data`,
  read: (draft, reader, at) => {
    const run = draft.runs.at(-1);
    if (run === undefined) return at.fail(`${name}: no .data stands before it; write .data TENSOR or .data at ADDRESS`);
    run.pieces.push(DATA_LINES[name].read(reader));
  },
});

export const DIRECTIVES: Readonly<Record<string, Directive>> = {
  ".name": {
    usage: ".name NAME",
    meaning: "name of the program; default: the file's",
    read: (draft, reader, at) => {
      draft.once(at);
      draft.name = readName(reader.next("a name"));
    },
  },
  ".machine": {
    usage: ".machine NAME [custom]",
    meaning: "a preset; or, with `custom`, a machine of that name with rap-e's parameters, to be changed by .parameter",
    read: (draft, reader, at) => {
      draft.once(at);
      const word = reader.next("a machine");
      const name = readName(word);
      const custom = reader.take("custom");
      if (!custom && !presetNames().includes(name))
        word.fail(
          `'${name}' is not a preset; presets: ${listNames(presetNames())}; or write .machine ${word.text} custom`,
        );
      draft.machine = { at, name, base: custom ? null : loadPreset(name) };
    },
  },
  ".parameter": {
    usage: ".parameter KEY VALUE",
    meaning: "changes a parameter of the machine (docs/machine.md)",
    read: (draft, reader) => {
      const key = reader.next("a parameter");
      const value = reader.next("a value");
      const known = parameterKey(key.text, key.place);
      const content = parseParameter(known, value.text, value.place);
      checkParameter(known, content, value.place);
      if (Object.hasOwn(draft.parameters, known)) key.fail(`${known}: given twice`);
      draft.parameters[known] = content;
    },
  },
  ".dram": {
    usage: ".dram BYTES",
    meaning: "DRAM the program uses; default: up to the last tensor or constant",
    read: (draft, reader, at) => {
      draft.once(at);
      draft.dramBytes = readWithin(reader.next("a size"), 0, 0xffffffff);
    },
  },
  ".tensor": {
    usage: ".tensor NAME HEIGHTxWIDTHxCHANNELS FORMAT [ROLE] [at ADDRESS]",
    meaning:
      "a tensor; format i8, u8 or i32; role input, output, intermediate, constant or none (the default: it lives in SRAM only); without an address the next free multiple of 64 in DRAM",
    read: (draft, reader, at) => {
      if (draft.tensors.length === MAX_TENSORS) at.fail(`.tensor: a program has at most ${MAX_TENSORS}`);
      draft.tensors.push(readTensor(reader, at));
    },
  },
  ".semaphore": {
    usage: ".semaphore NAME PRODUCER -> CONSUMER [grid YxX [offset Y,X]] [initial N]",
    meaning:
      "a semaphore between two units (load, store, link, scalar, mac, shift, pool, range; mac1 is that of tensor processor 1); a signal goes to the agent at the offset in the grid",
    read: (draft, reader, at) => {
      if (draft.semaphores.length === MAX_SEMAPHORES) at.fail(`.semaphore: a program has at most ${MAX_SEMAPHORES}`);
      draft.semaphoreNames.push({ name: readName(reader.next("a name")) });
      draft.semaphores.push(readSemaphore(reader, at));
    },
  },
  ".layer": {
    usage: ".layer NAME OP [fused NAME ...]",
    meaning: "a layer of the network, for reports; fused: layers whose work its instructions do as well",
    read: (draft, reader, at) => {
      if (draft.layers.length === MAX_LAYERS) at.fail(`.layer: a program has at most ${MAX_LAYERS}`);
      const name = readName(reader.next("a name"));
      const op = readName(reader.next("an operator"));
      const fused = reader.take("fused") ? [reader.next("a name"), ...reader.rest()].map(readName) : [];
      draft.layers.push(checkedLine(layerSchema, { name, op, fused }, at));
    },
  },
  ".persistent": {
    usage: ".persistent NAME at ADDRESS size BYTES",
    meaning: "SRAM that keeps its contents from the prologue through all frames",
    read: (draft, reader, at) => {
      const name = readName(reader.next("a name"));
      if (!reader.take("at")) reader.next("'at'").fail("'at' is missing before the address");
      const address = readWhole(reader.next("the address"));
      if (!reader.take("size")) reader.next("'size'").fail("'size' is missing before the size");
      const bytes = readWhole(reader.next("the size"));
      draft.persistent.push(checkedLine(persistentSchema, { name, address, bytes }, at));
    },
  },
  ".prologue": {
    usage: ".prologue",
    meaning: "the instructions that follow run once",
    read: (draft, _, at) => {
      draft.once(at);
      draft.startStream("prologue");
    },
  },
  ".body": {
    usage: ".body",
    meaning: "the instructions that follow are one frame; a text without .prologue need not say so",
    read: (draft, _, at) => {
      if (draft.body !== null) at.fail(".body: given twice, or behind instructions that are the body already");
      draft.startStream("body");
    },
  },
  ".tile": {
    usage: ".tile LAYER [TILE]",
    meaning: `the instructions that follow work for this layer and tile (default 0); \`.tile ${NONE}\`: for no layer`,
    read: (draft, reader) => {
      const layer = reader.next("a layer");
      const tile = reader.optional();
      draft.mark = {
        layer: layer.text === NONE ? null : layer,
        tile: tile === undefined ? 0 : readWithin(tile, 0, 65535),
      };
    },
  },
  ".data": {
    usage: ".data TENSOR | .data at ADDRESS",
    meaning: "the bytes that follow are this constant tensor's, or lie at this address of DRAM",
    read: (draft, reader, at) => {
      const word = reader.next("a tensor");
      const place =
        word.text === "at" ? { address: readWithin(reader.next("an address"), 0, 0xffffffff) } : { tensor: word };
      draft.runs.push({ at, place, pieces: [] });
    },
  },
  ".bytes": dataLine(".bytes"),
  ".fill": dataLine(".fill"),
  ".base64": dataLine(".base64"),
};

/** Directives with lines of JSON or YAML up to `.end`. */
export const BLOCK_DIRECTIVES: Readonly<Record<string, BlockDirective>> = {
  ".host": {
    usage: ".host ... .end",
    meaning:
      "what the CPU must know (docs/file-formats.md, section HOST), as JSON or YAML; default: the input and outputs as raw tensors with exponent 0",
    readBlock: (draft, block) => {
      draft.host = readData(hostSectionSchema, block);
    },
  },
  ".schedule": {
    usage: ".schedule ... .end",
    meaning: "what the compiler decided (docs/file-formats.md, section META), as JSON or YAML; default: nothing",
    readBlock: (draft, block) => {
      draft.schedule = readData(scheduleSchema, block);
    },
  },
  ".provenance": {
    usage: ".provenance ... .end",
    meaning: "what the program was made from, as JSON or YAML; default: this text",
    readBlock: (draft, block) => {
      draft.provenance = readData(provenanceSchema, block);
    },
  },
};
