/** Prologue and frames: barriers between them, overlap, latency and interval. */
import { describe, expect, test } from "vitest";
import { withParameters } from "../../isa/index.ts";
import { simulateTiming } from "../../sim/timing/index.ts";
import { Builder, run, whole } from "./build.ts";

/**
 * A frame: load 1024 B, convolve, shift, store. With semaphores back to the start, so that frames may overlap:
 * the load waits until the frame before has read its tile.
 */
function pipeline(parameters: object = {}) {
  const program = new Builder({
    "dma.setupCycles": 32,
    "dma.bytesPerCycle": 16,
    "dram.latencyCycles": 100,
    ...parameters,
  });
  const loaded = program.semaphore("load", "mac");
  const summed = program.semaphore("mac", "shift");
  const shifted = program.semaphore("shift", "store");
  const inputFree = program.semaphore("mac", "load", { initial: 1 });
  const sumsFree = program.semaphore("shift", "mac", { initial: 1 });
  const outputFree = program.semaphore("store", "shift", { initial: 1 });
  const tile = program.tensor("tile", [8, 16, 8], "intermediate");
  const out = program.tensor("out", [8, 16, 8], "intermediate");
  const weights = program.view(program.tensor("weights", [1, 8, 8], "constant"));
  const table = program.view(program.tensor("table", [1, 8, 4], "constant"));
  program.add("load", { dst: weights, ...whole([1, 8, 8]) });
  program.add("load", { dst: table, ...whole([1, 8, 4]) });
  program.endPrologue();
  program.layer("conv1");
  const box = whole([8, 16, 8]);
  const [src, dst] = [program.view(tile), program.view(out)];
  const tables = { weights: program.view(2 + 2), table: program.view(2 + 3) };
  program.add("load", { dst: src, ...box, waits: [inputFree], signals: [loaded] });
  const dense = { cCount: 8, groupIn: 8, groupOut: 8, packing: "full" } as const;
  const conv = { src, weights: tables.weights, tensor: out, ...box, ...dense };
  program.add("conv", { ...conv, waits: [loaded, sumsFree], signals: [summed, inputFree] });
  const shift = { table: tables.table, dst, tensor: out, ...box };
  program.add("shift", { ...shift, waits: [summed, outputFree], signals: [shifted, sumsFree] });
  program.layer("head");
  program.add("store", { src: dst, ...box, waits: [shifted], signals: [outputFree] });
  return program.check();
}

// fetch: less than a cycle + 100, in whole cycles
const FETCH = 101;
// load: 32 + 100 + 1024 / 16; conv: 8 + 128 + 14; shift: 128 + 5; store: 32 + 64 + less than a cycle
const FRAME = FETCH + 5 + 196 + 150 + 133 + 97;
// fetch; issue of 2 views and a load; 32 + 100 + 64 / 16; 32 + 100 + 32 / 16
const PROLOGUE = FETCH + 3 + 136 + 134;

describe("frames", () => {
  test("one frame starts when the prologue has ended everywhere", () => {
    const { result, frames } = run(pipeline());
    expect(result.totals.prologueCycles).toBe(PROLOGUE);
    expect(result.totals.latencyCycles).toBe(FRAME);
    expect(result.totals.intervalCycles).toBe(FRAME);
    expect(result.totals.cycles).toBe(PROLOGUE + FRAME);
    expect(frames).toEqual([
      { frame: -1, startCycle: 0, endCycle: PROLOGUE },
      { frame: 0, startCycle: PROLOGUE, endCycle: PROLOGUE + FRAME },
    ]);
  });

  test("without overlap every frame takes the same", () => {
    const { result, frames } = run(pipeline(), { frames: 5 });
    expect(frames.map(({ endCycle, startCycle }) => endCycle - startCycle)).toEqual([
      PROLOGUE,
      ...Array(5).fill(FRAME),
    ]);
    expect(result.totals.cycles).toBe(PROLOGUE + 5 * FRAME);
    expect(result.totals.intervalCycles).toBe(FRAME);
    // 128 pixels x 8 outputs x 8 inputs
    expect(result.totals.macs).toBe(5 * 128 * 64);
    expect(result.totals.hostBytes).toBe(5);
  });

  test("with overlap, the longest chain between two frames sets the interval", () => {
    const { result, frames } = run(pipeline(), { frames: 6, overlapFrames: true });
    expect(result.totals.latencyCycles).toBe(FRAME);
    // the tile is free when the convolution ends: load 196 + conv 150
    expect(result.totals.intervalCycles).toBe(346);
    expect(result.totals.cycles).toBe(PROLOGUE + FRAME + 5 * 346);
    expect(frames.length).toBe(7);
  });

  test("a frame that waits for nothing of the one before overlaps as far as its units allow", () => {
    const program = new Builder();
    const fields = program.conv([10, 8, 8], 8);
    program.add("conv", fields);
    const { result } = run(program, { frames: 4, overlapFrames: true });
    // 80 pixels each: the stream never stops
    expect(result.totals.intervalCycles).toBe(80);
    expect(run(program, { frames: 4 }).result.totals.intervalCycles).toBeGreaterThan(100);
  });

  test("a sync without an instruction of the awaited unit before it awaits the frame before", () => {
    const program = new Builder();
    const fields = program.conv([1, 8, 8], 8);
    program.add("sync", { after: ["shift"], before: ["mac"] });
    program.add("conv", fields);
    program.add("shift", program.shift([1, 100, 8]));
    const { result } = run(program, { frames: 3, overlapFrames: true });
    // shift 105, barrier 16, convolution: the shift of the next frame does not wait for it. 100 cycles from shift to shift
    expect(result.totals.intervalCycles).toBe(100);
    const late = run(program, { frames: 2, overlapFrames: true });
    const waited = late.stalls.filter(({ unit, cause }) => unit === "mac" && cause === "sync");
    expect(waited.length).toBeGreaterThan(0);
  });

  test("attributed cycles of frames that do not overlap: each begins with its own start", () => {
    const { result } = run(pipeline(), { frames: 3 });
    const cycles = Object.fromEntries(result.layers.map(({ name, attributedCycles }) => [name, attributedCycles]));
    expect(cycles).toEqual({
      "(start)": PROLOGUE + 3 * (FETCH + 5),
      conv1: 3 * (196 + 150 + 133),
      head: 3 * 97,
      "(end)": 0,
    });
  });

  test("attributed cycles of overlapping frames follow each other", () => {
    const { result } = run(pipeline(), { frames: 6, overlapFrames: true });
    const cycles = Object.fromEntries(result.layers.map(({ name, attributedCycles }) => [name, attributedCycles]));
    // prologue and first fetch; first frame: load, conv, shift, then the store. Later ones end 346 apart; after a store the
    // next frame's conv1 is the oldest
    expect(cycles).toEqual({
      "(start)": PROLOGUE + FETCH + 5,
      conv1: 196 + 150 + 133 + 5 * (346 - 97),
      head: 6 * 97,
      "(end)": 0,
    });
  });
});

describe("other rates", () => {
  test("another machine of the same structure", () => {
    const program = pipeline();
    const machine = withParameters(program.program.machine, { "dram.latencyCycles": 200 }, "test");
    // fetch and load take 100 cycles more
    expect(run(program, { machine }).result.totals.latencyCycles).toBe(FRAME + 200);
  });

  test("another structure is refused by the parameters that differ", () => {
    const program = pipeline();
    const machine = {
      ...withParameters(program.program.machine, { "array.rows": 16, agents: 2 }, "test"),
      name: "big",
    };
    expect(() => simulateTiming(program, { machine })).toThrow(
      "machine 'big': program 'test' is compiled for another structure: agents: 1, 2; array.rows: 8, 16. Compile it for this machine",
    );
  });

  test.each([0, 1.5, -1, Number.NaN])("frames = %d is refused", (frames) => {
    expect(() => simulateTiming(pipeline(), { frames })).toThrow(
      `frames = ${frames}: must be a whole number 1..100000`,
    );
  });
});

test("events are the same whether or not somebody listens, and the run is the same twice", () => {
  const program = pipeline();
  const { result } = run(program, { frames: 3 });
  expect(simulateTiming(program, { frames: 3 })).toEqual(result);
});
