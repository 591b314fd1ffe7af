/**
 * Scenes as train.py reads them fastest: pixels.bin and label_2, drawn by several processes, without PNG files.
 * Needs the built rapsim (dist), and of its packages only zod and yaml.
 *
 * node pixels.mjs FOLDER SEED COUNT JOBS
 */
import { fork } from "node:child_process";
import { closeSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { formatKittiLabels } from "../../dist/host/kitti.js";
import { makeScene } from "../../dist/host/scenes/scene.js";

const SCENE_BYTES = 384 * 1248 * 3;
const [folder, ...numbers] = process.argv.slice(2);
const [seed, count, jobs, job] = numbers.map(Number);
if (folder === undefined || !(count > 0) || !(jobs > 0)) {
  console.error("usage: node pixels.mjs FOLDER SEED COUNT JOBS");
  process.exit(2);
}
const partial = join(folder, "pixels.bin.partial");

/** Draws every `jobs`-th scene into its place. */
function draw() {
  const file = openSync(partial, "r+");
  for (let index = job; index < count; index += jobs) {
    const { image, labels } = makeScene(seed, index);
    writeSync(file, image.rgb, 0, SCENE_BYTES, index * SCENE_BYTES);
    writeFileSync(join(folder, "label_2", `${String(index).padStart(6, "0")}.txt`), formatKittiLabels(labels));
  }
  closeSync(file);
}

async function drawAll() {
  mkdirSync(join(folder, "label_2"), { recursive: true });
  closeSync(openSync(partial, "w"));
  const codes = await Promise.all(
    Array.from({ length: jobs }, (_, i) => {
      const child = fork(process.argv[1], [folder, String(seed), String(count), String(jobs), String(i)]);
      return new Promise((resolve) => child.once("exit", (code) => resolve(code)));
    }),
  );
  if (codes.some((code) => code !== 0)) process.exit(1);
  renameSync(partial, join(folder, "pixels.bin"));
}

if (job === undefined) await drawAll();
else draw();
