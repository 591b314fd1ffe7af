/** Choosing power-of-two exponents by the error they make. */
import { clamp, FORMAT_MAX, FORMAT_MIN, type Format } from "../../isa/index.ts";

/** Exponents beyond these are of no use: 8-bit values then stand for less than 2^-32 or more than 2^31. */
const LOWEST = -24;
const HIGHEST = 32;
/** How many exponents above the one that clips nothing are tried. */
const TRIED = 5;
/** For values that are all zero: any does. */
const OF_ZEROS = 7;

/** Exponents worth trying for values of a format, coarsest first: that one clips nothing. */
export function candidates(parts: readonly Float32Array[], format: Format): number[] {
  let top = 0;
  for (const values of parts) for (let i = 0; i < values.length; i++) top = Math.max(top, Math.abs(values[i]));
  if (top === 0) return [OF_ZEROS];
  const fitting = clamp(Math.floor(Math.log2((FORMAT_MAX[format] + 0.5) / top)), LOWEST, HIGHEST);
  return Array.from({ length: Math.min(TRIED, HIGHEST - fitting) + 1 }, (_, i) => fitting + i);
}

/** The exponent with the least squared error; of equals the coarsest. */
export function bestExponent(values: Float32Array, format: Format): number {
  let best = 0;
  let least = Infinity;
  for (const exponent of candidates([values], format)) {
    const error = squaredError(values, exponent, format, least);
    if (error < least) [best, least] = [exponent, error];
  }
  return best;
}

/** Sum of squared errors of rounding the values to a format at an exponent; beyond `enough` it need not be exact. */
function squaredError(values: Float32Array, exponent: number, format: Format, enough: number): number {
  const scale = 2 ** exponent;
  const step = 1 / scale;
  const [low, high] = [FORMAT_MIN[format], FORMAT_MAX[format]];
  let sum = 0;
  for (let i = 0; i < values.length && sum < enough; i++) {
    const q = Math.floor(values[i] * scale + 0.5);
    const error = (q < low ? low : q > high ? high : q) * step - values[i];
    sum += error * error;
  }
  return sum;
}
