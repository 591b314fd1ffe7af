// Is the simulator's tensor processor a machine? Values and cycles of random tiles against a SystemVerilog model under Verilator.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TensorProcessor } from "../rtl/cases.ts";
import { compare, type Item, randomTiles } from "../rtl/compare.ts";
import { FAULTS } from "../rtl/faults.ts";
import { build, whySkipped } from "../rtl/verilate.ts";

const SEED = 20;

/** 504 tiles in all. */
const TILES = 84;
const PROCESSORS: readonly TensorProcessor[] = [
  { rows: 4, cols: 4, lanes: 4, latency: 5 },
  { rows: 4, cols: 16, lanes: 16, latency: 8 },
  { rows: 16, cols: 4, lanes: 3, latency: 8 },
  { rows: 7, cols: 12, lanes: 5, latency: 6 },
  { rows: 9, cols: 8, lanes: 8, latency: 11 },
  { rows: 16, cols: 16, lanes: 16, latency: 8 },
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rapsim-rtl-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

if (whySkipped !== null) console.log(`SystemVerilog model: skipped: ${whySkipped}`);

describe.skipIf(whySkipped !== null)("a SystemVerilog tensor processor", () => {
  test.each(PROCESSORS)("$rows x $cols, $lanes lanes: equal values, equal cycles", (processor) => {
    const program = build(join(folder, `${processor.rows}x${processor.cols}`), processor);
    const { values, cycles, instructions } = compare(program, randomTiles(processor, TILES, SEED));
    console.log(`${processor.rows} x ${processor.cols}: ${TILES} tiles, ${instructions} instructions`);
    expect(values).toEqual([]);
    expect(cycles).toEqual([]);
  });

  describe("with a rule put wrong", () => {
    const processor: TensorProcessor = { rows: 4, cols: 8, lanes: 3, latency: 5 };
    let program: string;
    let items: readonly Item[];
    beforeAll(() => {
      program = build(join(folder, "faults"), processor, FAULTS);
      items = randomTiles(processor, TILES, SEED);
    });

    test("none: nothing differs", () => {
      expect(compare(program, items)).toMatchObject({ values: [], cycles: [] });
    });

    test.each(FAULTS.map(({ what, source }, i) => [what, source, i + 1] as const))("%s (%s)", (what, _, fault) => {
      const { values, cycles } = compare(program, items, fault);
      console.log(`${what}: ${values.length} tiles with other values, ${cycles.length} instructions with other cycles`);
      expect(values.length + cycles.length).toBeGreaterThan(0);
    });
  });
});
