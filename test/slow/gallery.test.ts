// Can the gallery's pictures be made again? With UPDATE_DOCS=1 (npm run gallery) they are written into docs/gallery.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compareRuns, comparisonHtml } from "../../report/index.ts";
import { parseReport } from "../../report/read-report.ts";
import { browserTest, launch, NO_BROWSER, openOffline } from "../browser/chromium.ts";
import { rapsim, temporaryFolder } from "../cli/harness.ts";

const folder = fileURLToPath(new URL("../../docs/gallery/", import.meta.url));
const MOST_BYTES = 200_000;

const { path, remove } = temporaryFolder();
let browser: Browser | undefined;
afterAll(async () => {
  await browser?.close();
  remove();
});

async function succeed(...argv: string[]) {
  expect((await rapsim(argv)).stderr).toBe("");
}

beforeAll(async () => {
  if (NO_BROWSER !== null) return;
  await succeed("compile", "squeezedet", "-o", path("s.bin"));
  await succeed("run", path("s.bin"), "--html", path("run.html"), "--json", path("a.json"));
  const slow = ["--mode", "timing", "--set", "dram.bytesPerCycle=6.4", "--json", path("b.json")];
  await succeed("run", path("s.bin"), ...slow);
  const given = (file: string, of: string) => ({ file, report: parseReport(readFileSync(path(of), "utf8"), of) });
  const comparison = compareRuns(given("before.json", "a.json"), given("after.json", "b.json"));
  writeFileSync(path("compare.html"), comparisonHtml(comparison));
  browser = await launch();
});

/** A part of the page, from the top of one element to the bottom of another. */
async function between(page: Page, first: string, last: string): Promise<Buffer> {
  await page.evaluate("scrollTo(0, 0)");
  const [from, to] = [(await page.locator(first).boundingBox())!, (await page.locator(last).boundingBox())!];
  const clip = { x: to.x, y: from.y, width: to.width, height: to.y + to.height - from.y };
  return page.screenshot({ clip, fullPage: true });
}

const LIGHT = { colorScheme: "light", viewport: { width: 1200, height: 800 } } as const;
const DARK = { ...LIGHT, colorScheme: "dark" } as const;
const PHONE = { colorScheme: "dark", viewport: { width: 390, height: 844 } } as const;

/** Name -> page, how it is opened, and what is taken of it. */
const PICTURES: readonly (readonly [string, string, object, (page: Page) => Promise<Buffer>])[] = [
  ["first-view", "run.html", LIGHT, (page) => page.screenshot()],
  ["timeline", "run.html", LIGHT, (page) => between(page, "#time .keys", "#timeline")],
  [
    "marked-layer",
    "run.html",
    DARK,
    async (page) => {
      await page.locator("#layers button", { hasText: "fire9_expand3x3" }).click();
      await page.locator("#time").evaluate("(section) => section.scrollIntoView()");
      return page.screenshot();
    },
  ],
  [
    "zoomed",
    "run.html",
    LIGHT,
    async (page) => {
      await page.locator("#timeline canvas").hover({ position: { x: 190, y: 100 } });
      await page.keyboard.down("Control");
      for (let i = 0; i < 16; i++) await page.mouse.wheel(0, -100);
      await page.keyboard.up("Control");
      await page.evaluate("hideTip()");
      return between(page, "#time .keys", "#timeline");
    },
  ],
  ["over-time", "run.html", LIGHT, (page) => between(page, "#arrays", "#bandwidth")],
  ["sram", "run.html", LIGHT, (page) => between(page, "#sram", "#occupancy")],
  ["roofline", "run.html", DARK, (page) => page.locator("#roofline .chart").screenshot()],
  ["energy", "run.html", LIGHT, (page) => page.locator("#energy .scroll").last().screenshot()],
  ["comparison", "compare.html", LIGHT, (page) => between(page, "h1", "#where .scroll")],
  ["phone", "run.html", PHONE, (page) => page.screenshot()],
];

describe.skipIf(NO_BROWSER !== null)(browserTest("gallery"), () => {
  test.each(PICTURES)("%s", async (name, file, options, take) => {
    const { page, faults } = await openOffline(browser!, path(file), options);
    // drawn, and no pointer in the way
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
    const picture = await sharp(await take(page))
      .png({ palette: true, colours: 96, effort: 10 })
      .toBuffer();
    await page.context().close();
    expect(picture.length).toBeLessThan(MOST_BYTES);
    expect(faults).toEqual([]);
    if (process.env.UPDATE_DOCS) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(`${folder}${name}.png`, picture);
    }
  });

  test("no other pictures lie there", () => {
    expect(readdirSync(folder).sort()).toEqual(PICTURES.map(([name]) => `${name}.png`).sort());
  });
});
