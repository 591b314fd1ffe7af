// Do bandwidth and power over time add up to the totals; is a trace what the format asks for, whatever the names?
import fc from "fast-check";
import { expect, test } from "vitest";
import { activityOf } from "../../report/activity.ts";
import { type Recording, traceJson } from "../../report/index.ts";
import { ENERGY_COMPONENTS } from "../../sim/result.ts";
import { syntheticReport, timing } from "./synthetic.ts";

const span = fc
  .tuple(fc.nat(timing.totals.cycles - 1), fc.nat(50_000))
  .map(([startCycle, length]) => ({ startCycle, endCycle: Math.min(timing.totals.cycles, startCycle + length) }));
const layerName = fc.constantFrom(...timing.layers.map(({ name }) => name));

const recording: fc.Arbitrary<Recording> = fc.record({
  sram: fc.constant(null),
  instructions: fc.array(
    fc
      .tuple(span, layerName, fc.constantFrom("mac", "mac1", "load", "shift", "pool"), fc.nat(3))
      .map(([times, layer, unit, agent]) => ({ ...times, layer, unit, agent, index: 0, op: "conv", tile: 0 })),
  ),
  stalls: fc.constant([]),
  dram: fc.array(
    fc
      .tuple(span, layerName, fc.integer({ min: 1, max: 4096 }), fc.boolean())
      .map(([times, layer, bytes, write]) => ({ ...times, layer, bytes, write })),
  ),
});

const total = (series: Iterable<number>) => [...series].reduce((sum, value) => sum + value, 0);

test("nothing is lost or made: bytes and energy of all bins are those of the run", () => {
  fc.assert(
    fc.property(recording, fc.integer({ min: 1, max: 300 }), (recorded, bins) => {
      const activity = activityOf(timing, recorded, bins);
      expect(activity.dramReadBytes.length).toBeLessThanOrEqual(bins);
      const bytes = (write: boolean) => total(recorded.dram.filter((d) => d.write === write).map((d) => d.bytes));
      expect(total(activity.dramReadBytes)).toBeCloseTo(bytes(false), 3);
      expect(total(activity.dramWriteBytes)).toBeCloseTo(bytes(true), 3);
      for (const name of ENERGY_COMPONENTS) {
        const layers = total(timing.layers.map((layer) => layer.energyPj[name]));
        const expected = ["dram", "leakage", "clock"].includes(name) ? timing.totals.energyPj[name] : layers;
        expect(total(activity.energyPj[name]) / (expected || 1)).toBeCloseTo(expected === 0 ? 0 : 1, 9);
      }
    }),
  );
});

test("energy lies where the units that spend it work", () => {
  const row = { agent: 0, unit: "mac", index: 0, op: "conv", layer: "conv1", tile: 0 };
  const layers = [{ ...timing.layers[1], energyPj: { ...timing.layers[1].energyPj, mac: 90 } }];
  const instructions = [
    { ...row, startCycle: 0, endCycle: 1_000_000 },
    { ...row, startCycle: 1_000_000, endCycle: 1_500_000 },
    { ...row, unit: "load", startCycle: 1_500_000, endCycle: 2_000_000 },
  ];
  // 1.5 M cycles of the array, 60 pJ to each million
  const { binCycles, energyPj } = activityOf({ ...timing, layers }, { instructions, dram: [] }, 4);
  expect(binCycles).toBe(500_000);
  expect([...energyPj.mac]).toEqual([30, 30, 30, 0]);
});

test("overlapping passes share a track without overlapping, and any name is carried", () => {
  const layer = '</script>"\\\n\u0000 \u{1f600}' + "x".repeat(10_000);
  const row = { agent: 0, unit: "mac", index: 7, op: "conv", layer, tile: 3 };
  const instructions = [
    { ...row, startCycle: 100, endCycle: 200 },
    { ...row, startCycle: 150, endCycle: 300 },
    { ...row, startCycle: 250, endCycle: 300 },
  ];
  const stalls = [{ agent: 0, unit: "mac", cause: "waitLoad", startCycle: 0, endCycle: 100 }] as const;
  const dram = [
    { startCycle: 0, endCycle: 10, bytes: 64, write: false, layer: "(fetch)" },
    { startCycle: 5, endCycle: 15, bytes: 64, write: true, layer },
  ];
  const trace = JSON.parse(traceJson(syntheticReport(), { instructions, stalls, dram, sram: null }));
  const slices = trace.traceEvents.filter(({ ph }: { ph: string }) => ph === "X");
  expect(slices.map(({ pid, tid, cat, args }: Record<string, unknown>) => ({ pid, tid, cat, args }))).toEqual([
    { pid: 2, tid: 1, cat: "conv", args: { op: "conv", index: 7, tile: 3, startCycle: 100, endCycle: 200 } },
    {
      pid: 2,
      tid: 1,
      cat: "conv",
      args: { op: "conv", index: 7, tile: 3, issuedCycle: 150, startCycle: 200, endCycle: 300 },
    },
    { pid: 2, tid: 2, cat: "stall", args: { startCycle: 0, endCycle: 100 } },
    { pid: 1, tid: 1, cat: "read", args: { bytes: 64, direction: "read", startCycle: 0, endCycle: 10 } },
    { pid: 1, tid: 2, cat: "write", args: { bytes: 64, direction: "write", startCycle: 5, endCycle: 15 } },
  ]);
  expect(slices[0].name).toBe(layer);
  expect(slices[0].ts + slices[0].dur).toBe(slices[1].ts);
});
