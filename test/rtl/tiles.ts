/** Programs that run the tiles of a case. */
import {
  type CheckedProgram,
  checkProgram,
  decodeProgram,
  encodeProgram,
  FORMAT_BYTES,
  type Format,
  packShiftTable,
  packWeights,
  type ShiftEntry,
} from "../../isa/index.ts";
import { axis, type BoxAxes, ProgramBuilder, type Shape, whole } from "../functional/builder.ts";
import { noise } from "../functional/conv-program.ts";
import { outputSize, type Pads, type Pair } from "../reference/index.ts";
import type { Case, TensorProcessor } from "./cases.ts";

const SRAM_BYTES = 65536;
const ACCUMULATOR_ROWS = 4096;

/** Together as many convolutions as the model's queue holds. */
const MAX_TILES = 4;
const MAX_CHUNKS = 4;

/** Everything around the tensor processor as fast as it goes, and data so late that all instructions are queued before them. */
const AROUND = {
  "sram.bytes": SRAM_BYTES,
  "sram.banks": 1024,
  "sram.bankBytesPerCycle": 4096,
  "dram.latencyCycles": 10_000,
  "issue.queueDepth": 64,
};

function limits(format: Format, clamp: Case["clamp"]): { low: number; high: number } {
  const [min, max] = format === "u8" ? [0, 255] : [-128, 127];
  if (clamp === null) return { low: min, high: max };
  const [a, b] = clamp.map((value) => Math.max(min, value * 6));
  return { low: Math.min(a, b), high: Math.min(max, Math.max(a, b)) };
}

/** All of -31..23 and -8..31 in some channels, but mostly such shifts that something is left of the values. */
function shiftTable(channels: number, seed: number): ShiftEntry[] {
  const numbers = noise(channels * 3, seed);
  return Array.from({ length: channels }, (_, k) => {
    const [bias, biasShift, shift] = numbers.subarray(3 * k);
    return k % 5 === 0
      ? { bias, biasShift: (((biasShift + 128) * 55) >> 8) - 31, shift: (((shift + 128) * 40) >> 8) - 8 }
      : { bias, biasShift: biasShift >> 4, shift: 8 + (shift >> 5) };
  });
}

/** The first tiles of a tensor, rows last. The last in each direction may stick out of it. */
function boxesOf([height, width, channels]: Shape, tile: Shape): BoxAxes[] {
  const boxes: BoxAxes[] = [];
  for (let y = 0; y < height; y += tile[0])
    for (let x = 0; x < width; x += tile[1])
      for (let c = 0; c < channels; c += tile[2])
        boxes.push({ y: axis(y, tile[0]), x: axis(x, tile[1]), c: axis(c, tile[2]) });
  return boxes.slice(0, MAX_TILES);
}

const windowFields = (kernel: Pair, stride: Pair, pads: Pads) => ({
  kernelY: kernel[0],
  kernelX: kernel[1],
  strideY: stride[0],
  strideX: stride[1],
  padTop: pads[0],
  padLeft: pads[1],
});

const sizeOf = ([height, width, channels]: Shape) => height * width * channels;

export interface TileProgram {
  readonly checked: CheckedProgram;
  /** How much of SRAM and accumulators it uses. */
  readonly sramWords: number;
  readonly accumulatorRows: number;
}

/** The case as a program of one agent, having been through the codec. Null: there is no such layer. */
export function tileProgram(c: Case, { rows, cols, lanes, latency }: TensorProcessor): TileProgram | null {
  const { kernel, stride, dilation, groups, groupIn, groupOut } = c;
  // padding less than the kernel: every window holds something
  const pads = c.pads.map((pad, i) => Math.min(pad, (kernel[i % 2] - 1) * dilation[i % 2])) as typeof c.pads;
  const inShape: Shape = [c.input[0] + kernel[0] - 1, c.input[1] + kernel[1] - 1, groups * groupIn];
  const size = outputSize({ height: inShape[0], width: inShape[1] }, kernel, stride, dilation, pads);
  if (size.height < 1 || size.width < 1) return null;
  const outShape: Shape = [size.height, size.width, groups * groupOut];
  const taps = kernel[0] * kernel[1];
  const blocks = Math.ceil(outShape[2] / cols);
  const rowsOfBlock = taps * groupIn;
  const chunk = Math.max(c.chunk, Math.ceil(groupIn / MAX_CHUNKS));

  const b = new ProgramBuilder({
    ...AROUND,
    "array.rows": rows,
    "array.cols": cols,
    "array.accumulatorBytes": ACCUMULATOR_ROWS * cols * 4,
    "array.passOverlap": c.passOverlap,
    "array.hiddenPreload": c.hiddenPreload,
    "shift.lanes": lanes,
    "pool.lanes": lanes,
    "lanes.latencyCycles": latency,
  });
  b.layer("tile");

  // --- tensors and their places ------------------------------------------------------------------------------------------
  let free = 0;
  const place = (bytes: number) => {
    const address = free;
    free = Math.ceil((free + bytes) / 4) * 4;
    return address;
  };
  const bytes = noise(sizeOf(inShape), c.seed);
  const weights = noise(outShape[2] * rowsOfBlock, c.seed + 1);
  const table = shiftTable(outShape[2], c.seed + 2);
  const weightShape: Shape = [blocks, rowsOfBlock, cols];
  const shape = { outChannels: outShape[2], kernelY: kernel[0], kernelX: kernel[1], inChannels: groupIn };
  const tableShape: Shape = [1, outShape[2], 4];
  b.tensor("picture", [1, 1, 1], "i8", "input"); // every program has one
  const elements = c.inputFormat === "u8" ? new Uint8Array(bytes.buffer) : bytes;
  const inputTensor = b.constant("input", inShape, c.inputFormat, elements);
  const weightTensor = b.constant("weights", weightShape, "i8", packWeights(weights, shape, cols, chunk));
  const tableTensor = b.constant("table", tableShape, "i8", packShiftTable(table));
  const output = b.tensor("output", outShape, c.outputFormat, "output");

  const pixelPitch = inShape[2] + c.gaps[0];
  const rowPitch = inShape[1] * pixelPitch + c.gaps[1];
  const src = b.view(inputTensor, whole(inShape), place(inShape[0] * rowPitch), { pixelPitch, rowPitch });
  const weightView = b.view(weightTensor, whole(weightShape), place(sizeOf(weightShape)));
  const tableView = b.view(tableTensor, whole(tableShape), place(sizeOf(tableShape)));

  // --- what waits for what -------------------------------------------------------------------------------------------------
  const loaded = b.semaphore("load", "mac");
  const summed = b.semaphore("mac", "shift");
  const freed = b.semaphore("shift", "mac", { initial: c.buffers });
  const shifted = b.semaphore("shift", "pool");
  b.emit("load", { dst: src, ...whole(inShape) });
  b.emit("load", { dst: tableView, ...whole(tableShape) });
  b.emit("load", { dst: weightView, ...whole(weightShape), signals: [loaded] });

  const tileChannels = c.blocks * cols;
  const [height, width] = c.tile === "whole" ? outShape : c.tile;
  const boxes = boxesOf(outShape, [height, width, tileChannels]);

  const poolPads = c.pool.pads.map((pad, i) => Math.min(pad, c.pool.kernel[i % 2] - 1)) as typeof c.pads;
  const pooled = outputSize(
    { height: outShape[0], width: outShape[1] },
    c.pool.kernel,
    c.pool.stride,
    [1, 1],
    poolPads,
  );
  const pools = c.tile === "whole" && c.outputFormat !== "i32" && pooled.height > 0 && pooled.width > 0;
  const pooledTensor = pools
    ? b.tensor("pooled", [pooled.height, pooled.width, outShape[2]], c.outputFormat, "output")
    : -1;

  const accumulatorRows = c.blocks * height * width;
  if (accumulatorRows * c.buffers > ACCUMULATOR_ROWS) return null;
  boxes.forEach((box, t) => {
    const accRow = (t % c.buffers) * accumulatorRows;
    for (let channel = 0; channel < groupIn; channel += chunk) {
      const last = channel + chunk >= groupIn;
      b.emit("conv", {
        src,
        weights: weightView,
        tensor: output,
        ...box,
        accRow,
        add: channel > 0,
        weightRow: channel * taps,
        cBegin: channel,
        cCount: Math.min(chunk, groupIn - channel),
        groupIn,
        groupOut,
        ...windowFields(kernel, stride, pads),
        dilationY: dilation[0],
        dilationX: dilation[1],
        packing: c.packing,
        waits: channel > 0 ? [] : t > 0 ? [freed] : [loaded, freed],
        signals: last ? [summed] : [],
      });
    }
    const dst = b.view(output, box, place(height * width * tileChannels * FORMAT_BYTES[c.outputFormat]));
    b.emit("shift", {
      source: "accumulators",
      table: tableView,
      dst,
      tensor: output,
      ...box,
      accRow,
      ...limits(c.outputFormat, c.clamp),
      leaky: c.slope !== null,
      slopeA: c.slope?.a ?? 0,
      slopeB: c.slope?.b ?? 0,
      waits: [summed],
      signals: pools ? [freed, shifted] : [freed],
    });
    if (!pools) return;
    const pooledBox = { y: axis(0, pooled.height), x: axis(0, pooled.width), c: box.c };
    b.emit("pool", {
      src: dst,
      dst: b.view(pooledTensor, pooledBox, place(pooled.height * pooled.width * tileChannels)),
      tensor: pooledTensor,
      ...pooledBox,
      mode: c.pool.mode,
      ...windowFields(c.pool.kernel, c.pool.stride, poolPads),
      waits: [shifted],
    });
  });
  if (free > SRAM_BYTES) return null;
  const program = decodeProgram(encodeProgram(b.program()), "tile.bin");
  return {
    checked: checkProgram(program, "tile.bin"),
    sramWords: free / 4,
    accumulatorRows: c.buffers * accumulatorRows,
  };
}
