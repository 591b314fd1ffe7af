// Is what `run --json` wrote shown again as `run` would have shown it, and anything else refused?
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeProgram } from "../../isa/index.ts";
import type { Report } from "../../report/index.ts";
import { loadProgram } from "../programs/index.ts";
import { schemaFaults } from "../report/schema-faults.ts";
import { rapsim, temporaryFolder } from "./harness.ts";

const { path, remove } = temporaryFolder();
afterAll(remove);

const read = (name: string) => readFileSync(path(name), "utf8");
let report: Report;
let printed: string;

beforeAll(async () => {
  writeFileSync(path("tiny.bin"), encodeProgram(loadProgram("tiny")));
  const outputs = ["--json", "r.json", "--html", "run.html", "--csv", "run.csv", "--units", "units.csv"];
  const run = await rapsim([
    "run",
    path("tiny.bin"),
    ...outputs.map((word) => (word.startsWith("--") ? word : path(word))),
  ]);
  expect(run.code).toBe(0);
  printed = run.stdout;
  report = JSON.parse(read("r.json"));
});

test("page, tables and text are those of the run", async () => {
  const outputs = ["-o", path("report.html"), "--csv", path("report.csv"), "--units", path("report-units.csv")];
  expect(await rapsim(["report", path("r.json"), ...outputs])).toEqual({ code: 0, stdout: "", stderr: "" });
  expect(read("report.html")).toBe(read("run.html"));
  expect(read("report.csv")).toBe(read("run.csv"));
  expect(read("report-units.csv")).toBe(read("units.csv"));
  expect((await rapsim(["report", path("r.json")])).stdout).toBe(printed);
});

test("units: one row each, busy and stalls add up to the run", () => {
  const [header, ...rows] = read("units.csv")
    .trimEnd()
    .split("\n")
    .map((line) => line.split(","));
  expect(header.slice(0, 4)).toEqual(["agent", "unit", "kind", "busyCycles"]);
  expect(rows.map(([agent, unit]) => `${agent} ${unit}`)).toEqual(
    report.units.map(({ agent, unit }) => `${agent} ${unit}`),
  );
  for (const row of rows) {
    expect(row.slice(3).reduce((sum, cell) => sum + Number(cell), 0)).toBe(report.totals!.cycles);
  }
});

test("the record's intervals are the units' busy and stall cycles", () => {
  const { tracks, joinedCycles } = report.record!;
  expect(joinedCycles).toBe(0);
  const lengths = (flat: readonly number[], size: number) =>
    flat.reduce((sum, value, i) => sum + (i % size === 1 ? value : 0), 0);
  for (const { agent, unit, busyCycles, stalls } of report.units.filter((u) => u.agent >= 0 && u.busyCycles > 0)) {
    const track = tracks.find((t) => t.agent === agent && t.unit === unit)!;
    expect(lengths(track.work, 4)).toBe(busyCycles);
    expect(lengths(track.stalls, 3)).toBe(Object.values(stalls).reduce((sum, cycles) => sum + cycles, 0));
  }
});

test("the lines before the record stay readable, and those of the record are few", () => {
  const lines = read("r.json").split("\n");
  const at = lines.indexOf('  "record": {');
  expect(Math.max(...lines.slice(0, at).map((line) => line.length))).toBeLessThan(1000);
  expect(lines.length - at).toBeLessThan(40);
});

test("a report without a record gives a page that says so; many frames have none", async () => {
  const { record: _record, ...old } = report;
  expect(schemaFaults(old)).toEqual([]);
  writeFileSync(path("old.json"), JSON.stringify(old));
  expect((await rapsim(["report", path("old.json"), "-o", path("old.html")])).code).toBe(0);
  expect(read("old.html")).toContain("What happened when is not in this report");
  const { stdout } = await rapsim(["run", path("tiny.bin"), "--mode", "timing", "--frames", "17", "--json", "-"]);
  expect(JSON.parse(stdout).record).toBeNull();
});

describe("refused, with one line", () => {
  test.each([
    ["text", "hello", "is not JSON; give a file that 'rapsim run --json' wrote"],
    ["nothing", "", "is not JSON"],
    ["a list", "[]", "its schema is not there, not 'rapsim.report/1'"],
    ["another schema", '{"schema":"rapsim.evaluation/1"}', "its schema is 'rapsim.evaluation/1', not"],
    ["a schema that moves the cursor", '{"schema":"\\u001b[2J"}', "its schema is '?[2J', not"],
    ["one without its parts", '{"schema":"rapsim.report/1"}', "the report must have required property"],
  ])("%s", async (_name, content, message) => {
    writeFileSync(path("wrong.json"), content);
    const { code, stderr } = await rapsim(["report", path("wrong.json")]);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).toContain(message);
    expect(code).toBe(1);
  });

  test("a value of the wrong type, by its place", async () => {
    writeFileSync(path("wrong.json"), JSON.stringify({ ...report, layers: [{ ...report.layers[0], macs: "<b>" }] }));
    const { code, stderr } = await rapsim(["report", path("wrong.json")]);
    expect(stderr).toContain("wrong.json: /layers/0/macs must be number");
    expect(code).toBe(1);
  });

  test("a page over its report", async () => {
    const { code, stderr } = await rapsim(["report", path("r.json"), "-o", path("r.json")]);
    expect(stderr).toContain("--output would overwrite");
    expect(code).toBe(2);
  });
});
