/** Built-in networks: a trained detector, and two with seeded random weights, whose results mean nothing. */
import { readFileSync } from "node:fs";
import { type Head, listNames, RapError } from "../isa/index.ts";
import { type FloatGraph, LINEAR, RELU } from "./graph.ts";
import { NetworkBuilder } from "./network-builder.ts";
import { randomParameters, storedParameters } from "./parameters.ts";
import type { Pads } from "./quantized-model.ts";
import { defaultPreprocess, headOf, parseSidecar, preprocessOf } from "./sidecar.ts";

/** TensorFlow's SAME padding of a 3x3 window with stride 2 on an even extent: one row and column, behind the picture. */
const SAME_STRIDE_2: Pads = [0, 0, 1, 1];
const SAME_STRIDE_1: Pads = [1, 1, 1, 1];
const BUILDERS: ReadonlyMap<string, (seed: number) => FloatGraph> = new Map([
  ["squeezedet", squeezeDet],
  ["squeezenet", squeezeNet],
  ["tiny", tiny],
]);

/** Names that `buildNetwork` knows. */
export const BUILT_IN_NETWORKS: readonly string[] = [...BUILDERS.keys()];

/** @param options.seed of random weights @throws RapError for an unknown name */
export function buildNetwork(name: string, options: { readonly seed?: number } = {}): FloatGraph {
  const builder = BUILDERS.get(name);
  if (builder === undefined)
    throw new RapError(`network '${name}': no built-in of this name; known: ${listNames(BUILT_IN_NETWORKS)}`);
  return builder(options.seed ?? 1);
}

/** SqueezeDet (Wu et al. 2017), trained on scenes of rapsim (docs/training): 1248 x 384, 5,283,053,568 MACs, 2,077,376 weights. */
function squeezeDet(): FloatGraph {
  const place = new URL("./networks/squeezedet.json", import.meta.url);
  const sidecar = parseSidecar(readFileSync(place), "squeezedet.json");
  const parameters = storedParameters(new URL("./networks/squeezedet.f16", import.meta.url));
  const preprocess = preprocessOf({ name: "image", height: 384, width: 1248, channels: 3 }, "squeezedet", sidecar);
  const net = new NetworkBuilder("squeezedet", parameters, "image", preprocess);
  let x = net.conv("conv1", net.input, 64, 3, { stride: 2, pads: SAME_STRIDE_2 });
  x = net.pool("pool1", x, "max", 3, 2, SAME_STRIDE_2);
  x = net.fire("fire2", x, 16, 64);
  x = net.fire("fire3", x, 16, 64);
  x = net.pool("pool3", x, "max", 3, 2, SAME_STRIDE_2);
  x = net.fire("fire4", x, 32, 128);
  x = net.fire("fire5", x, 32, 128);
  x = net.pool("pool5", x, "max", 3, 2, SAME_STRIDE_2);
  x = net.fire("fire6", x, 48, 192);
  x = net.fire("fire7", x, 48, 192);
  x = net.fire("fire8", x, 64, 256);
  x = net.fire("fire9", x, 64, 256);
  x = net.fire("fire10", x, 96, 384);
  x = net.fire("fire11", x, 96, 384);
  x = net.conv("conv12", x, 72, 3, { pads: SAME_STRIDE_1, activation: LINEAR });
  return net.finish(x, headOf([{ tensor: x, height: 24, width: 78, channels: 72 }], new Set(), sidecar));
}

/** SqueezeNet 1.1 for ImageNet (Iandola et al. 2016): 224 x 224, 1000 classes. */
function squeezeNet(seed: number): FloatGraph {
  const preprocess = defaultPreprocess({ height: 224, width: 224, channels: 3 }, "squeezenet");
  const net = new NetworkBuilder("squeezenet", randomParameters("squeezenet", seed), "data", preprocess);
  let x = net.conv("conv1", net.input, 64, 3, { stride: 2 });
  x = net.pool("pool1", x, "max", 3, 2);
  x = net.fire("fire2", x, 16, 64);
  x = net.fire("fire3", x, 16, 64);
  x = net.pool("pool3", x, "max", 3, 2);
  x = net.fire("fire4", x, 32, 128);
  x = net.fire("fire5", x, 32, 128);
  x = net.pool("pool5", x, "max", 3, 2);
  x = net.fire("fire6", x, 48, 192);
  x = net.fire("fire7", x, 48, 192);
  x = net.fire("fire8", x, 64, 256);
  x = net.fire("fire9", x, 64, 256);
  x = net.conv("conv10", x, 1000, 1);
  x = net.globalAverage("pool10", x);
  x = net.softmax("softmax", x);
  return net.finish(x, classesHead(x, 1000, true));
}

/** A few operators of each kind on 32 x 32 pixels: runs in milliseconds. */
function tiny(seed: number): FloatGraph {
  const preprocess = defaultPreprocess({ height: 32, width: 32, channels: 3 }, "tiny");
  const net = new NetworkBuilder("tiny", randomParameters("tiny", seed), "image", preprocess);
  const conv1 = net.conv("conv1", net.input, 16, 3, { stride: 2, pads: SAME_STRIDE_2 });
  const pool1 = net.pool("pool1", conv1, "max", 3, 2, SAME_STRIDE_2);
  const fire2 = net.fire("fire2", pool1, 8, 16);
  const conv3 = net.conv("conv3", fire2, 32, 3, { pads: SAME_STRIDE_1, activation: LINEAR });
  const add3 = net.add("add3", fire2, conv3, RELU);
  const pool4 = net.pool("pool4", add3, "average", 2, 2);
  const classifier = net.conv("classifier", pool4, 10, 4, { activation: LINEAR });
  return net.finish(classifier, classesHead(classifier, 10, true));
}

function classesHead(tensor: string, count: number, softmax: boolean): Head {
  return { kind: "classes", tensor, classes: Array.from({ length: count }, (_, i) => `class ${i}`), softmax, topK: 5 };
}
