// Which pictures are read, and what is said of the others.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listImages, MAX_IMAGE_PIXELS, readImage } from "../../host/index.ts";
import { RapError } from "../../isa/index.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rapsim-image-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, bytes: Uint8Array | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** A PNG file of 8-bit RGB, from its parts. */
function png(width: number, height: number, rows: Uint8Array): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

/** 2 x 2: red, green / blue, grey; each row begins with its filter, 0. */
const PIXELS = [
  [255, 0, 0, 0, 255, 0],
  [0, 0, 255, 10, 20, 30],
];
const SMALL = png(2, 2, Uint8Array.from(PIXELS.flatMap((row) => [0, ...row])));

/** A picture with enough detail that its file is some kilobytes. */
function noise(
  width: number,
  height: number,
): { data: Uint8Array; raw: { width: number; height: number; channels: 3 } } {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (Math.imul(i, 2654435761) >>> 13) & 255);
  return { data, raw: { width, height, channels: 3 } };
}

describe("readImage", () => {
  test("a PNG file gives its pixels", async () => {
    const image = await readImage(await file("small.png", SMALL));
    expect([image.width, image.height, ...image.rgb]).toEqual([2, 2, ...PIXELS.flat()]);
  });

  test("a file that was rewritten is read anew", async () => {
    await readImage(await file("again.png", SMALL));
    const image = await readImage(await file("again.png", png(1, 1, Uint8Array.of(0, 7, 8, 9))));
    expect([...image.rgb]).toEqual([7, 8, 9]);
  });

  test.each([
    ["grey.png", { create: { width: 3, height: 2, channels: 3, background: "#777777" } }, "b-w", 0x77],
    [
      "alpha.png",
      { create: { width: 3, height: 2, channels: 4, background: { r: 9, g: 9, b: 9, alpha: 0.3 } } },
      "srgb",
      9,
    ],
    ["deep.png", { create: { width: 3, height: 2, channels: 3, background: "#404040" } }, "rgb16", 0x40],
  ] as const)("%s becomes 8-bit RGB", async (name, source, space, value) => {
    const path = await file(
      name,
      await sharp(source as never)
        .toColourspace(space)
        .png()
        .toBuffer(),
    );
    const image = await readImage(path);
    expect([image.width, image.height, ...image.rgb]).toEqual([3, 2, ...Array(18).fill(value)]);
  });

  test("a colour profile is not applied: the stored values count", async () => {
    const { data, raw } = noise(5, 4);
    const bytes = await sharp(data, { raw }).withIccProfile("p3").png().toBuffer();
    const stored = await sharp(bytes, { ignoreIcc: true }).raw().toBuffer();
    expect(await sharp(bytes).raw().toBuffer()).not.toEqual(stored);
    expect(Buffer.from((await readImage(await file("p3.png", bytes))).rgb)).toEqual(stored);
  });

  test("a JPEG file is read, under any name, and turned as its tag says", async () => {
    const { data, raw } = noise(20, 10);
    const bytes = await sharp(data, { raw }).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const image = await readImage(await file("photo.png", bytes));
    expect([image.width, image.height, image.rgb.length]).toEqual([10, 20, 600]);
  });

  const bad: [name: string, bytes: () => Promise<Uint8Array | string> | Uint8Array | string, message: RegExp][] = [
    ["empty.png", () => "", /empty\.png: 0 bytes; the file is empty\. Give a PNG/],
    [
      "text.png",
      () => "this is no picture at all, only text\n".repeat(9),
      /text\.png: its first bytes .* neither PNG nor JPEG/,
    ],
    ["one-byte.jpg", () => Uint8Array.of(0xff), /one-byte\.jpg: its first bytes/],
    ["picture.gif", () => Buffer.from("GIF89a\x01\0\x01\0\0\0\0;", "latin1"), /picture\.gif: its first bytes/],
    ["signature.png", () => SMALL.subarray(0, 8), /signature\.png: the PNG data is damaged or cut short/],
    [
      "huge.png",
      () => png(30000, 30000, new Uint8Array(10)),
      /huge\.png: 30000 x 30000 is 900000000 pixels; .* at most 67108864\. Scale/,
    ],
    ["no-rows.png", () => png(4000, 4000, new Uint8Array(10)), /no-rows\.png: the PNG data is damaged or cut short/],
    [
      "bad-data.png",
      () => Buffer.from(SMALL).fill(0x55, 45, 52),
      /bad-data\.png: the PNG data is damaged or cut short/,
    ],
    [
      "cut.png",
      async () => {
        const { data, raw } = noise(64, 64);
        const whole = await sharp(data, { raw }).png().toBuffer();
        return whole.subarray(0, whole.length >> 1);
      },
      /cut\.png: the PNG data is damaged or cut short \(.*\); \d+ bytes were read\. Copy or export/,
    ],
    [
      "cut.jpg",
      async () => {
        const { data, raw } = noise(64, 64);
        const whole = await sharp(data, { raw }).jpeg().toBuffer();
        return whole.subarray(0, whole.length >> 1);
      },
      /cut\.jpg: the JPEG data is damaged or cut short/,
    ],
  ];
  test.each(bad)("%s is refused in one line", async (name, bytes, message) => {
    const path = await file(name, await bytes());
    const error = await readImage(path).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(RapError);
    expect((error as RapError).message).toMatch(message);
    expect((error as RapError).message).not.toContain("\n");
    expect((error as RapError).exitCode).toBe(1);
  });

  test("what is not a file is refused", async () => {
    await expect(readImage(join(folder, "none.png"))).rejects.toThrow(/none\.png: no such file or folder\. Give a PNG/);
    await expect(readImage(folder)).rejects.toThrow(/: is a folder; one picture is needed/);
    await expect(readImage("/dev/null")).rejects.toThrow("/dev/null: is not a regular file");
    await expect(readImage("a\0b\n.png")).rejects.toThrow(RapError);
    await expect(readImage("a\0b\n.png")).rejects.toThrow(/^a\?b\?\.png: [^\n]*$/);
  });

  test("the limit on pixels is tight", async () => {
    expect(8192 * 8192).toBe(MAX_IMAGE_PIXELS);
    // the header passes and the missing rows are found / the header is refused
    const within = await file("within.png", png(8192, 8192, new Uint8Array(10)));
    await expect(readImage(within)).rejects.toThrow(/the PNG data is damaged or cut short/);
    const above = await file("above.png", png(8193, 8192, new Uint8Array(10)));
    await expect(readImage(above)).rejects.toThrow(/8193 x 8192 is 67117056 pixels/);
  });

  test("no damaged byte of a small PNG gives anything but pixels or a RapError", async () => {
    for (let at = 0; at < SMALL.length; at++) {
      const bytes = Buffer.from(SMALL);
      bytes[at] ^= 0x80;
      const result = await readImage(await file("flipped.png", bytes)).catch((e: unknown) => e);
      if (result instanceof Error) expect(result).toBeInstanceOf(RapError);
    }
  });
});

describe("listImages", () => {
  test("a file is itself; a folder is its pictures by name, and nothing else", async () => {
    const path = join(folder, "many");
    await mkdir(join(path, "sub.png"), { recursive: true });
    for (const name of ["b.PNG", "a.jpg", "c.jpeg", "notes.txt", "d.gif"]) await writeFile(join(path, name), SMALL);
    expect(await listImages(path)).toEqual(["a.jpg", "b.PNG", "c.jpeg"].map((name) => join(path, name)));
    expect(await listImages(join(path, "notes.txt"))).toEqual([join(path, "notes.txt")]);
  });

  test("a folder without pictures, and no folder at all, are refused", async () => {
    const path = join(folder, "none");
    await mkdir(path);
    await writeFile(join(path, "readme.txt"), "x");
    await expect(listImages(path)).rejects.toThrow(/none: no pictures among its 1 files; .* \.png, \.jpg, \.jpeg/);
    await expect(listImages(join(folder, "missing"))).rejects.toThrow(/missing: no such file or folder/);
  });
});
