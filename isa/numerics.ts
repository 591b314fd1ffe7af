/**
 * The arithmetic of the machine: integers with power-of-two scales, one rounding per shift (docs/arithmetic.md).
 * All functions take and give integers that fit a JavaScript number exactly.
 */

/** Element formats of a tensor. i8: -128..127; u8: 0..255; i32: accumulators and the head. */
export const FORMATS = ["i8", "u8", "i32"] as const;
export type Format = (typeof FORMATS)[number];

/** Bytes per element of a format. */
export const FORMAT_BYTES: Readonly<Record<Format, number>> = { i8: 1, u8: 1, i32: 4 };

/** Smallest and largest value of a format. */
export const FORMAT_MIN: Readonly<Record<Format, number>> = { i8: -128, u8: 0, i32: -2147483648 };
export const FORMAT_MAX: Readonly<Record<Format, number>> = { i8: 127, u8: 255, i32: 2147483647 };

/** Range of a shift amount: right by up to 31, left by up to 8. */
export const SHIFT_MIN = -8;
export const SHIFT_MAX = 31;

/** Largest left shift of an operand of `add`: an 8-bit value shifted by 16 leaves room for the sum in int32. */
export const ADD_SHIFT_MAX = 16;

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

export function saturate32(value: number): number {
  return clamp(value, FORMAT_MIN.i32, FORMAT_MAX.i32);
}

/**
 * floor((a + 2^(s-1)) / 2^s) for s > 0: rounds half towards plus infinity; saturate32(a * 2^-s) for s <= 0.
 * a is any integer of magnitude below 2^44, so nothing is lost in a double.
 */
export function roundShift(a: number, s: number): number {
  if (s > 0) return Math.floor((a + 2 ** (s - 1)) / 2 ** s);
  return saturate32(a * 2 ** -s);
}

/** The slope of LeakyReLU as two shifts: 2^-a + 2^-b; b = 0 leaves the second term out. */
export interface LeakySlope {
  readonly a: number;
  readonly b: number;
}

/** The negative side of LeakyReLU on an accumulator: roundShift(v, a) + roundShift(v, b), each rounded. */
export function leaky(value: number, slope: LeakySlope): number {
  if (value >= 0) return value;
  return roundShift(value, slope.a) + (slope.b === 0 ? 0 : roundShift(value, slope.b));
}

/** One output channel's entry in the shift unit's table. */
export interface ShiftEntry {
  /** int8 bias. */
  readonly bias: number;
  /** Left shift that aligns the bias to the accumulator (negative: right, with rounding), -31..23. */
  readonly biasShift: number;
  /** Right shift that brings the accumulator to the output's exponent, -8..31. */
  readonly shift: number;
}

/** The bias aligned to the accumulator. */
export function alignBias(entry: ShiftEntry, inputExponent = 0): number {
  return roundShift(entry.bias, -(entry.biasShift + inputExponent));
}

/** Shift unit: saturate(roundShift(activation(acc + alignedBias), shift)) clamped to low..high. */
export function shiftUnit(
  acc: number,
  entry: ShiftEntry,
  low: number,
  high: number,
  slope: LeakySlope | null = null,
  inputExponent = 0,
  outputExponent = 0,
): number {
  const biased = saturate32(acc + alignBias(entry, inputExponent));
  const activated = slope === null ? biased : leaky(biased, slope);
  const s = clamp(entry.shift + inputExponent - outputExponent, SHIFT_MIN, SHIFT_MAX);
  return clamp(roundShift(activated, s), low, high);
}

/**
 * The 16-bit reciprocal of average pooling: 1 / count is about `factor` * 2^-shift, factor in 2^14..2^15.
 * The one operand wider than 8 bits in the machine. count in 1..65025.
 */
export function reciprocal(count: number): { factor: number; shift: number } {
  const log2 = 31 - Math.clz32(count);
  const shift = 15 + log2;
  return { factor: Math.round(2 ** shift / count), shift };
}

/** Average of `count` elements from their int32 sum: one rounding. |sum| < 2^24, so the product is exact in a double. */
export function average(sum: number, count: number): number {
  const { factor, shift } = reciprocal(count);
  return Math.floor((sum * factor + 2 ** (shift - 1)) / 2 ** shift);
}

/** Residual addition: both operands are brought to the finer exponent, added, and rounded once to the output's. */
export function addShifts(fA: number, fB: number, fOut: number): { a: number; b: number; out: number } {
  const f = Math.max(fA, fB);
  const a = Math.min(f - fA, ADD_SHIFT_MAX);
  const b = Math.min(f - fB, ADD_SHIFT_MAX);
  return { a, b, out: clamp(f - fOut, SHIFT_MIN, SHIFT_MAX) };
}

export function addUnit(a: number, b: number, fA: number, fB: number, fOut: number, low: number, high: number): number {
  const s = addShifts(fA, fB, fOut);
  return clamp(roundShift(a * 2 ** s.a + b * 2 ** s.b, s.out), low, high);
}

/** Bits of an integer's magnitude: 0 for 0, 1 for +-1, 32 for -2^31. */
export function leadingBit(value: number): number {
  return value === 0 ? 0 : 32 - Math.clz32(Math.abs(value));
}

/** Bins of a leading-bit histogram. Bin 0 holds zeros; bin b holds real magnitudes in 2^(b-17)..2^(b-16). */
export const HISTOGRAM_BINS = 33;
export const HISTOGRAM_BIAS = 16;

/** Range unit: the bin of a biased accumulator whose exponent is `exponent` (the channel's table shift + f(in)). */
export function rangeBin(value: number, exponent: number): number {
  if (value === 0) return 0;
  return clamp(leadingBit(value) - exponent + HISTOGRAM_BIAS, 1, HISTOGRAM_BINS - 1);
}

/**
 * The run-time exponent of a tensor: the largest f for which at most total * 2^-clipLog2 values need more than
 * `bits` magnitude bits (7 for i8, 8 for u8) after scaling by 2^f. An all-zero histogram gives `bits` + 15.
 */
export function chooseExponent(histogram: ArrayLike<number>, bits: number, clipLog2: number): number {
  let total = 0;
  for (let bin = 0; bin < HISTOGRAM_BINS; bin++) total += histogram[bin];
  const allowed = Math.floor(total / 2 ** clipLog2);
  let above = 0;
  let top = HISTOGRAM_BINS - 1;
  for (; top > 1; top--) {
    above += histogram[top];
    if (above > allowed) break;
  }
  return bits + HISTOGRAM_BIAS - top;
}
