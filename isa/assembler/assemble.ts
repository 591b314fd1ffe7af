/** Assembly text to a program. The text's rules stand in docs/isa.md. */
import { basename, extname } from "node:path";
import { RapError } from "../errors.ts";
import type { HostSection } from "../host-section.ts";
import { createMachine, type Machine } from "../machine.ts";
import { DEFAULT_MACHINE, loadPreset } from "../presets.ts";
import {
  NO_LAYER,
  type Program,
  type ProgramTensor,
  type Provenance,
  type SourceRef,
  sha256,
  tensorBytes,
} from "../program.ts";
import { type Instruction, ISA_VERSION } from "../table.ts";
import { layOut } from "./constants.ts";
import {
  BLOCK_DIRECTIVES,
  type Block,
  type BlockDirective,
  DIRECTIVES,
  Draft,
  type DraftInstruction,
  type DraftTensor,
  type TileMark,
} from "./directives.ts";
import { type ProgramNames, readInstruction } from "./operands.ts";
import { NameList, type Word, WordReader, wordsOf } from "./words.ts";

/** Where DRAM tensors without an address are put. */
const TENSOR_ALIGNMENT = 64;
const BLOCK_END = ".end";

/**
 * Assembles the text of a whole program. `checkProgram` must still approve of what its instructions do.
 * @param path named in messages, and the default of `.name`
 * @throws RapError `path:line:column: ...`
 */
export function assemble(text: string, path: string): Program {
  const draft = readDraft(text, path);
  const machine = machineOf(draft, path);
  const tensors = placeTensors(draft.tensors);
  const tensorNames = new NameList("tensor", tensors, 0);
  const names: ProgramNames = {
    tensors: tensorNames,
    semaphores: new NameList("semaphore", draft.semaphoreNames, 1),
  };
  const tensorOf = (word: Word) =>
    tensors[tensorNames.read(word)] ?? word.fail(`tensor ${word.text} is not one of the program's ${tensors.length}`);
  const constants = layOut(draft.runs, tensorOf);
  const prologue = readStream(draft.prologue, names);
  const body = readStream(draft.body, names);
  const all = [...(draft.prologue ?? []), ...(draft.body ?? [])];
  return {
    name: draft.name ?? basename(path, extname(path)),
    machine,
    tensors,
    semaphores: draft.semaphores,
    prologue,
    body,
    sourceMap: readSourceMap(all, new NameList("layer", draft.layers, 0), draft.layers.length),
    sourceLines: all.map(({ words }) => words[0].line),
    layers: draft.layers,
    ...constants,
    dramBytes: draft.dramBytes ?? dramEnd(tensors, constants),
    persistent: draft.persistent,
    schedule: draft.schedule,
    host: draft.host ?? defaultHost(tensors, path),
    provenance: draft.provenance ?? defaultProvenance(text, path),
  };
}

/** Reads line by line; instructions are kept as words, because names may be declared below them. */
function readDraft(text: string, path: string): Draft {
  const draft = new Draft();
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const words = wordsOf(path, i + 1, lines[i]);
    if (words.length === 0) continue;
    const [first] = words;
    if (!first.text.startsWith(".")) draft.add(words);
    else if (Object.hasOwn(BLOCK_DIRECTIVES, first.text)) {
      i = readBlock(draft, BLOCK_DIRECTIVES[first.text], words, lines, i + 1, path);
    } else readDirective(draft, words);
  }
  return draft;
}

function readDirective(draft: Draft, words: readonly Word[]): void {
  const [first, ...rest] = words;
  if (!Object.hasOwn(DIRECTIVES, first.text)) {
    const known = [...Object.keys(DIRECTIVES), ...Object.keys(BLOCK_DIRECTIVES)];
    first.fail(`'${first.text}' is not a directive; known: ${known.join(", ")}`);
  }
  const directive = DIRECTIVES[first.text];
  const reader = new WordReader(first, rest, directive.usage);
  directive.read(draft, reader, first);
  reader.end();
}

/** @returns the index of the line with `.end` */
function readBlock(
  draft: Draft,
  directive: BlockDirective,
  words: readonly Word[],
  lines: readonly string[],
  start: number,
  path: string,
): number {
  const [first, extra] = words;
  extra?.fail(`'${extra.text}' is one word too many; the ${first.text} block begins on the next line`);
  draft.once(first);
  let end = start;
  while (end < lines.length && lines[end].trim() !== BLOCK_END) end++;
  if (end === lines.length) first.fail(`${first.text}: no line with ${BLOCK_END} follows`);
  const text = lines.slice(start, end).join("\n");
  const fail: Block["fail"] = (message, offset) => {
    if (offset === undefined) return first.fail(`${first.text}: ${message}`);
    const before = text.slice(0, offset).split("\n");
    const column = before[before.length - 1].length + 1;
    throw new RapError(`${path}:${start + before.length}:${column}: ${first.text}: ${message}`);
  };
  directive.readBlock(draft, { text, fail });
  return end;
}

function machineOf({ machine, parameters }: Draft, path: string): Machine {
  const base = machine === null ? loadPreset(DEFAULT_MACHINE) : machine.base;
  const name = machine?.name ?? DEFAULT_MACHINE;
  return createMachine(name, { ...base?.parameters, ...parameters }, machine?.at.place ?? path);
}

const align = (bytes: number) => Math.ceil(bytes / TENSOR_ALIGNMENT) * TENSOR_ALIGNMENT;

/** Gives DRAM tensors without an address one behind all others, in order. */
function placeTensors(drafts: readonly DraftTensor[]): ProgramTensor[] {
  const fixed = drafts.map(({ at: _, ...tensor }) => ({ ...tensor, address: tensor.address ?? 0 }));
  let free = 0;
  drafts.forEach(({ role, address }, i) => {
    if (role !== "none" && address !== null) free = Math.max(free, address + tensorBytes(fixed[i]));
  });
  return drafts.map(({ address, at }, i) => {
    if (address !== null) return fixed[i];
    const tensor = { ...fixed[i], address: align(free) };
    free = tensor.address + tensorBytes(tensor);
    if (free > 0xffffffff) at.fail(`.tensor: no room is left in 4 GiB of DRAM for tensor '${tensor.name}'`);
    return tensor;
  });
}

function dramEnd(
  tensors: readonly ProgramTensor[],
  { constants, constantsAddress }: { constants: Uint8Array; constantsAddress: number },
): number {
  const ends = tensors.map((tensor) => (tensor.role === "none" ? 0 : tensor.address + tensorBytes(tensor)));
  const end = ends.reduce((a, b) => Math.max(a, b), constantsAddress + constants.length);
  return Math.min(align(end), 0xffffffff);
}

function readStream(drafts: readonly DraftInstruction[] | null, names: ProgramNames): Instruction[] {
  return (drafts ?? []).map(({ words }) => readInstruction(words, names));
}

function readSourceMap(drafts: readonly DraftInstruction[], layers: NameList, count: number): SourceRef[] {
  const refs = new Map<TileMark, SourceRef>();
  const read = ({ layer, tile }: TileMark): SourceRef => {
    if (layer === null) return { layer: NO_LAYER, tile };
    const id = layers.read(layer);
    if (id < 0 || id >= count) layer.fail(`layer ${layer.text} is not one of the program's ${count}`);
    return { layer: id, tile };
  };
  return drafts.map(({ mark }) => {
    const ref = refs.get(mark) ?? read(mark);
    refs.set(mark, ref);
    return ref;
  });
}

/** A picture without scaling in, raw integers out: pixels 0..255 become 0..255 (u8) or -128..127 (i8). */
function defaultHost(tensors: readonly ProgramTensor[], path: string): HostSection {
  const fail = (message: string): never => {
    throw new RapError(`${path}: .host is missing and cannot be derived: ${message}; write a .host block`);
  };
  const inputs = tensors.filter(({ role }) => role === "input");
  const outputs = tensors.filter(({ role }) => role === "output");
  if (inputs.length !== 1) fail(`the program has ${inputs.length} tensors of role input, not one`);
  if (outputs.length === 0) fail("the program has no tensor of role output");
  const [{ name, height, width, channels, format }] = inputs;
  if (channels !== 1 && channels !== 3) return fail(`input '${name}' has ${channels} channels, a picture 1 or 3`);
  if (format === "i32") return fail(`input '${name}' has the format i32, a picture i8 or u8`);
  const mean = Array<number>(channels).fill(format === "i8" ? 128 : 0);
  return {
    input: { height, width, channels, colorOrder: "RGB", mean, scale: 1, tensor: name, format, exponent: 0 },
    outputs: outputs.map((tensor) => ({
      tensor: tensor.name,
      height: tensor.height,
      width: tensor.width,
      channels: tensor.channels,
      format: tensor.format,
      exponents: Array<number>(tensor.channels).fill(0),
    })),
    head: null,
    trained: false,
  };
}

function defaultProvenance(text: string, path: string): Provenance {
  return { rapsim: `ISA ${ISA_VERSION}`, source: basename(path), sourceSha256: sha256(Buffer.from(text)), options: {} };
}
