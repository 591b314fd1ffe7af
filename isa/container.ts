/**
 * The container of both file kinds: a header, a table of sections, and the sections, each with its own CRC-32.
 *
 * | offset | bytes | what |
 * |---|---|---|
 * | 0 | 8 | magic: "RAPSIMPG" (program) or "RAPSIMQM" (quantized model) |
 * | 8 | 2 | container version |
 * | 10 | 2 | content version (of the ISA, or of the quantized model) |
 * | 12 | 4 | number of sections |
 * | 16 | 4 | total file length |
 * | 20 | 4 | CRC-32 of bytes 0..19 and of the section table |
 * | 24 | 16 each | section table: tag (4 ASCII letters), offset, length, CRC-32 |
 *
 * All integers are little-endian. Sections start at multiples of 64 bytes, in table order; the gaps are zero.
 */
import { crc32 } from "node:zlib";
import { RapError } from "./errors.ts";

const CONTAINER_VERSION = 1;
const HEADER_BYTES = 24;
const ENTRY_BYTES = 16;
const ALIGNMENT = 64;
const MAX_SECTIONS = 64;

export interface ContainerKind {
  readonly magic: "RAPSIMPG" | "RAPSIMQM";
  /** What the user calls such a file, for messages. */
  readonly what: string;
  readonly contentVersion: number;
  /** What is versioned, for messages: "ISA", "quantized model". */
  readonly versioned: string;
  /** What to do about another version. */
  readonly remedy: string;
  /** Tags of the sections, all required, in file order. */
  readonly tags: readonly string[];
}

const align = (bytes: number) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Packs sections into one file. Sections are given by tag; all of the kind's tags are required. */
export function packContainer(kind: ContainerKind, sections: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const tableEnd = HEADER_BYTES + ENTRY_BYTES * kind.tags.length;
  let length = align(tableEnd);
  const placed = kind.tags.map((tag) => {
    const bytes = sections[tag];
    if (bytes === undefined) throw new Error(`section ${tag} is missing`);
    const offset = length;
    length = align(length + bytes.length);
    return { tag, offset, bytes };
  });
  const file = new Uint8Array(length);
  const view = new DataView(file.buffer);
  file.set(Buffer.from(kind.magic, "ascii"), 0);
  view.setUint16(8, CONTAINER_VERSION, true);
  view.setUint16(10, kind.contentVersion, true);
  view.setUint32(12, kind.tags.length, true);
  view.setUint32(16, length, true);
  placed.forEach(({ tag, offset, bytes }, i) => {
    const at = HEADER_BYTES + ENTRY_BYTES * i;
    file.set(Buffer.from(tag, "ascii"), at);
    view.setUint32(at + 4, offset, true);
    view.setUint32(at + 8, bytes.length, true);
    view.setUint32(at + 12, crc32(bytes), true);
    file.set(bytes, offset);
  });
  view.setUint32(20, headerCrc(file, tableEnd), true);
  return file;
}

function headerCrc(file: Uint8Array, tableEnd: number): number {
  return crc32(file.subarray(HEADER_BYTES, tableEnd), crc32(file.subarray(0, 20)));
}

/** Gaps belong to no CRC, so they must be zero. */
function checkGap(file: Uint8Array, from: number, to: number, fail: (message: string) => never): void {
  const wrong = file.subarray(from, to).findIndex((byte) => byte !== 0);
  if (wrong >= 0)
    fail(`offset ${from + wrong}: byte ${file[from + wrong]} in a gap between sections; the file is damaged`);
}

/** True when the bytes begin with the kind's magic. */
export function hasMagic(kind: ContainerKind, file: Uint8Array): boolean {
  return Buffer.from(file.subarray(0, 8)).toString("latin1") === kind.magic;
}

/**
 * Unpacks a file into its sections. Every length is checked before anything is allocated.
 * @param path named in messages
 * @throws RapError naming path, section and offset
 */
export function unpackContainer(kind: ContainerKind, file: Uint8Array, path: string): Map<string, Uint8Array> {
  const fail = (message: string): never => {
    throw new RapError(`${path}: ${message}`);
  };
  if (file.length === 0) fail(`the file is empty; expected ${kind.what}`);
  if (!hasMagic(kind, file)) {
    fail(`offset 0: not ${kind.what} (it does not begin with "${kind.magic}"); make one with ${kind.remedy}`);
  }
  if (file.length < HEADER_BYTES)
    fail(`header: ${file.length} bytes, the header alone takes ${HEADER_BYTES}; the file is truncated`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const container = view.getUint16(8, true);
  if (container !== CONTAINER_VERSION) {
    fail(
      `offset 8: container version ${container}, this rapsim reads ${CONTAINER_VERSION}; make the file again with ${kind.remedy}`,
    );
  }
  const content = view.getUint16(10, true);
  if (content !== kind.contentVersion) {
    fail(
      `offset 10: ${kind.versioned} version ${content}, this rapsim reads ${kind.contentVersion}; make the file again with ${kind.remedy}`,
    );
  }
  const count = view.getUint32(12, true);
  if (count === 0 || count > MAX_SECTIONS)
    fail(`offset 12: ${count} sections, expected 1 to ${MAX_SECTIONS}; the header is damaged`);
  const tableEnd = HEADER_BYTES + ENTRY_BYTES * count;
  const total = view.getUint32(16, true);
  if (total !== file.length) {
    fail(
      `offset 16: the header says ${total} bytes, the file has ${file.length}; it is ${file.length < total ? "truncated" : "damaged or has bytes appended"}`,
    );
  }
  if (tableEnd > file.length)
    fail(`section table: ends at ${tableEnd}, the file at ${file.length}; the file is truncated`);
  if (view.getUint32(20, true) !== headerCrc(file, tableEnd))
    fail("offset 20: the CRC of header and section table does not match; the file is damaged");
  const sections = new Map<string, Uint8Array>();
  let end = tableEnd;
  for (let i = 0; i < count; i++) {
    const at = HEADER_BYTES + ENTRY_BYTES * i;
    const tag = Buffer.from(file.subarray(at, at + 4)).toString("latin1");
    const offset = view.getUint32(at + 4, true);
    const length = view.getUint32(at + 8, true);
    if (offset < end || offset + length > file.length) {
      fail(
        `section ${JSON.stringify(tag)}: bytes ${offset}..${offset + length} are out of order or outside the file of ${file.length}; the file is damaged`,
      );
    }
    if (!kind.tags.includes(tag) || sections.has(tag)) {
      fail(
        `section ${JSON.stringify(tag)} at offset ${offset}: ${sections.has(tag) ? "given twice" : `not one of ${kind.tags.join(", ")}`}; the file is damaged`,
      );
    }
    checkGap(file, end, offset, fail);
    const bytes = file.subarray(offset, offset + length);
    if (crc32(bytes) !== view.getUint32(at + 12, true))
      fail(`section ${JSON.stringify(tag)} at offset ${offset}: CRC mismatch; the file is damaged`);
    sections.set(tag, bytes);
    end = offset + length;
  }
  checkGap(file, end, file.length, fail);
  for (const tag of kind.tags) if (!sections.has(tag)) fail(`section ${tag} is missing; the file is damaged`);
  return sections;
}
