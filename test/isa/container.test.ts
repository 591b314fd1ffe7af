/** Does every kind of damage to a file give one clear error? Each byte flipped, each length cut, each section broken. */
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkProgram,
  decodeProgram,
  encodeProgram,
  hasMagic,
  NO_LAYER,
  PROGRAM_KIND,
  packContainer,
  RapError,
  unpackContainer,
} from "../../isa/index.ts";
import { loadProgram } from "../programs/index.ts";

const HEADER_BYTES = 24;
const ENTRY_BYTES = 16;
const tableEnd = HEADER_BYTES + ENTRY_BYTES * PROGRAM_KIND.tags.length;
const good = encodeProgram(loadProgram("tiny"));
const sections = unpackContainer(PROGRAM_KIND, good, "tiny.bin");
const sectionStart = (tag: string) => sections.get(tag)!.byteOffset - good.byteOffset;

/** A copy with some bytes changed. */
function changed(change: (file: Uint8Array, view: DataView) => void): Uint8Array {
  const file = good.slice();
  change(file, new DataView(file.buffer));
  return file;
}

/** A copy with changes to header or table, under a CRC that is right again. */
function forged(change: (view: DataView) => void): Uint8Array {
  return changed((file, view) => {
    change(view);
    view.setUint32(20, crc32(file.subarray(HEADER_BYTES, tableEnd), crc32(file.subarray(0, 20))), true);
  });
}

/** A file with one section replaced; all CRCs are right. */
function withSection(tag: string, content: Uint8Array | string | ((before: string) => string)): Uint8Array {
  const before = sections.get(tag)!;
  const text = typeof content === "function" ? content(Buffer.from(before).toString()) : content;
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  return packContainer(PROGRAM_KIND, { ...Object.fromEntries(sections), [tag]: bytes });
}

/** The one RapError that reading a file gives. */
function refusal(file: Uint8Array): string {
  try {
    decodeProgram(file, "a.bin");
  } catch (error) {
    expect(error).toBeInstanceOf(RapError);
    const { message } = error as RapError;
    expect(message).toMatch(/^a\.bin: /);
    expect(message).not.toContain("\n");
    return message;
  }
  throw new Error("the damaged file was read");
}

describe("a whole file", () => {
  it("comes back as it was", () => {
    expect(encodeProgram(decodeProgram(good, "a.bin"))).toEqual(good);
    expect(hasMagic(PROGRAM_KIND, good)).toBe(true);
  });

  it("is read from the middle of a buffer as well", () => {
    const buffer = new Uint8Array(good.length + 7);
    buffer.set(good, 7);
    expect(encodeProgram(decodeProgram(buffer.subarray(7), "a.bin"))).toEqual(good);
  });

  it("is the same bytes for the same program, whatever the order of keys", () => {
    const program = decodeProgram(good, "a.bin");
    const reversed = <T extends object>(value: T) => Object.fromEntries(Object.entries(value).reverse()) as T;
    const tensors = program.tensors.map(reversed);
    expect(encodeProgram({ ...program, tensors, host: reversed(program.host) })).toEqual(good);
  });
});

describe("damage", () => {
  it("of any bit of header and section table is refused", () => {
    for (let bit = 0; bit < tableEnd * 8; bit++) {
      refusal(
        changed((file) => {
          file[bit >> 3] ^= 1 << (bit & 7);
        }),
      );
    }
  });

  it("of any byte of any section, or between sections, is refused", () => {
    for (let i = tableEnd; i < good.length; i++) {
      refusal(
        changed((file) => {
          file[i] ^= 0x55;
        }),
      );
    }
  });

  it("by truncation is refused at every length", () => {
    for (let length = 0; length < good.length; length++) refusal(good.subarray(0, length));
  });

  it("by bytes appended is refused", () => {
    expect(refusal(new Uint8Array([...good, 0]))).toBe(
      `a.bin: offset 16: the header says ${good.length} bytes, the file has ${good.length + 1}; it is damaged or has bytes appended`,
    );
  });

  it("of random kind never does anything but refuse", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        (patches) => {
          const file = changed((bytes) => {
            for (const [at, value] of patches) bytes[at] = value;
          });
          if (!Buffer.from(file).equals(good)) refusal(file);
        },
      ),
    );
  });

  it("of content under right CRCs gives a program or a refusal", () => {
    const edits = fc.tuple(
      fc.constantFrom(...PROGRAM_KIND.tags),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
    );
    fc.assert(
      fc.property(edits, ([tag, patches]) => {
        const bytes = sections.get(tag)!.slice();
        for (const [at, value] of patches) bytes[at % bytes.length] = value;
        try {
          checkProgram(decodeProgram(withSection(tag, bytes), "a.bin"), "a.bin");
        } catch (error) {
          expect(error).toBeInstanceOf(RapError);
        }
      }),
      { numRuns: 400 },
    );
  });
});

describe("messages", () => {
  const total = good.length;
  const meta = sectionStart("META");
  it.each<[string, () => Uint8Array, string]>([
    ["an empty file", () => new Uint8Array(0), "the file is empty; expected a rapsim program"],
    [
      "a foreign file",
      () => Buffer.from("GIF89a and so on and on"),
      'offset 0: not a rapsim program (it does not begin with "RAPSIMPG"); make one with rapsim compile',
    ],
    ["only the magic", () => good.subarray(0, 8), "header: 8 bytes, the header alone takes 24; the file is truncated"],
    [
      "another container",
      () => forged((view) => view.setUint16(8, 9, true)),
      "offset 8: container version 9, this rapsim reads 1; make the file again with rapsim compile",
    ],
    [
      "another ISA",
      () => forged((view) => view.setUint16(10, 77, true)),
      `offset 10: ISA version 77, this rapsim reads ${PROGRAM_KIND.contentVersion}; make the file again with rapsim compile`,
    ],
    [
      "no sections",
      () => forged((view) => view.setUint32(12, 0, true)),
      "offset 12: 0 sections, expected 1 to 64; the header is damaged",
    ],
    [
      "four billion sections",
      () => forged((view) => view.setUint32(12, 0xffffffff, true)),
      "offset 12: 4294967295 sections, expected 1 to 64; the header is damaged",
    ],
    [
      "a truncated file",
      () => good.subarray(0, total - 64),
      `offset 16: the header says ${total} bytes, the file has ${total - 64}; it is truncated`,
    ],
    [
      "a section of 4 GiB",
      () => forged((view) => view.setUint32(HEADER_BYTES + 8, 0xffffffff, true)),
      `section "META": bytes ${meta}..${meta + 0xffffffff} are out of order or outside the file of ${total}; the file is damaged`,
    ],
    [
      "a section inside the table",
      () => forged((view) => view.setUint32(HEADER_BYTES + 4, 0, true)),
      `section "META": bytes 0..${sections.get("META")!.length} are out of order or outside the file of ${total}; the file is damaged`,
    ],
    [
      "an unknown section",
      () => forged((view) => view.setUint8(HEADER_BYTES, 0x58)),
      `section "XETA" at offset ${meta}: not one of META, MACH, TENS, SEMA, CODE, SMAP, CNST, HOST; the file is damaged`,
    ],
    [
      "a section twice",
      () =>
        forged((view) => {
          // the second entry gets the first one's tag
          view.setUint32(HEADER_BYTES + ENTRY_BYTES, view.getUint32(HEADER_BYTES));
        }),
      `section "META" at offset ${sectionStart("MACH")}: given twice; the file is damaged`,
    ],
    [
      "a section left out",
      () => packContainer({ ...PROGRAM_KIND, tags: PROGRAM_KIND.tags.slice(0, 7) }, Object.fromEntries(sections)),
      "section HOST is missing; the file is damaged",
    ],
    [
      "a byte of a section",
      () =>
        changed((file) => {
          file[sectionStart("CODE")] ^= 1;
        }),
      `section "CODE" at offset ${sectionStart("CODE")}: CRC mismatch; the file is damaged`,
    ],
    [
      "a byte behind the table",
      () =>
        changed((file) => {
          file[tableEnd] = 7;
        }),
      `offset ${tableEnd}: byte 7 in a gap between sections; the file is damaged`,
    ],
    ["text that is not JSON", () => withSection("META", "{"), "section META: not JSON; the file is damaged"],
    [
      "an unknown key",
      () => withSection("TENS", (text) => text.replace('"name"', '"nom"')),
      "section TENS: 0.name: Invalid input: expected string, received undefined",
    ],
    [
      "a poisoned key",
      () => withSection("HOST", (text) => text.replace('{"input"', '{"__proto__":{"a":1},"input"')),
      'section HOST: content: Unrecognized key: "__proto__"',
    ],
    [
      "a machine out of range",
      () => withSection("MACH", (text) => text.replace('"agents":1', '"agents":0')),
      "section MACH: agents = 0: must be a number 1..256",
    ],
    [
      "half an instruction",
      () => withSection("CODE", sections.get("CODE")!.subarray(0, 100)),
      "section CODE: 100 bytes is not a multiple of 64; the code is damaged",
    ],
    [
      "a source map of another length",
      () => withSection("SMAP", new Uint8Array(8)),
      "section SMAP: 8 bytes for 13 instructions, expected 52; the file is damaged",
    ],
    [
      "a layer that is not there",
      () => withSection("SMAP", new Uint8Array(52).fill(9)),
      "section SMAP: instruction 0 names layer 2313 of 2; the file is damaged",
    ],
    [
      "a prologue longer than the code",
      () => withSection("META", (text) => text.replace('"prologueInstructions":0', '"prologueInstructions":14')),
      "section META: prologue of 14 instructions in a program of 832 bytes; the file is damaged",
    ],
  ])("%s", (_, file, message) => {
    expect(refusal(file())).toBe(`a.bin: ${message}`);
  });

  it("names instructions by number, layer and tile", () => {
    const program = decodeProgram(good, "a.bin");
    expect(program.sourceMap[0]).toEqual({ layer: NO_LAYER, tile: 0 });
    const body = program.body.map((i) => (i.op === "conv" ? { ...i, strideY: 0 } : i));
    expect(() => checkProgram({ ...program, body }, "a.bin")).toThrow(
      new RapError("a.bin: #8 conv (conv1, tile 0): a stride of 0"),
    );
  });
});
