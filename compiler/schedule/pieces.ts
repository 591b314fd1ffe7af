/** How a convolution's box in one stripe is cut into instructions: output-channel groups, rectangles of pixels, input chunks. */
import { ARRAY_PASSES, accumulatorRows, type Machine, type Packing } from "../../isa/index.ts";
import type { QConv } from "../quantized-model.ts";

export interface Pieces {
  /** blocks of array.cols output channels per instruction */
  readonly blocks: number;
  /** pixels per instruction */
  readonly rows: number;
  readonly cols: number;
  readonly instructions: number;
  /** of the array, over the box */
  readonly cycles: number;
}

/** An instruction costs issue, two views, and the unevenness of its neighbours. */
const CYCLES_PER_INSTRUCTION = 12;

/** Array passes for one block of output channels over all input channels. */
export function passesPerBlock(conv: QConv, machine: Machine, packing: Packing): number {
  const { "array.rows": rows, "array.cols": cols } = machine.parameters;
  const groupIn = conv.weights.length / (conv.bias.length * conv.kernel[0] * conv.kernel[1]);
  const groupOut = conv.bias.length / conv.groups;
  const channels = groupIn * Math.min(conv.groups, Math.ceil(cols / groupOut));
  return ARRAY_PASSES[packing](conv.kernel[0], conv.kernel[1], channels, rows);
}

/**
 * The cut with least time: half of the accumulators for one instruction, so that the shift unit empties the other half meanwhile.
 * @param maxBlocks limit on blocks per instruction, from the weights that fit
 */
export function cutBox(
  conv: QConv,
  height: number,
  width: number,
  maxBlocks: number,
  machine: Machine,
  packing: Packing,
): Pieces {
  const { "array.rows": arrayRows, "array.cols": arrayCols } = machine.parameters;
  const half = Math.max(1, Math.floor(accumulatorRows(machine) / 2));
  const total = Math.ceil(conv.bias.length / arrayCols);
  const passes = passesPerBlock(conv, machine, packing);
  const cols = Math.ceil(width / Math.ceil(width / half));
  const across = Math.ceil(width / cols);
  let best: Pieces | null = null;
  let before = 0;
  for (let n = 1; n <= height; n++) {
    const rows = Math.ceil(height / n);
    if (rows === before || rows * cols > half) continue;
    before = rows;
    const fitting = Math.min(total, maxBlocks, Math.floor(half / (rows * cols)));
    const blocks = Math.ceil(total / Math.ceil(total / fitting));
    const down = Math.ceil(height / rows);
    const instructions = Math.ceil(total / blocks) * down * across;
    const pixels = (px: number) => Math.max(px, arrayRows);
    const lastRows = height - (down - 1) * rows;
    const cycles =
      total * passes * across * ((down - 1) * pixels(rows * cols) + pixels(lastRows * cols)) +
      CYCLES_PER_INSTRUCTION * instructions;
    if (best === null || cycles < best.cycles) best = { blocks, rows, cols, instructions, cycles };
    if (rows === 1) break;
  }
  return best!;
}

/** Input channels per instruction and blocks per weight buffer, so that streamed weights take at most `bytes`. */
export function streamedWeights(conv: QConv, bytes: number, machine: Machine): { maxBlocks: number; chunk: number } {
  const { "array.rows": arrayRows, "array.cols": arrayCols } = machine.parameters;
  const taps = conv.kernel[0] * conv.kernel[1];
  const groupIn = conv.weights.length / (conv.bias.length * taps);
  const block = groupIn * taps * arrayCols;
  if (block <= bytes || conv.groups > 1) return { maxBlocks: Math.max(1, Math.floor(bytes / block)), chunk: groupIn };
  const fitting = Math.max(1, Math.floor(bytes / (taps * arrayCols)));
  const even = Math.ceil(groupIn / Math.ceil(groupIn / fitting));
  return { maxBlocks: 1, chunk: Math.min(fitting, Math.ceil(even / arrayRows) * arrayRows) };
}
