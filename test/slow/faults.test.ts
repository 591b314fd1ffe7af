// Planted faults: each constant and rule of energy and array cost, changed one at a time. Which checks notice?
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Cost } from "../../sim/timing/costs.ts";
import { expectPart, faultsPart } from "../support/validation-page.ts";

/** A default of the machine's parameters, changed before any machine is made. */
const parameter = (key: string, value: (before: number) => number) => async () => {
  const { PARAMETERS } = await import("../../isa/machine.ts");
  const row = PARAMETERS[key as "energy.macPj"] as { default: number };
  row.default = value(row.default);
};

/** A function of a module, wrapped. */
const wrapped = (load: string, name: string, wrap: (before: never) => unknown) => async () => {
  vi.doMock(load, async (importOriginal) => {
    const original = await importOriginal<Record<string, never>>();
    return { ...original, [name]: wrap(original[name]) };
  });
};

/** The cost of a convolution, changed. @param change gets the cost, the work and the machine's array */
const convCost = (
  change: (
    cost: Cost,
    work: { pixels: number; passes: number; sramReadBytes: number },
    rows: number,
    cols: number,
  ) => Cost,
) =>
  wrapped(
    "../../sim/timing/costs.ts",
    "cost",
    (before: (...args: never[]) => Cost) => (instruction: { op: string }, work: never, p: Record<string, number>) => {
      const right = before(instruction as never, work, p as never);
      if (instruction.op !== "conv" || right.occupancy === 0) return right;
      return change(right, work, p["array.rows"], p["array.cols"]);
    },
  );

const more = (factor: number) => (before: number) => factor * before;

const ENERGY_FAULTS: Record<string, () => Promise<void>> = {
  ...Object.fromEntries(
    [
      "energy.macPj",
      "energy.shiftPj",
      "energy.accumulatorPj",
      "energy.sramPjPerByte",
      "energy.dmaPjPerByte",
      "energy.linkPjPerByte",
      "energy.dramPjPerByte",
      "energy.instructionPj",
      "energy.registerPj",
      "energy.leakageWPerMm2",
      "area.macUm2",
      "area.sramUm2PerBit",
      "area.laneUm2",
      "area.agentUm2",
    ].map((key) => [`\`${key}\` 10 % larger`, parameter(key, more(1.1))]),
  ),
  "`tech.nodeNm` 14 instead of 16": parameter("tech.nodeNm", () => 14),
  "`tech.voltage` 0.75 instead of 0.8": parameter("tech.voltage", () => 0.75),
  "logic scales 10 % worse": wrapped(
    "../../sim/technology.ts",
    "logicScale",
    (before: (p: never) => number) => (p: never) => 1.1 * before(p),
  ),
  "logic does not scale with the voltage": wrapped(
    "../../sim/technology.ts",
    "logicScale",
    (before: (p: object) => number) => (p: object) => before({ ...p, "tech.voltage": 0.9 }),
  ),
  "wires scale with the voltage, not its square": wrapped(
    "../../sim/technology.ts",
    "wireScale",
    (before: (p: never) => number) => (p: never) => Math.sqrt(before(p)),
  ),
  "area does not scale with the node": wrapped("../../sim/technology.ts", "areaScale", () => () => 1),
  "area forgets the accumulators": wrapped(
    "../../sim/area.ts",
    "areaMm2",
    (before: (p: never) => { accumulator: number; total: number }) => (p: never) => {
      const area = before(p);
      return { ...area, accumulator: 0, total: area.total - area.accumulator };
    },
  ),
  "energy of a layer without leakage": wrapped(
    "../../sim/energy.ts",
    "energyOf",
    (before: (...args: never[]) => { leakage: number; total: number }) =>
      (...args: never[]) => {
        const energy = before(...args);
        return { ...energy, leakage: 0, total: energy.total - energy.leakage };
      },
  ),
  "the total forgets a component": wrapped(
    "../../sim/energy.ts",
    "energyOf",
    (before: (...args: never[]) => { clock: number; total: number }) =>
      (...args: never[]) => {
        const energy = before(...args);
        return { ...energy, total: energy.total - energy.clock };
      },
  ),
};

const ARRAY_FAULTS: Record<string, () => Promise<void>> = {
  "a convolution takes one cycle more": convCost((cost) => ({ ...cost, occupancy: cost.occupancy + 1 })),
  "a pass takes one cycle more": convCost((cost, { passes }) => ({ ...cost, occupancy: cost.occupancy + passes })),
  "a pass takes one cycle less": convCost((cost, { passes }) => ({ ...cost, occupancy: cost.occupancy - passes })),
  "no preload of weights": convCost((cost, { passes }, rows) => ({
    ...cost,
    occupancy: cost.occupancy - passes * rows,
  })),
  "no drain": convCost((cost, { passes }, rows, cols) => ({
    ...cost,
    occupancy: cost.occupancy - passes * (rows + cols - 2),
  })),
  "drain of rows alone": convCost((cost, { passes }, _, cols) => ({
    ...cost,
    occupancy: cost.occupancy - passes * (cols - 1),
  })),
  "one pass forgotten": convCost((cost, { passes }) => ({
    ...cost,
    occupancy: Math.round((cost.occupancy * Math.max(1, passes - 1)) / passes),
  })),
  "fill and drain of overlapping passes forgotten": convCost(({ occupancy }) => ({ occupancy, tail: 0 })),
  "`array.passOverlap` has no effect": wrapped(
    "../../sim/timing/costs.ts",
    "cost",
    (before: (...args: unknown[]) => Cost) => (instruction: unknown, work: unknown, p: object) =>
      before(instruction, work, { ...p, "array.passOverlap": true }),
  ),
  "`array.hiddenPreload` has no effect": wrapped(
    "../../sim/timing/costs.ts",
    "cost",
    (before: (...args: unknown[]) => Cost) => (instruction: unknown, work: unknown, p: object) =>
      before(instruction, work, { ...p, "array.hiddenPreload": true }),
  ),
  "the last, partial block of channels is forgotten": wrapped(
    "../../sim/timing/work.ts",
    "measure",
    (before: (...args: unknown[]) => { passes: number }) =>
      (context: unknown, bound: { instruction: { op: string; c?: { extent: number } } }, agent: unknown) => {
        const work = before(context, bound, agent);
        const { op, c } = bound.instruction;
        return op === "conv" && c!.extent % 8 !== 0 && work.passes > 1 ? { ...work, passes: work.passes - 1 } : work;
      },
  ),
  "macs counted twice": wrapped(
    "../../sim/timing/work.ts",
    "measure",
    (before: (...args: unknown[]) => { macs: number; idle: boolean }) =>
      (...args: unknown[]) => {
        const work = before(...args);
        return work.idle ? work : { ...work, macs: 2 * work.macs };
      },
  ),
  "SRAM writes of loads not counted": wrapped(
    "../../sim/timing/work.ts",
    "measure",
    (before: (...args: unknown[]) => { sramWriteBytes: number; idle: boolean }) =>
      (...args: unknown[]) => {
        const work = before(...args);
        return work.idle ? work : { ...work, sramWriteBytes: 0 };
      },
  ),
  ...Object.fromEntries(
    ["perTap", "kernelRow", "full"].map((packing) => [
      `packing \`${packing}\`: one pass more for each block`,
      async () => {
        const { ARRAY_PASSES } = await import("../../isa/machine.ts");
        const table = ARRAY_PASSES as unknown as Record<string, (...sizes: number[]) => number>;
        const right = table[packing];
        table[packing] = (...sizes) => right(...sizes) + 1;
      },
    ]),
  ),
};

/** Quick ones that look at the array, or at energy. */
const ARRAY_CHECKS = ["scalesim-random", "macs-executed", "onnxim-form", "laws-small", "energy-by-hand"];
const ENERGY_CHECKS = [
  "laws-small",
  "energy-sources",
  "energy-by-hand",
  "energy-7nm",
  "chip-simba",
  "chip-tpu",
  "area-simba",
];

/** What no check of `rapsim validate` is sharp enough for, and what is: other tests. */
const NOT_FOUND: ReadonlyMap<string, string> = new Map([
  ["fill and drain of overlapping passes forgotten", "test/timing"],
  ["packing `kernelRow`: one pass more for each block", "test/timing"],
]);

describe("planted faults", () => {
  const caught = new Map<string, readonly string[]>();
  afterEach(() => {
    vi.doUnmock("../../sim/technology.ts");
    vi.doUnmock("../../sim/area.ts");
    vi.doUnmock("../../sim/energy.ts");
    vi.doUnmock("../../sim/timing/costs.ts");
    vi.doUnmock("../../sim/timing/work.ts");
  });

  async function findersOf(plant: () => Promise<void>, candidates: readonly string[]): Promise<string[]> {
    vi.resetModules();
    await plant();
    const { CHECKS, Lab, runCheck } = await import("../conformance/index.ts");
    const lab = new Lab("/nowhere");
    return CHECKS.filter(({ id }) => candidates.includes(id)).flatMap((check) => {
      try {
        return runCheck(check, lab, false).status === "fail" ? [check.id] : [];
      } catch {
        // a model that contradicts itself may not even run
        return [check.id];
      }
    });
  }

  test("none planted, none found", async () =>
    expect(await findersOf(async () => {}, [...ARRAY_CHECKS, ...ENERGY_CHECKS])).toEqual([]));

  const faults = [
    ...Object.entries(ARRAY_FAULTS).map(([fault, plant]) => ({ fault, plant, candidates: ARRAY_CHECKS })),
    ...Object.entries(ENERGY_FAULTS).map(([fault, plant]) => ({ fault, plant, candidates: ENERGY_CHECKS })),
  ];
  test.each(faults)("$fault", async ({ fault, plant, candidates }) => {
    const finders = await findersOf(plant, candidates);
    caught.set(NOT_FOUND.has(fault) ? `${fault} (found by ${NOT_FOUND.get(fault)})` : fault, finders);
    if (NOT_FOUND.has(fault)) expect(finders).toEqual([]);
    else expect(finders.length).toBeGreaterThan(0);
  });

  test("are what docs/validation.md says", () => expectPart("faults", faultsPart(caught)));
});
