/**
 * The additive-noise model: quantization errors are noise, independent of the values, of each other, of place. Then a tensor's
 * noise is a power per channel (mean square), and powers go through the network without running it:
 *
 * - convolution: an output channel has the sum over its weights of w^2 times the noise of the input channel, times the share of
 *   sums that the activation lets through (slope^2 counts for a leaky one);
 * - addition: the sum of both; concatenation: side by side; maximum: that of the input (one value is passed on);
 *   average: that of the input too, an upper bound (a wrong weight's errors are alike all over a window and do not cancel).
 *
 * Where errors are not independent (clipping, a channel's rounded bias) it predicts too little.
 * Sources: Widrow 1956 and Bennett 1948 for noise instead of error; Lin, Talathi and Annapureddy 2016, Fixed point quantization
 * of deep convolutional networks, for its way through layers.
 */
import type { ConvNode } from "../../graph.ts";
import type { SimpleGraph, SimpleNode } from "../../passes/index.ts";

/** Noise per channel that quantization adds, by tensor. Mean squares in the tensor's own unit. */
export interface InjectedNoise {
  /** To the tensor's values: rounding and clipping of activations. */
  readonly values?: Float64Array;
  /** To the sums before the activation: weights and biases of the convolution that writes the tensor. */
  readonly sums?: Float64Array;
}

/** Share of noise power that a tensor's writer's activation lets through, per channel: 0..1. */
type PassedShare = (tensor: string) => Float64Array;

/**
 * Noise power per channel of every tensor, when noise is injected as given; tensors not named get none of their own.
 * @param passed from `passedShare` on samples of the tensor
 */
export function propagateNoise(
  graph: SimpleGraph,
  injected: ReadonlyMap<string, InjectedNoise>,
  passed: PassedShare,
): Map<string, Float64Array> {
  const noise = new Map<string, Float64Array>();
  const arrive = (tensor: string, power: Float64Array) => {
    const own = injected.get(tensor)?.values;
    noise.set(
      tensor,
      power.map((value, c) => value + (own?.[c] ?? 0)),
    );
  };
  arrive(graph.input, new Float64Array(graph.tensors.get(graph.input)!.channels));
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => noise.get(name)!);
    const { channels } = graph.tensors.get(node.output)!;
    const power = Float64Array.from({ length: channels }, (_, k) => nodeNoise(node, inputs, k));
    if (node.op === "conv" || node.op === "add") {
      const sums = injected.get(node.output)?.sums;
      const share = passed(node.output);
      for (let k = 0; k < channels; k++) power[k] = (power[k] + (sums?.[k] ?? 0)) * share[k];
    }
    arrive(node.output, power);
  }
  return noise;
}

/** Noise of output channel k of a node, before its activation. */
function nodeNoise(node: SimpleNode, inputs: readonly Float64Array[], k: number): number {
  switch (node.op) {
    case "conv":
      return throughWeights(node, node.weights, inputs[0], k);
    case "add":
      return inputs[0][k] + inputs[1][k];
    case "concat": {
      let channel = k;
      let part = 0;
      while (channel >= inputs[part].length) channel -= inputs[part++].length;
      return inputs[part][channel];
    }
    case "pool":
      return inputs[0][k];
  }
}

/**
 * Noise per output channel that wrong weights add to a convolution's sums: the sum over weights of their squared error times
 * the input's mean square. @param actual the weights after quantization, as real numbers
 * @param inputPower mean square per input channel
 */
export function weightNoise(node: ConvNode, actual: Float32Array, inputPower: Float64Array): Float64Array {
  const errors = actual.map((weight, i) => weight - node.weights[i]);
  return Float64Array.from(node.bias, (_, k) => throughWeights(node, errors, inputPower, k));
}

/** Sum over the weights of output channel k of w^2 times the power of the input channel it reads. */
function throughWeights(node: ConvNode, weights: Float32Array, power: Float64Array, k: number): number {
  const perOutput = weights.length / node.bias.length;
  const perGroup = power.length / node.groups;
  const first = Math.floor((k * node.groups) / node.bias.length) * perGroup;
  let sum = 0;
  for (let i = 0; i < perOutput; i++) sum += weights[k * perOutput + i] ** 2 * power[first + (i % perGroup)];
  return sum;
}

/** What an activation does to small noise, per channel, by samples [pixel][channel] of its output: 1 between its bounds, slope^2 below 0, 0 at a bound. */
export function passedShare(
  { low, high, slope }: { low: number; high: number; slope: number },
  values: Float32Array,
  channels: number,
): Float64Array {
  const share = new Float64Array(channels);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value > low && value < high) share[i % channels] += value < 0 ? slope * slope : 1;
  }
  return share.map((count) => (count * channels) / values.length);
}

/** Mean square per channel of samples [pixel][channel]. */
export function channelPowers(values: Float32Array, channels: number): Float64Array {
  const power = new Float64Array(channels);
  for (let i = 0; i < values.length; i++) power[i % channels] += values[i] * values[i];
  return power.map((sum) => (sum * channels) / values.length);
}

/**
 * How much noise in each channel of each tensor shows at the network's outputs: predicted noise at the outputs is the sum over
 * tensors and channels of gain times injected noise (to values). Backwards what `propagateNoise` is forwards.
 * @param weight of an output's channel; 1 / its mean square makes the sum a noise-to-signal ratio
 */
export function outputGains(
  graph: SimpleGraph,
  passed: PassedShare,
  weight: (tensor: string) => Float64Array,
): Map<string, Float64Array> {
  const gains = new Map<string, Float64Array>();
  for (const { name, channels } of graph.tensors.values())
    gains.set(name, graph.outputs.includes(name) ? weight(name).slice() : new Float64Array(channels));
  for (const node of graph.nodes.toReversed()) {
    const own = gains.get(node.output)!;
    const share = node.op === "conv" || node.op === "add" ? passed(node.output) : null;
    const arriving = share === null ? own : own.map((gain, k) => gain * share[k]);
    let offset = 0;
    for (const input of node.inputs) {
      const to = gains.get(input)!;
      if (node.op === "conv") {
        const perOutput = node.weights.length / node.bias.length;
        const perGroup = to.length / node.groups;
        node.weights.forEach((value, i) => {
          const k = Math.floor(i / perOutput);
          const group = Math.floor((k * node.groups) / node.bias.length);
          to[group * perGroup + (i % perGroup)] += value * value * arriving[k];
        });
      } else {
        for (let c = 0; c < to.length; c++) to[c] += arriving[offset + c];
        if (node.op === "concat") offset += to.length;
      }
    }
  }
  return gains;
}
