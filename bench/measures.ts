/**
 * What each measure of the ensemble buys: scales chosen by each alone, by all, and by all but one, and what INT8 then finds
 * on labelled photographs. `node dist/bench/measures.js MODEL.onnx DATASET [i8|u8]` after `npm run build`; a minute a row or two.
 */
import { readFileSync } from "node:fs";
import { type EvaluatedPhoto, summarize } from "../cli/eval-summary.ts";
import { compileModel, loadFloatGraph, type QuantizedModel, quantize } from "../compiler/index.ts";
import { DEFAULT_WEIGHTS, MEASURES, type Measure, type MeasureWeights } from "../compiler/quantize/measure-weights.ts";
import { createFloatNetwork } from "../host/evaluation/float-network.ts";
import { headError } from "../host/evaluation/head-error.ts";
import { readKittiFolder } from "../host/evaluation/kitti-folder.ts";
import { KITTI_CLASSES } from "../host/evaluation/kitti-rules.ts";
import { decodeConvDet, type Image, imageToTensor, readImage, realOutput } from "../host/index.ts";
import { type ConvDetHead, checkProgram, DEFAULT_MACHINE, loadMachine, sha256 } from "../isa/index.ts";
import { Execution } from "../sim/functional/index.ts";

const [place, dataset, activations] = process.argv.slice(2);
if (dataset === undefined || !["i8", "u8", undefined].includes(activations)) {
  console.error("node dist/bench/measures.js MODEL.onnx DATASET [i8|u8]");
  process.exit(2);
}
const graph = loadFloatGraph(place);
const { preprocess } = graph;
const head = graph.head as ConvDetHead;
const photos = await readKittiFolder(dataset, undefined);

/** Low enough for the whole curve of precision and recall. */
const THRESHOLD = 0.005;
const decode = (values: Float32Array, { width, height }: Image) =>
  decodeConvDet(head, values, preprocess.width, preprocess.height, width, height, { threshold: THRESHOLD });

const network = await createFloatNetwork({
  path: place,
  onnx: readFileSync(place),
  input: graph.input,
  output: head.tensor,
  preprocess,
});
const exact: Float32Array[] = [];
for (const { image } of photos) exact.push(await network.run(await readImage(image)));

async function evaluate(model: QuantizedModel): Promise<string> {
  const execution = new Execution(checkProgram(compileModel(model, loadMachine(DEFAULT_MACHINE)), model.name));
  const output = model.host.outputs.find(({ tensor }) => tensor === head.tensor)!;
  const evaluated: EvaluatedPhoto[] = [];
  for (const [i, photo] of photos.entries()) {
    const image = await readImage(photo.image);
    const values = realOutput(output, execution.runFrame(imageToTensor(image, model.host.input)));
    const found = { int8: decode(values, image), float: decode(exact[i], image) };
    evaluated.push({ ...photo, found, headError: headError(head, exact[i], values) });
  }
  const { mean, agreement, headSqnrDb } = summarize(evaluated, KITTI_CLASSES, {
    points: 11,
    ignoreSmall: false,
    worst: 0,
  });
  const { matched, floatBoxes, meanIou } = agreement!;
  return [
    ...Object.values(headSqnrDb!).map((db) => db!.toFixed(1)),
    `${matched} of ${floatBoxes}`,
    meanIou.toFixed(3),
    (100 * mean.int8.value!).toFixed(2),
  ].join(" | ");
}

const measures = Object.keys(MEASURES) as Measure[];
const configurations: readonly (readonly [string, MeasureWeights])[] = [
  ["ensemble", DEFAULT_WEIGHTS],
  ...measures.map((one) => [`${one} alone`, { [one]: 1 }] as const),
  ...measures.map((one) => [`without ${one}`, { ...DEFAULT_WEIGHTS, [one]: 0 }] as const),
];

console.log("| scales by | class scores, dB | confidences | box deltas | boxes found | mean IoU | mean AP |");
console.log("|---|---|---|---|---|---|---|");
/** Rows by scales: many choices agree in all of them. */
const rows = new Map<string, string>();
for (const [name, weights] of configurations) {
  const options = activations === undefined ? {} : { activations: activations as "i8" | "u8" };
  const model = quantize(graph, { ...options, measures: weights });
  const scales = sha256(Buffer.from(JSON.stringify(model.tensors)));
  if (!rows.has(scales)) rows.set(scales, await evaluate(model));
  console.log(`| ${name} | ${rows.get(scales)} |`);
}
