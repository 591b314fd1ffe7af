/** Float network to integers, without data and without training (docs/quantization.md). */
import {
  clamp,
  FORMAT_MAX,
  FORMAT_MIN,
  type Format,
  type HostSection,
  type NetworkOutput,
  RapError,
} from "../isa/index.ts";
import type { Activation, FloatGraph, FTensor } from "./graph.ts";
import { type SimpleGraph, type SimpleNode, simplify } from "./passes/index.ts";
import type { Calibration } from "./quantize/calibration.ts";
import { clipLog2Of } from "./quantize/clip-fraction.ts";
import { convWith, nearestSlope, quantizeConv } from "./quantize/conv.ts";
import { checkDramBytes } from "./quantize/formats.ts";
import { DEFAULT_WEIGHTS, describeWeights, type MeasureWeights } from "./quantize/measure-weights.ts";
import { type Block, InputMoments } from "./quantize/moments.ts";
import { observe } from "./quantize/observe.ts";
import type { Factors } from "./quantize/rescale.ts";
import { planScales, type Scales } from "./quantize/scales.ts";
import type { ScalingMode } from "./quantize/scaling-modes.ts";
import type { Pair, QNode, QTensor, QuantizedModel } from "./quantized-model.ts";
import { withRuntimeExponents } from "./runtime-exponents.ts";
import { RAPSIM_VERSION } from "./version.ts";

export interface QuantizeOptions {
  /** Of the synthetic photographs. Default 1. */
  readonly seed?: number;
  /** u8: tensors without negative values get one more bit. Default i8. */
  readonly activations?: "i8" | "u8";
  /** i32: a convolution at the end hands its accumulators to the host; i8: it is rescaled per channel group. Default i32. */
  readonly head?: "i8" | "i32";
  /** Default static. */
  readonly scaling?: ScalingMode;
  /** Pictures for calibrated scaling. */
  readonly calibration?: Calibration;
  /** Which measures choose the scales of activations, and their weights. Default `DEFAULT_WEIGHTS`. */
  readonly measures?: MeasureWeights;
  readonly onProgress?: (fraction: number) => void;
}

/** @throws RapError naming the node that does not fit the machine's arithmetic */
export function quantize(graph: FloatGraph, options: QuantizeOptions = {}): QuantizedModel {
  const {
    seed = 1,
    activations = "i8",
    head = "i32",
    scaling = "static",
    calibration,
    measures = DEFAULT_WEIGHTS,
    onProgress,
  } = options;
  if ((scaling === "calibrated") !== (calibration !== undefined))
    throw new RapError(`scaling ${scaling}: calibration pictures go with scaling calibrated, and only with it`);
  const plain = simplify(graph);
  checkDramBytes(plain, { activations, head });
  const moments = new InputMoments(plain);
  const observed = observe(plain, seed, onProgress, (tensor, values) => moments.add(tensor, values), calibration);
  const { graph: simple, samples, scales, factors } = planScales(plain, observed, { activations, head, measures });
  const nodes = simple.nodes.map((node) =>
    quantizeNode(simple, scales, node, node.op === "conv" ? moments.of(node.name) : []),
  );
  const tensors = [...simple.tensors.values()].map((tensor) => ({
    ...tensor,
    format: scales.format(tensor.name),
    exponent: scales.exponent(tensor.name),
    ...factorOf(factors, tensor.name),
  }));
  const model: QuantizedModel = {
    name: simple.name,
    tensors,
    nodes,
    host: hostSection(simple, tensors, nodes, scales),
    provenance: {
      source: simple.source.name,
      sourceSha256: simple.source.sha256,
      rapsim: RAPSIM_VERSION,
      options: {
        seed,
        activations,
        head,
        scaling,
        measures: describeWeights(measures),
        ...(calibration === undefined
          ? {}
          : { calibrationPictures: calibration.pictures, calibrationSha256: calibration.sha256 }),
      },
    },
  };
  if (scaling !== "dynamic" && scaling !== "delayed") return model;
  return withRuntimeExponents(model, scaling, (writers) => clipLog2Of(model, samples, writers));
}

function factorOf(factors: Factors, tensor: string): { readonly factor?: number } {
  const factor = factors.get(tensor)!;
  return factor === 1 ? {} : { factor };
}

/** A node at given scales. @param blocks a convolution's input moments; without them weights are rounded to nearest */
export function quantizeNode(
  graph: SimpleGraph,
  scales: Scales,
  node: SimpleNode,
  blocks: readonly Block[] = [],
): QNode {
  const { name, inputs, output } = node;
  const format = scales.format(output);
  switch (node.op) {
    case "conv": {
      const { activation } = node;
      const [input] = inputs;
      const magnitude = scales.format(input) === "u8" ? FORMAT_MAX.u8 : -FORMAT_MIN.i8;
      const values = quantizeConv(
        node,
        scales.exponent(input),
        magnitude,
        format === "i32" ? null : (k) => scales.channelExponent(output, k),
        blocks,
      );
      const slope = activation.slope === 1 || activation.low >= 0 ? null : nearestSlope(activation.slope);
      return convWith(node, { ...values, ...clampOf(activation, format, scales.exponent(output)), slope });
    }
    case "pool": {
      const input = graph.tensors.get(inputs[0])!;
      const kernel: Pair = node.global ? [input.height, input.width] : node.kernel;
      if (node.mode === "average" && (kernel[0] > 255 || kernel[1] > 255)) {
        throw new RapError(
          `${graph.source.name}: ${name}: an average over ${kernel.join("x")}; each side must be at most 255`,
        );
      }
      const window = node.global
        ? { stride: [1, 1] as Pair, pads: [0, 0, 0, 0] as const }
        : { stride: node.stride, pads: node.pads };
      return {
        op: "pool",
        name,
        inputs: [inputs[0]],
        output,
        mode: node.mode,
        countPadding: node.countPadding,
        kernel,
        ...window,
      };
    }
    case "add":
      return {
        op: "add",
        name,
        inputs: [inputs[0], inputs[1]],
        output,
        ...clampOf(node.activation, format, scales.exponent(output)),
      };
    case "concat":
      return { op: "concat", name, inputs, output };
  }
}

/** The shift unit's clamp for an activation: its bounds as integers of the output. */
export function clampOf({ low, high }: Activation, format: Format, exponent: number): { low: number; high: number } {
  const [least, most] = [FORMAT_MIN[format], FORMAT_MAX[format]];
  if (format === "i32") return { low: least, high: most };
  const integer = (bound: number) => clamp(Math.floor(bound * 2 ** exponent + 0.5), least, most);
  return { low: integer(low), high: integer(high) };
}

/** What the host must know of a network at given scales. */
export function hostSection(
  graph: SimpleGraph,
  tensors: readonly QTensor[],
  nodes: readonly QNode[],
  scales: Scales,
): HostSection {
  const input = tensors[0];
  const outputs = graph.outputs.map((name): NetworkOutput => {
    const tensor = graph.tensors.get(name) as FTensor;
    const writer = nodes.find((node) => node.output === name)!;
    const format = scales.format(name);
    const exponents =
      writer.op === "conv" && format === "i32"
        ? [...writer.accExponents]
        : Array.from({ length: tensor.channels }, (_, k) => scales.channelExponent(name, k));
    return { tensor: name, height: tensor.height, width: tensor.width, channels: tensor.channels, format, exponents };
  });
  const { preprocess, head, trained } = graph;
  const format = input.format === "u8" ? "u8" : "i8";
  return { input: { ...preprocess, tensor: input.name, format, exponent: input.exponent }, outputs, head, trained };
}
