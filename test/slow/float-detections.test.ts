// Are resize, decoding and suppression those that made the expected detections? The float network, run by onnxruntime,
// gives the head; everything before and after it is ours. Needs the data beside the repository.
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import * as ort from "onnxruntime-web";
import { expect, test } from "vitest";
import { boxIou, type Detection, decodeConvDet, imageToFloat, parseKitti, readImage } from "../../host/index.ts";
import { convDetSchema, type Preprocess } from "../../isa/index.ts";

const shared = resolve(process.env.RAPSIM_SHARED ?? "../shared");
const model = join(shared, "models", "squeezedet-kitti.onnx");
const expected = join(shared, "expected");
const needed = [model, join(shared, "kitti", "image_2"), join(expected, "float-detections")];
const missing = needed.filter((path) => !existsSync(path));

/** [H, W, C] -> [C, H, W] */
function planar(values: Float32Array, channels: number): Float32Array {
  const pixels = values.length / channels;
  const output = new Float32Array(values.length);
  for (let c = 0; c < channels; c++) for (let i = 0; i < pixels; i++) output[c * pixels + i] = values[i * channels + c];
  return output;
}

/** [C, H, W] -> [H, W, C] */
function interleaved(values: Float32Array, channels: number): Float32Array {
  return planar(values, values.length / channels);
}

interface Deviation {
  wanted: number;
  found: number;
  missing: string[];
  lowestIou: number;
  score: number;
  pixels: number;
}

/** Compares one photograph's detections with the expected ones, each found box used once. */
function compare(name: string, wanted: ReturnType<typeof parseKitti>, found: Detection[], sum: Deviation): void {
  const left = new Set(found);
  sum.wanted += wanted.length;
  sum.found += found.length;
  for (const { class: wantedClass, box, score } of wanted) {
    const rivals = [...left].filter((d) => d.class === wantedClass);
    const best = rivals.sort((a, b) => boxIou(b.box, box) - boxIou(a.box, box))[0];
    if (best === undefined || boxIou(best.box, box) < 0.9) {
      sum.missing.push(`${name} ${wantedClass} ${box.join(" ")}`);
      continue;
    }
    left.delete(best);
    sum.lowestIou = Math.min(sum.lowestIou, boxIou(best.box, box));
    sum.score = Math.max(sum.score, Math.abs(best.score - (score ?? Number.NaN)));
    sum.pixels = Math.max(sum.pixels, ...best.box.map((v, i) => Math.abs(v - box[i])));
  }
}

test("the float network's detections on the photographs are the expected ones", async (context) => {
  if (missing.length > 0) return context.skip(`no ${missing[0]}: set RAPSIM_SHARED to the folder with the test data`);
  const sidecar = JSON.parse(await readFile(join(shared, "models", "squeezedet-kitti.json"), "utf8"));
  const [, channels, height, width] = sidecar.input.shape;
  const { colorOrder, mean, scale } = sidecar.input;
  const preprocess: Preprocess = { height, width, channels, colorOrder, mean, scale };
  const { kind, tensor, grid, anchorsPerCell, classes, channels: ranges, anchors } = sidecar.head;
  const { confidenceThreshold, topBoxes, nmsIou } = sidecar.head;
  const fields = { kind, tensor, grid, anchorsPerCell, classes, channels: ranges, anchors };
  const head = convDetSchema.parse({ ...fields, confidenceThreshold, topBoxes, nmsIou });

  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(await readFile(model));
  const runs = [
    { folder: "float-detections", threshold: 0.4 },
    { folder: "float-detections-low", threshold: 0.005 },
  ].map((run) => ({
    ...run,
    sum: { wanted: 0, found: 0, missing: [], lowestIou: 1, score: 0, pixels: 0 } as Deviation,
  }));
  for (const file of (await readdir(join(expected, "float-detections"))).sort()) {
    const image = await readImage(join(shared, "kitti", "image_2", file.replace(".txt", ".png")));
    const data = planar(imageToFloat(image, preprocess), channels);
    const feeds = { [sidecar.input.name]: new ort.Tensor("float32", data, [1, channels, height, width]) };
    const output = (await session.run(feeds))[head.tensor];
    const values = interleaved(output.data as Float32Array, output.dims[1]);
    for (const { folder, threshold, sum } of runs) {
      const path = join(expected, folder, file);
      const found = decodeConvDet(head, values, width, height, image.width, image.height, { threshold });
      compare(file, parseKitti(await readFile(path, "utf8"), path), found, sum);
    }
  }
  for (const { folder, sum } of runs) {
    const { wanted, found, lowestIou, score, pixels } = sum;
    console.log(
      `${folder}: ${wanted - sum.missing.length} of ${wanted} boxes, ${found} found; lowest IoU ${lowestIou.toFixed(5)}, ` +
        `largest deviation ${pixels.toFixed(4)} px, score ${score.toFixed(5)}`,
    );
    expect(sum.missing).toEqual([]);
    expect(found).toBe(wanted);
    // the expected files print boxes to 0.01 px and scores to 0.001; twice the rounding is left for other builds
    expect(pixels).toBeLessThan(0.01);
    expect(score).toBeLessThan(0.001);
  }
  await session.release();
});
