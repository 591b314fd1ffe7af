// Does `rapsim compare` compare what `rapsim run` wrote, in every form, and refuse the rest?
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeProgram } from "../../isa/index.ts";
import type { Comparison, Report } from "../../report/index.ts";
import { loadProgram } from "../programs/index.ts";
import { faultsAgainst } from "../report/schema-faults.ts";
import { rapsim, temporaryFolder } from "./harness.ts";

const { path, remove } = temporaryFolder();
afterAll(remove);

const read = (name: string) => readFileSync(path(name), "utf8");

beforeAll(async () => {
  writeFileSync(path("tiny.bin"), encodeProgram(loadProgram("tiny")));
  const run = async (name: string, ...more: string[]) => {
    expect((await rapsim(["run", path("tiny.bin"), "--json", path(name), ...more])).code).toBe(0);
  };
  await run("a.json");
  await run("b.json", "--set", "dram.bytesPerCycle=0.5");
  await run("values.json", "--mode", "functional");
  expect((await rapsim(["run", "tiny", "--mode", "timing", "--json", path("other.json")])).code).toBe(0);
});

test("text, JSON and page", async () => {
  const files = ["--json", path("c.json"), "--html", path("c.html")];
  const { code, stdout, stderr } = await rapsim(["compare", path("a.json"), path("b.json"), ...files]);
  expect([code, stderr]).toEqual([0, ""]);
  const comparison: Comparison = JSON.parse(read("c.json"));
  expect(faultsAgainst("comparison.schema.json")(comparison)).toEqual([]);
  const [a, b]: Report[] = ["a.json", "b.json"].map((name) => JSON.parse(read(name)));
  const cycles = comparison.totals.find(({ name }) => name === "cycles")!;
  expect([cycles.a, cycles.b]).toEqual([a.totals!.cycles, b.totals!.cycles]);
  expect(cycles.difference).toBeGreaterThan(0);
  const sum = comparison.cycles.reduce((all, { difference }) => all + difference, 0);
  expect(sum).toBeCloseTo(cycles.difference, 6);
  expect(comparison.settings.machine).toEqual([{ name: "dram.bytesPerCycle", a: 1, b: 0.5 }]);
  expect(comparison.outputs).toMatchObject({ equal: comparison.outputs!.compared });
  expect(stdout).toContain("waits for a load");
  expect(read("c.html")).toContain("Two runs beside each other");
});

test("JSON alone on standard output", async () => {
  const { stdout } = await rapsim(["compare", path("a.json"), path("b.json"), "--json", "-"]);
  expect(JSON.parse(stdout)).toMatchObject({ schema: "rapsim.comparison/1" });
});

describe("refused", () => {
  test.each([
    ["different networks", ["a.json", "other.json"], 1, "different networks, 'tiny'"],
    ["values without time", ["a.json", "values.json"], 1, "values.json: has no time"],
    ["one report", ["a.json"], 2, "two reports are compared, not 1"],
    ["three", ["a.json", "b.json", "a.json"], 2, "two reports are compared, not 3"],
    ["a program", ["a.json", "tiny.bin"], 1, "tiny.bin: is not JSON"],
    ["nothing", [], 2, "a file or name is missing"],
    ["a file that is not there", ["a.json", "c/d.json"], 1, "no such file"],
    ["a page over a report", ["a.json", "b.json", "--html", "b.json"], 2, "--html would overwrite"],
  ])("%s", async (_name, words, exit, message) => {
    const argv = words.map((word) => (word.startsWith("--") ? word : path(word)));
    const { code, stderr } = await rapsim(["compare", ...argv]);
    expect(stderr).toContain(message);
    expect(code).toBe(exit);
  });

  test("but by force", async () => {
    const { code, stdout } = await rapsim(["compare", path("a.json"), path("other.json"), "--force"]);
    expect(code).toBe(0);
    expect(stdout).toContain("! The networks are different");
  });
});
