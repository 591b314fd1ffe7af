/**
 * Float convolution without im2col: bands of padded input rows as doubles, weights packed in blocks of four output
 * channels, and the WebAssembly kernel over both.
 */

import type { ConvNode, FTensor } from "../graph.ts";
import { FLOAT_KERNEL_DATA, type FloatKernels, floatKernels } from "./kernels.ts";

const BLOCK = 4;
/** Of packed weights, and of a band's input and output, at a time, about: memory does not grow with the network. */
const WEIGHT_BYTES = 1 << 24;
const BAND_BYTES = 1 << 22;

/** input [H][W][C] of `shape` -> [OH][OW][K] of `output`, bias added and activation applied. Sums are doubles. */
export function convolve(node: ConvNode, input: Float32Array, shape: FTensor, output: FTensor): Float32Array {
  const { stride, pads, groups } = node;
  const plan = planOf(node, shape, output);
  const kernels = floatKernels(plan.bytes);
  const { buffer } = kernels.memory;
  new Uint32Array(buffer, plan.segmentsAt, plan.segments.length).set(plan.segments);
  const band = new Float64Array(buffer, plan.bandAt, (plan.inputRows * plan.rowBytes) / 8);
  const outPerGroup = output.channels / groups;
  const chunk = plan.blocks * BLOCK;
  const single = groups === 1 && chunk >= outPerGroup;
  const out = new Float32Array(output.height * output.width * output.channels);
  for (let y0 = 0; y0 < output.height; y0 += plan.bandRows) {
    fillBand(band, input, shape, pads, y0 * stride[0] - pads[0]);
    const rows = Math.min(plan.bandRows, output.height - y0);
    const to = out.subarray(y0 * output.width * output.channels);
    for (let group = 0; group < groups; group++) {
      for (let first = 0; first < outPerGroup; first += chunk) {
        const k0 = group * outPerGroup + first;
        const count = Math.min(chunk, outPerGroup - first);
        if (!single || y0 === 0) packWeights(buffer, node, plan, k0, count);
        const values = runChunk(kernels, node, plan, group, Math.ceil(count / BLOCK), rows, output.width);
        scatter(values, rows * output.width, k0, count, to, output.channels);
      }
    }
  }
  return out;
}

/** How a convolution is cut, and where its pieces lie in the kernels' memory. */
interface ConvPlan {
  /** Offsets from a window's corner to the runs of `segmentLength` inputs under its taps, in bytes. */
  readonly segments: readonly number[];
  readonly segmentLength: number;
  /** Weights per output channel. */
  readonly taps: number;
  /** Blocks of output channels, output rows and padded input rows at a time. */
  readonly blocks: number;
  readonly bandRows: number;
  readonly inputRows: number;
  /** Of a padded input row and of a pixel in it. */
  readonly rowBytes: number;
  readonly pixelBytes: number;
  readonly weightsAt: number;
  readonly biasAt: number;
  readonly bandAt: number;
  readonly outAt: number;
  readonly segmentsAt: number;
  readonly bytes: number;
}

function planOf({ kernel, stride, dilation, pads, groups }: ConvNode, shape: FTensor, output: FTensor): ConvPlan {
  const perGroup = shape.channels / groups;
  const pixelBytes = shape.channels * 8;
  const rowBytes = (shape.width + pads[1] + pads[3]) * pixelBytes;
  // the taps of one kernel row are contiguous unless dilated or grouped
  const joined = dilation[1] === 1 && groups === 1;
  const segmentLength = joined ? kernel[1] * perGroup : perGroup;
  const segments: number[] = [];
  for (let r = 0; r < kernel[0]; r++) {
    for (let s = 0; s < (joined ? 1 : kernel[1]); s++)
      segments.push(r * dilation[0] * rowBytes + s * dilation[1] * pixelBytes);
  }
  const taps = segments.length * segmentLength;
  const blocks = Math.min(
    Math.ceil(output.channels / groups / BLOCK),
    Math.max(1, Math.floor(WEIGHT_BYTES / (taps * BLOCK * 8))),
  );
  const span = (kernel[0] - 1) * dilation[0] + 1;
  const outRowBytes = output.width * blocks * BLOCK * 4;
  const fitting = Math.min((BAND_BYTES / rowBytes - span) / stride[0] + 1, BAND_BYTES / outRowBytes);
  const bandRows = Math.min(output.height, Math.max(1, Math.floor(fitting)));
  const inputRows = (bandRows - 1) * stride[0] + span;
  const weightsAt = FLOAT_KERNEL_DATA;
  const biasAt = weightsAt + blocks * taps * BLOCK * 8;
  const bandAt = biasAt + blocks * BLOCK * 8;
  const outAt = bandAt + inputRows * rowBytes;
  const segmentsAt = outAt + bandRows * outRowBytes;
  const bytes = segmentsAt + segments.length * 4 - FLOAT_KERNEL_DATA;
  const addresses = { weightsAt, biasAt, bandAt, outAt, segmentsAt, bytes };
  return { segments, segmentLength, taps, blocks, bandRows, inputRows, rowBytes, pixelBytes, ...addresses };
}

/** Rows top, top + 1, ... of the padded input; what lies outside the input is zero. */
function fillBand(
  band: Float64Array,
  input: Float32Array,
  { height, width, channels }: FTensor,
  pads: ConvNode["pads"],
  top: number,
): void {
  const pitch = (width + pads[1] + pads[3]) * channels;
  band.fill(0);
  for (let y = Math.max(0, -top); y < band.length / pitch && top + y < height; y++) {
    const row = input.subarray((top + y) * width * channels, (top + y + 1) * width * channels);
    band.set(row, y * pitch + pads[1] * channels);
  }
}

/** Weights [K][tap] from output channel k0 on -> [K/4][tap][4], and biases; missing channels of the last block are zero. */
function packWeights(
  buffer: ArrayBufferLike,
  node: ConvNode,
  { taps, weightsAt, biasAt }: ConvPlan,
  k0: number,
  count: number,
): void {
  const room = Math.ceil(count / BLOCK) * BLOCK;
  const packed = new Float64Array(buffer, weightsAt, room * taps);
  const biases = new Float64Array(buffer, biasAt, room);
  for (let k = 0; k < room; k++) {
    const exists = k < count;
    const from = (k0 + k) * taps;
    const at = (k - (k % BLOCK)) * taps + (k % BLOCK);
    for (let tap = 0; tap < taps; tap++) packed[at + tap * BLOCK] = exists ? node.weights[from + tap] : 0;
    biases[k] = exists ? node.bias[k0 + k] : 0;
  }
}

/** Runs the kernel over the band: [row][column][4 * blocks]. */
function runChunk(
  kernels: FloatKernels,
  { stride, activation }: ConvNode,
  plan: ConvPlan,
  group: number,
  blocks: number,
  rows: number,
  columns: number,
): Float32Array {
  const { segments, segmentLength, segmentsAt, weightsAt, biasAt, bandAt, outAt, rowBytes, pixelBytes } = plan;
  kernels.conv(
    // behind several groups segments are one tap, so as long as a group
    bandAt + group * segmentLength * 8,
    stride[0] * rowBytes,
    stride[1] * pixelBytes,
    segmentsAt,
    segments.length,
    segmentLength,
    weightsAt,
    biasAt,
    blocks,
    outAt,
    blocks * BLOCK * 4,
    rows,
    columns,
    activation.slope,
    activation.low,
    activation.high,
  );
  return new Float32Array(kernels.memory.buffer, outAt, rows * columns * blocks * BLOCK);
}

/** `count` channels of each pixel to channels k0, k0 + 1, ... of the output. */
function scatter(
  values: Float32Array,
  pixels: number,
  k0: number,
  count: number,
  out: Float32Array,
  channels: number,
): void {
  if (count === channels && values.length === pixels * channels) {
    out.set(values);
    return;
  }
  const pitch = values.length / pixels;
  for (let i = 0; i < pixels; i++) out.set(values.subarray(i * pitch, i * pitch + count), i * channels + k0);
}
