/** The constants of a program as text: runs of `.bytes`, `.fill` and `.base64` lines, each at a tensor or an address. */
import { type ProgramTensor, tensorBytes } from "../program.ts";
import { type NameList, readWithin, type Word, type WordReader } from "./words.ts";

/** Most bytes from first to last constant in one text: as base64 they still fit a JavaScript string. */
const MAX_SPAN = 2 ** 28;

/** Bytes that follow each other from one `.data` directive on. */
export interface Run {
  /** Where the directive stands. */
  readonly at: Word;
  /** The tensor that the run fills, or its address. */
  readonly place: { readonly tensor: Word } | { readonly address: number };
  readonly pieces: { readonly count: number; readonly bytes: Uint8Array | number }[];
}

function runBytes(run: Run): number {
  return run.pieces.reduce((sum, { count }) => sum + count, 0);
}

/** `.bytes -1 0 255`: two's complement or unsigned. */
function readBytes(reader: WordReader): Run["pieces"][number] {
  const words = [reader.next("a byte"), ...reader.rest()];
  return { count: words.length, bytes: Uint8Array.from(words, (word) => readWithin(word, -128, 255)) };
}

/** `.fill 64 0`: a byte many times. */
function readFill(reader: WordReader): Run["pieces"][number] {
  const count = readWithin(reader.next("a count"), 0, MAX_SPAN);
  const value = reader.optional();
  return { count, bytes: value === undefined ? 0 : readWithin(value, -128, 255) };
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function readBase64(reader: WordReader): Run["pieces"][number] {
  const word = reader.next("base64");
  if (word.text.length % 4 !== 0 || !BASE64.test(word.text))
    word.fail("not base64: A-Z a-z 0-9 + / in groups of four, = at the end");
  const bytes = new Uint8Array(Buffer.from(word.text, "base64"));
  return { count: bytes.length, bytes };
}

/** The lines that may follow `.data`. */
export const DATA_LINES = {
  ".bytes": { usage: ".bytes N N ...", meaning: "bytes -128..255", read: readBytes },
  ".fill": { usage: ".fill COUNT [N]", meaning: "the byte N (default 0), COUNT times", read: readFill },
  ".base64": { usage: ".base64 TEXT", meaning: "bytes in base64", read: readBase64 },
} as const;

/** A run whose address is known. */
interface PlacedRun {
  readonly run: Run;
  readonly start: number;
  readonly end: number;
}

function placeRun(run: Run, tensorOf: (name: Word) => ProgramTensor): PlacedRun {
  const bytes = runBytes(run);
  if ("address" in run.place) return { run, start: run.place.address, end: run.place.address + bytes };
  const word = run.place.tensor;
  const tensor = tensorOf(word);
  if (tensor.role !== "constant")
    word.fail(`tensor '${tensor.name}' is of role ${tensor.role}; only constants have data`);
  if (bytes !== tensorBytes(tensor))
    word.fail(`${bytes} bytes of data for tensor '${tensor.name}', which takes ${tensorBytes(tensor)}`);
  return { run, start: tensor.address, end: tensor.address + bytes };
}

/** One image from all runs; what lies between them is 0. @throws RapError when runs overlap */
export function layOut(
  runs: readonly Run[],
  tensorOf: (name: Word) => ProgramTensor,
): { constants: Uint8Array; constantsAddress: number } {
  if (runs.length === 0) return { constants: new Uint8Array(0), constantsAddress: 0 };
  const placed = runs.map((run) => placeRun(run, tensorOf)).sort((a, b) => a.start - b.start || a.end - b.end);
  const constantsAddress = placed[0].start;
  let end = constantsAddress;
  for (const item of placed) {
    if (item.start < end)
      item.run.at.fail(`.data: bytes ${item.start}..${item.end} overlap those before, which end at ${end}`);
    end = item.end;
    if (end - constantsAddress > MAX_SPAN)
      item.run.at.fail(`.data: the constants span ${end - constantsAddress} B; at most ${MAX_SPAN} B are assembled`);
  }
  const constants = new Uint8Array(end - constantsAddress);
  for (const { run, start } of placed) {
    let at = start - constantsAddress;
    for (const { count, bytes } of run.pieces) {
      if (typeof bytes === "number") constants.fill(bytes, at, at + count);
      else constants.set(bytes, at);
      at += count;
    }
  }
  return { constants, constantsAddress };
}

/** Constants up to this size are printed as numbers. */
const READABLE_BYTES = 1024;
const NUMBERS_PER_LINE = 32;
const BASE64_BYTES_PER_LINE = 96;

/** @param channels of the tensor: a line of numbers is one of its pixels */
function bytesText(bytes: Uint8Array, channels = NUMBERS_PER_LINE): string[] {
  const lines: string[] = [];
  if (bytes.length > 0 && bytes.every((byte) => byte === 0)) return [`  .fill ${bytes.length}`];
  const readable = bytes.length <= READABLE_BYTES;
  const step = readable ? Math.min(channels, NUMBERS_PER_LINE) : BASE64_BYTES_PER_LINE;
  for (let at = 0; at < bytes.length; at += step) {
    const part = bytes.subarray(at, at + step);
    lines.push(
      readable
        ? `  .bytes ${Array.from(part, (byte) => (byte << 24) >> 24).join(" ")}`
        : `  .base64 ${Buffer.from(part).toString("base64")}`,
    );
  }
  return lines;
}

/** The constants as lines of assembly: one run for each constant tensor, others for what no tensor covers. */
export function constantsText(
  constants: Uint8Array,
  constantsAddress: number,
  tensors: readonly ProgramTensor[],
  names: NameList,
): string[] {
  const end = constantsAddress + constants.length;
  const slice = (from: number, to: number) => constants.subarray(from - constantsAddress, to - constantsAddress);
  const raw = (from: number, to: number) => [`.data at ${from}`, ...bytesText(slice(from, to))];
  const ascending = tensors
    .map((tensor, id) => ({ ...tensor, id, end: tensor.address + tensorBytes(tensor) }))
    .filter((tensor) => tensor.role === "constant" && tensor.address >= constantsAddress && tensor.end <= end)
    .sort((a, b) => a.address - b.address);
  const lines: string[] = [];
  let at = constantsAddress;
  for (const tensor of ascending) {
    if (tensor.address < at) continue;
    // between runs, zeros need no text; before the first they fix the start
    const gap = slice(at, tensor.address);
    if (gap.length > 0 && (at === constantsAddress || gap.some((byte) => byte !== 0)))
      lines.push(...raw(at, tensor.address));
    lines.push(`.data ${names.text(tensor.id)}`, ...bytesText(slice(tensor.address, tensor.end), tensor.channels));
    at = tensor.end;
  }
  if (at < end || (lines.length === 0 && constantsAddress > 0)) lines.push(...raw(at, end));
  return lines;
}
