/** How weights and shift tables lie in memory: the contract between compiler and machine. */
import type { ShiftEntry } from "./numerics.ts";

/** Bytes per channel in a shift table: int8 bias, int8 bias shift, int8 shift, 0. */
export const SHIFT_ENTRY_BYTES = 4;

/** Extents of a convolution's weights. */
export interface WeightShape {
  readonly outChannels: number;
  readonly kernelY: number;
  readonly kernelX: number;
  /** input channels per group */
  readonly inChannels: number;
}

/**
 * Packs weights [outChannels][kernelY][kernelX][inChannels] into [block of `cols` output channels][row][cols], the last
 * block filled with zeros. Rows are [chunk of `chunk` input channels][kernelY][kernelX][channel in chunk], so that a
 * convolution over one chunk reads rows without gaps. As a tensor: height = blocks, width = rows, channels = cols.
 */
export function packWeights(weights: Int8Array, shape: WeightShape, cols: number, chunk: number): Int8Array {
  const { outChannels, kernelY, kernelX, inChannels } = shape;
  const taps = kernelY * kernelX;
  const rows = taps * inChannels;
  const packed = new Int8Array(Math.ceil(outChannels / cols) * rows * cols);
  for (let k = 0; k < outChannels; k++) {
    const block = Math.floor(k / cols) * rows * cols + (k % cols);
    let row = 0;
    for (let c0 = 0; c0 < inChannels; c0 += chunk) {
      const c1 = Math.min(c0 + chunk, inChannels);
      for (let tap = 0; tap < taps; tap++) {
        const from = (k * taps + tap) * inChannels;
        for (let c = c0; c < c1; c++) packed[block + row++ * cols] = weights[from + c];
      }
    }
  }
  return packed;
}

/** Packs a shift table [channels][4]. As a tensor: height 1, width = channels, channels = 4. */
export function packShiftTable(entries: readonly ShiftEntry[]): Uint8Array {
  const table = new Int8Array(entries.length * SHIFT_ENTRY_BYTES);
  entries.forEach(({ bias, biasShift, shift }, i) => {
    table.set([bias, biasShift, shift, 0], i * SHIFT_ENTRY_BYTES);
  });
  return new Uint8Array(table.buffer);
}
