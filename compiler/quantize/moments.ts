/** Second moments of what convolutions read: which errors of weights cancel in their sums, and which add up. */
import { FLOAT_KERNEL_DATA, floatKernels } from "../float/kernels.ts";
import type { ConvNode, FTensor } from "../graph.ts";
import type { SimpleGraph } from "../passes/index.ts";
import { padded, readMatrix, writeMatrix } from "./kernel-matrix.ts";

/** Places per picture and convolution. */
const PLACES = 160;
/** Weights of one output channel whose errors are judged together, at most; time and memory grow with its square. */
const LARGEST_BLOCK = 512;

/** Columns of a convolution's weights [outChannels / groups][column] in one group that are judged together. */
export interface Block {
  readonly group: number;
  /** Positions within an output channel's weights; those that are zero in all output channels of the group are left out, and stay zero. */
  readonly columns: Int32Array;
  /** [column][column]: sum over places of the product of the two inputs, the part right of the diagonal and the diagonal. */
  readonly sums: Float32Array;
}

/** Collects moments while the float network runs. */
export class InputMoments {
  private readonly blocks = new Map<string, Block[]>();
  private readonly readers = new Map<string, ConvNode[]>();

  constructor(graph: SimpleGraph) {
    for (const node of graph.nodes) {
      if (node.op !== "conv") continue;
      this.blocks.set(node.name, blocksOf(node));
      this.readers.set(node.inputs[0], [...(this.readers.get(node.inputs[0]) ?? []), node]);
    }
  }

  /** To be told of every tensor of every run. */
  add(tensor: FTensor, values: Float32Array): void {
    for (const node of this.readers.get(tensor.name) ?? []) {
      const places = samplePlaces(node, tensor);
      for (const block of this.blocks.get(node.name)!) addProducts(node, tensor, values, block, places);
    }
  }

  /** @param conv its name @returns blocks with whole matrices of sums */
  of(conv: string): readonly Block[] {
    const blocks = this.blocks.get(conv)!;
    for (const { columns, sums } of blocks) {
      const count = columns.length;
      for (let i = 0; i < count; i++) for (let j = 0; j < i; j++) sums[i * count + j] = sums[j * count + i];
    }
    return blocks;
  }
}

function blocksOf(node: ConvNode): Block[] {
  const perOutput = node.weights.length / node.bias.length;
  const perGroup = node.bias.length / node.groups;
  return Array.from({ length: node.groups }, (_, group) => {
    const live: number[] = [];
    for (let column = 0; column < perOutput; column++) {
      let k = group * perGroup;
      while (k < (group + 1) * perGroup && node.weights[k * perOutput + column] === 0) k++;
      if (k < (group + 1) * perGroup) live.push(column);
    }
    const parts = Math.ceil(live.length / LARGEST_BLOCK);
    return Array.from({ length: parts }, (_, part) => {
      const at = (i: number) => Math.floor((i * live.length) / parts);
      const columns = Int32Array.from(live.slice(at(part), at(part + 1)));
      return { group, columns, sums: new Float32Array(columns.length ** 2) };
    });
  }).flat();
}

/** Upper left corners of windows, [y, x] in the input, at even distances. */
function samplePlaces({ kernel, stride, dilation, pads }: ConvNode, { height, width }: FTensor): [number, number][] {
  const rows = Math.floor((height + pads[0] + pads[2] - (kernel[0] - 1) * dilation[0] - 1) / stride[0]) + 1;
  const columns = Math.floor((width + pads[1] + pads[3] - (kernel[1] - 1) * dilation[1] - 1) / stride[1]) + 1;
  const count = Math.min(PLACES, rows * columns);
  return Array.from({ length: count }, (_, i) => {
    const place = Math.floor(((i + 0.5) * rows * columns) / count);
    return [Math.floor(place / columns) * stride[0] - pads[0], (place % columns) * stride[1] - pads[1]];
  });
}

/** sums += x x^T of the inputs x at all places, on and right of the diagonal. */
function addProducts(
  node: ConvNode,
  tensor: FTensor,
  values: Float32Array,
  block: Block,
  places: readonly [number, number][],
): void {
  const { columns, sums } = block;
  const pitch = padded(columns.length);
  const xAt = FLOAT_KERNEL_DATA + pitch * pitch * 4;
  const kernels = floatKernels(pitch * pitch * 4 + places.length * pitch * 8);
  const matrix = new Float32Array(kernels.memory.buffer, FLOAT_KERNEL_DATA, pitch * pitch);
  writeMatrix(sums, columns.length, matrix);
  gather(node, tensor, values, block, places, new Float64Array(kernels.memory.buffer, xAt, places.length * pitch));
  kernels.addProducts(xAt, places.length, pitch, FLOAT_KERNEL_DATA);
  readMatrix(matrix, columns.length, sums);
}

/** What a block's weights meet: [place][column, padded]; the picture's padding is zero. */
function gather(
  { kernel, dilation, groups }: ConvNode,
  { height, width, channels }: FTensor,
  values: Float32Array,
  { group, columns }: Block,
  places: readonly [number, number][],
  out: Float64Array,
): void {
  const pitch = padded(columns.length);
  const perGroup = channels / groups;
  const dy = columns.map((column) => Math.floor(column / perGroup / kernel[1]) * dilation[0]);
  const dx = columns.map((column) => (Math.floor(column / perGroup) % kernel[1]) * dilation[1]);
  const offsets = columns.map(
    (column, i) => (dy[i] * width + dx[i]) * channels + group * perGroup + (column % perGroup),
  );
  const [bottom, right] = [height - (kernel[0] - 1) * dilation[0], width - (kernel[1] - 1) * dilation[1]];
  out.fill(0);
  places.forEach(([top, left], p) => {
    const corner = (top * width + left) * channels;
    const inside = top >= 0 && top < bottom && left >= 0 && left < right;
    for (let i = 0; i < offsets.length; i++) {
      const y = top + dy[i];
      const x = left + dx[i];
      if (inside || (y >= 0 && y < height && x >= 0 && x < width)) out[p * pitch + i] = values[corner + offsets[i]];
    }
  });
}
