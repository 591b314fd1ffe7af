/**
 * Rounding weights so that their errors cancel in the sums they go into. Rounding each to the nearest integer is best only where
 * inputs are independent; a photograph's neighbours are not, so an error in one weight can be made good by another.
 *
 * The mean square error of an output channel's sums is e^T H e, with e the errors of its weights and H the second moments of its
 * inputs. It is lowered by cyclic coordinate descent over the integers: each weight in turn takes the integer that is best
 * while the others stay. (Nagel et al. 2020, Up or down? say why; Behdin et al. 2023, QuantEase, descend like this.)
 */
import { clamp } from "../../isa/index.ts";
import { FLOAT_KERNEL_DATA, type FloatKernels, floatKernels } from "../float/kernels.ts";
import { padded, writeMatrix } from "./kernel-matrix.ts";
import type { Block } from "./moments.ts";

/** Times each weight has its turn. */
const ROUNDS = 2;
/** Part of the mean moment added to each input's own: what synthetic pictures do not show is not taken for impossible. */
const DAMPING = 0.01;

/** A block whose sums, padded, begin at address `at`. */
interface PlacedBlock extends Block {
  readonly at: number;
}

/** To nearest: out = float * 2^exponent. */
export function roundToNearest(float: Float32Array, exponent: number, out: Int8Array): void {
  const scale = 2 ** exponent;
  for (let i = 0; i < out.length; i++) out[i] = clamp(Math.floor(float[i] * scale + 0.5), -128, 127);
}

/**
 * Rounds the output channels of one convolution. The blocks' moments lie in the float kernels' memory meanwhile: nothing else may
 * use that before the last channel is done.
 */
export class MomentRounding {
  private readonly blocks: readonly PlacedBlock[];
  private readonly kernels: FloatKernels;
  /** Addresses of [column] f64: half the slope of the error along each weight, and the errors of the weights. */
  private readonly slopeAt = FLOAT_KERNEL_DATA;
  private readonly errorsAt: number;

  constructor(blocks: readonly Block[]) {
    const widest = blocks.reduce((most, { columns }) => Math.max(most, padded(columns.length)), 0);
    this.errorsAt = this.slopeAt + widest * 8;
    let end = this.errorsAt + widest * 8;
    const placed = blocks.map((block) => {
      const at = end;
      end += padded(block.columns.length) ** 2 * 4;
      return { ...block, at };
    });
    this.kernels = floatKernels(end - FLOAT_KERNEL_DATA);
    for (const { columns, sums, at } of placed) {
      const count = columns.length;
      writeMatrix(sums, count, new Float32Array(this.kernels.memory.buffer, at, padded(count) ** 2));
    }
    this.blocks = placed;
  }

  /** All weights of an output channel: to nearest, then each block of its group lowers the error in the sums. */
  round(float: Float32Array, exponent: number, group: number, out: Int8Array): void {
    roundToNearest(float, exponent, out);
    const scale = 2 ** exponent;
    for (const block of this.blocks) if (block.group === group) this.descend(float, scale, block, out);
  }

  private descend(float: Float32Array, scale: number, { columns, sums, at }: PlacedBlock, out: Int8Array): void {
    const { kernels, slopeAt, errorsAt } = this;
    const count = columns.length;
    const pitch = padded(count);
    let mean = 0;
    for (let i = 0; i < count; i++) mean += sums[i * (count + 1)] / count;
    // of inputs that are always zero nothing is known
    if (!(mean > 0)) return;
    const damping = DAMPING * mean;
    const slope = new Float64Array(kernels.memory.buffer, slopeAt, pitch);
    const errors = new Float64Array(kernels.memory.buffer, errorsAt, pitch).fill(0);
    for (let i = 0; i < count; i++) errors[i] = out[columns[i]] - float[columns[i]] * scale;
    kernels.slopes(slopeAt, at, pitch, errorsAt, damping);
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < count; i++) {
        const now = out[columns[i]];
        const best = clamp(Math.floor(now - slope[i] / (sums[i * (count + 1)] + damping) + 0.5), -128, 127);
        if (best === now) continue;
        out[columns[i]] = best;
        kernels.addRow(slopeAt, at + i * pitch * 4, pitch, best - now);
        slope[i] += (best - now) * damping;
      }
    }
  }
}
