// Is the layer table readable by others, and complete?
import { expect, test } from "vitest";
import { layersCsv } from "../../report/index.ts";
import { COUNTERS, ENERGY_COMPONENTS } from "../../sim/result.ts";
import { syntheticReport } from "./synthetic.ts";

/** Fields of one line; quotes doubled inside quotes. */
const fields = (line: string) =>
  [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare,
  );

test("one row per layer, every counter and energy component a column", () => {
  const report = syntheticReport();
  const [header, ...rows] = layersCsv(report).trimEnd().split("\n").map(fields);
  expect(header.slice(0, 2)).toEqual(["name", "op"]);
  expect(header).toEqual(
    expect.arrayContaining([...Object.keys(COUNTERS), ...ENERGY_COMPONENTS.map((name) => `energyPj.${name}`)]),
  );
  expect(rows.map((row) => row.length)).toEqual(rows.map(() => header.length));
  expect(rows.map((row) => row[0])).toEqual(["(start)", "conv1", 'fire2, "squeeze"']);
  const macs = header.indexOf("macs");
  expect(rows.reduce((sum, row) => sum + Number(row[macs]), 0)).toBe(report.totals?.macs);
});

test("no layers, no rows", () => expect(layersCsv({ layers: [] })).toBe("\n"));
