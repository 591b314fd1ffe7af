/** A run as one page for a browser. Cells of numbers carry the report's own value in `data-value`. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { clientScript, htmlPage, note, section, shortName } from "./html.ts";
import { escaped } from "./markup.ts";
import { grouped, percent, significant, withPrefix } from "./numbers.ts";
import type { Report, TimedReport } from "./report.ts";
import { rooflineSvg } from "./roofline.ts";
import { findingsSection, type Pictures } from "./run-photos.ts";
import { type Chart, chartsOf } from "./run-series.ts";
import { RUN_STYLE } from "./run-style.ts";
import {
  boundTable,
  componentTable,
  instructionTable,
  layerEnergyTable,
  layerTable,
  machineTable,
  unitTable,
} from "./run-tables.ts";
import { overTimeSection, pageData } from "./run-time.ts";

/** The chart library as it comes, with its licence. */
function uplot(): { readonly script: string; readonly style: string } {
  const { resolve } = createRequire(import.meta.url);
  const read = (name: string) => readFileSync(resolve(`uplot/${name}`), "utf8");
  return {
    script: `/*\n${read("LICENSE")}*/\n${read("dist/uPlot.iife.min.js")}`,
    style: read("dist/uPlot.min.css"),
  };
}

function tiles({ totals, frames }: TimedReport): string {
  const facts: readonly (readonly [label: string, value: number, text: string])[] = [
    ["frames a second", totals.framesPerSecond, significant(totals.framesPerSecond, 4)],
    ["latency", totals.latencyCycles, withPrefix(totals.latencyCycles * (totals.seconds / totals.cycles), "s")],
    ["cycles", totals.cycles, grouped(totals.cycles)],
    ["MAC utilisation", totals.macUtilization, percent(totals.macUtilization)],
    ["energy per frame", totals.energyPj.total / frames, withPrefix((totals.energyPj.total * 1e-12) / frames, "J")],
    ["average power", totals.averagePowerW, withPrefix(totals.averagePowerW, "W")],
    ["frames per joule", totals.framesPerJoule, significant(totals.framesPerJoule)],
    ["DRAM read", totals.dramReadBytes, withPrefix(totals.dramReadBytes, "B")],
    ["DRAM written", totals.dramWriteBytes, withPrefix(totals.dramWriteBytes, "B")],
    ["area, about", totals.areaMm2.total, `${significant(totals.areaMm2.total)} mm²`],
  ];
  const tile = ([label, value, text]: (typeof facts)[number]) =>
    `<div class="tile" data-value="${value}"><b>${text}</b>${label}</div>`;
  return `<div class="tiles">${facts.map(tile).join("")}</div>`;
}

function timeSections(report: TimedReport, charts: readonly Chart[]): string[] {
  const { totals, record } = report;
  const roofline = rooflineSvg(report);
  return [
    section(
      "layers",
      "Layers",
      layerTable(report),
      note(
        "Each cycle of the run belongs to the layer of the oldest instruction not finished, so that cycles add up to the run. MAC use is of the arrays while they work on the layer. Click a layer to mark it everywhere.",
      ),
    ),
    overTimeSection(report, charts),
    roofline === null
      ? ""
      : section(
          "roofline",
          "Roofline",
          `<div class="chart" tabindex="0" role="region" aria-label="Roofline">${roofline}</div>`,
          note(
            "A point for each layer that uses DRAM: its useful MACs per DRAM byte, and per cycle between its first and its last, in which other layers run as well; large points have many attributed cycles. The cross is the whole run, the line what arrays and DRAM allow.",
          ),
        ),
    section("energy", "Energy", componentTable(totals.energyPj), "<h3>By layer</h3>", layerEnergyTable(report)),
    section(
      "units",
      "Units and bounds",
      unitTable(report),
      note("Units of a kind, summed over agents: busy, or standing still and why."),
      "<h3>What bounds a frame</h3>",
      boundTable(totals),
      note("Cycles below which no frame can end, whatever the schedule."),
    ),
    record === null
      ? ""
      : section(
          "instructions",
          "Instructions",
          instructionTable(record),
          note("Executed counts every agent and frame; an instruction clipped to nothing in an agent still counts."),
        ),
  ];
}

function provenance(report: Report): string {
  const { program, machine, rapsim } = report;
  const options = Object.entries(program.provenance.options).map(
    ([option, value]) => `${escaped(option)} ${escaped(String(value))}`,
  );
  const facts = [
    `rapsim ${escaped(rapsim)}`,
    `program <bdi>${escaped(program.name)}</bdi>, SHA-256 ${escaped(program.sha256)}`,
    `from <bdi>${escaped(program.provenance.source)}</bdi>, SHA-256 ${escaped(program.provenance.sourceSha256)}, compiled by rapsim ${escaped(program.provenance.rapsim)}`,
    ...(options.length === 0 ? [] : [`options: ${options.join(", ")}`]),
    `machine <bdi>${escaped(machine.name)}</bdi>, SHA-256 ${escaped(machine.sha256)}`,
  ];
  const list = (lines: readonly string[]) => `<ul>${lines.map((line) => `<li>${line}</li>`).join("")}</ul>`;
  const missing = report.notModelled.map(escaped);
  return section(
    "machine",
    "Machine and provenance",
    list(facts),
    `<details><summary>All parameters of the machine</summary>${machineTable(machine.parameters)}</details>`,
    missing.length === 0 ? "" : `<details><summary>What is not modelled</summary>${list(missing)}</details>`,
  );
}

/** Links to the sections that there are. */
function contents(sections: readonly string[]): string {
  const links = sections
    .flatMap((text) => [...text.matchAll(/^<section id="([a-z]+)"><h2>([^<]*)</g)])
    .map(([, id, title]) => `<a href="#${id}">${title}</a>`);
  return `<nav aria-label="Sections">${links.join("")}</nav>`;
}

/** The whole page. `totals` may be null (values alone): then it holds what there is. */
export function runHtml(report: Report, pictures: Pictures = new Map()): string {
  const { totals, record, program, machine } = report;
  const charts = totals === null || record === null ? [] : chartsOf({ ...report, totals, record });
  const { script, style } = uplot();
  const title = `${shortName(program.name)} on ${shortName(machine.name)}`;
  const sections = [
    findingsSection(report, pictures),
    ...(totals === null ? [] : timeSections({ ...report, totals }, charts)),
    provenance(report),
  ];
  return htmlPage({
    title,
    style: `${style}${RUN_STYLE}`,
    body: [
      `<h1><bdi>${escaped(shortName(program.name))}</bdi> on <bdi>${escaped(shortName(machine.name))}</bdi></h1>`,
      `<p class="dim">${grouped(report.frames)} ${report.frames === 1 ? "frame" : "frames"}${report.overlapFrames ? ", overlapping" : ""}; ${escaped(report.mode)}; rapsim ${escaped(report.rapsim)}</p>`,
      ...report.warnings.map((warning) => `<p class="warn">${escaped(warning)}</p>`),
      totals === null ? "" : tiles({ ...report, totals }),
      contents(sections),
      ...sections,
      '<div id="chosen" role="status" hidden><p></p><button type="button" aria-label="Unmark the layer">×</button></div>',
    ].join("\n"),
    data: pageData(report, charts),
    scripts: [script, ...["page.js", "view.js", "timeline.js", "sram.js", "series.js"].map(clientScript)],
  });
}
