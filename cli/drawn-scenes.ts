/** Generated scenes as files: a data set where there is no other. */
import { rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RAPSIM_VERSION } from "../compiler/version.ts";
import type { Context } from "./command.ts";
import { fileExists, prepareFolder, refuse, writeOutput } from "./files.ts";

/** The scenes that `rapsim eval` takes without a data set. The built-in network was trained on those of seed 1. */
const SEED = 1000;
const COUNT = 500;

/** Where they lie: drawn once, they stay among the system's temporary files. */
export const VALIDATION_SCENES = join(tmpdir(), `rapsim-${RAPSIM_VERSION}-scenes-${SEED}-${COUNT}`);

/** Draws the validation scenes unless they are there. */
export async function drawValidationScenes(context: Context): Promise<void> {
  const folder = VALIDATION_SCENES;
  if (await fileExists(folder)) return;
  const partial = `${folder}.${process.pid}.partial`;
  try {
    for (const name of ["image_2", "label_2"]) await prepareFolder(join(partial, name));
    await writeScenes(SEED, COUNT, partial, context);
    await rename(partial, folder).catch(async (error: unknown) => {
      // another process was as quick
      if (!(await fileExists(folder))) refuse(folder, "written", error);
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Draws scenes into a folder's image_2 and label_2, which are there. @returns the number of labels */
export async function writeScenes(seed: number, count: number, folder: string, { io, progress }: Context) {
  const { encodePng, formatKittiLabels, makeScene } = await import("../host/index.ts");
  const done = progress.stage("scenes");
  let objects = 0;
  let writing = Promise.resolve();
  for (let index = 0; index < count; index++) {
    const scene = makeScene(seed, index);
    objects += scene.labels.length;
    await writing;
    const name = String(index).padStart(6, "0");
    // while the next scene is drawn; a label without a picture does no harm, a picture without its label does
    writing = (async () => {
      await writeOutput(join(folder, "label_2", `${name}.txt`), formatKittiLabels(scene.labels), io);
      await writeOutput(join(folder, "image_2", `${name}.png`), await encodePng(scene.image), io);
    })();
    writing.catch(() => {}); // awaited above and below
    done((index + 1) / count);
  }
  await writing;
  return objects;
}
