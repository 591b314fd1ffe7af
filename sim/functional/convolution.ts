/** conv: a widened input patch, packed weights, and one kernel call per block of output channels. */
import {
  accumulatorRegion,
  type Box,
  clamp,
  FORMAT_BYTES,
  type InstructionOf,
  inputChannels,
  inputWindow,
  type ProgramTensor,
} from "../../isa/index.ts";
import { boxExtents, type Chip, isUnsigned, planeAt, type Step, type WorkSite } from "./chip.ts";
import type { PackedWeights } from "./weight-cache.ts";

const INT16_BYTES = 2;

/** The input window of a tile: rows y0..y1 - 1 and columns x0..x1 - 1 of it are the tensor's, the others padding. */
interface Patch {
  readonly height: number;
  readonly width: number;
  readonly y0: number;
  readonly y1: number;
  readonly x0: number;
  readonly x1: number;
  /** Tensor coordinates of its first element that is not padding. */
  readonly originY: number;
  readonly originX: number;
}

/** One block of `array.cols` output channels of a tile. */
interface Block {
  /** Addresses of its accumulators, of the first input element, and of its weight rows. */
  readonly accumulators: number;
  readonly input: number;
  readonly weights: number;
  /** First input channel it reads, how many, and these rounded up to even. */
  readonly channel: number;
  readonly channels: number;
  readonly evenChannels: number;
  readonly columns: number;
  /** Null: not all columns read the same channels, and `channelTable` says which. */
  readonly packed: PackedWeights | null;
  readonly channelTable: number;
}

export function convStep(conv: InstructionOf<"conv">, chip: Chip, site: WorkSite): Step {
  const { program, kernels, scratch, weights } = chip;
  const { work } = site;
  const cols = program.machine.parameters["array.cols"];
  const src = work.view("src");
  const patch = patchOf(conv, work.box, program.tensors[src.tensor]);
  const blocks = blocksOf(conv, chip, site, patch);
  const { kernelY, kernelX, strideY, strideX, dilationY, dilationX, cCount } = conv;
  const dense = denseRows(chip, kernelY * kernelX * cCount, cols, work.view("weights").pixelPitch);
  const { height, width } = boxExtents(work.box);
  const accRowPixels = work.whole.x1 - work.whole.x0;
  const { rowPitch, pixelPitch } = src;
  const unsigned = isUnsigned(src);
  const add = conv.add ? 1 : 0;

  return () => {
    const { address } = scratch.patch;
    let widened: Block | null = null;
    for (const block of blocks) {
      const { channels, evenChannels, accumulators } = block;
      if (widened === null || widened.channel !== block.channel || widened.channels !== channels) {
        kernels.widen(
          block.input,
          rowPitch,
          pixelPitch,
          channels,
          unsigned,
          address,
          patch.height,
          patch.width,
          patch.y0,
          patch.y1,
          patch.x0,
          patch.x1,
        );
        widened = block;
      }
      const rows = dense(block.weights);
      if (block.packed !== null) {
        kernels.conv(
          address,
          patch.width,
          evenChannels,
          weights.pack(block.packed, rows),
          accumulators,
          accRowPixels,
          cols,
          height,
          width,
          kernelY,
          kernelX,
          strideY,
          strideX,
          dilationY,
          dilationX,
          add,
        );
      } else {
        kernels.convGrouped(
          address,
          patch.width,
          evenChannels,
          rows,
          accumulators,
          accRowPixels,
          cols,
          block.columns,
          cCount,
          block.channelTable,
          height,
          width,
          kernelY,
          kernelX,
          strideY,
          strideX,
          dilationY,
          dilationX,
          add,
        );
      }
    }
  };
}

function patchOf(conv: InstructionOf<"conv">, box: Box, tensor: ProgramTensor): Patch {
  const window = inputWindow(conv, box);
  const height = window.y1 - window.y0;
  const width = window.x1 - window.x0;
  const y0 = clamp(-window.y0, 0, height);
  const x0 = clamp(-window.x0, 0, width);
  return {
    height,
    width,
    y0,
    y1: clamp(tensor.height - window.y0, 0, height),
    x0,
    x1: clamp(tensor.width - window.x0, 0, width),
    originY: window.y0 + y0,
    originX: window.x0 + x0,
  };
}

/** A convolution's box begins at a multiple of `array.cols`, so its blocks are those of the weight tensor. */
function blocksOf(conv: InstructionOf<"conv">, chip: Chip, { agent, work }: WorkSite, patch: Patch): Block[] {
  const { program, map, scratch } = chip;
  const { box, whole } = work;
  const { tp, cCount, weightRow } = conv;
  const cols = program.machine.parameters["array.cols"];
  const src = work.view("src");
  const weights = work.view("weights");
  const accumulators = map.accumulators(agent, tp) + accumulatorRegion(program, conv, work).base;
  const blockBytes = (whole.y1 - whole.y0) * (whole.x1 - whole.x0) * cols * FORMAT_BYTES.i32;
  const taps = conv.kernelY * conv.kernelX;
  const blocks: Block[] = [];
  for (let k = box.c0; k < box.c1; k += cols) {
    const columns = Math.min(cols, box.c1 - k);
    const { c0, c1 } = inputChannels(conv, k, k + columns);
    const channels = c1 - c0;
    const evenChannels = channels + (channels % 2);
    const isDense = channels === cCount;
    const row = k / cols;
    scratch.patch.need(patch.height * patch.width * evenChannels * INT16_BYTES);
    blocks.push({
      accumulators: accumulators + blocks.length * blockBytes,
      input: planeAt(chip, agent, src, patch.originY, patch.originX, c0).at,
      weights: planeAt(chip, agent, weights, row, weightRow, 0).at,
      channel: c0,
      channels,
      evenChannels,
      columns,
      packed: isDense ? chip.weights.entry(weights.tensor, row, weightRow, taps, cCount) : null,
      channelTable: isDense ? 0 : scratch.int32List(channelOffsets(conv, k, columns)),
    });
  }
  return blocks;
}

/** First input channel of each column of the block at output channel k, counted from the block's first. */
function channelOffsets({ groupIn, groupOut }: InstructionOf<"conv">, k: number, columns: number): number[] {
  const first = Math.floor(k / groupOut);
  return Array.from({ length: columns }, (_, column) => (Math.floor((k + column) / groupOut) - first) * groupIn);
}

/** Makes the weight rows of a block contiguous when their view is not. */
function denseRows({ kernels, scratch }: Chip, rows: number, cols: number, pitch: number): (at: number) => number {
  if (pitch === cols || rows === 1) return (at) => at;
  const { staging } = scratch;
  staging.need(rows * cols);
  return (at) => {
    kernels.copyBox(at, 0, pitch, staging.address, 0, cols, 1, rows, cols);
    return staging.address;
  };
}
