import { describe, expect, test } from "vitest";
import { copy as referenceCopy } from "../reference/index.ts";
import { axis, box, ProgramBuilder, type Shape, whole } from "./builder.ts";
import { runBoth, runOne } from "./run-both.ts";

const counting = (length: number) => Int8Array.from({ length }, (_, i) => i + 1);

/** Agent (iy, ix) of a grid has the pixel (iy, ix) of a [gridY, gridX, channels] tensor. */
const pixelOfAgent = (channels: number) => ({ y: axis(0, 1, 1, 0), x: axis(0, 1, 0, 1), c: axis(0, channels) });

describe("load", () => {
  const shape: Shape = [2, 3, 5];
  const input = counting(30);
  const pixel = (y: number, x: number) => [...input.subarray((y * 3 + x) * 5, (y * 3 + x + 1) * 5)];

  test.each([
    ["none", 1, 1, (iy: number, ix: number) => pixel(iy, ix)],
    ["row", 1, 0, (iy: number) => pixel(iy, 0)],
    ["column", 0, 1, (_: number, ix: number) => pixel(0, ix)],
    ["all", 0, 0, () => pixel(0, 0)],
  ] as const)("multicast %s: every agent of a group gets the same box", (multicast, stepA, stepB, expected) => {
    const b = new ProgramBuilder({}, { gridY: 2, gridX: 3 });
    const from = b.tensor("input", shape, "i8", "input");
    const to = b.tensor("output", shape, "i8", "output");
    const mine = { y: axis(0, 1, stepA, 0), x: axis(0, 1, 0, stepB), c: axis(0, 5) };
    b.emit("load", { dst: b.view(from, mine, 64), ...mine, multicast });
    b.emit("store", { src: b.view(to, pixelOfAgent(5), 64), ...pixelOfAgent(5) });
    const agents = [0, 1].flatMap((iy) => [0, 1, 2].map((ix) => expected(iy, ix)));
    expect([...runOne(b.build({ serial: true }), input)]).toEqual(agents.flat());
  });

  test("fill writes what is outside the tensor, in the box and in the view, and nothing else", () => {
    const b = new ProgramBuilder();
    const from = b.tensor("input", [2, 2, 1], "i8", "input");
    const to = b.tensor("output", [4, 4, 1], "i8", "output");
    const window = box(-1, 4, -1, 4, 0, 1);
    const dst = b.view(from, window, 100);
    b.emit("load", { dst, ...box(-3, 4, -1, 3, 0, 1), fill: true, fillValue: 9 });
    b.emit("store", { src: b.view(to, whole([4, 4, 1]), 100), ...whole([4, 4, 1]) });
    // rows -1 and 0, columns -1..1; the box reaches above the view
    expect([...runOne(b.build({ serial: true }), counting(4))]).toEqual([
      9, 9, 9, 0, 9, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ]);
  });

  test("fill of int32 elements", () => {
    const b = new ProgramBuilder();
    b.tensor("input", [1, 1, 1], "i8", "input");
    const values = Int32Array.of(7, -70000);
    const from = b.constant("values", [1, 1, 2], "i32", values);
    const to = b.tensor("output", [1, 3, 2], "i32", "output");
    const window = box(0, 1, -1, 3, 0, 2);
    b.emit("load", { dst: b.view(from, window, 0), ...window, fill: true, fillValue: -3 });
    b.emit("store", { src: b.view(to, whole([1, 3, 2]), 0), ...whole([1, 3, 2]) });
    expect([...runOne(b.build({ serial: true }), counting(1))]).toEqual([-3, -3, 7, -70000, -3, -3]);
  });

  test("without fill the old bytes stay", () => {
    const b = new ProgramBuilder();
    const from = b.tensor("input", [1, 1, 1], "i8", "input");
    const to = b.tensor("output", [1, 3, 1], "i8", "output");
    const all = whole([1, 3, 1]);
    const window = box(0, 1, -1, 3, 0, 1);
    const old = b.constant("old", [1, 3, 1], "i8", Int8Array.of(4, 5, 6));
    b.emit("load", { dst: b.view(old, all, 0), ...all });
    b.emit("load", { dst: b.view(from, window, 0), ...window });
    b.emit("store", { src: b.view(to, all, 0), ...all });
    expect([...runOne(b.build({ serial: true }), Int8Array.of(50))]).toEqual([4, 50, 6]);
  });
});

test("store: a box of a strided view into a channel range", () => {
  const b = new ProgramBuilder();
  const from = b.tensor("input", [2, 2, 2], "i8", "input");
  const to = b.tensor("output", [2, 2, 4], "i8", "output");
  const pitches = { pixelPitch: 5, rowPitch: 20 };
  b.emit("load", { dst: b.view(from, whole([2, 2, 2]), 3, pitches), ...whole([2, 2, 2]) });
  const part = box(0, 2, 0, 2, 1, 2);
  b.emit("store", { src: b.view(to, part, 3, pitches), ...part });
  expect([...runOne(b.build({ serial: true }), counting(8))]).toEqual([0, 1, 2, 0, 0, 3, 4, 0, 0, 5, 6, 0, 0, 7, 8, 0]);
});

describe("copy", () => {
  const grid = { gridY: 2, gridX: 2 };
  const shape: Shape = [2, 2, 1];

  /** Agents hold 1 2 / 3 4 at address 0 and 100 beside it; the copy goes to address 1; what is there then comes out. */
  const neighbours = (offsetY: number, offsetX: number) => {
    const b = new ProgramBuilder({}, grid);
    const from = b.tensor("input", shape, "i8", "input");
    const to = b.tensor("output", shape, "i8", "output");
    const old = b.constant("old", [1, 1, 1], "i8", Int8Array.of(100));
    const mine = pixelOfAgent(1);
    const everywhere = box(0, 1, 0, 1, 0, 1);
    b.emit("load", { dst: b.view(from, mine, 0), ...mine });
    b.emit("load", { dst: b.view(old, everywhere, 1), ...everywhere, multicast: "all" });
    // the receiver's window is where the copied pixel is: the sender's
    const theirs = { ...mine, y: axis(-offsetY, 1, 1, 0), x: axis(-offsetX, 1, 0, 1) };
    b.emit("copy", { src: b.view(from, mine, 0), dst: b.view(from, theirs, 1), ...mine, offsetY, offsetX });
    b.emit("store", { src: b.view(to, mine, 1), ...mine });
    return [...runOne(b.build({ serial: true }), counting(4))];
  };

  test.each([
    ["within the agent", 0, 0, [1, 2, 3, 4]],
    ["to the right: void at the right edge, and the left column gets nothing", 0, 1, [100, 1, 100, 3]],
    ["up and to the left", -1, -1, [4, 100, 100, 100]],
    ["out of the grid", 0, 2, [100, 100, 100, 100]],
  ])("%s", (_, offsetY, offsetX, expected) => {
    expect(neighbours(offsetY, offsetX)).toEqual(expected);
  });

  test.each([
    ["i8", 2, 0],
    ["i8", -3, 0],
    ["u8", 1, 0],
    ["u8", -2, 0],
    ["i8", 1, 3],
    ["i8", 0, 2],
    ["i8", -20, 60],
  ] as const)("%s by a shift of %i and a register holding %i, with a channel offset", (format, shift, register) => {
    const b = new ProgramBuilder();
    const shapeIn: Shape = [1, 4, 3];
    const from = b.tensor("input", shapeIn, format, "input");
    const to = b.tensor("output", [1, 4, 4], format, "output");
    const bytes = counting(12).map((value) => value * 23);
    const input = format === "u8" ? new Uint8Array(bytes.buffer) : bytes;
    const src = b.view(from, whole(shapeIn), 0);
    const dst = b.view(to, whole([1, 4, 4]), 100);
    b.emit("scalar", { dst: 5, immediate: register });
    b.emit("load", { dst: src, ...whole(shapeIn) });
    b.emit("copy", { src, dst, ...whole(shapeIn), channelOffset: 1, shift, exponentIn: 5, exponentOut: 0 });
    b.emit("store", { src: dst, ...whole([1, 4, 4]) });
    const [low, high] = format === "u8" ? [0, 255] : [-128, 127];
    const expected = Array.from({ length: 4 }, (_, x) => [
      0,
      ...[...input.subarray(3 * x, 3 * x + 3)].map((value) => referenceCopy(value, shift + register, 0, low, high)),
    ]);
    expect([...runOne(b.build({ serial: true }), input)]).toEqual(expected.flat());
  });

  const int32Copy = (shift: number) => {
    const b = new ProgramBuilder();
    b.tensor("input", [1, 1, 1], "i8", "input");
    const values = Int32Array.of(2147483647, -2147483648, 5, 6);
    const from = b.constant("values", [1, 2, 2], "i32", values);
    const to = b.tensor("output", [1, 2, 2], "i32", "output");
    const all = whole([1, 2, 2]);
    const src = b.view(from, all, 0);
    b.emit("load", { dst: src, ...all });
    b.emit("copy", { src, dst: b.view(to, all, 64), ...all, shift });
    b.emit("store", { src: b.view(to, all, 64), ...all });
    return { values, program: () => b.build({ serial: true }) };
  };

  test("int32 tiles are copied as they are", () => {
    const { values, program } = int32Copy(0);
    expect(runOne(program(), counting(1))).toEqual(values);
  });

  test("an int32 tile cannot be shifted on the way", () => {
    expect(int32Copy(4).program).toThrow("an i32 tile is copied as it is");
  });
});

test("a view's own grid counts, not the instruction's", () => {
  // Two agents as 1 x 2, the load's view as 2 x 1: its windows follow its own rows.
  const b = new ProgramBuilder({}, { gridY: 1, gridX: 2 });
  const from = b.tensor("input", [2, 1, 1], "i8", "input");
  const to = b.tensor("output", [1, 2, 1], "i8", "output");
  const rows = { y: axis(0, 1, 1, 0), x: axis(0, 1), c: axis(0, 1) };
  const asColumns = { ...rows, y: axis(0, 1, 0, 1) };
  b.emit("load", { dst: b.view(from, rows, 8, { gridY: 2, gridX: 1 }), ...asColumns });
  const mine = pixelOfAgent(1);
  b.emit("store", { src: b.view(to, mine, 8), ...mine });
  expect([...runBoth(b.build({ serial: true }), [Int8Array.of(11, 22)])[0].outputs.get("output")!]).toEqual([11, 22]);
});
