// Does the page of a sweep work where it is read: offline, by mouse and keyboard, in both themes, whatever the names?
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import axe from "axe-core";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sweepHtml } from "../../report/sweep-html.ts";
import type { SweepPoint, SweepReport } from "../../report/sweep-report.ts";
import { temporaryFolder } from "../cli/harness.ts";
import { browserTest, launch, NO_BROWSER } from "./chromium.ts";

const { path, remove } = temporaryFolder();
let browser: Browser | undefined;
beforeAll(async () => {
  if (NO_BROWSER === null) browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  remove();
});

const point = (index: number): SweepPoint => ({
  index,
  settings: { agents: 2 ** (index % 4), scaling: index % 2 === 0 ? "static" : "dynamic" },
  figures: index === 11 ? null : { framesPerSecond: 100 + 37 * (index % 5), areaMm2: 1 + index / 8 },
  error: index === 11 ? "layer conv1 does not fit" : null,
  onFront: index < 2,
  withinLimits: index !== 11,
  machine: { agents: 2 ** (index % 4) },
  commands: [`rapsim compile tiny -o point-${index}.bin`, `rapsim run point-${index}.bin --mode timing`],
});
const report: SweepReport = {
  rapsim: "0",
  name: "a sweep",
  about: "",
  settings: { network: "tiny" },
  axes: ["agents", "scaling"],
  derived: [],
  figures: [
    { name: "framesPerSecond", unit: "1/s", meaning: "frames a second", better: "maximize" },
    { name: "areaMm2", unit: "mm2", meaning: "area", better: "minimize" },
  ],
  objectives: [
    { figure: "framesPerSecond", goal: "maximize" },
    { figure: "areaMm2", goal: "minimize" },
  ],
  limits: [],
  points: Array.from({ length: 12 }, (_, i) => point(i)),
  notes: [],
};

async function opened(given: SweepReport, options: Parameters<Browser["newContext"]>[0] = {}) {
  const file = path("page.html");
  writeFileSync(file, sweepHtml(given));
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
  await page.goto(pathToFileURL(file).href);
  return { page, faults };
}

describe.skipIf(NO_BROWSER !== null)(browserTest("the page of a sweep"), () => {
  test("every point is in the charts and the table; a click shows its machine and commands", async () => {
    const { page, faults } = await opened(report);
    expect(await page.locator("#scatter circle").count()).toBe(11);
    expect(await page.locator("#scatter circle.front").count()).toBe(2);
    expect(await page.locator("#parallel path.line").count()).toBe(11);
    expect(await page.locator("#points tbody tr").count()).toBe(12);
    await page.locator("#points tbody button").nth(3).click();
    expect(await page.locator("#point h3").textContent()).toBe("Point 3");
    expect(await page.locator("#point pre").allTextContents()).toEqual([
      "rapsim compile tiny -o point-3.bin\nrapsim run point-3.bin --mode timing",
      "name: point-3\nparameters:\n  agents: 8\n",
    ]);
    expect(await page.locator(".chosen").count()).toBe(3);
    expect(faults).toEqual([]);
  });

  test("filters, the front, sorting and arrow keys", async () => {
    const { page, faults } = await opened(report);
    await page.locator("#filter-value").fill("dynamic");
    await page.locator("#filter-column").selectOption("scaling");
    await page.locator("#filter-value").press("Enter");
    expect(await page.locator("#shown").textContent()).toBe("6 of 12 points are shown.");
    await page.getByRole("button", { name: "Remove filter scaling = dynamic" }).click();
    await page.locator("#only-front").check();
    expect(await page.locator("#points tbody tr").count()).toBe(2);
    await page.locator("#only-front").uncheck();
    await page.locator("#points th button", { hasText: "areaMm2" }).click();
    await page.locator("#points th button", { hasText: "areaMm2" }).press("Enter");
    expect(await page.locator("#points tbody button").first().textContent()).toBe("10");
    await page.locator("#scatter").focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    expect(await page.locator("#point h3").textContent()).toContain("Point 1");
    expect(faults).toEqual([]);
  });

  for (const colorScheme of ["light", "dark"] as const) {
    test(`${colorScheme}: nothing that axe finds wrong, and no wider than a phone`, async () => {
      const { page } = await opened(report, { colorScheme, viewport: { width: 390, height: 844 } });
      await page.locator("#points tbody button").first().click();
      await page.evaluate(axe.source);
      const violations = await page.evaluate(
        "axe.run().then(({ violations }) => violations.map(({ id, impact, nodes }) => [id, impact, nodes[0].html]))",
      );
      expect(violations).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
    });
  }

  test("names that would break out are shown, and nothing runs", async () => {
    const hostile = `</script><script>alert(1)</script>"><img src=x onerror=alert(1)>'&\u202e`;
    const { page, faults } = await opened({
      ...report,
      name: hostile,
      about: hostile,
      settings: { network: hostile },
      axes: [hostile],
      limits: [hostile],
      notes: [hostile],
      points: report.points.map((one) => ({
        ...one,
        settings: { [hostile]: hostile },
        error: one.error && hostile,
        commands: [hostile],
      })),
    });
    await page.locator("#points tbody button").first().click();
    expect(await page.locator("h1").textContent()).toContain("</script>");
    expect(await page.locator("img").count()).toBe(0);
    expect(faults).toEqual([]);
  });
});
