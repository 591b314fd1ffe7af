// Does the published schema describe what is written, all of it?
import { describe, expect, test } from "vitest";
import { jsonReport, type ReportParts } from "../../report/index.ts";
import { COUNTERS, ENERGY_COMPONENTS, STALL_CAUSES } from "../../sim/result.ts";
import { schema, schemaFaults } from "./schema-faults.ts";
import { recorded, syntheticReport } from "./synthetic.ts";

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

  test("with what happened when", () => {
    const row = { agent: 0, unit: "mac", index: 1, op: "conv", tile: 2, layer: "conv1", startCycle: 3, endCycle: 9 };
    const report = recorded({
      instructions: [row],
      stalls: [{ agent: 0, unit: "mac", cause: "waitLoad", startCycle: 0, endCycle: 3 }],
      dram: [{ startCycle: 0, endCycle: 3, bytes: 64, write: false, layer: "(fetch)" }],
      sram: {
        ...{ agent: 0, bytes: 4096, pieceBytes: 64 },
        buffers: [{ address: 64, bytes: 128, startCycle: 3, endCycle: 9, layer: "conv1", tensor: "image" }],
      },
    });
    expect(schemaFaults(report)).toEqual([]);
    expect(report.record).toMatchObject({
      operations: [{ op: "conv", instructions: 1, executed: 1, cycles: 6 }],
      instructions: [-1, -1, 0, 2],
      causes: ["waitLoad"],
      tracks: [
        { agent: -1, unit: "reads", work: [0, 3, -1, -1], stalls: [] },
        { agent: 0, unit: "mac", work: [3, 6, 1, 1], stalls: [0, 3, 0] },
      ],
      sram: { tensors: ["image"], buffers: [64, 128, 3, 6, 1, 0], live: [3, 128, 9, 0], peakBytes: 128 },
    });
  });

  test("the file is the report", () => {
    const report = recorded({ instructions: [] });
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
