/**
 * Rounding weights so that their errors cancel in the sums they go into. Rounding each to the nearest integer is best only where
 * inputs are independent; a photograph's neighbours are not, so an error in one weight can be made good by another.
 *
 * The mean square error of an output channel's sums is e^T H e, with e the errors of its weights and H the second moments of its
 * inputs. It is lowered by cyclic coordinate descent over the integers: each weight in turn takes the integer that is best
 * while the others stay. (Nagel et al. 2020, Up or down? say why; Behdin et al. 2023, QuantEase, descend like this.)
 */
import { clamp } from "../../isa/index.ts";
import type { Block } from "./moments.ts";

/** Times each weight has its turn. */
const ROUNDS = 2;
/** Part of the mean moment added to each input's own: what synthetic pictures do not show is not taken for impossible. */
const DAMPING = 0.01;

/** To nearest: out = float * 2^exponent. */
export function roundToNearest(float: Float32Array, exponent: number, out: Int8Array): void {
  const scale = 2 ** exponent;
  for (let i = 0; i < out.length; i++) out[i] = clamp(Math.floor(float[i] * scale + 0.5), -128, 127);
}

/** All weights of an output channel: to nearest, then each block of its group lowers the error in the sums. */
export function roundByMoments(float: Float32Array, exponent: number, blocks: readonly Block[], out: Int8Array): void {
  roundToNearest(float, exponent, out);
  const scale = 2 ** exponent;
  for (const block of blocks) descend(float, scale, block, out);
}

function descend(float: Float32Array, scale: number, { columns, sums }: Block, out: Int8Array): void {
  const count = columns.length;
  let mean = 0;
  for (let i = 0; i < count; i++) mean += sums[i * (count + 1)] / count;
  // of inputs that are always zero nothing is known
  if (!(mean > 0)) return;
  const damping = DAMPING * mean;
  // half the slope of the error along each weight: H e
  const slope = new Float64Array(count);
  const move = (i: number, by: number) => {
    const row = i * count;
    for (let j = 0; j < count; j++) slope[j] += by * sums[row + j];
    slope[i] += by * damping;
  };
  const errors = Float64Array.from(columns, (column) => out[column] - float[column] * scale);
  // four rows at a time pass over the slopes once
  const whole = count - (count % 4);
  for (let i = 0; i < whole; i += 4) {
    const [e0, e1, e2, e3] = errors.subarray(i, i + 4);
    const [r0, r1, r2, r3] = [i * count, (i + 1) * count, (i + 2) * count, (i + 3) * count];
    for (let j = 0; j < count; j++)
      slope[j] = slope[j] + e0 * sums[r0 + j] + e1 * sums[r1 + j] + e2 * sums[r2 + j] + e3 * sums[r3 + j];
    for (let k = 0; k < 4; k++) slope[i + k] += errors[i + k] * damping;
  }
  for (let i = whole; i < count; i++) move(i, errors[i]);
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < count; i++) {
      const now = out[columns[i]];
      const best = clamp(Math.floor(now - slope[i] / (sums[i * (count + 1)] + damping) + 0.5), -128, 127);
      if (best === now) continue;
      out[columns[i]] = best;
      move(i, best - now);
    }
  }
}
