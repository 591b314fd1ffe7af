import { describe, expect, test } from "vitest";
import { packShiftTable, type ShiftEntry } from "../../isa/index.ts";
import { chooseExponent, rangeBin, shiftUnit, shiftUnitWide } from "../reference/index.ts";
import { axis, ProgramBuilder, type Shape, whole } from "./builder.ts";
import { noise } from "./conv-program.ts";
import { runBoth } from "./run-both.ts";

const ENTRIES: readonly ShiftEntry[] = [
  { bias: 3, biasShift: 2, shift: 6 },
  { bias: -100, biasShift: 0, shift: 5 },
  { bias: 7, biasShift: -1, shift: 7 },
];
const WEIGHTS = Int8Array.of(3, -50, 127);
const SHAPE: Shape = [4, 4, 1];
const OUT: Shape = [4, 4, 3];
const [BITS, CLIP] = [7, 3];

interface Layer {
  readonly relu?: boolean;
  /** Run-time exponent of the input. */
  readonly fIn?: number;
}

/** The exponent of a 1 x 1 layer over a picture, as the document says, and its output at another. */
function reference(input: Int8Array, fOut: number, { relu = false, fIn = 0 }: Layer) {
  const bins = new Array(33).fill(0);
  const output = new Int8Array(input.length * 3);
  input.forEach((pixel, i) => {
    ENTRIES.forEach(({ bias, biasShift, shift }, k) => {
      const acc = pixel * WEIGHTS[k];
      const biased = shiftUnitWide(acc, bias, biasShift, fIn);
      bins[rangeBin(relu ? Math.max(0, biased) : biased, shift + fIn)]++;
      output[3 * i + k] = shiftUnit(acc, bias, biasShift, shift, relu ? 0 : -128, 127, 0, 0, fIn, fOut);
    });
  });
  return { exponent: chooseExponent(bins, BITS, CLIP), output };
}

const REGISTER = 4;

/** A 1 x 1 layer over four agents, with its exponent from this frame (dynamic) or from the one before (delayed). */
function layerProgram(mode: "dynamic" | "delayed", { relu = false, fIn = 0 }: Layer) {
  const b = new ProgramBuilder({}, { gridY: 2, gridX: 2 });
  const input = b.tensor("input", SHAPE, "i8", "input");
  const weights = b.constant("weights", [1, 1, 4], "i8", Int8Array.of(...WEIGHTS, 0));
  const table = b.constant("table", [1, 3, 4], "i8", packShiftTable(ENTRIES));
  const output = b.tensor("output", OUT, "i8", "output");
  const views = () => ({ w: b.view(weights, whole([1, 1, 4]), 0), t: b.view(table, whole([1, 3, 4]), 16) });
  const resident = views();
  b.emit("load", { dst: resident.w, ...whole([1, 1, 4]), multicast: "all" });
  b.emit("load", { dst: resident.t, ...whole([1, 3, 4]), multicast: "all" });
  b.emit("scalar", { dst: 1, immediate: fIn });
  b.emit("scalar", { dst: REGISTER, immediate: 2 });
  b.endPrologue();

  const { w, t } = views();
  const mine = { y: axis(0, 2, 2), x: axis(0, 2, 0, 2), c: axis(0, 1) };
  const tile = { ...mine, c: axis(0, 3) };
  const src = b.view(input, mine, 32);
  const dst = b.view(output, tile, 64);
  const accumulators = { tensor: output, ...tile, accRow: 3, table: t, exponentIn: 1 };
  const shift = () => b.emit("shift", { ...accumulators, dst, low: relu ? 0 : -128, high: 127, exponentOut: REGISTER });
  b.emit("load", { dst: src, ...mine });
  const kernel = { kernelY: 1, kernelX: 1, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1 };
  b.emit("conv", { src, weights: w, tensor: output, ...tile, accRow: 3, ...kernel, groupOut: 3 });
  if (mode === "delayed") shift();
  b.emit("range", { ...accumulators, histogram: 9, relu });
  b.emit("reduce", { histogram: 9 });
  b.emit("exponent", { dst: REGISTER, histogram: 9, bits: BITS, clipLog2: CLIP });
  if (mode === "dynamic") shift();
  b.emit("store", { src: dst, ...tile });
  return b.build({ serial: true });
}

const FRAMES = [1, 2, 3].map((seed) => noise(16, seed).map((value) => value >> (2 * seed)));

describe.each<Layer>([{}, { relu: true }, { fIn: -3 }])("%j", (layer) => {
  test("dynamic: the exponent follows from this frame, over all agents", () => {
    const frames = runBoth(layerProgram("dynamic", layer), FRAMES);
    FRAMES.forEach((input, i) => {
      const { exponent } = reference(input, 0, layer);
      expect(frames[i].scalars.map((registers) => registers[REGISTER])).toEqual(Array(4).fill(exponent));
      expect(frames[i].outputs.get("output")).toEqual(reference(input, exponent, layer).output);
    });
    // the frames differ so much that they do not share exponents
    expect(new Set(frames.map(({ scalars }) => scalars[0][REGISTER])).size).toBeGreaterThan(1);
  });

  test("delayed: from the frame before, at first from the prologue", () => {
    const frames = runBoth(layerProgram("delayed", layer), FRAMES);
    let exponent = 2;
    FRAMES.forEach((input, i) => {
      const expected = reference(input, exponent, layer);
      expect(frames[i].outputs.get("output")).toEqual(expected.output);
      exponent = expected.exponent;
    });
  });
});

describe("scalar registers", () => {
  const run = (emit: (b: ProgramBuilder) => void, grid = { gridY: 1, gridX: 1 }) => {
    const b = new ProgramBuilder({}, grid);
    b.tensor("input", [1, 1, 1], "i8", "input");
    b.tensor("output", [1, 1, 1], "i8", "output");
    emit(b);
    return runBoth(b.build(), [Int8Array.of(0)])[0].scalars;
  };

  test("operations, immediates and saturation", () => {
    const [registers] = run((b) => {
      b.emit("scalar", { dst: 1, immediate: 20 });
      b.emit("scalar", { dst: 2, immediate: -7 });
      b.emit("scalar", { dst: 3, a: 1, b: 2, operation: "add" });
      b.emit("scalar", { dst: 4, a: 1, b: 2, operation: "subtract", immediate: 1 });
      b.emit("scalar", { dst: 5, a: 1, b: 2, operation: "minimum" });
      b.emit("scalar", { dst: 6, a: 1, b: 2, operation: "maximum" });
      b.emit("scalar", { dst: 7, immediate: 30000 });
      b.emit("scalar", { dst: 8, immediate: -30000 });
    });
    expect([...registers.slice(0, 9)]).toEqual([0, 20, -7, 13, 28, -7, 20, 63, -64]);
  });

  test("register 0 stays 0", () => {
    const [registers] = run((b) => {
      b.emit("scalar", { dst: 0, immediate: 9 });
      b.emit("exponent", { dst: 0, histogram: 0, bits: 7 });
      b.emit("scalar", { dst: 1, a: 0, b: 0 });
    });
    expect([...registers.slice(0, 2)]).toEqual([0, 0]);
  });

  test("agents outside the grid do nothing", () => {
    const scalars = run(
      (b) => {
        b.emit("scalar", { dst: 1, immediate: 5, gridY: 1, gridX: 2 });
        b.emit("exponent", { dst: 2, histogram: 0, bits: 7, gridY: 1, gridX: 1 });
      },
      { gridY: 2, gridX: 2 },
    );
    expect(scalars.map((registers) => [registers[1], registers[2]])).toEqual([
      [5, 22],
      [5, 0],
      [0, 0],
      [0, 0],
    ]);
  });

  test("an exponent clears its histogram", () => {
    const [registers] = run((b) => {
      const tile = b.constant("tile", [1, 1, 1], "i32", Int32Array.of(1 << 20));
      const table = b.constant("table", [1, 1, 4], "i8", Int8Array.of(0, 0, 0, 0));
      const src = b.view(tile, whole([1, 1, 1]), 0);
      const entries = b.view(table, whole([1, 1, 4]), 4);
      b.emit("load", { dst: src, ...whole([1, 1, 1]) });
      b.emit("load", { dst: entries, ...whole([1, 1, 4]) });
      b.emit("range", { source: "view", src, table: entries, tensor: tile, ...whole([1, 1, 1]), histogram: 3 });
      b.emit("exponent", { dst: 1, histogram: 3, bits: 7, clipLog2: 10 });
      b.emit("exponent", { dst: 2, histogram: 3, bits: 7, clipLog2: 10 });
    });
    // 2^20 needs 21 bits: bin 32 (clamped from 37), so 7 - 16; nothing: 22
    expect([registers[1], registers[2]]).toEqual([-9, 22]);
  });
});

test("a range over a part of an accumulator tile counts that part", () => {
  const b = new ProgramBuilder({}, { gridY: 1, gridX: 1 });
  const input = b.tensor("input", [4, 4, 1], "i8", "input");
  const weights = b.constant("weights", [1, 1, 4], "i8", Int8Array.of(1, 0, 0, 0));
  const table = b.constant("table", [1, 1, 4], "i8", packShiftTable([{ bias: 0, biasShift: 0, shift: 0 }]));
  const output = b.tensor("output", [4, 4, 1], "i8", "output");
  const w = b.view(weights, whole([1, 1, 4]), 0);
  const t = b.view(table, whole([1, 1, 4]), 16);
  const src = b.view(input, whole([4, 4, 1]), 32);
  b.emit("load", { dst: w, ...whole([1, 1, 4]) });
  b.emit("load", { dst: t, ...whole([1, 1, 4]) });
  b.emit("load", { dst: src, ...whole([4, 4, 1]) });
  const kernel = { kernelY: 1, kernelX: 1, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1 };
  b.emit("conv", { src, weights: w, tensor: output, ...whole([4, 4, 1]), accRow: 3, ...kernel });
  // rows 1 and 2, columns 2 and 3: the tile's first pixel is accumulator row 3
  const part = { y: axis(1, 2), x: axis(2, 2), c: axis(0, 1), accRow: 3 + 1 * 4 + 2, accHeight: 4, accWidth: 4 };
  b.emit("range", { table: t, tensor: output, ...part, histogram: 2 });
  b.emit("exponent", { dst: 1, histogram: 2, bits: 7, clipLog2: 31 });
  const program = b.build({ serial: true });
  // 64 outside the part, 16 in each of its corners in turn, 1 elsewhere
  const frames = [6, 7, 10, 11].map((corner) =>
    Int8Array.from({ length: 16 }, (_, i) => (i === corner ? 16 : [6, 7, 10, 11].includes(i) ? 1 : 64)),
  );
  // 16 has five bits: 16 * 2^2 is the last that fits seven
  for (const { scalars } of runBoth(program, frames)) expect(scalars[0][1]).toBe(2);
});
