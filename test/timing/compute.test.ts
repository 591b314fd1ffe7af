/** Do the units that compute take the cycles of docs/timing.md? */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Instruction,
  instruction,
  loadPreset,
  OPS,
  PARAMETER_KEYS,
  PARAMETERS,
  type Packing,
} from "../../isa/index.ts";
import { COST_RATES, cost } from "../../sim/timing/costs.ts";
import type { Work } from "../../sim/timing/work.ts";
import { axis, Builder, type Fields, run, type Shape, whole } from "./build.ts";

/** Cycles of one convolution by itself. */
function convCycles(parameters: object, shape: Shape, cIn: number, given: Fields<"conv"> = {}): number {
  const program = new Builder({ ...parameters });
  const conv = program.add("conv", program.conv(shape, cIn, given));
  return run(program).cycles(conv);
}

describe("conv", () => {
  // rows = cols = 8, so that the drain is 8 + 8 - 2 = 14
  test.each<[string, Shape, number, Fields<"conv">, number]>([
    ["one pass: 8 preload + 12 stream + 14 drain", [3, 4, 8], 8, {}, 34],
    ["two pixels: 8 + 2 + 14", [1, 2, 8], 8, {}, 24],
    ["a pass takes no less than the next one's preload: 8 + 2 x max(2, 8) + 2 + 14", [1, 2, 8], 24, {}, 40],
    ["20 input channels, 3 passes: 8 + 3 x 12 + 14", [3, 4, 8], 20, {}, 58],
    ["20 output channels, 3 blocks: 8 + 3 x 12 + 14", [3, 4, 20], 8, {}, 58],
    ["3 blocks x 3 passes: 8 + 9 x 12 + 14", [3, 4, 20], 20, {}, 130],
    ["3 x 3 of 3 channels, fully packed: 8 + ceil(27 / 8) x 12 + 14", [3, 4, 8], 3, { kernelY: 3, kernelX: 3 }, 70],
    [
      "by kernel row: 8 + 3 x ceil(9 / 8) x 12 + 14",
      [3, 4, 8],
      3,
      { kernelY: 3, kernelX: 3, packing: "kernelRow" },
      94,
    ],
    ["by tap: 8 + 9 x 12 + 14", [3, 4, 8], 3, { kernelY: 3, kernelX: 3, packing: "perTap" }, 130],
    [
      "depthwise, 8 groups in a block take 8 channels: 8 + ceil(9 x 8 / 8) x 12 + 14",
      [3, 4, 8],
      8,
      { kernelY: 3, kernelX: 3, cCount: 1, groupIn: 1, groupOut: 1 },
      130,
    ],
    [
      "two groups of 8 outputs, one per block, 8 channels each: 8 + 2 x 12 + 14",
      [3, 4, 16],
      16,
      { cCount: 8, groupIn: 8, groupOut: 8 },
      46,
    ],
  ])("%s", (_, shape, cIn, given, cycles) => {
    expect(convCycles({}, shape, cIn, given)).toBe(cycles);
  });

  test.each([
    [8, 16, "8 preload + 12 stream + 22 drain", 42],
    [16, 8, "16 preload + 12 stream + 22 drain", 50],
  ])("%i rows, %i columns: %s", (rows, cols, _, cycles) => {
    expect(convCycles({ "array.rows": rows, "array.cols": cols }, [3, 4, 8], 8)).toBe(cycles);
  });

  // two passes of 12 pixels
  test.each([
    [true, true, "8 preload + 2 x 12 + 14 drain", 46],
    [true, false, "2 x (8 + 12) + 14", 54],
    [false, true, "8 + 2 x (12 + 14)", 60],
    [false, false, "2 x (8 + 12 + 14)", 68],
  ])("pass overlap %s, hidden preload %s: %s", (overlap, hidden, _, cycles) => {
    const flags = { "array.passOverlap": overlap, "array.hiddenPreload": hidden };
    expect(convCycles(flags, [3, 4, 8], 16)).toBe(cycles);
  });

  test("a box clipped by its tensor is cut down before anything else", () => {
    const program = new Builder();
    const fields = program.conv([3, 4, 8], 8);
    const conv = program.add("conv", { ...fields, y: axis(1, 60), accRow: 0, x: axis(0, 4) });
    expect(run(program).cycles(conv)).toBe(8 + 2 * 4 + 14);
  });

  test("SRAM that is too slow for the operands sets the pace", () => {
    // 12 pixels x 8 rows + 8 x 8 weights = 160 B at 1 B/cycle; + 8 preload + 14 drain
    const slow = { "sram.banks": 1, "sram.bankBytesPerCycle": 1 };
    expect(convCycles(slow, [3, 4, 8], 8)).toBe(160 + 22);
  });

  test("convolutions follow each other without a gap when they are there in time", () => {
    const program = new Builder();
    const fields = program.conv([3, 4, 8], 16);
    const [first, second, third] = [0, 1, 2].map(() => program.add("conv", fields));
    const { span, unit } = run(program);
    // the second's preload is hidden in the first's last pass: it enters 2 x 12 cycles after the first
    expect(span(second).start - span(first).start).toBe(24);
    expect(span(third).start - span(second).start).toBe(24);
    expect(span(third).end - span(first).start).toBe(8 + 6 * 12 + 14);
    // overlapping intervals count once
    expect(unit("mac").busyCycles).toBe(8 + 6 * 12 + 14);
  });

  test.each([
    [true, false, 2 * (8 + 12)],
    [false, true, 2 * (12 + 14)],
    [false, false, 2 * (8 + 12 + 14)],
  ])("pass overlap %s, hidden preload %s: the next convolution enters %i cycles later", (overlap, hidden, cycles) => {
    const program = new Builder({ "array.passOverlap": overlap, "array.hiddenPreload": hidden });
    const fields = program.conv([3, 4, 8], 16);
    const [first, second] = [0, 1].map(() => program.add("conv", fields));
    const { span } = run(program);
    expect(span(second).start - span(first).start).toBe(cycles);
  });

  test("a convolution that is there late shows its preload", () => {
    // issued 40 cycles after the first: that one's stream ended 8 preload + 24 cycles after its start
    const program = new Builder({ "issue.cyclesPerInstruction": 40 });
    const fields = program.conv([3, 4, 8], 16);
    const [first, second] = [0, 1].map(() => program.add("conv", fields));
    const { span, unit } = run(program);
    expect(span(second).start - span(first).start).toBe(40);
    // it starts while the first drains: busy without a gap from 0 to 40 + 46
    expect(unit("mac").busyCycles).toBe(86);
  });

  test("peer-scalesim-ws32: ceil(K / 32) x ceil(M / 32) x (P + 3 x 32 - 2) busy cycles", () => {
    const { parameters } = loadPreset("peer-scalesim-ws32");
    const given = Object.fromEntries(PARAMETER_KEYS.map((key) => [key, parameters[key]]));
    const dim = (max: number) => fc.integer({ min: 1, max });
    fc.assert(
      fc.property(dim(9), dim(9), dim(100), dim(3), dim(90), (h, w, outputs, kernel, channels) => {
        const program = new Builder(given);
        program.add("conv", program.conv([h, w, outputs], channels, { kernelY: kernel, kernelX: kernel }));
        const passes = Math.ceil((kernel * kernel * channels) / 32) * Math.ceil(outputs / 32);
        expect(run(program).unit("mac").busyCycles).toBe(passes * (h * w + 3 * 32 - 2));
      }),
      { numRuns: 50 },
    );
  });

  test("per tap, as ONNXim: P x k x k x ceil(C / 32) x ceil(M / 32) cycles of stream", () => {
    const { parameters } = loadPreset("peer-onnxim-ws32");
    const given = Object.fromEntries(PARAMETER_KEYS.map((key) => [key, parameters[key]]));
    const cycles = convCycles(given, [10, 10, 64], 48, { kernelY: 3, kernelX: 3, packing: "perTap" satisfies Packing });
    // 32 preload + 100 x 9 x 2 x 2 + 62 drain
    expect(cycles).toBe(32 + 3600 + 62);
  });
});

describe("shift, pool, add, range: the lanes take channels of one pixel, + 5 of pipeline", () => {
  const build = (parameters: object, add: (program: Builder) => number) => {
    const program = new Builder({ ...parameters });
    const index = add(program);
    return run(program).cycles(index);
  };

  // blocks of 8 channels, one accumulator row each
  test.each([
    [8, 9, "12 pixels x 2 rows", 24],
    [8, 20, "12 x 3", 36],
    [3, 9, "12 x (3 + 1)", 48],
    [15, 8, "lanes beyond the row's 8 find nothing", 12],
    [16, 9, "two groups of 8 lanes, 6 pixels each x 2", 12],
    [40, 9, "five groups, 3 x 2", 6],
  ])("shift of 3 x 4 pixels on %i lanes, %i channels: %s, + 5", (lanes, channels, _, cycles) => {
    const shift = (program: Builder) => program.add("shift", program.shift([3, 4, channels]));
    expect(build({ "shift.lanes": lanes }, shift)).toBe(cycles + 5);
  });

  test("a box that begins within an accumulator row: 12 pixels x (1 of 8 columns + 7 of the next row)", () => {
    const begun = (program: Builder) => program.add("shift", { ...program.shift([3, 4, 8]), c: axis(-7, 15) });
    expect(build({}, begun)).toBe(24 + 5);
  });

  test("shift of an int32 tile in SRAM, where channels lie side by side: 12 pixels x ceil(17 / 8)", () => {
    const ofTile = (program: Builder) => {
      const fields = program.shift([3, 4, 17]);
      const src = program.view(program.tensor("wide", [3, 4, 17], "none", "i32"));
      return program.add("shift", { ...fields, source: "view", src });
    };
    expect(build({ "array.cols": 12 }, ofTile)).toBe(36 + 5);
  });

  test("shift slowed by SRAM: 9 x 4 B of table + 108 B of results at 4 B/cycle + 5", () => {
    const slow = { "sram.banks": 2, "sram.bankBytesPerCycle": 2 };
    expect(build(slow, (program) => program.add("shift", program.shift([3, 4, 9])))).toBe(36 + 5);
  });

  test("shift instructions enter one behind the other and end in order", () => {
    const program = new Builder();
    const fields = program.shift([3, 4, 9]);
    const [first, second] = [0, 1].map(() => program.add("shift", fields));
    const { span, unit } = run(program);
    expect(span(second).start - span(first).start).toBe(24);
    expect(unit("shift").busyCycles).toBe(2 * 24 + 5);
  });

  test("a fence behind a shift waits for its pipeline", () => {
    const program = new Builder();
    const shift = program.add("shift", program.shift([3, 4, 9]));
    const fence = program.add("fence", { unit: "shift" });
    const { span } = run(program);
    expect(span(fence).end).toBe(span(shift).end);
  });

  test("range, as shift: 12 x 2 + 5", () => {
    const cycles = build({ "shift.lanes": 1, "pool.lanes": 1 }, (program) => {
      const { table, tensor, y, x, c } = program.shift([3, 4, 9]);
      const box = { y: y!, x: x!, c: c! };
      return program.add("range", { source: "accumulators", table: table!, tensor: tensor!, ...box });
    });
    expect(cycles).toBe(24 + 5);
  });

  test("pool: every tap of every window, 2 x 2 x 12 pixels x ceil(9 / 8) + 5", () => {
    const cycles = build({ "shift.lanes": 1, "range.lanes": 1 }, (program) => {
      const src = program.view(program.tensor("in", [6, 8, 9]));
      const tensor = program.tensor("out", [3, 4, 9]);
      const window = { kernelY: 2, kernelX: 2, strideY: 2, strideX: 2 };
      return program.add("pool", { src, dst: program.view(tensor), tensor, ...whole([3, 4, 9]), ...window });
    });
    expect(cycles).toBe(96 + 5);
  });

  test("add: 12 pixels x ceil(9 / 8) + 5", () => {
    const cycles = build({ "shift.lanes": 1, "range.lanes": 1 }, (program) => {
      const tensor = program.tensor("out", [3, 4, 9]);
      const view = program.view(tensor);
      return program.add("add", { a: view, b: view, dst: view, tensor, ...whole([3, 4, 9]) });
    });
    expect(cycles).toBe(24 + 5);
  });
});

describe("copy", () => {
  const copyProgram = (given: Fields<"copy">, parameters: object = {}) => {
    const program = new Builder({ agents: 2, ...parameters });
    const view = program.view(program.tensor("tile", [3, 4, 9]));
    const fields = { src: view, dst: view, ...whole([3, 4, 9]), ...given };
    return { program, copies: [program.add("copy", fields), program.add("copy", fields)] };
  };

  test("within an agent: 108 B at 16 B/cycle", () => {
    const { program, copies } = copyProgram({});
    expect(run(program).cycles(copies[0])).toBe(7);
  });

  test("within an agent, reads and writes share slow banks: 2 x 108 B at 8 B/cycle", () => {
    const { program, copies } = copyProgram({}, { "sram.banks": 4, "sram.bankBytesPerCycle": 2 });
    expect(run(program).cycles(copies[0])).toBe(27);
  });

  test("to the next agent: 108 B at 16 B/cycle + 16 latency; the next enters behind the bytes", () => {
    const { program, copies } = copyProgram({ offsetX: 1 });
    const { span, cycles, result } = run(program);
    expect(cycles(copies[0], 0)).toBe(7 + 16);
    expect(span(copies[1], 0).start - span(copies[0], 0).start).toBe(7);
    // agent 1 has no neighbour: nothing to do
    expect(cycles(copies[0], 1)).toBe(0);
    expect(result.totals.linkBytes).toBe(2 * 108);
  });

  test("a copy within the agent ends behind the one to another agent before it", () => {
    const { program, copies } = copyProgram({ offsetX: 1 });
    const view = program.view(program.tensor("tile2", [1, 1, 16]));
    const local = program.add("copy", { src: view, dst: view, ...whole([1, 1, 16]) });
    const { span } = run(program);
    expect(span(local, 0).end).toBe(span(copies[1], 0).end);
  });
});

describe("scalar operations", () => {
  test("exponent and scalar: scalar.cyclesPerOperation each", () => {
    const program = new Builder({ "scalar.cyclesPerOperation": 7 });
    const exponent = program.add("exponent", { dst: 1, bits: 7 });
    const scalar = program.add("scalar", { dst: 2, a: 1 });
    const { cycles, span } = run(program);
    expect([cycles(exponent), cycles(scalar)]).toEqual([7, 7]);
    expect(span(scalar).start).toBe(span(exponent).end);
  });

  test("reduce: 16 of synchronization + 33 bins x 4 B at 16 B/cycle", () => {
    const program = new Builder({ agents: 4 });
    const reduce = program.add("reduce");
    const { cycles, result } = run(program);
    for (let agent = 0; agent < 4; agent++) expect(cycles(reduce, agent)).toBe(16 + 9);
    expect(result.totals.linkBytes).toBe(4 * 33 * 4);
  });
});

test("costs depend on no rate but those they name", () => {
  const { program } = new Builder().check();
  const read = new Set<string>();
  const p = new Proxy(program.machine.parameters, {
    get: (all, key: string) => {
      read.add(key);
      return Reflect.get(all, key);
    },
  });
  const work: Work = {
    idle: false,
    pixels: 7,
    passes: 3,
    macs: 1,
    values: 20,
    channelRuns: [8, 3],
    bytes: 100,
    fillBytes: 0,
    region: null,
    copiesTo: 1,
    sramReadBytes: 50,
    sramWriteBytes: 60,
    accumulatorAccesses: 5,
  };
  for (const op of OPS) cost(instruction(op, {}) as Instruction, work, p);
  const rates = [...read].filter((key) => PARAMETERS[key as keyof typeof PARAMETERS].kind === "rate");
  expect(rates.sort()).toEqual([...COST_RATES].sort());
});
