/** One convolution layer, cut into tiles and spread over a grid of agents, beside its reference. */
import { type CheckedProgram, type Format, packShiftTable, packWeights, type ShiftEntry } from "../../isa/index.ts";
import {
  convAccumulators,
  type Elements,
  outputSize,
  type Pads,
  type Pair,
  shiftUnit,
  shiftUnitWide,
} from "../reference/index.ts";
import { axis, type BoxAxes, ProgramBuilder, type Shape, whole } from "./builder.ts";

export interface ConvCase {
  readonly input: Shape;
  readonly inputFormat: "i8" | "u8";
  readonly outputFormat: Format;
  readonly outChannels: number;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly pads: Pads;
  readonly groups: number;
  readonly cols: number;
  readonly grid: Pair;
  /** Output rows, columns, channels of one agent's tile; channels a multiple of cols. */
  readonly tile: Shape;
  /** Input channels of a group taken at once. */
  readonly chunk: number;
  readonly slope: { readonly a: number; readonly b: number } | null;
  /** Padding that loads write; a convolution must not see it. */
  readonly fillValue: number;
}

export interface ConvData {
  readonly input: Int8Array | Uint8Array;
  /** [K, kernelY, kernelX, C / groups] */
  readonly weights: Int8Array;
  readonly table: readonly ShiftEntry[];
}

/** Repeatable bytes without a pattern (xorshift32). */
export function noise(count: number, seed: number): Int8Array {
  let state = seed * 2654435761 + 1;
  return Int8Array.from({ length: count }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >> 11;
  });
}

export function convData(
  { input: [h, w, c], inputFormat, outChannels, kernel, groups }: ConvCase,
  seed: number,
): ConvData {
  const bytes = noise(h * w * c, seed);
  const numbers = noise(outChannels * 3, seed + 2);
  return {
    input: inputFormat === "u8" ? new Uint8Array(bytes.buffer) : bytes,
    weights: noise((outChannels * kernel[0] * kernel[1] * c) / groups, seed + 1),
    table: Array.from({ length: outChannels }, (_, k) => ({
      bias: numbers[3 * k],
      biasShift: numbers[3 * k + 1] >> 4,
      shift: 8 + (numbers[3 * k + 2] >> 5),
    })),
  };
}

const limits = (format: Format) => (format === "u8" ? { low: 0, high: 255 } : { low: -128, high: 127 });

export function convOutputShape({
  input: [height, width],
  outChannels,
  kernel,
  stride,
  dilation,
  pads,
}: ConvCase): Shape {
  const size = outputSize({ height, width }, kernel, stride, dilation, pads);
  return [size.height, size.width, outChannels];
}

/** The layer as test/reference computes it. */
export function convReference(c: ConvCase, data: ConvData): { accumulators: Int32Array; output: Elements } {
  const [height, width, channels] = c.input;
  const accumulators = convAccumulators({ height, width, channels, data: data.input }, data.weights, c);
  const { low, high } = limits(c.outputFormat);
  const arrays = { i8: Int8Array, u8: Uint8Array, i32: Int32Array };
  const output = new arrays[c.outputFormat](accumulators.length);
  accumulators.forEach((value, i) => {
    const { bias, biasShift, shift } = data.table[i % c.outChannels];
    output[i] =
      c.outputFormat === "i32"
        ? shiftUnitWide(value, bias, biasShift)
        : shiftUnit(value, bias, biasShift, shift, low, high, c.slope?.a ?? 0, c.slope?.b ?? 0);
  });
  return { accumulators, output };
}

const SRAM_BYTES = 1 << 16;

/** The layer as a program, with a barrier after every instruction. */
export function convProgram(c: ConvCase, data: ConvData): CheckedProgram {
  const { kernel, stride, dilation, pads, cols, groups, grid, tile, chunk } = c;
  const [gridY, gridX] = grid;
  const outShape = convOutputShape(c);
  const groupIn = c.input[2] / groups;
  const taps = kernel[0] * kernel[1];
  const shape = { outChannels: c.outChannels, kernelY: kernel[0], kernelX: kernel[1], inChannels: groupIn };
  const blocks = Math.ceil(c.outChannels / cols);

  const b = new ProgramBuilder(
    {
      "array.cols": cols,
      "sram.bytes": SRAM_BYTES,
      "array.accumulatorBytes": Math.max(64, (tile[0] * tile[1] * tile[2] + cols) * 4),
    },
    { gridY, gridX },
  );
  const input = b.tensor("input", c.input, c.inputFormat, "input");
  const output = b.tensor("output", outShape, c.outputFormat, "output");
  const weightsShape = [blocks, taps * groupIn, cols] as const;
  const weights = b.constant("weights", weightsShape, "i8", packWeights(data.weights, shape, cols, chunk));
  const tableShape = [1, c.outChannels, 4] as const;
  const table = b.constant("table", tableShape, "i8", packShiftTable(data.table));
  b.layer("conv");

  const tableAddress = weightsShape[0] * weightsShape[1] * cols;
  const inputAddress = tableAddress + 4 * c.outChannels;
  // set again for each tile, since view registers are reused
  const residentViews = () => [b.view(weights, whole(weightsShape), 0), b.view(table, whole(tableShape), tableAddress)];
  const [loadWeights, loadTable] = residentViews();
  b.emit("load", { dst: loadWeights, ...whole(weightsShape), multicast: "all" });
  b.emit("load", { dst: loadTable, ...whole(tableShape), multicast: "all" });

  const windowOf = (axisOut: BoxAxes["y"], i: 0 | 1) =>
    axis(
      axisOut.base * stride[i] - pads[i],
      (axisOut.extent - 1) * stride[i] + (kernel[i] - 1) * dilation[i] + 1,
      axisOut.stepA * stride[i],
      axisOut.stepB * stride[i],
    );
  const { low, high } = limits(c.outputFormat);
  for (let y = 0; y < outShape[0]; y += tile[0] * gridY) {
    for (let x = 0; x < outShape[1]; x += tile[1] * gridX) {
      const [weightsView, tableView] = residentViews();
      const rows = axis(y, tile[0], tile[0], 0);
      const columns = axis(x, tile[1], 0, tile[1]);
      const window = { y: windowOf(rows, 0), x: windowOf(columns, 1), c: axis(0, c.input[2]) };
      const src = b.view(input, window, inputAddress);
      b.emit("load", { dst: src, ...window, fill: true, fillValue: c.fillValue });
      const outputAddress = inputAddress + window.y.extent * window.x.extent * window.c.extent;
      for (let k = 0; k < outShape[2]; k += tile[2]) {
        const box = { y: rows, x: columns, c: axis(k, tile[2]) };
        for (let channel = 0; channel < groupIn; channel += chunk) {
          b.emit("conv", {
            src,
            weights: weightsView,
            tensor: output,
            ...box,
            accRow: 1,
            add: channel > 0,
            weightRow: channel * taps,
            cBegin: channel,
            cCount: Math.min(chunk, groupIn - channel),
            groupIn,
            groupOut: c.outChannels / groups,
            kernelY: kernel[0],
            kernelX: kernel[1],
            strideY: stride[0],
            strideX: stride[1],
            dilationY: dilation[0],
            dilationX: dilation[1],
            padTop: pads[0],
            padLeft: pads[1],
          });
        }
        const dst = b.view(output, box, Math.ceil(outputAddress / 4) * 4);
        b.emit("shift", {
          source: "accumulators",
          table: tableView,
          dst,
          tensor: output,
          ...box,
          accRow: 1,
          low,
          high,
          leaky: c.slope !== null,
          slopeA: c.slope?.a ?? 0,
          slopeB: c.slope?.b ?? 0,
        });
        b.emit("store", { src: dst, ...box });
      }
    }
  }
  return b.build({ serial: true });
}
