// Does the published schema describe what is written, all of it?
import { describe, expect, test } from "vitest";
import { jsonReport, type ReportParts } from "../../report/index.ts";
import { COUNTERS, ENERGY_COMPONENTS, STALL_CAUSES } from "../../sim/result.ts";
import { schema, schemaFaults } from "./schema-faults.ts";
import { syntheticReport } from "./synthetic.ts";

describe("reports that are valid", () => {
  const cases: Record<string, Partial<ReportParts>> = {
    full: {},
    timing: { mode: "timing", images: [], detections: [], outputs: [] },
    functional: { mode: "functional", timing: undefined, notModelled: [] },
    "with races looked for": { races: ["#1 and #2"] },
    "a classifier": { classifications: [{ image: "pet.jpg", top: [{ class: "dog", score: 12.5 }] }] },
  };
  test.each(Object.entries(cases))("%s", (_name, changes) =>
    expect(schemaFaults(syntheticReport(changes))).toEqual([]),
  );

  test("the file is the report", () => {
    const report = syntheticReport();
    expect(JSON.parse(jsonReport(report))).toEqual(JSON.parse(JSON.stringify(report)));
  });
});

describe("reports that are not", () => {
  const report = syntheticReport();
  test.each([
    ["another schema", { ...report, schema: "rapsim.report/2" }],
    ["no mode", { ...report, mode: undefined }],
    ["a box of three", { ...report, detections: [{ image: "a", class: "car", score: 1, box: [1, 2, 3] }] }],
    ["a field nobody described", { ...report, surprise: 1 }],
    ["negative cycles", { ...report, totals: { ...report.totals, cycles: -1 } }],
  ])("%s", (_name, wrong) => expect(schemaFaults(wrong)).not.toEqual([]));
});

test("counters, stall causes and energy components are those of the simulator", () => {
  const { totals, layer, unit, energyPj } = schema.$defs;
  for (const counter of Object.keys(COUNTERS)) {
    expect(totals.required).toContain(counter);
    expect(layer.required).toContain(counter);
  }
  expect(Object.keys(unit.properties.stalls.properties)).toEqual(Object.keys(STALL_CAUSES));
  expect(energyPj.required).toEqual([...ENERGY_COMPONENTS, "total"]);
});
