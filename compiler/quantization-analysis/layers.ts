/** What a layer holds, and what it alone would make of exact inputs. */
import { alignBias, clamp, FORMAT_MAX, FORMAT_MIN, type Format } from "../../isa/index.ts";
import { runNode, type Values } from "../float/executor.ts";
import { type ConvNode, LINEAR } from "../graph.ts";
import type { SimpleGraph, SimpleNode } from "../passes/index.ts";
import type { QConv, QNode, QTensor, QuantizedModel } from "../quantized-model.ts";
import { compare, type ErrorMeasures, type Histogram, integerHistogram } from "./compare.ts";
import { channelExponents } from "./observed-model.ts";

/** Smallest and largest over a layer's output channels. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

export interface WeightAnalysis extends ErrorMeasures {
  readonly count: number;
  /** Share of the weights that 8 bits at their channel's exponent clip, 0..1. */
  readonly saturated: number;
  readonly histogram: Histogram;
}

/** What a layer is made of; null where it has no such thing. */
export interface LayerFacts {
  readonly name: string;
  readonly op: "input" | QNode["op"];
  /** height, width, channels of the network as it is quantized */
  readonly shape: readonly [number, number, number];
  readonly format: Format;
  readonly exponents: {
    readonly activation: Range;
    readonly weights: Range | null;
    readonly accumulator: Range | null;
  };
  /** Right shifts behind the accumulator. */
  readonly shift: Range | null;
  /** Left shifts that align the bias to the accumulator; negative: right. */
  readonly biasShift: Range | null;
  readonly weights: WeightAnalysis | null;
}

function rangeOf(values: ArrayLike<number>): Range {
  let [min, max] = [values[0], values[0]];
  for (let i = 1; i < values.length; i++) [min, max] = [Math.min(min, values[i]), Math.max(max, values[i])];
  return { min, max };
}

export function tensorOf(model: QuantizedModel, name: string): QTensor {
  const tensor = model.tensors.find((candidate) => candidate.name === name);
  if (tensor === undefined) throw new Error(`no tensor ${name}`);
  return tensor;
}

/** The facts of a tensor and of the node that writes it; the network's input has none. @param exponents that the tensor had */
export function layerFacts(
  graph: SimpleGraph,
  model: QuantizedModel,
  tensor: QTensor,
  index: number,
  exponents: readonly number[],
): LayerFacts {
  const { name, height, width, channels, format } = tensor;
  const activation = rangeOf(exponents);
  const facts = {
    name,
    op: "input" as const,
    shape: [height, width, channels] as const,
    format,
    exponents: { activation, weights: null, accumulator: null },
    shift: null,
    biasShift: null,
    weights: null,
  };
  if (index < 0) return facts;
  const node = model.nodes[index];
  if (node.op !== "conv") return { ...facts, name: node.name, op: node.op };
  const { exponent } = tensorOf(model, node.inputs[0]);
  const weightExponents = node.accExponents.map((accumulator) => accumulator - exponent);
  return {
    ...facts,
    name: node.name,
    op: node.op,
    exponents: { activation, weights: rangeOf(weightExponents), accumulator: rangeOf(node.accExponents) },
    shift: format === "i32" ? null : rangeOf(node.shift),
    biasShift: rangeOf(node.biasShift),
    weights: weightAnalysis(graph.nodes[index] as ConvNode, node, weightExponents),
  };
}

function weightAnalysis(float: ConvNode, node: QConv, exponents: Int8Array): WeightAnalysis {
  const channels = exponents.length;
  const perChannel = node.weights.length / channels;
  const scale = (i: number) => 2 ** exponents[Math.floor(i / perChannel)];
  const actual = Float32Array.from(node.weights, (weight, i) => weight / scale(i));
  const histogram = integerHistogram(float.weights, node.weights, (weight, i) => weight * scale(i), [-128, 127]);
  return {
    count: node.weights.length,
    saturated: (histogram.below + histogram.above) / node.weights.length,
    ...compare(float.weights, actual, channels, "rows", perChannel),
    histogram,
  };
}

/** Real numbers as integers of their channel's exponent, made real again: floor(real * 2^f + 0.5), clamped. */
function rounded(real: Values, exponents: readonly number[], low: number, high: number): Values {
  const scales = exponents.map((exponent) => 2 ** exponent);
  return real.map((value, i) => {
    const scale = scales[i % scales.length];
    return clamp(Math.floor(value * scale + 0.5), low, high) / scale;
  });
}

/** From exact inputs by tensor name to the layer's output. */
type LoneLayer = (exact: ReadonlyMap<string, Values>) => Values;

/**
 * A node with the integers' weights, bias and slope: what it makes of exact inputs, its result rounded as the shift unit does:
 * the error that is this layer's own. Null where integers pass unchanged: maximum pooling and concatenation.
 * Exact inputs are no integers, so this is computed in floating point (sums are doubles); the network's own integers are not.
 */
export function loneLayer(graph: SimpleGraph, model: QuantizedModel, index: number): LoneLayer | null {
  const node = model.nodes[index];
  if (node.op === "concat" || (node.op === "pool" && node.mode === "max")) return null;
  const { format, ...output } = tensorOf(model, node.output);
  const exponents = channelExponents(model, { format, ...output });
  const [low, high] = node.op === "pool" ? [FORMAT_MIN[format], FORMAT_MAX[format]] : [node.low, node.high];
  const float = withIntegers(graph.nodes[index], node, model);
  const shapes = float.inputs.map((name) => graph.tensors.get(name)!);
  return (exact) => {
    const inputs = float.inputs.map((name) => exact.get(name)!);
    const real = runNode(float, inputs, shapes, graph.tensors.get(float.output)!);
    return format === "i32" ? real : rounded(real, exponents, low, high);
  };
}

/** The float node with the integers' parameters; what it clamps at is left to the rounding behind it. */
function withIntegers(float: SimpleNode, node: QNode, model: QuantizedModel): SimpleNode {
  if (float.op === "add") return { ...float, activation: LINEAR };
  if (float.op !== "conv" || node.op !== "conv") return float;
  const { exponent } = tensorOf(model, node.inputs[0]);
  const perChannel = node.weights.length / node.bias.length;
  const { accExponents, bias, biasShift, slope } = node;
  const slopes = slope === null ? 1 : 2 ** -slope.a + (slope.b === 0 ? 0 : 2 ** -slope.b);
  return {
    ...float,
    weights: Float32Array.from(
      node.weights,
      (weight, i) => weight * 2 ** (exponent - accExponents[Math.floor(i / perChannel)]),
    ),
    bias: Float32Array.from(
      bias,
      (value, k) => alignBias({ bias: value, biasShift: biasShift[k], shift: 0 }) * 2 ** -accExponents[k],
    ),
    activation: { ...LINEAR, slope: slopes },
  };
}
