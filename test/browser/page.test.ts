// Does the page of a run work where it is read: offline, by mouse and keyboard, in both themes, whatever the names?

import { readFileSync, writeFileSync } from "node:fs";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeProgram, type Program } from "../../isa/index.ts";
import { type Report, runHtml } from "../../report/index.ts";
import { rapsim, temporaryFolder } from "../cli/harness.ts";
import { loadProgram } from "../programs/index.ts";
import { recorded, syntheticReport, timing } from "../report/synthetic.ts";
import { browserTest, colorsOf, launch, NO_BROWSER, openOffline } from "./chromium.ts";

const { path, remove } = temporaryFolder();

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

const opened = (file: string, options: Parameters<Browser["newContext"]>[0] = {}) =>
  openOffline(browser!, file, options);

/** Values of a column of a section's table, from top to bottom. */
const column = (page: Page, section: string, n: number, which = 0): Promise<string[]> =>
  page.evaluate(
    `[...document.querySelectorAll("#${section} table")[${which}].tBodies[0].rows].map((row) => row.cells[${n}].dataset.value)`,
  );

/** The cycles that all charts over time show. */
const shown = (page: Page): Promise<[number, number]> =>
  page.evaluate(
    "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => { const { from, to } = document.body.dataset; done([+from, +to]); })))",
  );

const pictureOf = (page: Page, canvas: string): Promise<string> =>
  page.evaluate(`document.querySelector("${canvas}").toDataURL()`);

const tip = (page: Page) => page.locator("#tip").textContent();

describe.skipIf(NO_BROWSER !== null)(browserTest("the page of a run"), () => {
  test("opens offline, asks for nothing, shows the report's own numbers", async () => {
    const { page, faults } = await opened(path("r.html"));
    const [names, cycles, macs, energy] = await Promise.all([0, 3, 6, 10].map((n) => column(page, "layers", n)));
    expect(names).toEqual(report.layers.map(({ name }) => name));
    expect(cycles.map(Number)).toEqual(report.layers.map(({ attributedCycles }) => attributedCycles));
    expect(macs.map(Number)).toEqual(report.layers.map((layer) => layer.macs));
    expect(energy.map(Number)).toEqual(report.layers.map(({ energyPj }) => energyPj.total));
    const tiles = await page.evaluate(
      "[...document.querySelectorAll('.tile')].map((tile) => Number(tile.dataset.value))",
    );
    const { framesPerSecond, latencyCycles, dramReadBytes, energyPj, bounds } = report.totals!;
    expect(tiles).toEqual(expect.arrayContaining([framesPerSecond, latencyCycles, dramReadBytes]));
    const { total: _total, ...components } = energyPj;
    expect((await column(page, "energy", 1)).map(Number)).toEqual(Object.values(components));
    expect((await column(page, "energy", 1, 1)).map(Number)).toEqual(
      report.layers.map((layer) => layer.energyPj.total),
    );
    expect((await column(page, "units", 1, 1)).map(Number)).toEqual(Object.values(bounds));
    expect((await column(page, "instructions", 2)).map(Number)).toEqual(
      report.record!.operations.map(({ executed }) => executed),
    );
    expect(faults).toEqual([]);
  });

  test("every chart has marks", async () => {
    const { page } = await opened(path("r.html"));
    expect(await page.locator("#roofline circle").count()).toBe(report.layers.filter((layer) => layer.macs > 0).length);
    expect(await colorsOf(page, "#timeline canvas")).toBeGreaterThan(10);
    expect(await colorsOf(page, "#sram canvas")).toBeGreaterThan(5);
    const series: string[] = await page.evaluate("[...document.querySelectorAll('.series')].map(({ id }) => id)");
    expect(series).toEqual(["arrays", "bandwidth", "occupancy", "power"]);
    for (const id of series) expect(await colorsOf(page, `#${id} canvas`)).toBeGreaterThan(3);
  });

  test("sorts by a press on a heading, and back by the next", async () => {
    const { page, faults } = await opened(path("r.html"));
    const heading = page.locator("#layers th").nth(3);
    await heading.locator("button").click();
    const down = (await column(page, "layers", 3)).map(Number);
    expect(down).toEqual([...down].sort((a, b) => b - a));
    expect(await heading.getAttribute("aria-sort")).toBe("descending");
    await heading.locator("button").press("Enter");
    expect((await column(page, "layers", 3)).map(Number)).toEqual([...down].reverse());
    expect(faults).toEqual([]);
  });

  test("a layer pressed is marked in every view until Escape", async () => {
    const { page } = await opened(path("r.html"));
    const layer = report.layers.findIndex(({ macs }) => macs > 0);
    const before = await Promise.all(["#timeline", "#sram", "#power"].map((id) => pictureOf(page, `${id} canvas`)));
    await page.locator(`#layers [data-select="${layer}"]`).click();
    // its row in two tables, and its point
    expect(await page.locator(".selected").count()).toBe(3);
    expect(await page.locator("circle.selected").getAttribute("aria-label")).toContain(report.layers[layer].name);
    expect(await page.locator("#chosen").textContent()).toContain(`${report.layers[layer].name}: `);
    await shown(page);
    const marked = await Promise.all(["#timeline", "#sram", "#power"].map((id) => pictureOf(page, `${id} canvas`)));
    for (const i of [0, 1, 2]) expect(marked[i]).not.toBe(before[i]);
    await page.keyboard.press("Escape");
    expect(await page.locator(".selected").count()).toBe(0);
    expect(await page.locator("#chosen").isVisible()).toBe(false);
    await page.locator("#roofline circle").first().focus();
    await page.keyboard.press("Enter");
    expect(await page.locator("tr.selected").count()).toBe(2);
    await page.locator("#chosen button").click();
    expect(await page.locator(".selected").count()).toBe(0);
  });

  test("boxes are drawn on the picture, and listed", async () => {
    const { host } = loadProgram("tiny");
    const head = {
      ...{ kind: "convdet", tensor: host.outputs[0].tensor, grid: [4, 4], anchorsPerCell: 1, classes: ["thing"] },
      ...{ channels: { classScores: [0, 1], confidence: [1, 2], boxDeltas: [2, 6] }, anchors: [[4, 4]] },
      ...{ confidenceThreshold: 0.1, topBoxes: 64, nmsIou: 0.4 },
    } as const satisfies object;
    const program = { ...loadProgram("tiny"), host: { ...host, head } } as unknown as Program;
    writeFileSync(path("boxed.bin"), encodeProgram(program));
    const run = ["run", path("boxed.bin"), "--threshold", "0", "--html", path("b.html"), "--json", path("b.json")];
    expect((await rapsim(run)).code).toBe(0);
    const { detections }: Report = JSON.parse(readFileSync(path("b.json"), "utf8"));
    expect(detections.length).toBeGreaterThan(0);
    const { page, faults } = await opened(path("b.html"));
    expect((await column(page, "found", 1)).map(Number)).toEqual(detections.map(({ score }) => score));
    expect(await page.locator("#found svg.photo rect").count()).toBe(detections.length);
    expect(await page.locator("#found svg.photo image").getAttribute("href")).toMatch(/^data:image\/jpeg;base64,/);
    await page.locator("#found svg.photo g").first().dispatchEvent("pointerover");
    expect(await tip(page)).toMatch(/^thing, score [01]\.\d{3}, [\d.]+, /);
    expect(faults).toEqual([]);
  });

  test("a layer is marked by a press on its work, and on its buffers", async () => {
    const { page } = await opened(path("r.html"));
    const { tracks, sram } = report.record!;
    const row = tracks.findIndex(({ unit }) => unit === "mac");
    const [gap, length, worked] = tracks[row].work;
    const [address, bytes, start, lived, wrote] = sram!.buffers;
    // where view.js and the charts draw them
    const presses = [
      { id: "#timeline", layer: worked, cycle: gap + length / 2, y: 18 + 14 * row + 6 },
      { id: "#sram", layer: wrote, cycle: start + lived / 2, y: (240 * (address + bytes / 2)) / sram!.bytes },
    ];
    for (const { id, layer, cycle, y } of presses) {
      const { width } = (await page.locator(`${id} canvas`).boundingBox())!;
      const x = 100 + ((width - 100) * cycle) / report.totals!.cycles;
      await page.locator(`${id} canvas`).click({ position: { x, y } });
      expect(await page.locator("tr.selected button").first().textContent()).toBe(` ${report.layers[layer].name}`);
      await page.keyboard.press("Escape");
    }
  });

  test("what lies over time zooms and moves by button, key and mouse, together, and says what it is", async () => {
    const { page, faults } = await opened(path("r.html"), { viewport: { width: 1200, height: 1000 } });
    const cycles = report.totals!.cycles;
    expect(await shown(page)).toEqual([0, cycles]);
    await page.getByRole("button", { name: "Zoom in" }).click();
    expect(await shown(page)).toEqual([cycles / 4, (3 * cycles) / 4]);
    await page.locator("#timeline").focus();
    await page.keyboard.press("ArrowLeft");
    expect(await shown(page)).toEqual([cycles / 8, (5 * cycles) / 8]);
    await page.keyboard.press("Home");
    expect(await shown(page)).toEqual([0, cycles]);
    await page.keyboard.down("Control");
    await page.locator("#timeline canvas").hover({ position: { x: 300, y: 24 } });
    await page.mouse.wheel(0, -100);
    await page.keyboard.up("Control");
    const [from, to] = await shown(page);
    expect(to - from).toBeCloseTo(0.8 * cycles, 6);
    await page.keyboard.press("Home");
    await page.locator("#timeline canvas").hover({ position: { x: 200, y: 24 } });
    expect(await tip(page)).toMatch(/^DRAM reads: .*cycles? [\d,]+/);
    await page.locator("#sram canvas").hover({ position: { x: 400, y: 120 } });
    expect(await tip(page)).toMatch(/bytes? [\d,]+/);
    // a part of the bandwidth, chosen by dragging over it
    const { x, y, width } = (await page.locator("#bandwidth .u-over").boundingBox())!;
    await page.mouse.move(x + width / 4, y + 40);
    await page.mouse.down();
    await page.mouse.move(x + width / 2, y + 40, { steps: 4 });
    await page.mouse.up();
    const part = await shown(page);
    expect(part[0] / cycles).toBeCloseTo(0.25, 2);
    expect(part[1] / cycles).toBeCloseTo(0.5, 2);
    await page.locator("#bandwidth .u-over").hover({ position: { x: width / 2, y: 60 } });
    expect(await page.locator("#bandwidth .u-legend").textContent()).toMatch(/read:?[\d.]+ GB\/s/);
    expect(faults).toEqual([]);
  });

  test("a timeline of 50,000 intervals zooms to a single instruction", async () => {
    const cycles = timing.totals.cycles;
    const instructions = Array.from({ length: 50_000 }, (_, i) => {
      const startCycle = 40 * i;
      return {
        ...{ agent: i % 2, unit: "mac", index: i, op: "conv", tile: i },
        startCycle,
        endCycle: startCycle + 30,
        layer: "conv1",
      };
    });
    writeFileSync(path("many.html"), runHtml(recorded({ instructions })));
    const { page, faults } = await opened(path("many.html"), { viewport: { width: 1200, height: 1000 } });
    for (let i = 0; i < 20; i++) await page.getByRole("button", { name: "Zoom in" }).click();
    const [from, to] = await shown(page);
    expect(to - from).toBe(16);
    expect((from + to) / 2).toBeCloseTo(cycles / 2);
    // 1,000,000 = 40 x 25,000, an odd one of which agent 0 has
    await page.locator("#timeline canvas").hover({ position: { x: 700, y: 24 } });
    expect(await tip(page)).toBe("agent 0: mac: conv1, conv #25,000, tile 25,000, cycles 1,000,000 to 1,000,030 (30)");
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
    writeFileSync(path("values.html"), runHtml(syntheticReport({ mode: "functional", timing: undefined })));
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
    const [layer, unit] = [hostile[0], hostile[1]];
    const html = runHtml({
      ...given,
      program: {
        ...given.program,
        name: hostile[0],
        provenance: { ...given.program.provenance, options: { [hostile[1]]: hostile[0] } },
      },
      machine: { ...given.machine, name: hostile[1] },
      images: [{ image: hostile[1], width: 100, height: 50 }],
      detections: [{ image: hostile[1], class: hostile[0], score: 1, box: [0, 0, 1, 1] }],
      warnings: hostile,
      notModelled: hostile,
      record: recorded({
        instructions: [{ agent: 0, unit, startCycle: 0, endCycle: 9, index: 0, op: hostile[0], layer, tile: 0 }],
        sram: {
          ...{ agent: 0, bytes: 4096, pieceBytes: 64 },
          buffers: [{ address: 0, bytes: 4096, startCycle: 0, endCycle: 2_000_000, layer, tensor: hostile[2] }],
        },
      }).record,
    });
    writeFileSync(path("hostile.html"), html);
    const { page, faults } = await opened(path("hostile.html"), { viewport: { width: 390, height: 844 } });
    expect(faults).toEqual([]);
    expect(await page.locator("h1").textContent()).toContain(hostile[0]);
    expect(await page.locator("img").count()).toBe(0);
    await page.locator("#sram canvas").hover({ position: { x: 200, y: 100 } });
    expect(await tip(page)).toContain("</title></style>xxx");
    await page.locator("#layers [data-select]").first().click();
    expect(await page.locator("#chosen").textContent()).toContain("</script>");
    expect(faults).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  });
});
