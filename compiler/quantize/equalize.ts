/**
 * The same network with its channels rescaled: a convolution's output channel times a positive factor, the weights that read it
 * divided by it. ReLU, LeakyReLU, pooling and concatenation let the factor through, so the function stays the same (Nagel
 * et al. 2019, Data-free quantization through weight equalization), while channels that share an exponent make better use of it.
 *
 * A channel's factor is (typical range / own range)^1/4, between 1/2 and 2. Full equality (power 1) would suit the synthetic
 * pictures best, but a channel that they hardly excite may be strong on photographs and would be clipped; and weights that
 * read a widened channel's noise carry more of it (docs/quantization.md has figures).
 *
 * The input's range is known (pixels are 0..255), so one factor, which the host applies with the preprocessing, fills the format.
 */
import { FORMAT_MAX, FORMAT_MIN, type Format, type Preprocess } from "../../isa/index.ts";
import { type Activation, withNodes } from "../graph.ts";
import type { SimpleGraph, SimpleNode } from "../passes/index.ts";
import { Classes } from "./classes.ts";
import type { Samples } from "./observe.ts";

/** How far a channel goes towards the others: 0 not at all, 1 the whole way. */
const POWER = 0.25;
/** Largest factor; the smallest is its reciprocal. */
const LARGEST_FACTOR = 2;
/** Share of a channel's values within its range. */
const WITHIN = 0.999;
/** Of the widest channel's range: a channel that hardly reacts is taken to have at least this one. */
const NARROWEST = 0.001;

export interface Rescaled {
  readonly graph: SimpleGraph;
  /** Of the new graph's tensors. */
  readonly samples: Map<string, Samples>;
}

/** What each channel of a tensor is multiplied by. */
export type Factors = ReadonlyMap<string, Float32Array>;

/** The network and its samples with channels multiplied by factors; those of tensors that integers pass between must agree. */
export function rescale(graph: SimpleGraph, samples: ReadonlyMap<string, Samples>, factors: Factors): Rescaled {
  const preprocess = { ...graph.preprocess, scale: graph.preprocess.scale * factors.get(graph.input)![0] };
  const nodes = graph.nodes.map((node) => rescaleNode(node, factors));
  const scaled = new Map<string, Samples>();
  for (const [name, { channels, values }] of samples) {
    const own = factors.get(name)!;
    scaled.set(name, { channels, values: values.map((value, i) => value * own[i % channels]) });
  }
  return { graph: { ...withNodes(graph, nodes, { preprocess }), nodes }, samples: scaled };
}

function rescaleNode(node: SimpleNode, factors: Factors): SimpleNode {
  if (node.op !== "conv") return node;
  const [from, to] = [factors.get(node.inputs[0])!, factors.get(node.output)!];
  const perOutput = node.weights.length / node.bias.length;
  const perGroup = from.length / node.groups;
  const weights = node.weights.map((weight, i) => {
    const k = Math.floor(i / perOutput);
    const group = Math.floor((k * node.groups) / node.bias.length);
    return (weight * to[k]) / from[group * perGroup + (i % perGroup)];
  });
  return { ...node, weights, bias: node.bias.map((bias, k) => bias * to[k]) };
}

/** @param inputFormat of the network's input */
export function channelFactors(
  graph: SimpleGraph,
  samples: ReadonlyMap<string, Samples>,
  inputFormat: Format,
): Factors {
  const id = (tensor: string, channel: number) => `${channel} ${tensor}`;
  const classes = channelClasses(graph, id);
  const fixed = new Set(
    [graph.input, ...graph.outputs, ...graph.nodes.filter(isBounded).map(({ output }) => output)].flatMap((tensor) =>
      Array.from({ length: graph.tensors.get(tensor)!.channels }, (_, c) => classes.of(id(tensor, c))),
    ),
  );
  const byClass = new Map<string, number>();
  for (const node of graph.nodes) {
    if (node.op !== "conv") continue;
    const ranges = channelRanges(samples.get(node.output)!);
    const typical = ranges.toSorted()[ranges.length >> 1];
    ranges.forEach((range, k) => {
      const factor = Math.min(LARGEST_FACTOR, Math.max(1 / LARGEST_FACTOR, (typical / range) ** POWER));
      const of = classes.of(id(node.output, k));
      // channels that are added are one: the first writer decides
      if (!fixed.has(of) && !byClass.has(of) && factor > 0) byClass.set(of, factor);
    });
  }
  const result = new Map<string, Float32Array>();
  for (const { name, channels } of graph.tensors.values())
    result.set(
      name,
      Float32Array.from({ length: channels }, (_, c) => byClass.get(classes.of(id(name, c))) ?? 1),
    );
  const input = result.get(graph.input)!;
  // a network may hand its input to an addition or to its outputs: then what it meets there decides
  const alone = graph.nodes.every(({ op, inputs }) => op === "conv" || !inputs.includes(graph.input));
  if (alone && !graph.outputs.includes(graph.input)) input.fill(inputFactor(graph.preprocess, inputFormat));
  return result;
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

/** Channels that must have the same factor: what a pooling or concatenation moves, what an addition adds. */
function channelClasses(graph: SimpleGraph, id: (tensor: string, channel: number) => string): Classes {
  const classes = new Classes();
  for (const { op, inputs, output } of graph.nodes) {
    if (op === "conv") continue;
    let offset = 0;
    for (const input of inputs) {
      const { channels } = graph.tensors.get(input)!;
      for (let c = 0; c < channels; c++) classes.join(id(input, c), id(output, offset + c));
      if (op === "concat") offset += channels;
    }
  }
  return classes;
}

/** The magnitude that nearly all values of a channel keep below. */
function channelRanges({ channels, values }: Samples): Float64Array {
  const pixels = values.length / channels;
  const own = new Float32Array(pixels);
  const ranges = Float64Array.from({ length: channels }, (_, c) => {
    for (let p = 0; p < pixels; p++) own[p] = Math.abs(values[p * channels + c]);
    own.sort();
    return own[Math.floor(WITHIN * (pixels - 1))];
  });
  const widest = ranges.reduce((a, b) => Math.max(a, b), 0);
  return ranges.map((range) => Math.max(range, NARROWEST * widest));
}

/** With it the widest pixel value just fits the format at an exponent; the nearest such factor to 1 that does not widen. */
function inputFactor({ mean, scale }: Preprocess, format: Format): number {
  let needed = 0;
  for (const own of mean) {
    needed = Math.max(needed, ((255 - own) * scale) / (FORMAT_MAX[format] + 0.49));
    if (format === "i8") needed = Math.max(needed, (own * scale) / (-FORMAT_MIN.i8 + 0.49));
  }
  return needed > 0 ? 2 ** Math.floor(Math.log2(needed)) / needed : 1;
}
