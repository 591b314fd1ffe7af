/** A float convolution to int8: weights, bias, shifts, and the proof that its accumulators hold. */
import { alignBias, clamp, type LeakySlope, RapError, SHIFT_MAX, SHIFT_MIN } from "../../isa/index.ts";
import type { ConvNode } from "../graph.ts";
import type { QConv } from "../quantized-model.ts";
import { bestExponent } from "./exponents.ts";
import type { Block } from "./moments.ts";
import { MomentRounding } from "./round-weights.ts";

/** Range of QConv.biasShift. */
export const BIAS_SHIFT_MIN = -31;
export const BIAS_SHIFT_MAX = 23;
/** Range of an accumulator's exponent, as files store it. */
const ACC_EXPONENT_MAX = 64;

export interface QuantizedWeights {
  readonly weights: Int8Array;
  readonly bias: Int8Array;
  readonly biasShift: Int8Array;
  readonly shift: Int8Array;
  readonly accExponents: Int8Array;
}

/** What a convolution has as integers: all but its shape and its place in the network. */
type ConvIntegers = Pick<QConv, keyof QuantizedWeights | "low" | "high" | "slope">;

/** The float convolution with integers. */
export function convWith(node: ConvNode, integers: ConvIntegers): QConv {
  const { name, inputs, output, kernel, stride, dilation, pads, groups } = node;
  return { op: "conv", name, inputs: [inputs[0]], output, kernel, stride, dilation, pads, groups, ...integers };
}

/** Weights of output channel k. */
export function channelWeights(node: ConvNode, k: number): Float32Array {
  const perOutput = node.weights.length / node.bias.length;
  return node.weights.subarray(k * perOutput, (k + 1) * perOutput);
}

/**
 * @param inputExponent f of the input tensor
 * @param inputMagnitude largest magnitude of an input integer: 128 for i8, 255 for u8
 * @param outputExponent f of an output channel; null: the accumulators themselves are the output
 * @param blocks moments of the input; without them weights are rounded to the nearest integer
 * @throws RapError when no exponent fits
 */
export function quantizeConv(
  node: ConvNode,
  inputExponent: number,
  inputMagnitude: number,
  outputExponent: ((channel: number) => number) | null,
  blocks: readonly Block[] = [],
): QuantizedWeights {
  const channels = node.bias.length;
  const perOutput = node.weights.length / channels;
  const result = {
    weights: new Int8Array(node.weights.length),
    bias: new Int8Array(channels),
    biasShift: new Int8Array(channels),
    shift: new Int8Array(channels),
    accExponents: new Int8Array(channels),
  };
  const rounding = new MomentRounding(blocks);
  for (let k = 0; k < channels; k++) {
    const float = channelWeights(node, k);
    const target = outputExponent?.(k) ?? null;
    // accumulator exponents at which the shift is encodable
    const lowest = target === null ? -ACC_EXPONENT_MAX : Math.max(-ACC_EXPONENT_MAX, target + SHIFT_MIN);
    const highest = target === null ? ACC_EXPONENT_MAX : Math.min(ACC_EXPONENT_MAX, target + SHIFT_MAX);
    const weights = result.weights.subarray(k * perOutput, (k + 1) * perOutput);
    let accExponent = clamp(bestExponent(float, "i8") + inputExponent, lowest, highest);
    for (; ; accExponent--) {
      if (accExponent < lowest) {
        throw new RapError(
          `${node.name}: output channel ${k} overflows a 32-bit accumulator at every weight exponent; its bias ${node.bias[k]} is too large for its weights`,
        );
      }
      const bias = quantizeBias(node.bias[k], accExponent);
      if (bias === null) continue;
      const group = Math.floor((k * node.groups) / channels);
      rounding.round(float, accExponent - inputExponent, group, weights);
      const shift = target === null ? 0 : accExponent - target;
      result.bias[k] = bias.bias;
      result.biasShift[k] = bias.biasShift;
      result.shift[k] = shift;
      result.accExponents[k] = accExponent;
      if (accumulatorBound(weights, inputMagnitude, { ...bias, shift }) < 2 ** 31) break;
    }
  }
  return result;
}

/**
 * The largest magnitude a channel's accumulator can take on the way: every partial sum of products, in any order, plus the
 * aligned bias, plus the addend that rounds. Below 2^31 nothing can overflow.
 */
export function accumulatorBound(
  weights: Int8Array,
  inputMagnitude: number,
  entry: { bias: number; biasShift: number; shift: number },
): number {
  let sum = 0;
  for (const weight of weights) sum += Math.abs(weight);
  const rounding = entry.shift > 0 ? 2 ** (entry.shift - 1) : 0;
  return sum * inputMagnitude + Math.abs(alignBias(entry)) + rounding;
}

/** The bias at the finest exponent that holds it in 8 bits and can be aligned to the accumulator; null when none can. */
function quantizeBias(bias: number, accExponent: number): { bias: number; biasShift: number } | null {
  const finest = bias === 0 ? accExponent : bestExponent(Float32Array.of(bias), "i8");
  // 127.5 is as far from 127 as from 128: there the finest exponent is one too fine
  for (const exponent of [finest, finest - 1]) {
    const biasShift = clamp(accExponent - exponent, BIAS_SHIFT_MIN, BIAS_SHIFT_MAX);
    const integer = Math.floor(bias * 2 ** (accExponent - biasShift) + 0.5);
    if (integer >= -128 && integer <= 127) return { bias: integer, biasShift };
  }
  return null;
}

/** The two shifts whose sum 2^-a + 2^-b (or 2^-a alone: b = 0) is nearest to a slope in (0, 1). */
export function nearestSlope(slope: number): LeakySlope {
  let best: LeakySlope = { a: 1, b: 0 };
  let least = Infinity;
  for (let a = 1; a <= 15; a++) {
    for (const b of [0, ...Array.from({ length: 16 - a }, (_, i) => a + i)]) {
      const error = Math.abs(2 ** -a + (b === 0 ? 0 : 2 ** -b) - slope);
      if (error < least) [best, least] = [{ a, b }, error];
    }
  }
  return best;
}
