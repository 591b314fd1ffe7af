import { describe, expect, test } from "vitest";
import { addMaps, type FeatureMap, outputSize, type Pads, type Pair, pool } from "../reference/index.ts";
import { axis, box, ProgramBuilder, type Shape, whole } from "./builder.ts";
import { noise } from "./conv-program.ts";
import { runOne } from "./run-both.ts";

const inFormat = (format: "i8" | "u8", bytes: Int8Array) => (format === "u8" ? new Uint8Array(bytes.buffer) : bytes);

interface PoolCase {
  readonly mode: "max" | "average" | "averageAll";
  readonly format: "i8" | "u8";
  readonly input: Shape;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly pads: Pads;
  readonly grid: Pair;
  readonly tile: Pair;
}

const PLAIN: PoolCase = {
  mode: "max",
  format: "i8",
  input: [7, 8, 5],
  kernel: [3, 3],
  stride: [2, 2],
  pads: [0, 0, 0, 0],
  grid: [1, 1],
  tile: [7, 8],
};

const CASES: readonly [string, Partial<PoolCase>][] = [
  ["max", {}],
  ["max with pads, which never win", { pads: [1, 1, 1, 1], grid: [2, 2], tile: [2, 2] }],
  ["u8 max", { format: "u8", pads: [2, 0, 2, 0] }],
  ["average without padding", { mode: "average", pads: [1, 1, 1, 1], grid: [2, 3], tile: [2, 2] }],
  [
    "average with padding counted",
    { mode: "averageAll", pads: [1, 1, 1, 1], stride: [1, 1], grid: [2, 2], tile: [4, 4] },
  ],
  ["u8 average", { mode: "average", format: "u8", kernel: [7, 8], stride: [1, 1], input: [7, 8, 19] }],
  ["1 x 2, stride 1 x 3", { kernel: [1, 2], stride: [1, 3], grid: [3, 1], tile: [3, 3] }],
];

describe("pool", () => {
  test.each(CASES)("%s", (_, changes) => {
    const c = { ...PLAIN, ...changes };
    const { input: shape, kernel, stride, pads, format, mode } = c;
    const [gridY, gridX] = c.grid;
    const size = outputSize({ height: shape[0], width: shape[1] }, kernel, stride, [1, 1], pads);
    const outShape: Shape = [size.height, size.width, shape[2]];
    const b = new ProgramBuilder({}, { gridY, gridX });
    const input = b.tensor("input", shape, format, "input");
    const output = b.tensor("output", [outShape[0], outShape[1], shape[2] + 3], format, "output");
    const pooled = b.tensor("pooled", outShape, format);
    const rows = axis(0, c.tile[0], c.tile[0]);
    const columns = axis(0, c.tile[1], 0, c.tile[1]);
    const tile = { y: rows, x: columns, c: axis(0, shape[2]) };
    const window = {
      y: axis(-pads[0], (c.tile[0] - 1) * stride[0] + kernel[0], c.tile[0] * stride[0]),
      x: axis(-pads[1], (c.tile[1] - 1) * stride[1] + kernel[1], 0, c.tile[1] * stride[1]),
      c: axis(0, shape[2]),
    };
    const src = b.view(input, window, 0);
    const dst = b.view(output, { ...tile, c: axis(2, shape[2]) }, 3000);
    b.emit("load", { dst: src, ...window, fill: true, fillValue: 100 });
    b.emit("pool", {
      src,
      dst,
      tensor: pooled,
      ...tile,
      channelOffset: 2,
      mode,
      kernelY: kernel[0],
      kernelX: kernel[1],
      strideY: stride[0],
      strideX: stride[1],
      padTop: pads[0],
      padLeft: pads[1],
    });
    b.emit("store", { src: dst, ...tile, c: axis(2, shape[2]) });
    const data = inFormat(format, noise(shape[0] * shape[1] * shape[2], 3));
    const map: FeatureMap = { height: shape[0], width: shape[1], channels: shape[2], data };
    const expected = pool(map, {
      mode: mode === "max" ? "max" : "average",
      countPadding: mode === "averageAll",
      kernel,
      stride,
      pads,
    });
    const result = [...runOne(b.build({ serial: true }), data)];
    const channels = shape[2] + 3;
    expect(result.filter((_, i) => i % channels >= 2 && i % channels < 2 + shape[2])).toEqual([...expected.data]);
    expect(
      result.filter((_, i) => i % channels < 2 || i % channels >= 2 + shape[2]).every((value) => value === 0),
    ).toBe(true);
  });
});

describe("add", () => {
  test.each([
    ["i8", 4, 6, 4, -128, 127, [0, 0, 0]],
    ["i8", 4, 4, 4, 0, 127, [0, 0, 0]],
    ["u8", 3, 5, 2, 0, 255, [0, 0, 0]],
    ["i8", 0, 0, 1, -128, 127, [0, 0, 0]],
    ["i8", -9, 7, 0, -128, 127, [0, 0, 0]],
    ["i8", 1, 2, 3, -128, 127, [2, -1, 4]],
  ] as const)(
    "%s, exponents %i and %i to %i, clamp %i..%i, registers %j",
    (format, fA, fB, fOut, low, high, registers) => {
      const shape: Shape = [4, 5, 9];
      const size = 4 * 5 * 9;
      const b = new ProgramBuilder({}, { gridY: 2, gridX: 1 });
      const first = b.tensor("input", shape, format, "input");
      const operand = noise(size, 12);
      const second = b.constant("second", shape, format, operand);
      const sum = b.tensor("sum", shape, format);
      const output = b.tensor("output", shape, format, "output");
      const mine = { ...whole(shape), y: axis(0, 2, 2) };
      const a = b.view(first, mine, 0);
      const other = b.view(second, mine, 100, { pixelPitch: 11, rowPitch: 60 });
      const dst = b.view(output, mine, 300);
      for (const [i, value] of registers.entries()) b.emit("scalar", { dst: i + 1, immediate: value });
      b.emit("load", { dst: a, ...mine });
      b.emit("load", { dst: other, ...mine });
      const exponents = { exponentA: fA, exponentB: fB, exponentOut: fOut, registerA: 1, registerB: 2, registerOut: 3 };
      b.emit("add", { a, b: other, dst, tensor: sum, ...mine, ...exponents, low, high });
      b.emit("store", { src: dst, ...mine });
      const dataA = inFormat(format, noise(size, 11));
      const extents = { height: 4, width: 5, channels: 9 };
      const expected = addMaps(
        { ...extents, data: dataA },
        { ...extents, data: inFormat(format, operand) },
        fA + registers[0],
        fB + registers[1],
        fOut + registers[2],
        low,
        high,
        inFormat(format, new Int8Array(size)),
      );
      expect(runOne(b.build({ serial: true }), dataA)).toEqual(expected.data);
    },
  );

  test("in place", () => {
    const b = new ProgramBuilder();
    const shape: Shape = [1, 1, 3];
    const input = b.tensor("input", shape, "i8", "input");
    const output = b.tensor("output", shape, "i8", "output");
    const view = b.view(input, whole(shape), 0);
    const same = b.view(output, whole(shape), 0);
    b.emit("load", { dst: view, ...whole(shape) });
    b.emit("add", { a: view, b: view, dst: same, tensor: input, ...box(0, 1, 0, 1, 0, 3), low: -128, high: 127 });
    b.emit("store", { src: same, ...whole(shape) });
    expect([...runOne(b.build({ serial: true }), Int8Array.of(1, -5, 100))]).toEqual([2, -10, 127]);
  });

  test("to channels further on", () => {
    const b = new ProgramBuilder();
    const input = b.tensor("input", [1, 2, 2], "i8", "input");
    const output = b.tensor("output", [1, 2, 5], "i8", "output");
    const src = b.view(input, whole([1, 2, 2]), 0);
    const dst = b.view(output, whole([1, 2, 5]), 10);
    b.emit("load", { dst: src, ...whole([1, 2, 2]) });
    const clamps = { low: -128, high: 127, channelOffset: 3 };
    b.emit("add", { a: src, b: src, dst, tensor: input, ...whole([1, 2, 2]), ...clamps });
    b.emit("store", { src: dst, ...whole([1, 2, 5]) });
    const result = runOne(b.build({ serial: true }), Int8Array.of(1, 2, 3, 4));
    expect([...result]).toEqual([0, 0, 0, 2, 4, 0, 0, 0, 6, 8]);
  });
});
