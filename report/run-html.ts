/**
 * A run as one page: nothing is fetched, and no script runs but the page's own, which its policy names by hash. It can be mailed,
 * archived and opened anywhere. Names come from files: every one of them is escaped. Cells of numbers carry the report's own
 * value in `data-value`.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { activityOf } from "./activity.ts";
import { escaped } from "./markup.ts";
import { grouped, percent, significant, withPrefix } from "./numbers.ts";
import { groupBy, type Recording } from "./recording.ts";
import type { Report } from "./report.ts";
import { bandwidthSvg, componentColor, layerColor, powerSvg, rooflineSvg } from "./run-charts.ts";
import { timelineOf } from "./run-intervals.ts";
import { RUN_STYLE } from "./run-style.ts";
import {
  componentTable,
  instructionTable,
  layerEnergyTable,
  layerTable,
  machineTable,
  unitTable,
} from "./run-tables.ts";

/** Charts over time have so many steps at most. */
const MOST_STEPS = 360;

const key = (color: string, text: string) =>
  `<span><span class="key" style="background:${color}"></span> ${text}</span>`;
const section = (title: string, ...content: readonly string[]) =>
  `<section><h2>${title}</h2>${content.join("")}</section>`;
const chart = (label: string, svg: string) =>
  `<div class="chart" tabindex="0" role="region" aria-label="${label}">${svg}</div>`;
const note = (text: string) => `<p class="dim">${text}</p>`;

type Totals = NonNullable<Report["totals"]>;

function tiles({ totals, frames }: Report & { readonly totals: Totals }): string {
  const facts: readonly (readonly [label: string, value: number, text: string])[] = [
    ["frames a second", totals.framesPerSecond, significant(totals.framesPerSecond, 4)],
    ["latency", totals.latencyCycles, withPrefix(totals.latencyCycles * (totals.seconds / totals.cycles), "s")],
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

function timelineSection(joinedCycles: number): string {
  const buttons = [
    ["in", "Zoom in", "+"],
    ["out", "Zoom out", "−"],
    ["left", "Earlier", "←"],
    ["right", "Later", "→"],
    ["all", "Whole run", "Whole run"],
  ];
  const controls = buttons.map(
    ([action, label, text]) => `<button type="button" data-zoom="${action}" aria-label="${label}">${text}</button>`,
  );
  return section(
    "Units over time",
    `<div class="controls">${controls.join("")}<span class="dim">drag to move; Ctrl + wheel, or + and − with the chart in focus, to zoom</span></div>`,
    "<output>Point at an interval for its cycles; click one to mark its layer everywhere (Escape: none).</output>",
    '<div id="timeline" tabindex="0" role="region" aria-label="Timeline"><canvas tabindex="0" role="img" aria-label="When each unit works, coloured by layer; the table of units has the sums"></canvas></div>',
    note(
      joinedCycles === 0
        ? "Every instruction that took cycles of its own, in cycles of the run."
        : `In cycles of the run. Work in one unit that is at most ${grouped(joinedCycles)} cycles apart is drawn as one where it is of one layer or lies within as many cycles.`,
    ),
  );
}

function timeSections(report: Report & { readonly totals: Totals }, recording: Recording): string[] {
  const { totals } = report;
  const roofline = rooflineSvg(report);
  const activity = activityOf(report as Parameters<typeof activityOf>[0], recording, MOST_STEPS);
  const components = Object.keys(activity.energyPj).map((name, i) => key(componentColor(i), name));
  return [
    tiles(report),
    section(
      "Layers",
      layerTable(report),
      note(
        "Each cycle of the run belongs to the layer of the oldest instruction not finished, so that cycles add up to the run. MAC use is of the arrays while they work on the layer. Click a layer to mark it everywhere.",
      ),
    ),
    timelineSection(timelineOf(report, recording).joinedCycles),
    roofline === null
      ? ""
      : section(
          "Roofline",
          chart("Roofline", roofline),
          note(
            "A point for each layer: its useful MACs per DRAM byte, and per cycle between its first and its last, in which other layers run as well; large points have many attributed cycles. The cross is the whole run, the line what arrays and DRAM allow.",
          ),
        ),
    section(
      "DRAM bandwidth",
      `<p class="keys">${key("var(--after)", "read")}${key("var(--alone)", "written")}</p>`,
      chart("DRAM bandwidth over time", bandwidthSvg(activity, report)),
      note(
        `Bytes on the bus, rounded out to bursts, averaged over ${grouped(activity.binCycles)} cycles; the upper line is the peak.`,
      ),
    ),
    section(
      "Energy",
      `<p class="keys">${components.join("")}</p>`,
      chart("Power over time", powerSvg(activity, totals)),
      note(
        "Power over time. A layer's energy is spread evenly over the time its instructions held the units that spend it: an estimate within a layer, exact over the run.",
      ),
      componentTable(totals.energyPj),
      "<h3>By layer</h3>",
      layerEnergyTable(report),
    ),
    section("Units", unitTable(report), note("Units of a kind, summed over agents: busy, or standing still and why.")),
    section(
      "Instructions",
      instructionTable(recording),
      note("Executed counts every agent and frame; an instruction clipped to nothing in an agent still counts."),
    ),
  ];
}

function detections({ detections: found, images }: Report): string {
  if (found.length === 0) return "";
  const items = [...groupBy(found, ({ image }) => image)].map(([image, boxes]) => {
    const rows = boxes.map(
      ({ class: name, score, box }) =>
        `<tr><td>${escaped(name)}</td><td data-value="${score}">${score.toFixed(3)}</td><td>${box.map((v) => v.toFixed(1)).join(", ")}</td></tr>`,
    );
    return `<details${images.length === 1 ? " open" : ""}><summary><bdi>${escaped(image)}</bdi>: ${boxes.length}</summary><div class="scroll" tabindex="0" role="region" aria-label="Detections"><table><thead><tr><th scope="col">class</th><th scope="col">score</th><th scope="col">box: x0, y0, x1, y1</th></tr></thead><tbody>${rows.join("")}</tbody></table></div></details>`;
  });
  return section("Detections", ...items);
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
    `options: ${options.join(", ")}`,
    `machine <bdi>${escaped(machine.name)}</bdi>, SHA-256 ${escaped(machine.sha256)}`,
  ];
  return section(
    "Machine and provenance",
    `<ul>${facts.map((fact) => `<li>${fact}</li>`).join("")}</ul>`,
    `<details><summary>All parameters of the machine</summary>${machineTable(machine.parameters)}</details>`,
    `<details><summary>What is not modelled</summary><ul>${report.notModelled.map((line) => `<li>${escaped(line)}</li>`).join("")}</ul></details>`,
  );
}

/** JSON that no name in it can end. */
const embedded = (value: unknown) => JSON.stringify(value).replaceAll("<", "\\u003c");

/** The whole page. `totals` may be null (values alone): then it holds what there is. */
export function runHtml(report: Report, recording: Recording): string {
  const script = readFileSync(new URL("./client/run-page.js", import.meta.url), "utf8");
  const scriptHash = createHash("sha256").update(script).digest("base64");
  const { totals, layers, program, machine } = report;
  const data = {
    cycles: totals?.cycles ?? 0,
    layers: layers.map(({ name }) => name.slice(0, LONGEST_NAME)),
    colors: layers.map((_, i) => layerColor(i)),
    tracks: timelineOf(report, recording).tracks,
  };
  return `${[
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${scriptHash}'">`,
    `<title>${escaped(program.name.slice(0, LONGEST_NAME))} on ${escaped(machine.name)}</title>`,
    `<style>${RUN_STYLE}</style></head><body><main>`,
    `<h1><bdi>${escaped(program.name.slice(0, LONGEST_NAME))}</bdi> on <bdi>${escaped(machine.name)}</bdi></h1>`,
    `<p class="dim">${grouped(report.frames)} ${report.frames === 1 ? "frame" : "frames"}${report.overlapFrames ? ", overlapping" : ""}; ${escaped(report.mode)}; rapsim ${escaped(report.rapsim)}</p>`,
    ...report.warnings.map((warning) => `<p class="warn">${escaped(warning)}</p>`),
    ...(totals === null ? [] : timeSections({ ...report, totals }, recording)),
    detections(report),
    provenance(report),
    `</main><script type="application/json" id="data">${embedded(data)}</script>`,
    `<script>${script}</script></body></html>`,
  ].join("\n")}\n`;
}

/** Names may be of any length; titles and tooltips need not. */
const LONGEST_NAME = 120;
