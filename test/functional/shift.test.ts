import { describe, expect, test } from "vitest";
import { type Format, packShiftTable, type ShiftEntry } from "../../isa/index.ts";
import { shiftUnit, shiftUnitWide } from "../reference/index.ts";
import { box, ProgramBuilder, type Shape, whole } from "./builder.ts";
import { noise } from "./conv-program.ts";
import { runBoth, runOne } from "./run-both.ts";

const EXTREMES = [0, 1, -1, 2147483647, -2147483648, 1 << 20, -(1 << 20), 12345, -54321];

/** int32 values of all magnitudes. */
function int32Noise(count: number, seed: number): Int32Array {
  const bytes = noise(count * 5, seed);
  return Int32Array.from({ length: count }, (_, i) => {
    if (i < EXTREMES.length) return EXTREMES[i];
    const value = new DataView(bytes.buffer).getInt32(i * 4, true);
    return value >> (bytes[count * 4 + i] & 31);
  });
}

function entriesOf(channels: number, seed: number): ShiftEntry[] {
  const bytes = noise(channels * 3, seed);
  return Array.from({ length: channels }, (_, k) => ({
    bias: bytes[3 * k],
    biasShift: (bytes[3 * k + 1] & 31) - 15,
    shift: (bytes[3 * k + 2] & 31) - 4,
  }));
}

interface Case {
  readonly format: Format;
  readonly low?: number;
  readonly high?: number;
  readonly slope?: { readonly a: number; readonly b: number };
  readonly fIn?: number;
  readonly fOut?: number;
  /** Bytes from entry to entry of the table in SRAM, and from pixel to pixel of the int32 tile. */
  readonly tablePitch?: number;
  readonly tilePitch?: number;
}

const SHAPE: Shape = [3, 5, 7];
/** What is shifted: rows 1..2, columns 1..4, channels 2..6. */
const PART = box(1, 2, 1, 4, 2, 5);

/** A shift of a part of an int32 tile in SRAM to channels one further. */
function shiftOf(c: Case, values: Int32Array, entries: readonly ShiftEntry[]) {
  const { format, low = -128, high = 127, slope, fIn = 0, fOut = 0, tablePitch = 4, tilePitch = 28 } = c;
  const b = new ProgramBuilder().layer("only");
  b.tensor("input", [1, 1, 1], "i8", "input");
  const tile = b.constant("values", SHAPE, "i32", values);
  const table = b.constant("table", [1, SHAPE[2], 4], "i8", packShiftTable(entries));
  const output = b.tensor("output", [SHAPE[0], SHAPE[1], 8], format, "output");
  const src = b.view(tile, whole(SHAPE), 0, { pixelPitch: tilePitch, rowPitch: tilePitch * SHAPE[1] });
  const tableView = b.view(table, whole([1, SHAPE[2], 4]), 1000, { pixelPitch: tablePitch });
  const dst = b.view(output, whole([SHAPE[0], SHAPE[1], 8]), 2000);
  b.emit("load", { dst: src, ...whole(SHAPE) });
  b.emit("load", { dst: tableView, ...whole([1, SHAPE[2], 4]) });
  b.emit("scalar", { dst: 1, immediate: fIn });
  b.emit("scalar", { dst: 31, immediate: fOut });
  b.emit("shift", {
    source: "view",
    src,
    table: tableView,
    dst,
    tensor: tile,
    ...PART,
    channelOffset: 1,
    low,
    high,
    leaky: slope !== undefined,
    slopeA: slope?.a ?? 0,
    slopeB: slope?.b ?? 0,
    exponentIn: 1,
    exponentOut: 31,
  });
  b.emit("store", { src: dst, ...whole([SHAPE[0], SHAPE[1], 8]) });
  return b.build({ serial: true });
}

const CASES: readonly Case[] = [
  { format: "i8" },
  { format: "i8", low: 0 },
  { format: "i8", low: -7, high: 48 },
  { format: "u8", low: 0, high: 255 },
  { format: "i32" },
  { format: "i32", fIn: 3 },
  { format: "i8", slope: { a: 3, b: 0 } },
  { format: "i8", slope: { a: 4, b: 5 } },
  { format: "i8", fIn: -9, fOut: 12 },
  { format: "u8", low: 0, high: 255, fIn: 40, fOut: -40 },
  { format: "i8", tablePitch: 12 },
  { format: "i8", tilePitch: 30 },
];

describe("shift of an int32 tile in SRAM", () => {
  test.each(CASES)("%j", (c) => {
    const values = int32Noise(SHAPE[0] * SHAPE[1] * SHAPE[2], 5);
    const entries = entriesOf(SHAPE[2], 6);
    const { low = -128, high = 127, slope, fIn = 0, fOut = 0 } = c;
    const expected = new Array(SHAPE[0] * SHAPE[1] * 8).fill(0);
    const { y, x, c: channels } = PART;
    for (let row = y.base; row < y.base + y.extent; row++) {
      for (let column = x.base; column < x.base + x.extent; column++) {
        for (let k = channels.base; k < channels.base + channels.extent; k++) {
          const value = values[(row * SHAPE[1] + column) * SHAPE[2] + k];
          const { bias, biasShift, shift } = entries[k];
          expected[(row * SHAPE[1] + column) * 8 + k + 1] =
            c.format === "i32"
              ? shiftUnitWide(value, bias, biasShift, fIn)
              : shiftUnit(value, bias, biasShift, shift, low, high, slope?.a ?? 0, slope?.b ?? 0, fIn, fOut);
        }
      }
    }
    expect([...runOne(shiftOf(c, values, entries), Int8Array.of(0))]).toEqual(expected);
  });

  test("its probe holds the values as they were spilled", () => {
    const values = int32Noise(SHAPE[0] * SHAPE[1] * SHAPE[2], 7);
    const program = shiftOf({ format: "i8" }, values, entriesOf(SHAPE[2], 8));
    const [{ probes }] = runBoth(program, [Int8Array.of(0)]);
    expect(probes.length).toBe(1);
    expect(probes[0]).toMatchObject({
      layer: 0,
      agent: 0,
      source: "view",
      box: { y0: 1, y1: 3, x0: 1, x1: 5, c0: 2, c1: 7 },
    });
    expect(probes[0].values.length).toBe(2 * 4 * 5);
    expect(probes[0].values[0]).toBe(values[(1 * 5 + 1) * 7 + 2]);
    expect(probes[0].values.at(-1)).toBe(values[(2 * 5 + 4) * 7 + 6]);
  });
});

test("accumulators of a box that begins before the tensor: the first columns are left out", () => {
  // The convolution's box has channels 0..7; the shift's the same rows, but it is told channels -2..5 of another tensor.
  const b = new ProgramBuilder();
  const input = b.tensor("input", [1, 2, 1], "i8", "input");
  const weights = b.constant("weights", [2, 1, 4], "i8", Int8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  const wide = b.tensor("wide", [1, 2, 8], "i8");
  const table = b.constant(
    "table",
    [1, 6, 4],
    "i8",
    packShiftTable(Array(6).fill({ bias: 0, biasShift: 0, shift: 0 })),
  );
  const output = b.tensor("output", [1, 2, 6], "i8", "output");
  const src = b.view(input, whole([1, 2, 1]), 0);
  const weightsView = b.view(weights, whole([2, 1, 4]), 16);
  const tableView = b.view(table, whole([1, 6, 4]), 32);
  const dst = b.view(output, whole([1, 2, 6]), 64);
  b.emit("load", { dst: src, ...whole([1, 2, 1]) });
  b.emit("load", { dst: weightsView, ...whole([2, 1, 4]) });
  b.emit("load", { dst: tableView, ...whole([1, 6, 4]) });
  const kernel = { kernelY: 1, kernelX: 1, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1 };
  b.emit("conv", { src, weights: weightsView, tensor: wide, ...whole([1, 2, 8]), ...kernel, groupOut: 8 });
  b.emit("shift", { table: tableView, dst, tensor: output, ...box(0, 1, 0, 2, -2, 8), low: -128, high: 127 });
  b.emit("store", { src: dst, ...whole([1, 2, 6]) });
  expect([...runOne(b.build({ serial: true }), Int8Array.of(1, 10))]).toEqual([
    3, 4, 5, 6, 7, 8, 30, 40, 50, 60, 70, 80,
  ]);
});
