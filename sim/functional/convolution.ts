/** conv: a widened input patch, packed weights, and one kernel call per block of output channels. */
import {
  type AgentWork,
  accumulatorRegion,
  clamp,
  type InstructionOf,
  inputChannels,
  inputWindow,
  weightBox,
} from "../../isa/index.ts";
import { type Chip, isUnsigned, type Plane, planeAt, type Step } from "./chip.ts";
import type { PackedWeights } from "./weight-cache.ts";

const INT16_BYTES = 2;
const INT32_BYTES = 4;

/** One block of `array.cols` output channels of a tile. */
interface Block {
  readonly accumulators: number;
  /** First input channel it reads, how many, and these rounded up to even. */
  readonly channel: number;
  readonly channels: number;
  readonly evenChannels: number;
  readonly input: number;
  readonly weights: number;
  /** Dense: all columns read all the block's input channels. Else each its own, as the table says. */
  readonly packed: PackedWeights | null;
  readonly channelTable: number;
  readonly columns: number;
}

/** Makes the weight rows of a block contiguous when their view is not. */
function denseRows(chip: Chip, rows: number, cols: number, pitch: number): (address: number) => number {
  if (pitch === cols || rows === 1) return (address) => address;
  const { kernels, scratch } = chip;
  scratch.staging.need(rows * cols);
  return (address) => {
    kernels.copyBox(address, 0, pitch, scratch.staging.address, 0, cols, 1, rows, cols);
    return scratch.staging.address;
  };
}

export function convStep(
  conv: InstructionOf<"conv">,
  chip: Chip,
  { agent, work }: { readonly agent: number; readonly work: AgentWork },
): Step {
  const { program, kernels, scratch, weights } = chip;
  const { box, whole } = work;
  const cols = program.machine.parameters["array.cols"];
  const src = work.view("src");
  const { height: tensorHeight, width: tensorWidth } = program.tensors[src.tensor];
  const unsigned = isUnsigned(src);

  // The patch: rows y0..y1 and columns x0..x1 of the window are the tensor's, the others padding.
  const window = inputWindow(conv, box);
  const patchHeight = window.y1 - window.y0;
  const patchWidth = window.x1 - window.x0;
  const y0 = clamp(-window.y0, 0, patchHeight);
  const y1 = clamp(tensorHeight - window.y0, 0, patchHeight);
  const x0 = clamp(-window.x0, 0, patchWidth);
  const x1 = clamp(tensorWidth - window.x0, 0, patchWidth);

  const height = box.y1 - box.y0;
  const width = box.x1 - box.x0;
  const accRowPixels = whole.x1 - whole.x0;
  const accBlockBytes = (whole.y1 - whole.y0) * accRowPixels * cols * INT32_BYTES;
  const accumulators = chip.map.accumulators(agent, conv.tp) + accumulatorRegion(program, conv.accRow, work).base;

  const { kernelY, kernelX, strideY, strideX, dilationY, dilationX, cCount, groupIn, groupOut } = conv;
  const taps = kernelY * kernelX;
  const weightsView = work.view("weights");
  const rows = weightBox(conv, box, cols);
  const dense = denseRows(chip, taps * cCount, cols, weightsView.pixelPitch);
  const add = conv.add ? 1 : 0;

  const blocks: Block[] = [];
  for (let k0 = box.c0, number = 0; k0 < box.c1; k0 += cols, number++) {
    const columns = Math.min(cols, box.c1 - k0);
    const range = inputChannels(conv, k0, k0 + columns);
    const channels = range.c1 - range.c0;
    const evenChannels = channels + (channels % 2);
    const isDense = channels === cCount;
    const y = rows.y0 + number;
    scratch.patch.need(patchHeight * patchWidth * evenChannels * INT16_BYTES);
    blocks.push({
      accumulators: accumulators + number * accBlockBytes,
      channel: range.c0,
      channels,
      evenChannels,
      input: planeAt(chip, agent, src, window.y0 + y0, window.x0 + x0, range.c0).at,
      weights: planeAt(chip, agent, weightsView, y, conv.weightRow, 0).at,
      packed: isDense ? weights.entry(`${weightsView.tensor}:${y}:${conv.weightRow}`, taps, cCount) : null,
      channelTable: isDense ? 0 : scratch.int32List(channelOffsets(k0, columns, groupIn, groupOut)),
      columns,
    });
  }
  const from: Pick<Plane, "row" | "pixel"> = { row: src.rowPitch, pixel: src.pixelPitch };

  return () => {
    const patch = scratch.patch.address;
    let widened: Block | null = null;
    for (const block of blocks) {
      const { channels, evenChannels } = block;
      if (widened === null || widened.channel !== block.channel || widened.channels !== channels) {
        kernels.widen(
          block.input,
          from.row,
          from.pixel,
          channels,
          unsigned,
          patch,
          patchHeight,
          patchWidth,
          y0,
          y1,
          x0,
          x1,
        );
        widened = block;
      }
      const source = dense(block.weights);
      if (block.packed !== null) {
        kernels.conv(
          patch,
          patchWidth,
          evenChannels,
          weights.pack(block.packed, source),
          block.accumulators,
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
          patch,
          patchWidth,
          evenChannels,
          source,
          block.accumulators,
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

/** First input channel of each column of the block at output channel k0, counted from the block's first. */
function channelOffsets(k0: number, columns: number, groupIn: number, groupOut: number): number[] {
  const first = Math.floor(k0 / groupOut);
  return Array.from({ length: columns }, (_, j) => (Math.floor((k0 + j) / groupOut) - first) * groupIn);
}
