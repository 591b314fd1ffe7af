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
): Float64Array {
  const perGroup = channels / groups;
  const out = new Float64Array(columns.length * places.length);
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

/**
 * sums += x x^T of x [column][place], on and right of the diagonal. Two columns by four at a time keep their sums in
 * registers; beyond the last column the last one is computed again, so that the inner loop has one form.
 */
function addProducts({ columns, sums }: Block, x: Float64Array): void {
  const count = columns.length;
  const places = x.length / count;
  const last = count - 1;
  const tile = new Float64Array(8);
  for (let i = 0; i < count; i += 2) {
    for (let j = i; j < count; j += 4) {
      tileOfProducts(
        x,
        places,
        i * places,
        Math.min(i + 1, last) * places,
        j * places,
        Math.min(j + 1, last) * places,
        Math.min(j + 2, last) * places,
        Math.min(j + 3, last) * places,
        tile,
      );
      for (let row = i; row < Math.min(i + 2, count); row++) {
        for (let column = Math.max(row, j); column < Math.min(j + 4, count); column++)
          sums[row * count + column] += tile[(row - i) * 4 + column - j];
      }
    }
  }
}

/** Products of two rows of x, at a0 and a1, with four, at b0 to b3. */
function tileOfProducts(
  x: Float64Array,
  places: number,
  a0: number,
  a1: number,
  b0: number,
  b1: number,
  b2: number,
  b3: number,
  out: Float64Array,
): void {
  let s00 = 0;
  let s01 = 0;
  let s02 = 0;
  let s03 = 0;
  let s10 = 0;
  let s11 = 0;
  let s12 = 0;
  let s13 = 0;
  for (let p = 0; p < places; p++) {
    const first = x[a0 + p];
    const second = x[a1 + p];
    const c0 = x[b0 + p];
    const c1 = x[b1 + p];
    const c2 = x[b2 + p];
    const c3 = x[b3 + p];
    s00 += first * c0;
    s01 += first * c1;
    s02 += first * c2;
    s03 += first * c3;
    s10 += second * c0;
    s11 += second * c1;
    s12 += second * c2;
    s13 += second * c3;
  }
  out[0] = s00;
  out[1] = s01;
  out[2] = s02;
  out[3] = s03;
  out[4] = s10;
  out[5] = s11;
  out[6] = s12;
  out[7] = s13;
}
