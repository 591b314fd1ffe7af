import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assembleProbes } from "../../sim/functional/index.ts";
import { findRaces } from "../../sim/races/index.ts";
import { type ConvCase, convData, convOutputShape, convProgram, convReference } from "./conv-program.ts";
import { runBoth } from "./run-both.ts";

/** Compiles by hand, runs with both kernels, and compares accumulators and output with the reference. */
function check(c: ConvCase, seed = 1): void {
  const data = convData(c, seed);
  const program = convProgram(c, data);
  const expected = convReference(c, data);
  const [{ outputs, probes }] = runBoth(program, [data.input]);
  expect(outputs.get("output")).toEqual(expected.output);
  const { layers, errors } = assembleProbes(program.program, probes);
  expect(errors).toEqual([]);
  expect(layers.get(0)).toEqual({ name: "conv", shape: convOutputShape(c), values: expected.accumulators });
}

const PLAIN: ConvCase = {
  input: [7, 9, 3],
  inputFormat: "i8",
  outputFormat: "i8",
  outChannels: 6,
  kernel: [3, 3],
  stride: [1, 1],
  dilation: [1, 1],
  pads: [1, 1, 1, 1],
  groups: 1,
  cols: 4,
  grid: [1, 1],
  tile: [7, 9, 8],
  chunk: 3,
  slope: null,
  fillValue: 99,
};

const CASES: readonly [string, Partial<ConvCase>][] = [
  ["one agent, one tile", {}],
  ["a grid whose last agents are clipped", { grid: [2, 3], tile: [4, 4, 8] }],
  ["agents clipped to nothing", { grid: [3, 3], tile: [4, 5, 8] }],
  ["several tiles per agent", { grid: [2, 1], tile: [2, 3, 4] }],
  ["input channels in chunks", { input: [6, 6, 7], chunk: 3 }],
  ["stride 2, uneven pads", { stride: [2, 2], pads: [0, 1, 1, 0], grid: [2, 2], tile: [2, 3, 8] }],
  ["dilation", { dilation: [2, 3], pads: [2, 3, 2, 3], grid: [2, 1], tile: [4, 9, 8] }],
  ["pads so large that a tile sees padding alone", { kernel: [2, 2], dilation: [8, 8], pads: [8, 8, 0, 0] }],
  ["1 x 1", { kernel: [1, 1], pads: [0, 0, 0, 0], input: [5, 5, 16], chunk: 5, outChannels: 9 }],
  ["depthwise", { input: [5, 6, 6], groups: 6, chunk: 1 }],
  ["depthwise with two outputs per channel", { input: [5, 6, 6], groups: 6, outChannels: 12, chunk: 1 }],
  ["groups as large as a block", { input: [5, 6, 8], groups: 2, outChannels: 8, chunk: 4 }],
  ["groups that divide a block, in chunks", { input: [5, 6, 6], groups: 2, outChannels: 4, chunk: 2, tile: [3, 6, 4] }],
  ["groups across blocks", { input: [5, 6, 6], groups: 2, outChannels: 12, chunk: 3 }],
  ["u8 in and out", { inputFormat: "u8", outputFormat: "u8" }],
  ["i32 output", { outputFormat: "i32", grid: [2, 2], tile: [4, 5, 4] }],
  ["LeakyReLU, one term", { slope: { a: 3, b: 0 } }],
  ["LeakyReLU, two terms", { slope: { a: 4, b: 5 } }],
  ["12 columns", { cols: 12, outChannels: 14, tile: [7, 9, 24] }],
];

test.each(CASES)("%s", (_, changes) => check({ ...PLAIN, ...changes }));

test("a layer with barriers has no races, also between overlapping frames", () => {
  const c = { ...PLAIN, grid: [2, 3], tile: [2, 2, 4] } as const;
  const program = convProgram(c, convData(c, 3));
  expect(findRaces(program)).toEqual([]);
  expect(findRaces(program, { overlapFrames: true })).toEqual([]);
});

describe("any layer on any grid", () => {
  const pair = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));
  const cases: fc.Arbitrary<ConvCase> = fc
    .record({
      size: pair(1, 9),
      groupIn: fc.integer({ min: 1, max: 6 }),
      groupOut: fc.integer({ min: 1, max: 6 }),
      groups: fc.integer({ min: 1, max: 4 }),
      kernel: pair(1, 3),
      stride: pair(1, 3),
      dilation: pair(1, 2),
      pads: fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 2 }))) as fc.Arbitrary<
        [number, number, number, number]
      >,
      cols: fc.constantFrom(4, 8),
      grid: pair(1, 3),
      tileSize: pair(1, 5),
      tileBlocks: fc.integer({ min: 1, max: 3 }),
      chunk: fc.integer({ min: 1, max: 6 }),
      inputFormat: fc.constantFrom("i8" as const, "u8" as const),
      outputFormat: fc.constantFrom("i8" as const, "u8" as const, "i32" as const),
      slope: fc.constantFrom(null, { a: 2, b: 0 }, { a: 4, b: 5 }),
      fillValue: fc.integer({ min: 0, max: 127 }),
    })
    .map(({ size, groupIn, groupOut, groups, tileSize, tileBlocks, ...rest }) => ({
      ...rest,
      input: [...size, groupIn * groups] as const,
      outChannels: groupOut * groups,
      groups,
      tile: [...tileSize, tileBlocks * rest.cols] as const,
    }))
    .filter((c) => convOutputShape(c).every((extent) => extent > 0));

  test("equals the reference", () => {
    fc.assert(
      fc.property(cases, fc.integer({ min: 1, max: 1000 }), (c, seed) => check(c, seed)),
      { numRuns: 150 },
    );
  });
});
