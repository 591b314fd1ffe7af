// Does each constant reach its component and no other? Do the parts add up? Does a bank's size count?
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMachine, PARAMETERS, type ParameterKey } from "../../isa/index.ts";
import { areaMm2 } from "../../sim/area.ts";
import { COUNTER_NAMES } from "../../sim/counters.ts";
import { energyOf } from "../../sim/energy.ts";
import { type Counters, ENERGY_COMPONENTS } from "../../sim/result.ts";
import { logicScale } from "../../sim/technology.ts";

const machineOf = (parameters: object = {}) => createMachine("m", { ...parameters }, "test").parameters;
const counters = Object.fromEntries(COUNTER_NAMES.map((name, i) => [name, 1000 + i])) as Counters;
const CYCLES = 12345;

/** Components that a parameter may change. */
const REACHES: { readonly [K in ParameterKey]?: readonly string[] } = {
  "energy.macPj": ["mac"],
  "energy.shiftPj": ["shift"],
  "energy.accumulatorPj": ["accumulator"],
  "energy.sramPjPerByte": ["sram"],
  "energy.dmaPjPerByte": ["dma"],
  "energy.linkPjPerByte": ["link"],
  "energy.dramPjPerByte": ["dram"],
  "energy.instructionPj": ["scalar"],
  "energy.registerPj": ["clock"],
  "energy.leakageWPerMm2": ["leakage"],
  "area.macUm2": ["leakage"],
  "area.sramUm2PerBit": ["leakage"],
  "area.laneUm2": ["leakage"],
  "area.agentUm2": ["leakage"],
  clockHz: ["leakage"],
  "tech.nodeNm": ["mac", "shift", "sram", "accumulator", "scalar", "leakage", "clock"],
  "tech.voltage": ["mac", "shift", "sram", "accumulator", "dma", "link", "scalar", "leakage", "clock"],
};
const priced = Object.keys(PARAMETERS).filter((key) => /^(energy|area|tech)\./.test(key));

test("every price is in the table", () => {
  expect(Object.keys(REACHES).filter((key) => key !== "clockHz")).toEqual(expect.arrayContaining(priced));
});

test.each(Object.entries(REACHES))("%s changes %j and nothing else", (key, components) => {
  const { default: value } = PARAMETERS[key as "energy.macPj"];
  const before = energyOf(counters, CYCLES, machineOf());
  const after = energyOf(counters, CYCLES, machineOf({ [key]: key === "tech.nodeNm" ? 14 : 1.25 * value }));
  expect(ENERGY_COMPONENTS.filter((name) => after[name] !== before[name]).sort()).toEqual([...components].sort());
});

test("no other parameter but the structure's changes a price", () => {
  const structure = [
    "agents",
    "agent.tensorProcessors",
    "array.",
    "sram.b",
    "shift.lanes",
    "pool.lanes",
    "range.lanes",
  ];
  const before = energyOf(counters, CYCLES, machineOf());
  for (const [key, parameter] of Object.entries(PARAMETERS)) {
    if (key in REACHES || parameter.type !== "number" || structure.some((part) => key.startsWith(part))) continue;
    const changed = machineOf({ [key]: Math.min(parameter.max, 2 * parameter.default) });
    expect([key, energyOf(counters, CYCLES, changed)]).toEqual([key, before]);
  }
});

test("components add up, and energy is linear in what was counted", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(1e9), { minLength: COUNTER_NAMES.length, maxLength: COUNTER_NAMES.length }),
      (counts) => {
        const some = Object.fromEntries(COUNTER_NAMES.map((name, i) => [name, counts[i]])) as Counters;
        const energy = energyOf(some, CYCLES, machineOf());
        const sum = ENERGY_COMPONENTS.reduce((total, name) => total + energy[name], 0);
        expect(energy.total).toBe(sum);
        const twice = Object.fromEntries(COUNTER_NAMES.map((name) => [name, 2 * some[name]])) as Counters;
        expect(energyOf(twice, 2 * CYCLES, machineOf()).total / energy.total).toBeCloseTo(2, 9);
      },
    ),
  );
});

describe("banks", () => {
  const sram = (bytes: number, banks: number) =>
    energyOf(counters, CYCLES, machineOf({ "sram.bytes": bytes, "sram.banks": banks })).sram;
  // 32 KiB a bank
  const given = sram(262144, 8);

  test.each([
    ["four times the size costs twice as much", 262144, 2, 2],
    ["a quarter costs half", 65536, 8, 0.5],
    ["more banks of the same size cost the same", 524288, 16, 1],
    ["below 1 KiB nothing is saved", 4096, 16, Math.sqrt(1 / 32)],
  ])("%s", (_, bytes, banks, factor) => expect(sram(bytes, banks) / given).toBeCloseTo(factor, 9));

  test("of accumulators: one for each column", () => {
    const cost = (parameters: object) => energyOf(counters, CYCLES, machineOf(parameters)).accumulator;
    const before = cost({});
    expect(before).toBeCloseTo(counters.accumulatorAccesses * 2.5 * logicScale(machineOf()), 9);
    expect(cost({ "array.accumulatorBytes": 131072 }) / before).toBeCloseTo(2, 9);
    expect(cost({ "array.cols": 64, "array.accumulatorBytes": 131072 }) / before).toBeCloseTo(1, 9);
  });
});

// docs/energy.md: 4096 cells, 4 MiB, 512 KiB of accumulators, 768 lanes, 16 agents at 0.19 of their 45 nm size
test("area of rap-e", () => {
  const area = areaMm2(machineOf());
  expect(area.mac).toBeCloseTo(4096 * 670 * 0.19e-6, 9);
  expect(area.sram).toBeCloseTo(16 * 262144 * 8 * 0.58 * 0.19e-6, 9);
  expect(area.accumulator).toBeCloseTo(16 * 32768 * 8 * 0.58 * 0.19e-6, 9);
  expect(area.lanes).toBeCloseTo(16 * 48 * 800 * 0.19e-6, 9);
  expect(area.control).toBeCloseTo(16 * 1e5 * 0.19e-6, 9);
  expect(area.total).toBeCloseTo(5.1021, 4);
});

test("leakage follows the area and the voltage, the clock tree the registers", () => {
  const p = machineOf();
  const energy = energyOf(counters, CYCLES, p);
  // 0.01 W/mm2 of 5.1021 mm2 at 0.8 of 0.9 V, for 12.345 us
  expect(energy.leakage / 1e6).toBeCloseTo(0.01 * 5.102067 * (0.8 / 0.9) * 12.345, 4);
  // 56 bits a cell, 40 a lane
  expect(energy.clock).toBeCloseTo((4096 * 56 + 768 * 40) * 0.005 * logicScale(p) * CYCLES, 3);
});
