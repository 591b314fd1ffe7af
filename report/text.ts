/** The report as a person reads it: totals, what was found, layers, what bounds it, what is not modelled. */
import { count } from "./numbers.ts";
import { createPage, type Page, type PageOptions, printable, wrapped } from "./page.ts";
import type { Report } from "./report.ts";
import { boundsLines, waitsLines } from "./text-bounds.ts";
import { findingsLines } from "./text-findings.ts";
import { layersLines } from "./text-layers.ts";
import { headLines, totalsLines } from "./text-totals.ts";

function warningLines(page: Page, { warnings }: Report): string[] {
  return warnings.flatMap((warning) => wrapped(page, "! ", warning).map(page.warn));
}

function racesLines(page: Page, { races }: Report): string[] {
  if (races === null) return [];
  if (races.length === 0) return wrapped(page, "", "No races: all accesses to the same bytes are ordered.");
  return [page.bold(count(races.length, "race")), ...races.flatMap((race) => wrapped(page, "  - ", printable(race)))];
}

function notModelledLines(page: Page, { notModelled }: Report): string[] {
  if (notModelled.length === 0) return [];
  return [page.bold("Not modelled"), ...notModelled.flatMap((item) => wrapped(page, "  - ", item).map(page.dim))];
}

/** The whole report, at most `width` columns; ends in a newline. */
export function textReport(report: Report, options: PageOptions): string {
  const page = createPage(options);
  const sections = [
    headLines(page, report),
    totalsLines(page, report),
    warningLines(page, report),
    racesLines(page, report),
    findingsLines(page, report),
    layersLines(page, report),
    boundsLines(page, report),
    waitsLines(page, report),
    notModelledLines(page, report),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}
