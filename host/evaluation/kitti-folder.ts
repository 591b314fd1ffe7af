/** A KITTI object data set as it lies on disk: photographs in image_2, labels in label_2, both of one name. */
import { readFile, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { RapError } from "../../isa/index.ts";
import { listImages } from "../image.ts";
import { type KittiObject, parseKitti } from "../kitti.ts";

const LAYOUT = "a KITTI data set has photographs in image_2 and their labels in label_2";

/** Names of KITTI's files have so many digits. */
const NAME_DIGITS = 6;

/** How many names a message lists. */
const LISTED = 5;

export interface KittiPhoto {
  /** File name without extension: 000123. */
  readonly name: string;
  /** Path of the picture. */
  readonly image: string;
  readonly labels: readonly KittiObject[];
}

async function isFolder(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => null);
  return info?.isDirectory() === true;
}

function listed(names: readonly string[]): string {
  const more = names.length - LISTED;
  return names.slice(0, LISTED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

async function readText(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "no such file" : code === "EISDIR" ? "is a folder" : `cannot be read (${code})`;
    throw new RapError(`${path}: ${why}; ${what} is needed`, { cause });
  }
}

/** Paths of the photographs by name. */
async function imagesByName(folder: string): Promise<Map<string, string>> {
  const images = new Map<string, string>();
  for (const path of await listImages(folder)) {
    const name = basename(path, extname(path));
    if (images.has(name)) {
      throw new RapError(
        `${path}: ${basename(images.get(name)!)} has the same name; one photograph per label is needed`,
      );
    }
    images.set(name, path);
  }
  return images;
}

/** The photographs that a split file names, one a line, in its order; leading zeros may be left out. */
function readSplit(text: string, path: string, images: ReadonlyMap<string, string>, folder: string): string[] {
  const names = new Map<string, number>();
  for (const [i, line] of text.split("\n").entries()) {
    const word = line.trim();
    if (word === "") continue;
    const name = /^\d+$/.test(word) && !images.has(word) ? word.padStart(NAME_DIGITS, "0") : word;
    const place = `${path}:${i + 1}`;
    if (!images.has(name)) {
      const said = word.length > 40 ? `${word.slice(0, 40)}...` : word;
      throw new RapError(`${place}: no photograph '${said}' in ${folder}; a split names photographs, one a line`);
    }
    const before = names.get(name);
    if (before !== undefined) throw new RapError(`${place}: '${name}' stands in line ${before} already; name it once`);
    names.set(name, i + 1);
  }
  if (names.size === 0) throw new RapError(`${path}: names no photograph; a split names photographs, one a line`);
  return [...names.keys()];
}

async function readLabels(path: string): Promise<KittiObject[] | null> {
  if ((await stat(path).catch(() => null)) === null) return null;
  const objects = parseKitti(await readText(path, "a label file"), path);
  if (objects.some(({ score }) => score !== null)) {
    throw new RapError(`${path}: has scores; a label has 15 columns, a 16th makes it a result. Give the labels`);
  }
  return objects;
}

/**
 * The photographs of a data set with their labels: those of the split in its order, else all by name.
 * @param folder has image_2 and label_2, or a folder `training` that has them
 * @throws RapError for a folder of another layout, missing or wrong labels, split entries without a photograph
 */
export async function readKittiFolder(folder: string, splitPath?: string): Promise<KittiPhoto[]> {
  if (!(await isFolder(folder))) throw new RapError(`${folder}: no such folder; ${LAYOUT}`);
  const base = (await isFolder(join(folder, "image_2"))) ? folder : join(folder, "training");
  const [imageFolder, labelFolder] = [join(base, "image_2"), join(base, "label_2")];
  if (!(await isFolder(imageFolder))) throw new RapError(`${folder}: no folder image_2 in it; ${LAYOUT}`);
  const images = await imagesByName(imageFolder);
  if (!(await isFolder(labelFolder))) throw new RapError(`${base}: no folder label_2 in it; ${LAYOUT}`);
  const names =
    splitPath === undefined
      ? [...images.keys()]
      : readSplit(await readText(splitPath, "a split file"), splitPath, images, imageFolder);
  const photos: KittiPhoto[] = [];
  const unlabelled: string[] = [];
  for (const name of names) {
    const labels = await readLabels(join(labelFolder, `${name}.txt`));
    if (labels === null) unlabelled.push(name);
    else photos.push({ name, image: images.get(name)!, labels });
  }
  if (unlabelled.length > 0) {
    throw new RapError(
      `${labelFolder}: no label for ${unlabelled.length} of ${names.length} photographs (${listed(unlabelled)}); ` +
        "add the labels, or name the labelled photographs in a split file (--split)",
    );
  }
  return photos;
}
