/** How alike the distributions of two sets of values are. */

/** Fewer than the 256 integers of 8 bits, so that rounding alone leaves no bin empty. */
const BINS = 64;
/** Added to every bin: without it an empty bin would make the divergence infinite (Krichevsky and Trofimov 1981). */
const PSEUDOCOUNT = 0.5;

/**
 * Kullback-Leibler divergence of the value histograms in nats: sum of p ln(p / q), p of the reference, q of the actual values;
 * 0: equal histograms. 64 bins of equal width from the smallest to the largest value of both sets; half a count is added to each
 * bin of each. Blind to which element has which value; sees clipping as a heap in the last bin.
 * Sources: Kullback and Leibler 1951; used to choose clipping by Migacz 2017, 8-bit inference with TensorRT.
 */
export function klDivergence(reference: Float32Array, actual: Float32Array): number {
  let [low, high] = [Infinity, -Infinity];
  for (const values of [reference, actual]) {
    for (let i = 0; i < values.length; i++) {
      if (values[i] < low) low = values[i];
      if (values[i] > high) high = values[i];
    }
  }
  if (!(high > low)) return 0;
  const p = histogram(reference, low, high);
  const q = histogram(actual, low, high);
  const total = reference.length + PSEUDOCOUNT * BINS;
  return Math.max(
    0,
    p.reduce((sum, count, i) => sum + (count / total) * Math.log(count / q[i]), 0),
  );
}

function histogram(values: Float32Array, low: number, high: number): Float64Array {
  const counts = new Float64Array(BINS).fill(PSEUDOCOUNT);
  const perUnit = BINS / (high - low);
  for (let i = 0; i < values.length; i++) counts[Math.min(BINS - 1, Math.floor((values[i] - low) * perUnit))]++;
  return counts;
}
