/**
 * The float network: what importing and the built-in builders produce and what passes rewrite.
 * Batch 1; every tensor is [height, width, channels] (NHWC); a vector is 1 x 1 x channels. A graph is a value:
 * rewriting makes a new one with `withNodes`, which infers every shape again, so a graph that exists is consistent.
 */
import { type Head, type Preprocess, RapError } from "../isa/index.ts";
import type { Pads, Pair } from "./quantized-model.ts";

export interface FTensor {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** y = clamp(x < 0 ? x * slope : x, low, high). ReLU: low 0; LeakyReLU: slope; Clip: low, high. */
export interface Activation {
  readonly low: number;
  readonly high: number;
  readonly slope: number;
}
export const LINEAR: Activation = { low: -Infinity, high: Infinity, slope: 1 };
export const RELU: Activation = { low: 0, high: Infinity, slope: 1 };

export function isLinear(a: Activation): boolean {
  return a.low === -Infinity && a.high === Infinity && a.slope === 1;
}

interface Node {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly output: string;
}

export interface ConvNode extends Node {
  readonly op: "conv";
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly pads: Pads;
  readonly groups: number;
  /** [outChannels][kernelY][kernelX][inChannels / groups] */
  readonly weights: Float32Array;
  /** per output channel */
  readonly bias: Float32Array;
  readonly activation: Activation;
}

export interface PoolNode extends Node {
  readonly op: "pool";
  readonly mode: "max" | "average";
  /** average only: padding counts as zeros in the average */
  readonly countPadding: boolean;
  /** Global: kernel, stride and pads are ignored, the window is the whole input. */
  readonly global: boolean;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly pads: Pads;
}

/** Sum of two tensors of one shape. */
export interface AddNode extends Node {
  readonly op: "add";
  readonly activation: Activation;
}

/** Concatenation of channels. */
export interface ConcatNode extends Node {
  readonly op: "concat";
}

export interface ActivationNode extends Node {
  readonly op: "activation";
  readonly activation: Activation;
}

/** y = x * scale[channel] + shift[channel] */
export interface BatchNormNode extends Node {
  readonly op: "batchnorm";
  readonly scale: Float32Array;
  readonly shift: Float32Array;
}

/** Fully connected: weights [outputs][inputs], bias [outputs]; the input is a vector. */
export interface GemmNode extends Node {
  readonly op: "gemm";
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

/** [H, W, C] to a vector of C * H * W in ONNX order: channel-major, then rows, then columns. */
export interface FlattenNode extends Node {
  readonly op: "flatten";
}

export interface IdentityNode extends Node {
  readonly op: "identity";
}

/** Over the channels of a vector; only at the very end of a network, where it becomes host work. */
export interface SoftmaxNode extends Node {
  readonly op: "softmax";
}

export type FNode =
  | ConvNode
  | PoolNode
  | AddNode
  | ConcatNode
  | ActivationNode
  | BatchNormNode
  | GemmNode
  | FlattenNode
  | IdentityNode
  | SoftmaxNode;

export interface FloatGraph {
  readonly name: string;
  readonly input: string;
  readonly outputs: readonly string[];
  /** By name, the input first, then in the order of `nodes`. Inferred. */
  readonly tensors: ReadonlyMap<string, FTensor>;
  /** In topological order. */
  readonly nodes: readonly FNode[];
  readonly preprocess: Preprocess;
  readonly head: Head | null;
  /** False when the weights are random. */
  readonly trained: boolean;
  /** Where it came from, for provenance. */
  readonly source: { readonly name: string; readonly sha256: string };
}

/** Largest extent of a tensor, a pad or a channel count: what 16 bits hold. */
export const MAX_EXTENT = 65535;
/** Largest kernel, stride and dilation. */
export const MAX_WINDOW = 255;
/** Most elements of one tensor: 2^28, 1 GiB in float32. */
const MAX_ELEMENTS = 2 ** 28;

/** Builds a graph from nodes in topological order. @throws RapError naming the node when shapes do not fit */
export function makeGraph(fields: Omit<FloatGraph, "tensors">): FloatGraph {
  const { preprocess } = fields;
  const tensors = new Map<string, FTensor>();
  const add = (tensor: FTensor, place: string) => {
    if (tensors.has(tensor.name))
      throw new RapError(`${place}: tensor '${tensor.name}' is written twice; names must be unique`);
    tensors.set(tensor.name, checkTensor(tensor, place));
  };
  const { height, width, channels } = preprocess;
  add({ name: fields.input, height, width, channels }, "input");
  const names = new Set<string>();
  for (const node of fields.nodes) {
    if (names.has(node.name)) throw new RapError(`${node.name}: two nodes have this name; names must be unique`);
    names.add(node.name);
    add(inferShape(node, tensors), node.name);
  }
  for (const output of fields.outputs) {
    if (!tensors.has(output) || output === fields.input)
      throw new RapError(`output '${output}': no node writes this tensor`);
  }
  if (new Set(fields.outputs).size !== fields.outputs.length)
    throw new RapError(`outputs ${fields.outputs.join(", ")}: one stands there twice`);
  return { ...fields, tensors };
}

/** The same network with other nodes (and other outputs or head where given). */
export function withNodes(graph: FloatGraph, nodes: readonly FNode[], changes: Partial<FloatGraph> = {}): FloatGraph {
  const { tensors: _, ...fields } = { ...graph, ...changes };
  return makeGraph({ ...fields, nodes });
}

/** Checks everything `makeGraph` guarantees again: shapes, order, unique names. @throws RapError */
export function verifyGraph(graph: FloatGraph): void {
  const again = withNodes(graph, graph.nodes);
  for (const [name, tensor] of again.tensors) {
    const stored = graph.tensors.get(name);
    if (stored === undefined || shapeText(stored) !== shapeText(tensor)) {
      throw new RapError(`tensor '${name}': stored as ${stored && shapeText(stored)}, inferred ${shapeText(tensor)}`);
    }
  }
}

export const shapeText = (t: FTensor): string => `${t.height}x${t.width}x${t.channels}`;

export function elements(t: FTensor): number {
  return t.height * t.width * t.channels;
}

function checkTensor(t: FTensor, place: string): FTensor {
  for (const extent of [t.height, t.width, t.channels]) {
    if (!Number.isInteger(extent) || extent < 1 || extent > MAX_EXTENT) {
      throw new RapError(`${place}: tensor '${t.name}' is ${shapeText(t)}; every extent must be 1 to ${MAX_EXTENT}`);
    }
  }
  if (elements(t) > MAX_ELEMENTS)
    throw new RapError(`${place}: tensor '${t.name}' is ${shapeText(t)}; at most ${MAX_ELEMENTS} elements`);
  return t;
}

/** Extent of a window operator's output along one axis. */
export function windowExtent(input: number, kernel: number, stride: number, dilation: number, padding: number): number {
  return Math.floor((input + padding - dilation * (kernel - 1) - 1) / stride) + 1;
}

/** The output tensor of a node. @throws RapError when an input is unknown or the shapes do not fit */
export function inferShape(node: FNode, tensors: ReadonlyMap<string, FTensor>): FTensor {
  const fail = (message: string): never => {
    throw new RapError(`${node.name}: ${message}`);
  };
  const inputs = node.inputs.map(
    (name) => tensors.get(name) ?? fail(`input '${name}' is not written by an earlier node`),
  );
  const [input] = inputs;
  if (input === undefined) return fail("a node needs an input");
  const wanted = node.op === "add" ? 2 : 1;
  if (node.op !== "concat" && inputs.length !== wanted) fail(`${inputs.length} inputs; ${node.op} takes ${wanted}`);
  const lengths = (weights: Float32Array, expected: number, what: string) => {
    if (weights.length !== expected) fail(`${weights.length} ${what}; the shapes ask for ${expected}`);
  };
  const as = (height: number, width: number, channels: number): FTensor => ({
    name: node.output,
    height,
    width,
    channels,
  });
  switch (node.op) {
    case "conv": {
      const { kernel, groups, bias } = node;
      checkWindow(node, node.dilation, fail);
      if (groups < 1 || input.channels % groups !== 0 || bias.length % groups !== 0) {
        fail(`${groups} groups must divide ${input.channels} input and ${bias.length} output channels`);
      }
      lengths(node.weights, (bias.length * kernel[0] * kernel[1] * input.channels) / groups, "weights");
      return as(...windowShape(node, input, node.dilation, fail), bias.length);
    }
    case "pool": {
      if (node.global) return as(1, 1, input.channels);
      checkWindow(node, [1, 1], fail);
      node.pads.forEach((pad, i) => {
        if (pad >= node.kernel[i % 2])
          fail(`padding ${pad} of a ${node.kernel.join("x")} pooling window; padding must be smaller than the window`);
      });
      return as(...windowShape(node, input, [1, 1], fail), input.channels);
    }
    case "add":
      if (shapeText(inputs[0]) !== shapeText(inputs[1]))
        fail(`adds ${shapeText(inputs[0])} to ${shapeText(inputs[1])}; the shapes must be equal`);
      return as(input.height, input.width, input.channels);
    case "concat":
      for (const part of inputs) {
        if (part.height !== input.height || part.width !== input.width) {
          fail(`concatenates ${shapeText(input)} and ${shapeText(part)}; height and width must be equal`);
        }
      }
      return as(
        input.height,
        input.width,
        inputs.reduce((sum, part) => sum + part.channels, 0),
      );
    case "batchnorm":
      lengths(node.scale, input.channels, "scales");
      lengths(node.shift, input.channels, "shifts");
      return as(input.height, input.width, input.channels);
    case "gemm":
      if (input.height * input.width !== 1) fail(`reads ${shapeText(input)}; a vector is needed (flatten first)`);
      lengths(node.weights, node.bias.length * input.channels, "weights");
      return as(1, 1, node.bias.length);
    case "flatten":
      return as(1, 1, elements(input));
    case "softmax":
      if (input.height * input.width !== 1)
        fail(`softmax of ${shapeText(input)}; only over the channels of a 1x1 tensor`);
      return as(1, 1, input.channels);
    case "activation":
    case "identity":
      return as(input.height, input.width, input.channels);
  }
}

type Window = Pick<ConvNode, "kernel" | "stride" | "pads">;
type Fail = (message: string) => never;

function checkWindow(node: Window, dilation: Pair, fail: Fail): void {
  const rules: [string, readonly number[], number, number][] = [
    ["kernel", node.kernel, 1, MAX_WINDOW],
    ["stride", node.stride, 1, MAX_WINDOW],
    ["dilation", dilation, 1, MAX_WINDOW],
    ["padding", node.pads, 0, MAX_EXTENT],
  ];
  for (const [what, values, low, high] of rules) {
    for (const value of values) {
      if (!Number.isInteger(value) || value < low || value > high)
        fail(`${what} ${values.join("x")}; each value must be ${low} to ${high}`);
    }
  }
}

function windowShape(node: Window, input: FTensor, dilation: Pair, fail: Fail): [number, number] {
  const { kernel, stride, pads } = node;
  const height = windowExtent(input.height, kernel[0], stride[0], dilation[0], pads[0] + pads[2]);
  const width = windowExtent(input.width, kernel[1], stride[1], dilation[1], pads[1] + pads[3]);
  if (height < 1 || width < 1)
    fail(`a ${kernel.join("x")} window does not fit the input ${shapeText(input)} with padding ${pads.join(",")}`);
  return [height, width];
}

/** Useful multiply-accumulates of a graph: convolutions and Gemm. */
export function countMacs(graph: FloatGraph): number {
  let macs = 0;
  for (const node of graph.nodes) {
    if (node.op !== "conv" && node.op !== "gemm") continue;
    const out = graph.tensors.get(node.output)!;
    macs += out.height * out.width * node.weights.length;
  }
  return macs;
}

/** Weights of a graph, without biases. */
export function countWeights(graph: FloatGraph): number {
  return graph.nodes.reduce(
    (sum, node) => sum + (node.op === "conv" || node.op === "gemm" ? node.weights.length : 0),
    0,
  );
}
