// Does the published schema describe what is written, all of it?
import { readFileSync } from "node:fs";
import { Ajv2020, type AnySchemaObject } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { jsonReport, type ReportParts } from "../../report/index.ts";
import { COUNTERS, ENERGY_COMPONENTS, STALL_CAUSES } from "../../sim/result.ts";
import { syntheticReport } from "./synthetic.ts";

const schema = JSON.parse(readFileSync(new URL("../../docs/report.schema.json", import.meta.url), "utf8"));

/** The schema with nothing allowed that it does not name: a field nobody described is found. */
function closed(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closed);
  if (typeof node !== "object" || node === null) return node;
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, closed(value)]));
  return "properties" in copy && "required" in copy ? { ...copy, additionalProperties: false } : copy;
}

const validate = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true }).compile(
  closed(schema) as AnySchemaObject,
);

function faults(report: object): string[] {
  return validate(JSON.parse(JSON.stringify(report)))
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

describe("reports that are valid", () => {
  const cases: Record<string, Partial<ReportParts>> = {
    full: {},
    timing: { mode: "timing", images: [], detections: [], outputs: [] },
    functional: { mode: "functional", timing: undefined, notModelled: [] },
    "with races looked for": { races: ["#1 and #2"] },
    "a classifier": { classifications: [{ image: "pet.jpg", top: [{ class: "dog", score: 12.5 }] }] },
  };
  test.each(Object.entries(cases))("%s", (_name, changes) => expect(faults(syntheticReport(changes))).toEqual([]));

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
  ])("%s", (_name, wrong) => expect(faults(wrong)).not.toEqual([]));
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
