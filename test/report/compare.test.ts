// Do differences add up to the whole, and are runs that say nothing about each other refused?
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Comparison,
  compareRuns,
  comparisonHtml,
  comparisonJson,
  comparisonText,
  type Report,
} from "../../report/index.ts";
import { faultsAgainst } from "./schema-faults.ts";
import { syntheticReport, timing } from "./synthetic.ts";

const faults = faultsAgainst("comparison.schema.json");
const base = syntheticReport();
const compare = (b: Report, a = base, force = false) =>
  compareRuns({ file: "a.json", report: a }, { file: "b.json", report: b }, force);

/** The run with its first layer so many cycles longer, all of them spent waiting for loads. */
function longer(cycles: number, frames = 1): Report {
  const { units, layers, totals } = timing;
  return syntheticReport({
    timing: {
      ...timing,
      frames,
      totals: { ...totals, cycles: totals.cycles + cycles },
      units: units.map((unit) => ({
        ...unit,
        stalls: { ...unit.stalls, waitLoad: (unit.stalls.waitLoad ?? 0) + cycles },
      })),
      layers: layers.map((layer, i) =>
        i === 0 ? { ...layer, attributedCycles: layer.attributedCycles + cycles } : layer,
      ),
    },
  });
}

const total = ({ totals }: Comparison, name: string) => totals.find((of) => of.name === name)!;
const sum = (numbers: readonly number[]) => numbers.reduce((all, n) => all + n, 0);

test("cycles by cause, and layers, add up to the difference of the whole", () => {
  fc.assert(
    fc.property(fc.integer({ min: -90_000, max: 1e7 }), fc.integer({ min: 1, max: 5 }), (cycles, frames) => {
      const comparison = compare(longer(cycles, frames));
      const { difference } = total(comparison, "cycles");
      expect(difference).toBeCloseTo((2_000_000 + cycles) / frames - 2_000_000, 6);
      expect(sum(comparison.cycles.map((of) => of.difference))).toBeCloseTo(difference, 4);
      expect(sum(comparison.layers.map((of) => of.cycles))).toBeCloseTo(difference, 4);
      expect(faults(comparison)).toEqual([]);
    }),
  );
});

test("the difference is named: which cause, which layer, how much", () => {
  const text = comparisonText(compare(longer(500_000)), { color: false, width: 100 });
  expect(text).toMatch(/waits for a load +1,200,000 +1,700,000 +\+500,000 +\+41\.7 %/); // (1.0 + 1.4) / 2 M
  expect(text).toMatch(/\(start\) +100,000 +600,000 +\+500,000/);
  expect(text).toContain("Outputs: the same bits in all 1 tensor.");
  expect(text).toContain("Detections: 2 and 2.");
});

test("a run beside itself: nothing moved", () => {
  const comparison = compare(base);
  for (const { difference } of [
    ...comparison.totals,
    ...comparison.cycles,
    ...comparison.traffic,
    ...comparison.energy,
  ]) {
    expect(difference).toBe(0);
  }
  expect(comparison.settings).toEqual({ machine: [], options: [] });
  expect(comparison.notes).toEqual([]);
  expect(comparisonText(comparison, { color: false, width: 80 })).toContain("No layer moved.");
});

test("energy and layers of other names are in neither twice nor lost", () => {
  const renamed = syntheticReport({
    timing: { ...timing, layers: timing.layers.map((layer, i) => (i === 1 ? { ...layer, name: "other" } : layer)) },
  });
  const { layers, energy, totals } = compare(renamed);
  expect(layers.map(({ name, a, b }) => [name, a === null, b === null])).toEqual([
    ["(start)", false, false],
    ["other", true, false],
    ['fire2, "squeeze"', false, false],
    ["conv1", false, true],
  ]);
  expect(sum(layers.map(({ cycles }) => cycles))).toBe(0);
  expect(sum(energy.map(({ a }) => a))).toBeCloseTo(totals.find(({ name }) => name === "energyPj")!.a, 3);
});

test("settings that differ, and other bits", () => {
  const { machine, program, outputs } = base;
  const changed: Report = {
    ...base,
    machine: { ...machine, parameters: { ...machine.parameters, clockHz: 5e8 } },
    program: { ...program, provenance: { ...program.provenance, options: { seed: 1, packing: "perTap", head: "i8" } } },
    outputs: outputs.map((output) => ({ ...output, sha256: "00".repeat(32) })),
  };
  const comparison = compare(changed);
  expect(comparison.settings).toEqual({
    machine: [{ name: "clockHz", a: 1e9, b: 5e8 }],
    options: [
      { name: "packing", a: "full", b: "perTap" },
      { name: "head", a: null, b: "i8" },
    ],
  });
  expect(comparison.outputs).toEqual({ compared: 1, equal: 0 });
  expect(faults(JSON.parse(comparisonJson(comparison)))).toEqual([]);
});

describe("networks", () => {
  const { program } = base;
  const from = (sourceSha256: string, macs = 1) =>
    ({
      ...base,
      program: { ...program, provenance: { ...program.provenance, sourceSha256 } },
      layers: base.layers.map((layer) => ({ ...layer, macs: layer.macs * macs })),
    }) as Report;

  test("of another source with the same layers are compared, with a note", () => {
    const { sameNetwork, notes } = compare(from("12".repeat(32)));
    expect(sameNetwork).toBe(true);
    expect(notes).toEqual(["The layers are the same, the sources are not: other weights may find other things."]);
  });

  test("with other layers are refused by both names, and compared by force", () => {
    const other = from("12".repeat(32), 2);
    expect(() => compare(other)).toThrow(
      "a.json and b.json: different networks, 'squeezedet' ('built-in squeezedet', abababababab) and 'squeezedet' ('built-in squeezedet', 121212121212); --force",
    );
    expect(compare(other, base, true)).toMatchObject({ sameNetwork: false });
  });

  test("without time are refused", () => {
    const values = syntheticReport({ mode: "functional", timing: undefined });
    expect(() => compare(values)).toThrow("b.json: has no time: it was made with --mode functional");
  });
});

test.each([100, 80, 60])("no line is longer than %d columns", (width) => {
  const lines = comparisonText(compare(longer(500_000)), { color: false, width }).split("\n");
  expect(lines.filter((line) => [...line].length > width)).toEqual([]);
});

test("names cannot move the cursor, nor become markup", () => {
  const name = '\u001b[2J<script>"\u202e';
  const named = {
    ...base,
    program: { ...base.program, name },
    layers: base.layers.map((layer) => ({ ...layer, name })),
  };
  const comparison = compareRuns({ file: name, report: named }, { file: name, report: named });
  expect(comparisonText(comparison, { color: false, width: 80 })).not.toContain("\u001b");
  expect(comparisonHtml(comparison)).not.toContain('<script>"');
});
