/**
 * The same network with its tensors rescaled: the weights and bias that write a tensor times a positive factor, the weights that
 * read it divided by it. ReLU, LeakyReLU, pooling and concatenation let the factor through, so the function stays the same
 * (Nagel et al. 2019, Data-free quantization through weight equalization), while a tensor's scale need not be a power of two.
 *
 * The input's range is known (pixels are 0..255), so one factor, which the host applies with the preprocessing, fills the format.
 */
import { FORMAT_MAX, FORMAT_MIN, type Format } from "../../isa/index.ts";
import { type Activation, withNodes } from "../graph.ts";
import type { SimpleGraph, SimpleNode } from "../passes/index.ts";
import type { Samples } from "./observe.ts";

export interface Rescaled {
  readonly graph: SimpleGraph;
  /** Of the new graph's tensors. */
  readonly samples: ReadonlyMap<string, Samples>;
}

/** What each tensor is multiplied by. */
export type Factors = ReadonlyMap<string, number>;

/** The network and its samples with tensors multiplied by factors; those of tensors that integers pass between must agree. */
export function rescale(graph: SimpleGraph, samples: ReadonlyMap<string, Samples>, factors: Factors): Rescaled {
  const rescaled = [...samples].map(([name, own]) => [name, times(own, factors.get(name)!)] as const);
  return { graph: rescaleGraph(graph, factors), samples: new Map(rescaled) };
}

export function rescaleGraph(graph: SimpleGraph, factors: Factors): SimpleGraph {
  const preprocess = { ...graph.preprocess, scale: graph.preprocess.scale * factors.get(graph.input)! };
  const nodes = graph.nodes.map((node) => rescaleNode(node, factors));
  return { ...withNodes(graph, nodes, { preprocess }), nodes };
}

function rescaleNode(node: SimpleNode, factors: Factors): SimpleNode {
  if (node.op !== "conv") return node;
  const [from, to] = [factors.get(node.inputs[0])!, factors.get(node.output)!];
  const weights = node.weights.map((weight) => (weight * to) / from);
  return { ...node, weights, bias: node.bias.map((bias) => bias * to) };
}

/** Tensors that can be multiplied by a factor without asking others than those their integers pass to. */
export function isScalable(graph: SimpleGraph, tensor: string): boolean {
  if (tensor === graph.input || graph.outputs.includes(tensor)) return false;
  return graph.nodes.every(
    (node) =>
      !(node.op === "add" && [...node.inputs, node.output].includes(tensor)) &&
      !(node.output === tensor && isBounded(node)),
  );
}

/** Clip's bounds are one for all channels. */
function isBounded(node: SimpleNode): boolean {
  const free = (bound: number) => bound === 0 || !Number.isFinite(bound);
  const bounded = ({ low, high }: Activation) => !(free(low) && free(high));
  return (node.op === "conv" || node.op === "add") && bounded(node.activation);
}

/** What the input is multiplied by: the widest pixel value then just fits the format at an exponent. @param format of the input */
export function inputFactor(graph: SimpleGraph, format: Format): number {
  // what an addition or the outputs make of it decides elsewhere
  const elsewhere = graph.nodes.some(({ op, inputs }) => op !== "conv" && inputs.includes(graph.input));
  if (elsewhere || graph.outputs.includes(graph.input)) return 1;
  const { mean, scale } = graph.preprocess;
  const high = FORMAT_MAX[format] + 0.49;
  const low = FORMAT_MIN[format] - 0.49;
  const needed = Math.max(...mean.map((own) => Math.max(((255 - own) * scale) / high, (-own * scale) / low)));
  return needed > 0 ? 2 ** Math.floor(Math.log2(needed)) / needed : 1;
}

export function times(samples: Samples, factor: number): Samples {
  if (factor === 1) return samples;
  return { channels: samples.channels, values: scaled(samples.values, factor) };
}

function scaled(values: Float32Array, factor: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = values[i] * factor;
  return out;
}
