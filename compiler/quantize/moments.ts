/** Second moments of what convolutions read: which errors of weights cancel in their sums, and which add up. */
import type { ConvNode, FTensor } from "../graph.ts";
import type { SimpleGraph } from "../passes/index.ts";

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
      for (const block of this.blocks.get(node.name)!) addProducts(block, gather(node, tensor, values, block, places));
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

/** What a block's weights meet: [column][place]; padding is zero. */
function gather(
  { kernel, dilation, groups }: ConvNode,
  { height, width, channels }: FTensor,
  values: Float32Array,
  { group, columns }: Block,
  places: readonly [number, number][],
): Float32Array {
  const perGroup = channels / groups;
  const out = new Float32Array(columns.length * places.length);
  columns.forEach((column, i) => {
    const tap = Math.floor(column / perGroup);
    const channel = group * perGroup + (column % perGroup);
    const dy = Math.floor(tap / kernel[1]) * dilation[0];
    const dx = (tap % kernel[1]) * dilation[1];
    places.forEach(([top, left], p) => {
      const [y, x] = [top + dy, left + dx];
      if (y >= 0 && y < height && x >= 0 && x < width)
        out[i * places.length + p] = values[(y * width + x) * channels + channel];
    });
  });
  return out;
}

/** sums += x x^T of x [column][place], on and right of the diagonal; four columns at a time keep their sums in registers. */
function addProducts({ columns, sums }: Block, x: Float32Array): void {
  const count = columns.length;
  const places = x.length / count;
  for (let i = 0; i < count; i++) {
    const a = i * places;
    for (let j = i; j < count; j += 4) {
      const b0 = j * places;
      // beyond the last column the last one is computed again, so that the inner loop has one form
      const b1 = Math.min(j + 1, count - 1) * places;
      const b2 = Math.min(j + 2, count - 1) * places;
      const b3 = Math.min(j + 3, count - 1) * places;
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      for (let p = 0; p < places; p++) {
        const value = x[a + p];
        s0 += value * x[b0 + p];
        s1 += value * x[b1 + p];
        s2 += value * x[b2 + p];
        s3 += value * x[b3 + p];
      }
      const at = i * count + j;
      sums[at] += s0;
      if (j + 1 < count) sums[at + 1] += s1;
      if (j + 2 < count) sums[at + 2] += s2;
      if (j + 3 < count) sums[at + 3] += s3;
    }
  }
}
