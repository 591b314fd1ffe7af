/** How alike two sets of values are, element by element. The reference comes first; both have the same length. */

/**
 * Cosine of the angle between the two as vectors, r·a / (|r| |a|), -1..1; 1: same direction. Blind to a common factor.
 * Two vectors of zeros are alike (1), one of them is like nothing (0). Source: Salton and McGill 1983, cosine coefficient.
 */
export function cosineSimilarity(reference: Float32Array, actual: Float32Array): number {
  let [dot, rr, aa] = [0, 0, 0];
  for (let i = 0; i < reference.length; i++) {
    dot += reference[i] * actual[i];
    rr += reference[i] * reference[i];
    aa += actual[i] * actual[i];
  }
  if (rr === 0 || aa === 0) return rr === aa ? 1 : 0;
  // two roots, since the product of two sums of squares may underflow; rounding may not lead beyond 1
  return Math.max(-1, Math.min(1, dot / Math.sqrt(rr) / Math.sqrt(aa)));
}

/** Root mean square error, in the unit of the values: sqrt(mean of (r - a)^2). Of no values 0. */
export function rmse(reference: Float32Array, actual: Float32Array): number {
  return Math.sqrt(squaredError(reference, actual) / (reference.length || 1));
}

/**
 * Signal to quantization noise ratio in dB: 10 log10(sum of r^2 / sum of (r - a)^2). No error: Infinity; an error where the
 * reference is all zero: -Infinity. Source: Bennett 1948, Spectra of quantized signals.
 */
export function sqnrDb(reference: Float32Array, actual: Float32Array): number {
  let signal = 0;
  for (let i = 0; i < reference.length; i++) signal += reference[i] * reference[i];
  return decibels(signal, squaredError(reference, actual));
}

/** 10 log10(signal / noise) of two powers; no noise: Infinity. */
export function decibels(signal: number, noise: number): number {
  return noise === 0 ? Infinity : 10 * Math.log10(signal / noise);
}

function squaredError(reference: Float32Array, actual: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < reference.length; i++) sum += (reference[i] - actual[i]) ** 2;
  return sum;
}
