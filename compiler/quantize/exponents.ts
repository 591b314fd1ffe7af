/** Choosing power-of-two exponents by the error they make. */
import { clamp, FORMAT_MAX, FORMAT_MIN, type Format } from "../../isa/index.ts";

/** Exponents beyond these are of no use: 8-bit values then stand for less than 2^-24 or more than 2^31. */
const LOWEST = -24;
const HIGHEST = 31;
/** How many exponents above the one that clips nothing are tried. */
const TRIED = 5;

/** Sum of squared errors of rounding the values to a format at an exponent. */
export function squaredError(values: Float32Array, exponent: number, format: Format): number {
  const scale = 2 ** exponent;
  const step = 1 / scale;
  const [low, high] = [FORMAT_MIN[format], FORMAT_MAX[format]];
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const q = Math.floor(values[i] * scale + 0.5);
    const error = (q < low ? low : q > high ? high : q) * step - values[i];
    sum += error * error;
  }
  return sum;
}

/** The exponent with the least squared error; the finest that clips nothing wins when all are equal. */
export function bestExponent(values: Float32Array, format: Format): number {
  const finest = fittingExponent(values, format);
  let best = finest;
  let least = squaredError(values, finest, format);
  for (let exponent = finest + 1; exponent <= Math.min(HIGHEST, finest + TRIED); exponent++) {
    const error = squaredError(values, exponent, format);
    if (error < least) [best, least] = [exponent, error];
  }
  return best;
}

/** The largest exponent at which no value is clipped. */
export function fittingExponent(values: Float32Array, format: Format): number {
  let top = 0;
  for (let i = 0; i < values.length; i++) top = Math.max(top, Math.abs(values[i]));
  if (top === 0) return 7;
  return clamp(Math.floor(Math.log2((FORMAT_MAX[format] + 0.5) / top)), LOWEST, HIGHEST);
}
