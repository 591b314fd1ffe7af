/** Which format and exponent every tensor gets, from samples of it. */
import { ADD_SHIFT_MAX, type Format, SHIFT_MAX, SHIFT_MIN } from "../../isa/index.ts";
import type { SimpleGraph } from "../passes/index.ts";
import { exponentClasses, formatClasses } from "./classes.ts";
import { channelWeights } from "./conv.ts";
import { bestExponent } from "./exponents.ts";
import type { Samples } from "./observe.ts";

export interface Scales {
  format(tensor: string): Format;
  /** For an i32 tensor 0: its channels have exponents of their own. */
  exponent(tensor: string): number;
  /** As `exponent`, but of one channel of an output whose channel groups are scaled separately. */
  channelExponent(tensor: string, channel: number): number;
}

export function planScales(graph: SimpleGraph, samples: ReadonlyMap<string, Samples>, options: { activations: "i8" | "u8"; head: "i8" | "i32" }): Scales {
  const formats = chooseFormats(graph, options);
  const classes = exponentClasses(graph);
  const exponents = new Map<string, number>();
  for (const [name, values] of classSamples(graph, samples, classes.of.bind(classes), formats)) {
    exponents.set(name, bestExponent(values, formats.get(name)!));
  }
  fitShifts(graph, exponents, classes.of.bind(classes), formats);
  const groups = options.head === "i8" ? groupExponents(graph, samples) : new Map<string, number[]>();
  const exponent = (tensor: string) => (formats.get(tensor) === "i32" ? 0 : (groups.get(tensor)?.[0] ?? exponents.get(classes.of(tensor))!));
  return {
    format: (tensor) => formats.get(tensor)!,
    exponent,
    channelExponent: (tensor, channel) => groups.get(tensor)?.[channel] ?? exponent(tensor),
  };
}

/** Outputs that a plain convolution writes and nothing reads: they may have an exponent per channel. */
function rawOutputs(graph: SimpleGraph): string[] {
  const read = new Set(graph.nodes.flatMap((node) => node.inputs));
  return graph.nodes
    .filter((node) => node.op === "conv" && graph.outputs.includes(node.output) && !read.has(node.output))
    .map((node) => node.output);
}

function chooseFormats(graph: SimpleGraph, options: { activations: "i8" | "u8"; head: "i8" | "i32" }): Map<string, Format> {
  const classes = formatClasses(graph);
  const signed = new Set<string>();
  const nonNegative = new Set<string>();
  if (graph.preprocess.mean.every((mean) => mean <= 0)) nonNegative.add(graph.input);
  for (const node of graph.nodes) {
    const bounded = node.op === "conv" ? node.activation.low >= 0 : node.inputs.every((input) => nonNegative.has(input)) || (node.op === "add" && node.activation.low >= 0);
    if (bounded) nonNegative.add(node.output);
  }
  for (const name of graph.tensors.keys()) if (!nonNegative.has(name)) signed.add(classes.of(name));
  const formats = new Map<string, Format>();
  for (const name of graph.tensors.keys()) formats.set(name, options.activations === "u8" && !signed.has(classes.of(name)) ? "u8" : "i8");
  if (options.head === "i32") {
    for (const name of rawOutputs(graph)) {
      const node = graph.nodes.find((candidate) => candidate.output === name)!;
      // accumulators come before the activation
      if (node.op === "conv" && node.activation.low === -Infinity && node.activation.high === Infinity && node.activation.slope === 1) formats.set(name, "i32");
    }
  }
  return formats;
}

/** Samples of the tensors of a class that something computes with: what a pool reads matters only after the pool. */
function classSamples(graph: SimpleGraph, samples: ReadonlyMap<string, Samples>, classOf: (name: string) => string, formats: ReadonlyMap<string, Format>): Map<string, Float32Array> {
  const consumed = new Set(graph.outputs);
  for (const node of graph.nodes) if (node.op === "conv" || node.op === "add") for (const input of node.inputs) consumed.add(input);
  const members = new Map<string, Float32Array[]>();
  for (const name of graph.tensors.keys()) {
    if (!consumed.has(name) || formats.get(name) === "i32") continue;
    const list = members.get(classOf(name)) ?? [];
    members.set(classOf(name), list);
    list.push(samples.get(name)!.values);
  }
  return new Map([...members].map(([name, list]) => [name, Float32Array.from(list.flatMap((values) => [...values]))]));
}

function fitShifts(graph: SimpleGraph, exponents: Map<string, number>, classOf: (name: string) => string, formats: ReadonlyMap<string, Format>): void {
  const get = (name: string) => exponents.get(classOf(name))!;
  const finestWeights = new Map(
    graph.nodes.map((node) => {
      if (node.op !== "conv") return [node.name, 0];
      let least = Infinity;
      for (let k = 0; k < node.bias.length; k++) least = Math.min(least, bestExponent(channelWeights(node, k), "i8"));
      return [node.name, least];
    }),
  );
  for (let changed = true; changed; ) {
    changed = false;
    const cap = (name: string, limit: number) => {
      if (get(name) <= limit) return;
      exponents.set(classOf(name), limit);
      changed = true;
    };
    for (const node of graph.nodes) {
      if (node.op === "conv" && formats.get(node.output) !== "i32") cap(node.output, finestWeights.get(node.name)! + get(node.inputs[0]) - SHIFT_MIN);
      if (node.op !== "add") continue;
      const coarser = Math.min(get(node.inputs[0]), get(node.inputs[1]));
      for (const input of node.inputs) cap(input, Math.min(coarser + ADD_SHIFT_MAX, get(node.output) + SHIFT_MAX));
      cap(node.output, Math.max(get(node.inputs[0]), get(node.inputs[1])) - SHIFT_MIN);
    }
  }
}

function groupExponents(graph: SimpleGraph, samples: ReadonlyMap<string, Samples>): Map<string, number[]> {
  const result = new Map<string, number[]>();
  for (const name of rawOutputs(graph)) {
    const { channels } = graph.tensors.get(name)!;
    const { head } = graph;
    const ranges: (readonly [number, number])[] = head?.kind === "convdet" && head.tensor === name ? Object.values(head.channels) : [[0, channels]];
    const exponents = new Array<number>(channels).fill(0);
    for (const [from, to] of ranges) {
      const { values } = samples.get(name)!;
      const own = values.filter((_, i) => i % channels >= from && i % channels < to);
      exponents.fill(bestExponent(own, "i8"), from, to);
    }
    result.set(name, exponents);
  }
  return result;
}
