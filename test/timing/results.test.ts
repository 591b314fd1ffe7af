/** Counters, useful MACs, layers, bounds and energy of small programs, added up by hand. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkLaws } from "../../sim/laws.ts";
import type { Counters, TimingResult } from "../../sim/result.ts";
import { NOT_MODELLED, simulateTiming } from "../../sim/timing/index.ts";
import { axis, Builder, run, whole } from "./build.ts";

describe("counters of one instruction", () => {
  const cases: [string, (program: Builder) => void, Partial<Counters>][] = [
    [
      // 12 pixels x 9 outputs x 20 inputs; blocks of 8 and 1 columns, ceil(20 / 8) = 3 passes each
      "conv: operands of both blocks; every pass writes, all but the first read",
      (program) => program.add("conv", program.conv([3, 4, 9], 20)),
      {
        macs: 12 * 9 * 20,
        macsExecuted: 12 * 9 * 20,
        // weights 20 x 9; activations 12 x 20, once per block
        sramReadBytes: 180 + 2 * 240,
        accumulatorAccesses: 12 * 9 * (3 + 2),
        sramWriteBytes: 0,
      },
    ],
    [
      "conv adding to accumulators: the first pass reads, too",
      (program) => program.add("conv", program.conv([3, 4, 9], 20, { add: true })),
      { accumulatorAccesses: 12 * 9 * (3 + 3) },
    ],
    [
      "conv with padding: zeros around the picture are not read, but their MACs are done",
      (program) => {
        const fields = program.conv([4, 4, 8], 8, { kernelY: 3, kernelX: 3, padTop: 1, padLeft: 1 });
        const input = program.view(program.tensor("padded", [4, 4, 8]));
        program.add("conv", { ...fields, src: input });
      },
      {
        macsExecuted: 16 * 8 * 72,
        // along one axis 3 + 4 + 3 of 12 taps lie inside
        sramReadBytes: 72 * 8 + 10 * 10 * 8,
      },
    ],
    [
      "strided and dilated conv: taps at 2 oy - 1 + 2 ky of 6 rows: 2 + 3 + 2 inside",
      (program) => {
        const window = { kernelY: 3, kernelX: 1, strideY: 2, dilationY: 2, padTop: 1 };
        const fields = program.conv([3, 1, 8], 8, window);
        program.add("conv", { ...fields, src: program.view(program.tensor("strided", [6, 1, 8])) });
      },
      // oy = 0: -1, 1, 3; 1: 1, 3, 5; 2: 3, 5, 7
      { sramReadBytes: 24 * 8 + 7 * 8 },
    ],
    [
      "depthwise conv: each column has its own weights",
      (program) => program.add("conv", program.conv([2, 2, 8], 8, { kernelX: 3, cCount: 1, groupIn: 1, groupOut: 1 })),
      // weights 3 x 8; activations 4 x 3 of 8 channels
      { macsExecuted: 4 * 8 * 3, sramReadBytes: 24 + 96 },
    ],
    [
      "shift from accumulators: table read, results written",
      (program) => program.add("shift", program.shift([3, 4, 9])),
      { shiftedValues: 108, accumulatorAccesses: 108, sramReadBytes: 36, sramWriteBytes: 108 },
    ],
    [
      "shift from an int32 tile to an int32 tile",
      (program) => {
        const wide = program.view(program.tensor("wide", [3, 4, 9], "none", "i32"));
        program.add("shift", program.shift([3, 4, 9], { source: "view", src: wide, dst: wide }));
      },
      { shiftedValues: 108, accumulatorAccesses: 0, sramReadBytes: 36 + 432, sramWriteBytes: 432 },
    ],
    [
      "pool: every element of every window, but padding is not read",
      (program) => {
        const tensor = program.tensor("out", [2, 2, 3]);
        const window = { kernelY: 3, kernelX: 3, strideY: 2, strideX: 2, padTop: 1, padLeft: 1 };
        const src = program.view(program.tensor("in", [4, 4, 3]));
        program.add("pool", { src, dst: program.view(tensor), tensor, ...whole([2, 2, 3]), ...window });
      },
      // along one axis: -1..1 and 1..3: 5 of 6 inside
      { shiftedValues: 4 * 9 * 3, sramReadBytes: 25 * 3, sramWriteBytes: 12 },
    ],
    [
      "add",
      (program) => {
        const tensor = program.tensor("out", [2, 2, 3]);
        const view = program.view(tensor);
        program.add("add", { a: view, b: view, dst: view, tensor, ...whole([2, 2, 3]) });
      },
      { shiftedValues: 12, sramReadBytes: 24, sramWriteBytes: 12 },
    ],
    [
      "copy",
      (program) => {
        const view = program.view(program.tensor("tile", [2, 2, 3], "none", "i32"));
        program.add("copy", { src: view, dst: view, ...whole([2, 2, 3]) });
      },
      { linkBytes: 48, sramReadBytes: 48, sramWriteBytes: 48 },
    ],
    [
      "range",
      (program) => {
        const { table, tensor, y, x, c } = program.shift([3, 4, 9]);
        program.add("range", { source: "accumulators", table: table!, tensor: tensor!, y: y!, x: x!, c: c! });
      },
      { shiftedValues: 108, accumulatorAccesses: 108, sramReadBytes: 36, sramWriteBytes: 0 },
    ],
  ];
  test.each(cases)("%s", (_, add, expected) => {
    const program = new Builder();
    add(program);
    expect(run(program).result.totals).toMatchObject(expected);
  });
});

describe("useful MACs", () => {
  /** Convolutions of boxes of one [12, 12, 24] tensor, 1 x 1, from 4 channels. */
  const boxes = (list: readonly (readonly [y: number, x: number, c: number, h: number, w: number, k: number])[]) => {
    const program = new Builder({ "array.accumulatorBytes": 1 << 20 });
    const fields = program.conv([12, 12, 24], 4);
    for (const [y, x, c, h, w, k] of list) {
      program.add("conv", { ...fields, y: axis(y, h), x: axis(x, w), c: axis(8 * c, k) });
    }
    return program;
  };

  test("a halo that two tiles compute is useful once", () => {
    const { totals } = run(
      boxes([
        [0, 0, 0, 5, 12, 8],
        [4, 0, 0, 5, 12, 8],
      ]),
    ).result;
    expect(totals.macs).toBe(9 * 12 * 8 * 4);
    expect(totals.macsExecuted).toBe(10 * 12 * 8 * 4);
  });

  test("every frame computes anew", () => {
    const { totals } = run(boxes([[0, 0, 0, 5, 12, 8]]), { frames: 3 }).result;
    expect(totals.macs).toBe(3 * 5 * 12 * 8 * 4);
  });

  test("chunks of input channels all count", () => {
    const program = new Builder();
    const fields = program.conv([3, 4, 8], 16, { cCount: 8 });
    const weights = program.view(program.tensor("both chunks", [1, 16, 8]));
    program.add("conv", { ...fields, weights });
    program.add("conv", { ...fields, weights, cBegin: 8, weightRow: 8, add: true });
    // the second chunk again: nothing new
    program.add("conv", { ...fields, weights, cBegin: 8, weightRow: 8, add: true });
    const { totals } = run(program).result;
    expect(totals.macs).toBe(12 * 8 * 16);
    expect(totals.macsExecuted).toBe(12 * 8 * 24);
  });

  test("agents that compute the same", () => {
    const program = new Builder({ agents: 3 });
    program.add("conv", program.conv([3, 4, 8], 8));
    const { totals } = run(program).result;
    expect(totals.macsExecuted).toBe(3 * totals.macs);
  });

  test("any boxes, against a bitmap", () => {
    const box = fc.tuple(
      fc.nat(11),
      fc.nat(11),
      fc.nat(2),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 20 }),
    );
    fc.assert(
      fc.property(fc.array(box, { minLength: 1, maxLength: 12 }), (list) => {
        const seen = new Set<number>();
        let executed = 0;
        for (const [y0, x0, block, h, w, k] of list)
          for (let y = y0; y < Math.min(12, y0 + h); y++)
            for (let x = x0; x < Math.min(12, x0 + w); x++)
              for (let c = 8 * block; c < Math.min(24, 8 * block + k); c++) {
                seen.add((y * 12 + x) * 24 + c);
                executed++;
              }
        const { totals } = simulateTiming(boxes(list).check());
        expect(totals.macs).toBe(4 * seen.size);
        expect(totals.macsExecuted).toBe(4 * executed);
      }),
      { numRuns: 100 },
    );
  });
});

describe("layers", () => {
  const attributed = (result: TimingResult) =>
    Object.fromEntries(result.layers.map(({ name, attributedCycles }) => [name, attributedCycles]));

  test("a cycle belongs to the oldest layer that has not finished", () => {
    const program = new Builder();
    const shift = program.shift([1, 100, 8]);
    const fields = program.conv([20, 8, 8], 8);
    // issued: 2 views, then in cycle 1 + 5
    program.layer("a");
    program.add("shift", shift);
    program.layer("b");
    program.add("conv", fields);
    program.layer("c");
    program.add("shift", { ...shift, x: axis(0, 50) });
    const { result } = run(program);
    // a: 105 cycles; b: 8 + 160 + 14 from a cycle later on; c: after a, 50 + 5, ends before b does
    expect(attributed(result)).toEqual({ "(start)": 1 + 5, a: 105, b: 182 - 105 + 1, c: 0, "(end)": 0 });
    const c = result.layers[3];
    expect([c.name, c.startCycle, c.endCycle, c.attributedCycles]).toEqual(["c", 6 + 100, 6 + 155, 0]);
  });

  test("instructions without a layer belong to (start), behind the last layer to (end)", () => {
    const program = new Builder();
    const shift = program.shift([1, 8, 1]);
    program.add("shift", shift);
    program.layer("a");
    program.add("shift", shift);
    program.layer(null);
    program.add("shift", shift);
    program.layer("b");
    program.add("shift", shift);
    program.layer(null);
    program.add("shift", shift);
    const { layers } = run(program).result;
    expect(layers.map(({ name, shiftedValues, instructions }) => [name, shiftedValues, instructions])).toEqual([
      // 2 views; the halt is behind the last layer
      ["(start)", 16, 4],
      ["a", 8, 1],
      ["b", 8, 1],
      ["(end)", 8, 2],
    ]);
  });

  test("fetch belongs to the layers whose instructions are fetched, its rounding to a block's last", () => {
    const program = new Builder({ "issue.fetchInstructions": 4, "dram.burstBytes": 512 });
    program.layer("a");
    for (let k = 0; k < 3; k++) program.add("fence", { unit: "mac" });
    program.layer("b");
    for (let k = 0; k < 2; k++) program.add("fence", { unit: "mac" });
    const { layers } = run(program).result;
    // blocks: a a a b, b halt; a burst holds 8 instructions
    expect(layers.map(({ name, dramReadBytes }) => [name, dramReadBytes])).toEqual([
      ["(start)", 0],
      ["a", 3 * 64],
      ["b", 64 + 256 + 64],
      ["(end)", 64 + 384],
    ]);
  });

  test("what bounds a layer", () => {
    const bounds = (parameters: object, add: (program: Builder) => void) => {
      const program = new Builder({ ...parameters });
      const tensor = program.tensor("tile", [4, 64, 64], "intermediate");
      program.view(tensor);
      const fields = program.conv([8, 8, 8], 8);
      program.layer("a");
      program.add("load", { dst: program.view(tensor), ...whole([4, 64, 64]) });
      program.add("conv", fields);
      add(program);
      return run(program).result.layers[1].bound;
    };
    const nothing = () => {};
    // 16 KiB: 1024 cycles of DRAM, 256 of DMA; 86 of convolution
    expect(bounds({ "dram.bytesPerCycle": 16, "dma.bytesPerCycle": 64 }, nothing)).toBe("dram");
    expect(bounds({ "dram.bytesPerCycle": 64, "dma.bytesPerCycle": 16 }, nothing)).toBe("load");
    expect(bounds({}, nothing)).toBe("mac");
    expect(bounds({ "dram.latencyCycles": 1000 }, nothing)).toBe("latency");
    expect(bounds({}, (program) => program.add("shift", program.shift([1, 125, 64])))).toBe("shift");
  });
});

describe("bounds of a frame", () => {
  test("compute, compulsory traffic, own traffic, lanes, ports", () => {
    const program = new Builder({ agents: 2, "dram.bytesPerCycle": 16, "sram.banks": 8, "sram.bankBytesPerCycle": 16 });
    const constant = program.tensor("constant", [1, 1, 100], "constant");
    const tile = program.tensor("tile", [1, 1, 64], "intermediate");
    const fields = program.conv([3, 4, 8], 8);
    const [dst, src] = [program.view(constant), program.view(tile)];
    // both agents read the constant; both store the tile, which is no output
    program.add("load", { dst, ...whole([1, 1, 100]) });
    program.add("store", { src, ...whole([1, 1, 64]) });
    program.add("conv", fields);
    program.add("shift", program.shift([3, 4, 8]));
    const { totals } = run(program).result;
    const instructions = totals.instructions;
    expect(instructions).toBe(4 + 4 + 2 + 1);
    expect(totals.bounds).toEqual({
      // 12 x 8 x 8 MACs, useful once
      computeCycles: 768 / (2 * 64),
      // 100 B take two bursts
      dramCycles: 128 / 16,
      trafficCycles: (2 * 128 + 2 * 64 + instructions * 64) / 16,
      shiftCycles: (2 * 96) / (2 * 8),
      poolCycles: 0,
      // each agent: 100 in, 64 out, 64 + 96 of operands, 32 of table, 96 of results
      sramCycles: (2 * (100 + 64 + 160 + 32 + 96)) / (2 * 128),
    });
  });

  test("constants that the prologue loads are not traffic of the frame", () => {
    const program = new Builder();
    const constant = program.tensor("constant", [1, 1, 100], "constant");
    program.add("load", { dst: program.view(constant), ...whole([1, 1, 100]) });
    program.endPrologue();
    expect(run(program).result.totals.bounds.dramCycles).toBe(0);
  });
});

describe("energy", () => {
  test("so much per event, leakage and clock over time", () => {
    const prices = {
      "energy.macPj": 2,
      "energy.shiftPj": 3,
      "energy.accumulatorPj": 5,
      "energy.sramPjPerByte": 7,
      "energy.dmaPjPerByte": 11,
      "energy.linkPjPerByte": 13,
      "energy.dramPjPerByte": 17,
      "energy.instructionPj": 19,
      "energy.leakageWPerMm2": 0.5,
      "energy.registerPj": 23,
      // the node and voltage the prices are for, and the banks
      "tech.nodeNm": 45,
      "tech.voltage": 0.9,
      "sram.bytes": 65536,
      "sram.banks": 2,
      "array.accumulatorBytes": 2048 * 8,
      // all of the area in the cells: 2 agents of 8 x 8 take 1 mm2
      "area.macUm2": 1e6 / 128,
      "area.sramUm2PerBit": 0,
      "area.laneUm2": 0,
      "area.agentUm2": 0,
      clockHz: 5e8,
    };
    const program = new Builder({ agents: 2, ...prices });
    const tensor = program.tensor("tile", [1, 1, 100], "intermediate");
    program.add("load", { dst: program.view(tensor), ...whole([1, 1, 100]) });
    program.add("conv", program.conv([3, 4, 8], 8));
    program.add("shift", program.shift([3, 4, 8]));
    program.add("reduce");
    const { totals } = run(program).result;
    const { cycles } = totals;
    const energy = {
      mac: 2 * (2 * 768),
      shift: 3 * (2 * 96),
      accumulator: 5 * (2 * 2 * 96),
      sram: 7 * (2 * (100 + 64 + 96 + 32 + 96)),
      dma: 11 * 200,
      link: 13 * (2 * 132),
      dram: 17 * (2 * 128 + totals.instructions * 64),
      // both agents
      scalar: 19 * 2 * totals.instructions,
      // 0.5 W at 500 MHz: 1 nJ per cycle
      leakage: 1000 * cycles,
      // 56 bits in a cell, 40 in each of 3 x 8 lanes
      clock: 23 * 2 * (64 * 56 + 3 * 8 * 40) * cycles,
    };
    const total = Object.values(energy).reduce((sum, value) => sum + value, 0);
    for (const [name, value] of Object.entries({ ...energy, total })) {
      expect(totals.energyPj[name as keyof typeof totals.energyPj]).toBeCloseTo(value, 3);
    }
    expect(totals.seconds).toBe(cycles / 5e8);
    expect(totals.averagePowerW).toBeCloseTo((total * 1e-12) / totals.seconds, 9);
    expect(totals.framesPerJoule).toBeCloseTo(1e12 / total, 3);
    expect(totals.framesPerSecond).toBe(5e8 / totals.intervalCycles);
  });
});

describe("laws", () => {
  const program = new Builder({ agents: 2 });
  const tensor = program.tensor("tile", [1, 1, 100], "intermediate");
  program.layer("a");
  program.add("load", { dst: program.view(tensor), ...whole([1, 1, 100]) });
  program.add("conv", program.conv([3, 4, 8], 8));
  const checked = program.check();
  const right = simulateTiming(checked);

  const broken: [string, (result: TimingResult) => object, string][] = [
    [
      "a lost cycle",
      ({ units }) => ({ units: units.map((unit) => ({ ...unit, busyCycles: unit.busyCycles + 1 })) }),
      "agent 0 load: busy and idle cycles: ",
    ],
    [
      "a lost byte",
      ({ totals }) => ({ totals: { ...totals, dramReadBytes: totals.dramReadBytes + 64 } }),
      "dramReadBytes of all layers: ",
    ],
    [
      "a forgotten copy of a transfer",
      ({ totals, layers }) => ({
        totals: { ...totals, dmaBytes: 100 },
        layers: layers.map((layer) => ({ ...layer, dmaBytes: layer.dmaBytes / 2 })),
      }),
      "dmaBytes: 100, must be 200",
    ],
    [
      "lost energy",
      ({ totals }) => ({ totals: { ...totals, energyPj: { ...totals.energyPj, mac: 0 } } }),
      "energy mac of all layers: ",
    ],
    [
      "too fast",
      ({ totals }) => ({ totals: { ...totals, latencyCycles: 2 } }),
      "latencyCycles against computeCycles: 2, must be at least ",
    ],
    [
      "more useful MACs than done",
      ({ totals }) => ({ totals: { ...totals, macsExecuted: 1 } }),
      "macsExecuted against macs: 1, must be at least 768",
    ],
  ];
  test.each(broken)("%s is found", (_, breakIt, message) => {
    expect(checkLaws(checked, right)).toEqual([]);
    const violations = checkLaws(checked, { ...right, ...breakIt(right) });
    expect(violations.some((violation) => violation.startsWith(message))).toBe(true);
  });
});

test("what is not modelled is said in sentences", () => {
  for (const sentence of NOT_MODELLED) expect(sentence).toMatch(/^[A-Z].*\.$/);
});
