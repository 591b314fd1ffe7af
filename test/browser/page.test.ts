// Does the page of a run work where it is read: offline, by mouse and keyboard, in both themes, whatever the names?

import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Report, runHtml } from "../../report/index.ts";
import { rapsim, temporaryFolder } from "../cli/harness.ts";
import { syntheticReport, timing } from "../report/synthetic.ts";
import { browserTest, launch, NO_BROWSER } from "./chromium.ts";

const { path, remove } = temporaryFolder();
const NOTHING = { instructions: [], stalls: [], dram: [] };

let browser: Browser | undefined;
let report: Report;

beforeAll(async () => {
  expect((await rapsim(["run", "tiny", "--html", path("r.html"), "--json", path("r.json")])).code).toBe(0);
  report = JSON.parse(readFileSync(path("r.json"), "utf8"));
  if (NO_BROWSER === null) browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  remove();
});

/** A page without a network, and everything it should not have done. */
async function opened(file: string, options: Parameters<Browser["newContext"]>[0] = {}) {
  const page = await (await browser!.newContext({ offline: true, ...options })).newPage();
  const faults: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("dialog", (dialog) => {
    faults.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    if (request.url() !== pathToFileURL(file).href) faults.push(`request of ${request.url()}`);
  });
  await page.goto(pathToFileURL(file).href);
  return { page, faults };
}

/** Values of a column of the layer table, from top to bottom. */
const column = (page: Page, n: number): Promise<string[]> =>
  page.evaluate(
    `[...document.querySelectorAll("table")[0].tBodies[0].rows].map((row) => row.cells[${n}].dataset.value)`,
  );

/** The cycles that the timeline shows. */
const shown = (page: Page): Promise<[number, number]> =>
  page.evaluate(
    "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => { const { from, to } = document.querySelector('canvas').dataset; done([+from, +to]); })))",
  );

describe.skipIf(NO_BROWSER !== null)(browserTest("the page of a run"), () => {
  test("opens offline, asks for nothing, shows the report's own numbers and marks in every chart", async () => {
    const { page, faults } = await opened(path("r.html"));
    const [names, cycles, macs, energy] = await Promise.all([0, 3, 6, 10].map((n) => column(page, n)));
    expect(names).toEqual(report.layers.map(({ name }) => name));
    expect(cycles.map(Number)).toEqual(report.layers.map(({ attributedCycles }) => attributedCycles));
    expect(macs.map(Number)).toEqual(report.layers.map((layer) => layer.macs));
    expect(energy.map(Number)).toEqual(report.layers.map(({ energyPj }) => energyPj.total));
    const tiles = await page.evaluate(
      "[...document.querySelectorAll('.tile')].map((tile) => Number(tile.dataset.value))",
    );
    expect(tiles).toEqual(
      expect.arrayContaining([
        report.totals!.framesPerSecond,
        report.totals!.latencyCycles,
        report.totals!.dramReadBytes,
      ]),
    );
    expect(await page.locator("svg circle").count()).toBe(report.layers.filter((layer) => layer.macs > 0).length);
    expect(await page.locator("svg").count()).toBe(3);
    const colors: number = await page.evaluate(
      "(() => { const c = document.querySelector('canvas'); return new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size; })()",
    );
    expect(colors).toBeGreaterThan(5);
    expect(faults).toEqual([]);
  });

  test("sorts by a press on a heading, and back by the next", async () => {
    const { page, faults } = await opened(path("r.html"));
    const heading = page.locator("table").first().locator("th").nth(3);
    await heading.locator("button").click();
    const down = (await column(page, 3)).map(Number);
    expect(down).toEqual([...down].sort((a, b) => b - a));
    expect(await heading.getAttribute("aria-sort")).toBe("descending");
    await heading.locator("button").press("Enter");
    expect((await column(page, 3)).map(Number)).toEqual([...down].reverse());
    expect(faults).toEqual([]);
  });

  test("a layer pressed is marked in every view until Escape", async () => {
    const { page } = await opened(path("r.html"));
    const layer = report.layers.findIndex(({ macs }) => macs > 0);
    await page.locator(`[data-select="${layer}"]`).first().click();
    // its row in two tables, and its point
    expect(await page.locator(".selected").count()).toBe(3);
    expect(await page.locator("circle.selected title").textContent()).toContain(report.layers[layer].name);
    await page.keyboard.press("Escape");
    expect(await page.locator(".selected").count()).toBe(0);
  });

  test("the timeline zooms and moves by button, key and mouse, and says what it points at", async () => {
    const { page, faults } = await opened(path("r.html"));
    const cycles = report.totals!.cycles;
    expect(await shown(page)).toEqual([0, cycles]);
    await page.getByRole("button", { name: "Zoom in" }).click();
    expect(await shown(page)).toEqual([cycles / 4, (3 * cycles) / 4]);
    await page.locator("canvas").focus();
    await page.keyboard.press("ArrowLeft");
    expect(await shown(page)).toEqual([cycles / 8, (5 * cycles) / 8]);
    await page.keyboard.press("Home");
    expect(await shown(page)).toEqual([0, cycles]);
    await page.keyboard.down("Control");
    await page.locator("canvas").hover({ position: { x: 300, y: 24 } });
    await page.mouse.wheel(0, -100);
    await page.keyboard.up("Control");
    const [from, to] = await shown(page);
    expect(to - from).toBeCloseTo(0.8 * cycles, 6);
    await page.keyboard.press("Home");
    await page.locator("canvas").hover({ position: { x: 200, y: 24 } });
    expect(await page.locator("output").textContent()).toMatch(/^DRAM, cycles? [\d,]+/);
    expect(faults).toEqual([]);
  });

  for (const colorScheme of ["light", "dark"] as const) {
    test(`${colorScheme}: nothing that axe finds wrong, and no wider than a phone`, async () => {
      const { page } = await opened(path("r.html"), { colorScheme, viewport: { width: 390, height: 844 } });
      await page.evaluate(axe.source);
      const violations = await page.evaluate(
        "axe.run().then(({ violations }) => violations.map(({ id, impact, nodes }) => [id, impact, nodes[0].html]))",
      );
      expect(violations).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
    });
  }

  test("without time: what was found, and provenance", async () => {
    const page = runHtml(syntheticReport({ mode: "functional", timing: undefined }), NOTHING);
    writeFileSync(path("values.html"), page);
    const { page: open, faults } = await opened(path("values.html"));
    expect(await open.locator("h2").allTextContents()).toEqual(["Detections", "Machine and provenance"]);
    expect(faults).toEqual([]);
  });

  test("names that would break out are shown, and nothing runs", async () => {
    const hostile = [
      `</script><script>alert(1)</script>`,
      `"><img src=x onerror=alert(1)>'&\u202e\u0007 \u{1f600}`,
      `</title></style>${"x".repeat(10_000)}`,
    ];
    const given = syntheticReport({
      timing: { ...timing, layers: timing.layers.map((layer, i) => ({ ...layer, name: hostile[i] })) },
    });
    const html = runHtml(
      {
        ...given,
        program: { ...given.program, name: hostile[0] },
        machine: { ...given.machine, name: hostile[1] },
        images: [{ image: hostile[1], width: 1, height: 1 }],
        detections: [{ image: hostile[1], class: hostile[0], score: 1, box: [0, 0, 1, 1] }],
        notModelled: hostile,
      },
      {
        ...NOTHING,
        instructions: [
          { agent: 0, unit: "mac", startCycle: 0, endCycle: 9, index: 0, op: "conv", layer: hostile[0], tile: 0 },
        ],
      },
    );
    writeFileSync(path("hostile.html"), html);
    const { page, faults } = await opened(path("hostile.html"), { viewport: { width: 390, height: 844 } });
    expect(faults).toEqual([]);
    expect(await page.locator("h1").textContent()).toContain(hostile[0]);
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  });
});
