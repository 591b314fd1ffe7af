// Does the page of a comparison work where it is read, whatever the names?
import { writeFileSync } from "node:fs";
import axe from "axe-core";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compareRuns, comparisonHtml } from "../../report/index.ts";
import { temporaryFolder } from "../cli/harness.ts";
import { syntheticReport, timing } from "../report/synthetic.ts";
import { browserTest, launch, NO_BROWSER, openOffline } from "./chromium.ts";

const { path, remove } = temporaryFolder();
let browser: Browser | undefined;
beforeAll(async () => {
  if (NO_BROWSER === null) browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  remove();
});

const base = syntheticReport();
const slower = syntheticReport({
  timing: {
    ...timing,
    totals: { ...timing.totals, cycles: 2_500_000 },
    layers: timing.layers.map((layer) => ({ ...layer, attributedCycles: 1.25 * layer.attributedCycles })),
  },
});
const comparison = compareRuns({ file: "a.json", report: base }, { file: "b.json", report: slower });

describe.skipIf(NO_BROWSER !== null)(browserTest("the page of a comparison"), () => {
  test("opens offline and shows the comparison's own numbers; sorts and marks", async () => {
    writeFileSync(path("c.html"), comparisonHtml(comparison));
    const { page, faults } = await openOffline(browser!, path("c.html"));
    const column = (section: string, n: number): Promise<string[]> =>
      page.evaluate(
        `[...document.querySelectorAll("#${section} tbody tr")].map((row) => row.cells[${n}].dataset.value)`,
      );
    expect((await column("totals", 1)).map(Number)).toEqual(comparison.totals.map(({ a }) => a));
    expect((await column("totals", 2)).map(Number)).toEqual(comparison.totals.map(({ b }) => b));
    expect((await column("where", 3)).map(Number)).toEqual(comparison.cycles.map(({ difference }) => difference));
    expect((await column("energy", 3)).map(Number)).toEqual(comparison.energy.map(({ difference }) => difference));
    expect((await column("traffic", 2)).map(Number)).toEqual(comparison.traffic.map(({ b }) => b));
    const moved = comparison.layers.map(({ cycles }) => cycles);
    expect((await column("layers", 4)).map(Number)).toEqual(moved);
    await page.locator("#layers th button").nth(4).click();
    expect((await column("layers", 4)).map(Number)).toEqual([...moved].sort((a, b) => b - a));
    await page.locator('#layers [data-select="1"]').click();
    expect(await page.locator("#chosen").textContent()).toContain("conv1: 1,500,000 → 1,875,000 cycles");
    await page.keyboard.press("Escape");
    expect(await page.locator("tr.selected").count()).toBe(0);
    expect(faults).toEqual([]);
  });

  for (const colorScheme of ["light", "dark"] as const) {
    test(`${colorScheme}: nothing that axe finds wrong, and no wider than a phone`, async () => {
      const options = { colorScheme, viewport: { width: 390, height: 844 } };
      writeFileSync(path("c.html"), comparisonHtml(comparison));
      const { page } = await openOffline(browser!, path("c.html"), options);
      await page.evaluate(axe.source);
      const violations = await page.evaluate(
        "axe.run().then(({ violations }) => violations.map(({ id, impact, nodes }) => [id, impact, nodes[0].html]))",
      );
      expect(violations).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
    });
  }

  test("names that would break out are shown, and nothing runs", async () => {
    const hostile = `</script><script>alert(1)</script>"><img src=x onerror=alert(1)>\u{1f600}${"x".repeat(10_000)}`;
    const report = {
      ...base,
      program: { ...base.program, name: hostile, provenance: { ...base.program.provenance, source: hostile } },
      machine: { ...base.machine, name: hostile },
      layers: base.layers.map((layer) => ({ ...layer, name: hostile, op: hostile, bound: hostile })),
    };
    const changed = {
      ...report,
      rapsim: hostile,
      program: {
        ...report.program,
        provenance: { ...report.program.provenance, options: { [hostile]: hostile } },
      },
    };
    const named = compareRuns({ file: hostile, report }, { file: hostile, report: changed });
    writeFileSync(path("hostile.html"), comparisonHtml(named));
    const { page, faults } = await openOffline(browser!, path("hostile.html"), {
      viewport: { width: 390, height: 844 },
    });
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.locator("h1").textContent()).toBe("Two runs beside each other");
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
    expect(faults).toEqual([]);
  });
});
