/** Built-in networks with seeded random weights: real geometry, no download; what they detect means nothing. */
import { type Head, listNames, RapError } from "../isa/index.ts";
import { type FloatGraph, LINEAR, RELU } from "./graph.ts";
import { NetworkBuilder } from "./network-builder.ts";
import type { Pads } from "./quantized-model.ts";
import { defaultPreprocess } from "./sidecar.ts";

/** TensorFlow's SAME padding of a 3x3 window with stride 2 on an even extent: one row and column, behind the picture. */
const SAME_STRIDE_2: Pads = [0, 0, 1, 1];
const SAME_STRIDE_1: Pads = [1, 1, 1, 1];
/** Deviation of photographs' pixels after the mean is subtracted, about (estimate). */
const PIXEL_DEVIATION = 64;
/** Divides the weights of the detection head, so that its values are about 1 and its boxes near their anchors. */
const HEAD_DEVIATION = 6;

const BUILDERS: ReadonlyMap<string, (seed: number) => FloatGraph> = new Map([
  ["squeezedet", squeezeDet],
  ["squeezenet", squeezeNet],
  ["tiny", tiny],
]);

/** Names that `buildNetwork` knows. */
export const BUILT_IN_NETWORKS: readonly string[] = [...BUILDERS.keys()];

/** @throws RapError for an unknown name */
export function buildNetwork(name: string, options: { readonly seed?: number } = {}): FloatGraph {
  const builder = BUILDERS.get(name);
  if (builder === undefined)
    throw new RapError(`network '${name}': no built-in of this name; known: ${listNames(BUILT_IN_NETWORKS)}`);
  return builder(options.seed ?? 1);
}

/** SqueezeDet for KITTI (Wu et al. 2017): 1248 x 384, 5,283,053,568 MACs, 2,077,376 weights. */
function squeezeDet(seed: number): FloatGraph {
  const mean = [103.939, 116.779, 123.68]; // of ImageNet, blue, green, red, as for VGG
  const net = new NetworkBuilder("squeezedet", seed, "image", {
    height: 384,
    width: 1248,
    channels: 3,
    colorOrder: "BGR",
    mean,
    scale: 1,
  });
  let x = net.conv("conv1", net.input, 64, 3, { stride: 2, pads: SAME_STRIDE_2, inputDeviation: PIXEL_DEVIATION });
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
  // weights small enough for scores and boxes of a size, though of no meaning
  x = net.conv("conv12", x, 72, 3, { pads: SAME_STRIDE_1, activation: LINEAR, inputDeviation: HEAD_DEVIATION });
  return net.finish(x, KITTI_HEAD);
}

/** Anchors, classes and thresholds of the published SqueezeDet configuration for KITTI. */
const KITTI_HEAD: Head = {
  kind: "convdet",
  tensor: "conv12",
  grid: [24, 78],
  anchorsPerCell: 9,
  classes: ["car", "pedestrian", "cyclist"],
  channels: { classScores: [0, 27], confidence: [27, 36], boxDeltas: [36, 72] },
  anchors: [
    [36, 37],
    [366, 174],
    [115, 59],
    [162, 87],
    [38, 90],
    [258, 173],
    [224, 108],
    [78, 170],
    [72, 43],
  ],
  confidenceThreshold: 0.4,
  topBoxes: 64,
  nmsIou: 0.4,
};

/** SqueezeNet 1.1 for ImageNet (Iandola et al. 2016): 224 x 224, 1000 classes. */
function squeezeNet(seed: number): FloatGraph {
  const preprocess = defaultPreprocess({ height: 224, width: 224, channels: 3 }, "squeezenet");
  const net = new NetworkBuilder("squeezenet", seed, "data", preprocess);
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
  const net = new NetworkBuilder("tiny", seed, "image", preprocess);
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
