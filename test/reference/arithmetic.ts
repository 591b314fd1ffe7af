/**
 * The scalar arithmetic of docs/arithmetic.md, written from that page. This folder imports nothing of rapsim: it decides
 * what is right. Its functions prefer being obvious to being fast.
 */

const INT32_MIN = -2147483648;
const INT32_MAX = 2147483647;

/** 2^n from a table, since `**` is slow; n in -128..128. */
const POWERS = Array.from({ length: 257 }, (_, i) => 2 ** (i - 128));
const pow2 = (n: number): number => POWERS[n + 128];

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}

/** Section 1: a real value as an integer with exponent f. */
export function quantize(real: number, f: number, low: number, high: number): number {
  return clamp(Math.floor(real * 2 ** f + 0.5), low, high);
}

/** Section 2. */
export function roundShift(a: number, s: number): number {
  if (s > 0) return Math.floor((a + pow2(s - 1)) / pow2(s));
  return clamp(a * pow2(-s), INT32_MIN, INT32_MAX);
}

/** Section 4: the bias aligned to the accumulator; section 8 adds the input's run-time exponent. */
export function alignBias(bias: number, biasShift: number, fIn = 0): number {
  return roundShift(bias, -(biasShift + fIn));
}

/** Section 5: LeakyReLU on a biased accumulator. */
export function leaky(value: number, a: number, b: number): number {
  if (value >= 0) return value;
  if (b === 0) return roundShift(value, a);
  return roundShift(value, a) + roundShift(value, b);
}

/** Section 4: an i32 output, the biased accumulator. */
export function shiftUnitWide(acc: number, bias: number, biasShift: number, fIn = 0): number {
  return clamp(acc + alignBias(bias, biasShift, fIn), INT32_MIN, INT32_MAX);
}

/** Section 4 with section 8's registers; leakyA = 0 means no LeakyReLU. */
export function shiftUnit(
  acc: number,
  bias: number,
  biasShift: number,
  shift: number,
  low: number,
  high: number,
  leakyA = 0,
  leakyB = 0,
  fIn = 0,
  fOut = 0,
): number {
  const biased = shiftUnitWide(acc, bias, biasShift, fIn);
  const activated = leakyA === 0 ? biased : leaky(biased, leakyA, leakyB);
  return clamp(roundShift(activated, clamp(shift + fIn - fOut, -8, 31)), low, high);
}

/** Section 6: [factor, shift] with 1 / n about factor * 2^-shift. */
export function reciprocal(n: number): [factor: number, shift: number] {
  let log2 = 0;
  while (2 ** (log2 + 1) <= n) log2++;
  const shift = 15 + log2;
  return [Math.floor(2 ** shift / n + 0.5), shift];
}

/** Section 6: the mean of n elements from their sum. */
export function average(sum: number, n: number): number {
  const [factor, shift] = reciprocal(n);
  return Math.floor((sum * factor + 2 ** (shift - 1)) / 2 ** shift);
}

/** Section 6: addition of two elements. */
export function add(a: number, b: number, fA: number, fB: number, fOut: number, low: number, high: number): number {
  const f = Math.max(fA, fB);
  const shiftA = Math.min(f - fA, 16);
  const shiftB = Math.min(f - fB, 16);
  const shift = clamp(f - fOut, -8, 31);
  return clamp(roundShift(a * 2 ** shiftA + b * 2 ** shiftB, shift), low, high);
}

/** Section 6: one element brought to another exponent. */
export function copy(value: number, fIn: number, fOut: number, low: number, high: number): number {
  return clamp(roundShift(value, clamp(fIn - fOut, -8, 31)), low, high);
}

/** Section 8: bits of the magnitude. */
export function leadingBit(value: number): number {
  let bits = 0;
  while (2 ** bits <= Math.abs(value)) bits++;
  return bits;
}

/** Section 8: the histogram bin of a biased accumulator with exponent e. */
export function rangeBin(value: number, e: number): number {
  return value === 0 ? 0 : clamp(leadingBit(value) - e + 16, 1, 32);
}

/** Section 8: the largest exponent at which at most total / 2^clipLog2 values do not fit `bits` magnitude bits. */
export function chooseExponent(bins: ArrayLike<number>, bits: number, clipLog2: number): number {
  let total = 0;
  for (let bin = 0; bin <= 32; bin++) total += bins[bin];
  const allowed = Math.floor(total / 2 ** clipLog2);
  let f = bits + 15;
  for (; f > bits - 16; f--) {
    let tooLarge = 0;
    for (let bin = 1; bin <= 32; bin++) if (bin - 16 + f > bits) tooLarge += bins[bin];
    if (tooLarge <= allowed) break;
  }
  return f;
}
