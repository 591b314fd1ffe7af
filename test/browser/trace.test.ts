// Does a reader of traces that is not ours (speedscope) take the trace, and read the report's cycles from it?
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Report } from "../../report/index.ts";
import { rapsim, temporaryFolder } from "../cli/harness.ts";
import { browserTest, launch, NO_BROWSER } from "./chromium.ts";

const { path, remove } = temporaryFolder();
afterAll(remove);

const SPEEDSCOPE = new URL("../../node_modules/speedscope/dist/release/index.html", import.meta.url);

/** https://www.speedscope.app/file-format-schema.json, what of it is read here. */
interface Profile {
  readonly name: string;
  readonly events: readonly { readonly type: "O" | "C"; readonly frame: number; readonly at: number }[];
}
interface Speedscope {
  readonly profiles: readonly Profile[];
  readonly shared: { readonly frames: readonly { readonly name: string }[] };
}

/** The trace as speedscope read it, by way of its own export; and what it complained of. */
async function readBySpeedscope(trace: string): Promise<{ read: Speedscope; complaints: string[] }> {
  const browser = await launch();
  try {
    const page = await (await browser.newContext({ offline: true, acceptDownloads: true })).newPage();
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (/^(ts=|Tried|Frame)|rror/.test(message.text())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(SPEEDSCOPE.href);
    await page.setInputFiles("input[type=file]", trace);
    await page.waitForFunction("document.title.startsWith('trace.json')");
    const [download] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Control+s")]);
    return { read: JSON.parse(readFileSync((await download.path())!, "utf8")), complaints };
  } finally {
    await browser.close();
  }
}

/** Cycles during which a slice is open. */
function cyclesOf({ events }: Profile, clockHz: number): number {
  let sum = 0;
  for (const { type, at } of events) sum += type === "O" ? -at : at;
  return Math.round((sum * clockHz) / 1e6);
}

beforeAll(async () => {
  expect((await rapsim(["compile", "tiny", "-o", path("tiny.bin")])).code).toBe(0);
});

test.skipIf(NO_BROWSER !== null)(browserTest("speedscope reads every unit's busy cycles"), async () => {
  // a clock at which a cycle is no round number of microseconds
  const rates = ["--set", "clockHz=700000000", "--frames", "3", "--overlap-frames"];
  const run = ["run", path("tiny.bin"), "--mode", "timing", ...rates];
  expect((await rapsim([...run, "--trace", path("trace.json"), "--json", path("r.json")])).code).toBe(0);
  const report: Report = JSON.parse(readFileSync(path("r.json"), "utf8"));
  const { read, complaints } = await readBySpeedscope(path("trace.json"));
  expect(complaints).toEqual([]);

  const cycles = new Map(
    read.profiles.map((profile) => [
      profile.name.replaceAll(/ \([pt]id \d+\)/g, ""),
      cyclesOf(profile, report.machine.parameters.clockHz),
    ]),
  );
  const busy = report.units.filter(({ busyCycles }) => busyCycles > 0);
  const track = (agent: number, unit: string) => `${agent < 0 ? "chip" : `agent ${agent}`}, ${unit}`;
  expect(busy.map(({ agent, unit }) => [track(agent, unit), cycles.get(track(agent, unit))])).toEqual(
    busy.map(({ agent, unit, busyCycles }) => [track(agent, unit), busyCycles]),
  );
  const stalled = busy.filter(({ agent }) => agent >= 0);
  expect(stalled.map(({ agent, unit }) => cycles.get(`${track(agent, unit)}: stalls`) ?? 0)).toEqual(
    stalled.map(({ stalls }) => Object.values(stalls).reduce((sum, n) => sum + n, 0)),
  );
  // slices are called after layers: that is what viewers colour by
  const names = new Set(read.shared.frames.map(({ name }) => name.split(" {")[0]));
  for (const { name } of report.layers.filter(({ macs }) => macs > 0)) expect(names).toContain(name);
});
