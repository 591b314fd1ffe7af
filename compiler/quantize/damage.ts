/**
 * What an exponent does to the layers that read a tensor: the noise it adds to their sums, relative to their output.
 *
 * Rounding errors of different elements are independent, so behind weights w they add up as w^2. Clipping errors are not:
 * they strike the strongest responses, many channels of one pixel at once and always downwards. So they are carried through
 * the weights pixel by pixel. (Measuring both alike at the tensor itself clips too much: see docs/quantization.md.)
 */
import { FORMAT_MAX, FORMAT_MIN, type Format } from "../../isa/index.ts";
import type { SimpleGraph } from "../passes/index.ts";
import type { Samples } from "./observe.ts";

/** A layer reading a tensor, as weights: per input channel, its effect on the outputs of its group. */
export interface Reader {
  readonly groups: number;
  readonly outChannels: number;
  /** [channel]: sum of squared weights */
  readonly squares: Float64Array;
  /** [channel][outChannels / groups]: weights summed over the kernel's taps */
  readonly sums: Float64Array;
  /** Mean square of the layer's output. */
  readonly power: number;
}

/** All layers that compute with a tensor; an addition, and the network's end, count as weights of 1. */
export function readersOf(graph: SimpleGraph, samples: ReadonlyMap<string, Samples>, tensor: string): Reader[] {
  const { channels } = graph.tensors.get(tensor)!;
  const unity = (output: string): Reader => {
    const ones = new Float64Array(channels).fill(1);
    return {
      groups: channels,
      outChannels: channels,
      squares: ones,
      sums: ones,
      power: meanSquare(samples.get(output)!.values),
    };
  };
  const readers = graph.nodes.flatMap((node): Reader[] => {
    if (!node.inputs.includes(tensor)) return [];
    if (node.op === "add") return [unity(node.output)];
    if (node.op !== "conv") return [];
    const perGroup = channels / node.groups;
    const outPerGroup = node.bias.length / node.groups;
    const perOutput = node.weights.length / node.bias.length;
    const squares = new Float64Array(channels);
    const sums = new Float64Array(channels * outPerGroup);
    node.weights.forEach((weight, i) => {
      const k = Math.floor(i / perOutput);
      const channel = Math.floor(k / outPerGroup) * perGroup + (i % perGroup);
      squares[channel] += weight * weight;
      sums[channel * outPerGroup + (k % outPerGroup)] += weight;
    });
    return [
      {
        groups: node.groups,
        outChannels: node.bias.length,
        squares,
        sums,
        power: meanSquare(samples.get(node.output)!.values),
      },
    ];
  });
  return graph.outputs.includes(tensor) ? [...readers, unity(tensor)] : readers;
}

/** Noise of a tensor at an exponent, over all its readers: mean squared error / mean square, summed. */
export function damage(
  { channels, values }: Samples,
  readers: readonly Reader[],
  exponent: number,
  format: Format,
): number {
  const scale = 2 ** exponent;
  const step = 1 / scale;
  const [low, high] = [FORMAT_MIN[format], FORMAT_MAX[format]];
  const pixels = values.length / channels;
  const rounding = new Float64Array(channels);
  const noise = readers.map(() => 0);
  const clipped = new Float64Array(channels);
  const clippedChannels = new Int32Array(channels);
  const sums = readers.map(({ outChannels }) => new Float64Array(outChannels));
  for (let pixel = 0; pixel < pixels; pixel++) {
    let count = 0;
    for (let c = 0; c < channels; c++) {
      const value = values[pixel * channels + c];
      const q = Math.floor(value * scale + 0.5);
      if (q < low || q > high) {
        clipped[c] = value - (q < low ? low : high) * step;
        clippedChannels[count++] = c;
      } else {
        const error = value - q * step;
        rounding[c] += error * error;
      }
    }
    if (count === 0) continue;
    const struck = clippedChannels.subarray(0, count);
    for (let r = 0; r < readers.length; r++) noise[r] += clippingNoise(readers[r], channels, struck, clipped, sums[r]);
  }
  return readers.reduce((sum, { squares, outChannels, power }, r) => {
    const total = squares.reduce((part, square, c) => part + square * rounding[c], noise[r]);
    return sum + total / (pixels * outChannels * power);
  }, 0);
}

/** Squared error in the reader's sums at one pixel, over all output channels. @param errors room for the sums */
function clippingNoise(
  { groups, outChannels, sums }: Reader,
  channels: number,
  clippedChannels: Int32Array,
  clipped: Float64Array,
  errors: Float64Array,
): number {
  const outPerGroup = outChannels / groups;
  errors.fill(0);
  for (let i = 0; i < clippedChannels.length; i++) {
    const c = clippedChannels[i];
    const first = Math.floor((c * groups) / channels) * outPerGroup;
    for (let k = 0; k < outPerGroup; k++) errors[first + k] += sums[c * outPerGroup + k] * clipped[c];
  }
  let sum = 0;
  for (let k = 0; k < outChannels; k++) sum += errors[k] * errors[k];
  return sum;
}

function meanSquare(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return sum / values.length || 1;
}
