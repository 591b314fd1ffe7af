/** A network in QDQ form, its scales planned, as a quantized model: the file's integers where the machine can hold them. */
import {
  alignBias,
  clamp,
  FORMAT_MAX,
  FORMAT_MIN,
  type LeakySlope,
  RapError,
  SHIFT_MAX,
  SHIFT_MIN,
} from "../../isa/index.ts";
import type { Activation, ConvNode } from "../graph.ts";
import type { SimpleGraph } from "../passes/index.ts";
import { accumulatorBound, BIAS_SHIFT_MAX, channelWeights, convWith, nearestSlope } from "../quantize/conv.ts";
import { bestExponent } from "../quantize/exponents.ts";
import type { Scales } from "../quantize/scales.ts";
import { clampOf } from "../quantize.ts";
import type { QConv } from "../quantized-model.ts";
import { RESCALE_REMEDY, shortest } from "./linear.ts";
import type { Report } from "./report.ts";

/** What the file says of a convolution's constants. */
export interface StoredConv {
  /** one per output channel; null: not 8-bit integers at power-of-two scales */
  readonly exponents: readonly number[] | null;
  /** real values; float32 would not hold every int32 */
  readonly bias: ArrayLike<number>;
}

export interface BuildContext {
  readonly graph: SimpleGraph;
  readonly scales: Scales;
  /** by convolution; without: made from something else than a convolution, or changed since */
  readonly stored: ReadonlyMap<string, StoredConv>;
  readonly place: string;
  readonly rescale: boolean;
  readonly report: Report;
}

const ACC_EXPONENT_MAX = 64;

/** @throws RapError naming the layer and the channel whose numbers do not fit the machine */
export function buildConv(node: ConvNode, context: BuildContext): QConv {
  const { scales, place } = context;
  const { name, inputs, output, activation } = node;
  const [input] = inputs;
  const format = scales.format(output);
  const fail = (message: string): never => {
    throw new RapError(`${place}: ${name}: ${message}`);
  };
  const inputExponent = scales.exponent(input);
  const exponents = weightExponents(node, context, fail);
  const channels = node.bias.length;
  const weights = new Int8Array(node.weights.length);
  const perOutput = weights.length / channels;
  const shift = new Int8Array(channels);
  const accExponents = new Int8Array(channels);
  for (let k = 0; k < channels; k++) {
    const scale = 2 ** exponents[k];
    channelWeights(node, k).forEach((value, i) => {
      weights[k * perOutput + i] = clamp(Math.floor(value * scale + 0.5), -128, 127);
    });
    const accExponent = exponents[k] + inputExponent;
    if (Math.abs(accExponent) > ACC_EXPONENT_MAX)
      fail(`output channel ${k}: its accumulators' scale 2^${-accExponent} is not in 2^-64..2^64`);
    accExponents[k] = accExponent;
    shift[k] = format === "i32" ? 0 : accExponent - scales.channelExponent(output, k);
    if (shift[k] < SHIFT_MIN || shift[k] > SHIFT_MAX)
      fail(`output channel ${k}: shift ${shift[k]} is not in ${SHIFT_MIN}..${SHIFT_MAX}; its scales lie too far apart`);
  }
  const { bias, biasShift } = quantizeBiases(node, accExponents, context, fail);
  const magnitude = scales.format(input) === "u8" ? FORMAT_MAX.u8 : -FORMAT_MIN.i8;
  for (let k = 0; k < channels; k++) {
    const entry = { bias: bias[k], biasShift: biasShift[k], shift: shift[k] };
    if (accumulatorBound(weights.subarray(k * perOutput, (k + 1) * perOutput), magnitude, entry) >= 2 ** 31)
      fail(`output channel ${k} can overflow a 32-bit accumulator; quantize its weights with a larger scale`);
  }
  const slope = slopeOf(activation, context, name, fail);
  return convWith(node, { weights, bias, biasShift, shift, accExponents, ...bounds(node, context, fail), slope });
}

type Fail = (message: string) => never;

/** The weights' exponent for each output channel. */
function weightExponents(node: ConvNode, context: BuildContext, fail: Fail): number[] {
  const { scales, stored, rescale, report } = context;
  const { name, inputs, output } = node;
  const format = scales.format(output);
  const file = stored.get(name)?.exponents ?? null;
  let rescaled = false;
  const exponents = Array.from(node.bias, (_, k) => {
    const values = channelWeights(node, k);
    // exponents at which the shift is encodable
    const toShift = format === "i32" ? 0 : scales.channelExponent(output, k) - scales.exponent(inputs[0]);
    const [lowest, highest] =
      format === "i32" ? [-ACC_EXPONENT_MAX, ACC_EXPONENT_MAX] : [toShift + SHIFT_MIN, toShift + SHIFT_MAX];
    if (values.every((value) => value === 0)) {
      // nothing but the bias, which takes most of the accumulator's 31 bits
      const bias = Math.abs(stored.get(name)?.bias[k] ?? node.bias[k]);
      const forBias = bias === 0 ? 0 : Math.floor(28 - Math.log2(bias)) - scales.exponent(inputs[0]);
      return clamp(file?.[k] ?? forBias, lowest, highest);
    }
    if (file !== null) return file[k];
    const exact = exactExponents(values);
    // the finest: a slope is rounded at the accumulators' scale
    if (exact !== null) return clamp(highest, exact.coarsest, exact.finest);
    if (!rescale) fail(`its weights are not int8 at power-of-two scales (output channel ${k}); ${RESCALE_REMEDY}`);
    rescaled = true;
    return clamp(bestExponent(values, "i8"), lowest, highest);
  });
  if (rescaled) {
    const perOutput = node.weights.length / node.bias.length;
    report.values("weights", name, node.weights, (value, i) => {
      const scale = 2 ** exponents[Math.floor(i / perOutput)];
      return clamp(Math.floor(value * scale + 0.5), -128, 127) / scale;
    });
  }
  return exponents;
}

/** The exponents at which values are int8 integers; null when there are none. */
function exactExponents(values: Float32Array): { coarsest: number; finest: number } | null {
  let coarsest = -Infinity;
  let finest = Infinity;
  for (const value of values) {
    if (value === 0) continue;
    const { odd, exponent } = oddTimesPower(value);
    if (odd < -128 || odd > 127) return null;
    coarsest = Math.max(coarsest, -exponent);
    let room = 0;
    while (odd * 2 ** (room + 1) <= 127 && odd * 2 ** (room + 1) >= -128) room++;
    finest = Math.min(finest, room - exponent);
  }
  return coarsest <= finest ? { coarsest, finest } : null;
}

/** value = odd * 2^exponent, for any finite value but 0. */
function oddTimesPower(value: number): { odd: number; exponent: number } {
  let odd = value;
  let exponent = 0;
  for (; !Number.isInteger(odd); exponent--) odd *= 2;
  for (; odd % 2 === 0; exponent++) odd /= 2;
  return { odd, exponent };
}

interface Biases {
  readonly bias: Int8Array;
  readonly biasShift: Int8Array;
}

/** Biases as eight bits and a shift each. */
function quantizeBiases(node: ConvNode, accExponents: Int8Array, context: BuildContext, fail: Fail): Biases {
  const { stored, rescale, report } = context;
  const reals = stored.get(node.name)?.bias ?? node.bias;
  const bias = new Int8Array(reals.length);
  const biasShift = new Int8Array(reals.length);
  let rescaled = false;
  for (let k = 0; k < reals.length; k++) {
    const aligned = reals[k] * 2 ** accExponents[k];
    let shift = 0;
    while (shift < BIAS_SHIFT_MAX && !fits(aligned / 2 ** shift)) shift++;
    const integer = Math.floor(aligned / 2 ** shift + 0.5);
    if (!fits(integer))
      fail(`output channel ${k}: bias ${reals[k]} is too large for its accumulators' scale 2^${-accExponents[k]}`);
    if (integer * 2 ** shift !== aligned) {
      const what = `bias ${reals[k]} of output channel ${k} is ${aligned} accumulator units, which is not 8 bits and a shift`;
      if (!rescale) fail(`${what}; round such biases: rapsim quantize --rescale`);
      rescaled = true;
    }
    [bias[k], biasShift[k]] = [integer, shift];
  }
  if (rescaled) {
    const moved = (_: number, k: number) =>
      alignBias({ bias: bias[k], biasShift: biasShift[k], shift: 0 }) * 2 ** -accExponents[k];
    report.values("biases", node.name, reals, moved);
  }
  return { bias, biasShift };
}

/** Rounded, it is an int8. */
function fits(value: number): boolean {
  const rounded = Math.floor(value + 0.5);
  return rounded >= -128 && rounded <= 127;
}

/** The shift unit's clamp. */
function bounds(
  { activation, output, bias }: ConvNode,
  { scales }: BuildContext,
  fail: Fail,
): { low: number; high: number } {
  const clampAt = (k: number) => clampOf(activation, scales.format(output), scales.channelExponent(output, k));
  const first = clampAt(0);
  if (bias.some((_, k) => clampAt(k).low !== first.low || clampAt(k).high !== first.high))
    fail("a Clip before channels of several scales; their bounds are different integers");
  return first;
}

/** LeakyReLU's slope as two shifts. */
function slopeOf(
  { slope, low }: Activation,
  { rescale, report }: BuildContext,
  name: string,
  fail: Fail,
): LeakySlope | null {
  if (slope === 1 || low >= 0) return null;
  for (let a = 1; a <= 31; a++) {
    for (let b = 0; b <= 31; b = b === 0 ? a + 1 : b + 1) {
      if (2 ** -a + (b === 0 ? 0 : 2 ** -b) === slope) return { a, b };
    }
  }
  const nearest = nearestSlope(slope);
  if (!rescale)
    fail(
      `slope ${shortest(slope)} is not 2^-a or 2^-a + 2^-b; take one of them, or the nearest: rapsim quantize --rescale`,
    );
  const value = 2 ** -nearest.a + (nearest.b === 0 ? 0 : 2 ** -nearest.b);
  report.values("slope", name, [slope], () => value);
  return nearest;
}
