/** Pictures from files: what is accepted, and one clear refusal for everything else. */
import type { Stats } from "node:fs";
import { open, readdir, readFile, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { RapError } from "../isa/index.ts";

/** A decoded picture: 8-bit R, G, B per pixel, rows from the top. */
export interface Image {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3] */
  readonly rgb: Uint8Array;
}

/** The largest picture that is decoded; a header that claims more is refused before any pixel is read. */
export const MAX_IMAGE_PIXELS = 64 * 2 ** 20;

/** The largest picture file that is read. */
const MAX_IMAGE_FILE_BYTES = 512 * 2 ** 20;

/** Of zlib's levels: noise hardly packs, and higher ones take several times as long. */
const PNG_COMPRESSION = 3;

const EXTENSIONS = [".png", ".jpg", ".jpeg"];

/** How a file of each accepted kind begins. */
const SIGNATURES: readonly { readonly kind: string; readonly bytes: readonly number[] }[] = [
  { kind: "PNG", bytes: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] },
  { kind: "JPEG", bytes: [0xff, 0xd8, 0xff] },
];

const REMEDY = "Give a PNG or JPEG picture";

/** A path as one line of a message. */
function shown(path: string): string {
  return path.replace(/\p{Cc}/gu, "?");
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.trim().split("\n")[0] ?? "").replace(/[\s:.]+$/u, "");
}

async function statOrRefuse(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const what =
      code === "ENOENT" ? "no such file or folder" : code === "EACCES" ? "no permission to read it" : firstLine(cause);
    throw new RapError(`${shown(path)}: ${what}. ${REMEDY}, or a folder of them`, { cause });
  }
}

/** Which kind of picture a file's first bytes announce; undefined when none that is accepted. */
function kindOf(head: Uint8Array): string | undefined {
  return SIGNATURES.find(({ bytes }) => bytes.every((byte, i) => head[i] === byte))?.kind;
}

async function readHead(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** A file that begins like a picture. */
interface ImageFile {
  readonly name: string;
  readonly kind: string;
  readonly bytes: Uint8Array;
}

/** Refuses what is no picture or too large a one, before pixels are decoded. @throws RapError */
export async function checkImage(path: string): Promise<void> {
  await checkHeader(await readImageFile(path));
}

/**
 * Reads a PNG or JPEG file as 8-bit RGB: alpha is dropped, grey becomes R = G = B, a JPEG's orientation tag is obeyed,
 * colour profiles are not applied. @throws RapError
 */
export async function readImage(path: string): Promise<Image> {
  const file = await readImageFile(path);
  await checkHeader(file);
  return decode(file);
}

async function readImageFile(path: string): Promise<ImageFile> {
  const info = await statOrRefuse(path);
  const name = shown(path);
  if (info.isDirectory()) throw new RapError(`${name}: is a folder; one picture is needed here. ${REMEDY}`);
  if (!info.isFile()) throw new RapError(`${name}: is not a regular file. ${REMEDY}`);
  if (info.size === 0) throw new RapError(`${name}: 0 bytes; the file is empty. ${REMEDY}`);
  if (info.size > MAX_IMAGE_FILE_BYTES) {
    throw new RapError(
      `${name}: ${info.size} bytes; a picture file may have at most ${MAX_IMAGE_FILE_BYTES}. Give a smaller picture`,
    );
  }
  let bytes: Uint8Array;
  let kind: string | undefined;
  try {
    kind = kindOf(await readHead(path));
    // Read here and not by path in the decoder: that keeps a cache by name and would miss a rewritten file.
    bytes = kind === undefined ? new Uint8Array(0) : await readFile(path);
  } catch (cause) {
    throw new RapError(`${name}: cannot be read (${firstLine(cause)}). ${REMEDY}`, { cause });
  }
  if (kind === undefined) {
    throw new RapError(`${name}: its first bytes are those of neither PNG nor JPEG, whatever its name. ${REMEDY}`);
  }
  return { name, kind, bytes };
}

const require = createRequire(import.meta.url);

/** The decoder, loaded when the first picture is: it would add to the start-up time of every command. import() takes twice as long. */
function loadSharp() {
  return require("sharp") as typeof import("sharp").default;
}

async function checkHeader(file: ImageFile): Promise<void> {
  const sharp = loadSharp();
  const { width, height } = await refusingDamage(file, () =>
    sharp(file.bytes, { limitInputPixels: false, ignoreIcc: true }).metadata(),
  );
  if (width * height > MAX_IMAGE_PIXELS) {
    throw new RapError(
      `${file.name}: ${width} x ${height} is ${width * height} pixels; a picture may have at most ` +
        `${MAX_IMAGE_PIXELS}. Scale the picture down`,
    );
  }
}

async function decode(file: ImageFile): Promise<Image> {
  const sharp = loadSharp();
  const options = { limitInputPixels: MAX_IMAGE_PIXELS, ignoreIcc: true, failOn: "error" } as const;
  return refusingDamage(file, async () => {
    const { data, info } = await sharp(file.bytes, options)
      .autoOrient()
      .toColourspace("srgb")
      .removeAlpha()
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw new Error(`${info.channels} channels`);
    return { width: info.width, height: info.height, rgb: data };
  });
}

async function refusingDamage<T>({ name, kind, bytes }: ImageFile, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new RapError(
      `${name}: the ${kind} data is damaged or cut short (${firstLine(cause)}); ${bytes.length} bytes were read. ` +
        "Copy or export the picture again",
      { cause },
    );
  }
}

/** A picture as the bytes of a PNG file. */
export async function encodePng({ width, height, rgb }: Image): Promise<Uint8Array> {
  const sharp = loadSharp();
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: PNG_COMPRESSION })
    .toBuffer();
}

/** The pictures a path means: the file itself, or a folder's .png, .jpg and .jpeg files by name. @throws RapError */
export async function listImages(path: string): Promise<string[]> {
  const info = await statOrRefuse(path);
  if (!info.isDirectory()) return [path];
  let names: string[];
  try {
    const entries = await readdir(path, { withFileTypes: true });
    names = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  } catch (cause) {
    throw new RapError(`${shown(path)}: the folder cannot be read (${firstLine(cause)}). ${REMEDY}`, { cause });
  }
  const pictures = names.filter((name) => EXTENSIONS.includes(extname(name).toLowerCase())).sort();
  if (pictures.length === 0) {
    throw new RapError(
      `${shown(path)}: no pictures among its ${names.length} files; a folder needs at least one ` +
        `${EXTENSIONS.join(", ")} file. Give a folder with pictures, or one picture`,
    );
  }
  return pictures.map((name) => join(path, name));
}
