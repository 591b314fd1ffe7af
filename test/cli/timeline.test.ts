// Is the timeline that of the report? Durations of each unit add up to its busy cycles.
import { readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { rapsim, temporaryFolder } from "./harness.ts";

const { path, remove } = temporaryFolder();
afterAll(remove);

test("rows say unit, instruction and layer, in order of start, and cover every unit's busy cycles", async () => {
  expect((await rapsim(["compile", "tiny", "-o", path("tiny.bin")])).code).toBe(0);
  const run = ["run", path("tiny.bin"), "--mode", "timing", "--timeline", path("t.csv"), "--json", path("r.json")];
  expect((await rapsim(run)).code).toBe(0);
  const [header, ...lines] = readFileSync(path("t.csv"), "utf8").trimEnd().split("\n");
  expect(header).toBe("startCycle,endCycle,agent,unit,index,op,layer,tile");
  const rows = lines.map((line) => line.split(","));
  const report = JSON.parse(readFileSync(path("r.json"), "utf8"));
  const starts = rows.map(([start]) => Number(start));
  expect(starts).toEqual([...starts].sort((a, b) => a - b));
  for (const { agent, unit, busyCycles } of report.units) {
    if (unit === "dram") continue;
    // passes of consecutive convolutions may overlap: busy cycles are the union of the intervals
    let [busy, end] = [0, 0];
    for (const row of rows.filter(([, , a, u]) => Number(a) === agent && u === unit)) {
      const [from, to] = [Math.max(Number(row[0]), end), Number(row[1])];
      if (to > from) busy += to - from;
      end = Math.max(end, to);
    }
    expect([agent, unit, busy]).toEqual([agent, unit, busyCycles]);
  }
});

test("alone on standard output, and refused where no time is counted", async () => {
  const { code, stdout } = await rapsim(["run", path("tiny.bin"), "--timeline", "-"]);
  expect(code).toBe(0);
  expect(stdout.startsWith("startCycle,")).toBe(true);
  expect((await rapsim(["run", path("tiny.bin"), "--mode", "functional", "--timeline", "-"])).code).toBe(2);
});
