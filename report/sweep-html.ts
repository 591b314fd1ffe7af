/**
 * A sweep as one page: nothing is fetched, and no script runs but the page's own, which its policy names by hash. Names come
 * from files: here every one of them is escaped, and the script puts them into the page as text only.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { escaped } from "./markup.ts";
import { count, grouped, percent } from "./numbers.ts";
import type { SweepReport } from "./sweep-report.ts";
import { sensitivityOf } from "./sweep-sensitivity.ts";
import { SWEEP_STYLE } from "./sweep-style.ts";

const section = (title: string, ...content: readonly string[]) =>
  `<section><h2>${title}</h2>${content.join("")}</section>`;
const note = (text: string) => `<p class="dim">${text}</p>`;

function tiles({ points }: SweepReport): string {
  const facts = [
    ["points", points.length],
    ["on the front", points.filter(({ onFront }) => onFront).length],
    ["within the limits", points.filter(({ withinLimits }) => withinLimits).length],
    ["failed", points.filter(({ error }) => error !== null).length],
  ] as const;
  return `<div class="tiles">${facts.map(([label, value]) => `<div class="tile"><b>${grouped(value)}</b>${label}</div>`).join("")}</div>`;
}

function sensitivityTable({ axes, figures, points }: SweepReport): string {
  const varying = figures.filter(({ name }) => axes.some((axis) => sensitivityOf(points, axis, name) !== null));
  const head = ["figure", ...axes].map((text) => `<th scope="col">${escaped(text)}</th>`).join("");
  const rows = varying.map(({ name }) => {
    const cells = axes.map((axis) => {
      const share = sensitivityOf(points, axis, name);
      return `<td class="barcell"${share === null ? "" : ` data-value="${share}"`}><span class="bar" style="width:${((share ?? 0) * 5).toFixed(2)}rem"></span> ${share === null ? "" : percent(share)}</td>`;
    });
    return `<tr><td>${escaped(name)}</td>${cells.join("")}</tr>`;
  });
  return `<div class="scroll" tabindex="0" role="region" aria-label="Sensitivity"><table><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

function figureTable({ figures }: SweepReport): string {
  const rows = figures.map(
    ({ name, unit, meaning, better }) =>
      `<tr><td>${escaped(name)}</td><td>${escaped(unit)}</td><td class="text">${escaped(meaning)}</td><td>${better === "maximize" ? "large" : "small"}</td></tr>`,
  );
  return `<div class="scroll" tabindex="0" role="region" aria-label="Figures"><table><thead><tr><th scope="col">figure</th><th scope="col">unit</th><th scope="col">meaning</th><th scope="col">better</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

/** A chart that the script draws; arrow keys go from point to point. */
const plot = (id: string, label: string) =>
  `<div class="chart"><svg id="${id}" class="plot" viewBox="0 0 960 420" tabindex="0" role="img" aria-label="${label}"></svg></div>`;

const select = (id: string, label: string) => `<label>${label} <select id="${id}"></select></label>`;

/** JSON that no name in it can end. */
const embedded = (value: unknown) => JSON.stringify(value).replaceAll("<", "\\u003c");

export function sweepHtml(report: SweepReport): string {
  const script = readFileSync(new URL("./client/sweep-page.js", import.meta.url), "utf8");
  const scriptHash = createHash("sha256").update(script).digest("base64");
  const { name, about, objectives, limits, settings, points, notes } = report;
  const goals = objectives.map(({ figure, goal }) => `${goal} ${escaped(figure)}`);
  const common = Object.entries(settings).map(([key, value]) => `${escaped(key)} ${escaped(String(value))}`);
  return `${[
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${scriptHash}'">`,
    `<title>${escaped(name)}</title>`,
    `<style>${SWEEP_STYLE}</style></head><body><main>`,
    `<h1><bdi>${escaped(name)}</bdi></h1>`,
    about === "" ? "" : `<p>${escaped(about)}</p>`,
    `<p class="dim">${count(points.length, "point")}; ${goals.join(", ")}${limits.length === 0 ? "" : `; only where ${limits.map(escaped).join(" and ")}`}; rapsim ${escaped(report.rapsim)}</p>`,
    tiles(report),
    section(
      "Filter",
      '<form id="filter" class="controls">',
      select("filter-column", "column"),
      select("filter-relation", "is"),
      '<label>value <input id="filter-value" size="12"></label><button type="submit">Add filter</button></form>',
      '<div class="controls"><label><input type="checkbox" id="only-front"> only the front</label><label><input type="checkbox" id="only-within"> only within the limits</label><span id="filters"></span></div>',
      '<p id="shown" class="dim" role="status"></p>',
    ),
    section(
      "Any two figures",
      `<div class="controls">${select("x", "across")}${select("y", "up")}</div>`,
      plot("scatter", "Scatter of two figures; the table below has the numbers"),
      note(
        "Blue: the front, which no other point within the limits beats in all objectives. Click a point, or go from one to the next with the arrow keys.",
      ),
    ),
    section("The point chosen", '<div id="point"><p class="dim">None yet: click a point, a line or a row.</p></div>'),
    section(
      "All axes and objectives",
      plot("parallel", "Parallel coordinates: a line for each point; the table below has the numbers"),
      note("A line for each point, from axis to axis; blue: the front."),
    ),
    section(
      "Sensitivity",
      sensitivityTable(report),
      note(
        "Share of a figure's variance that goes with an axis alone: variance of the means over the axis' values by the whole variance. Of a full grid this is Sobol's first-order index, and what the shares leave to 100 % comes of axes together; constraints that tie axes to each other make their shares overlap.",
      ),
    ),
    section(
      "Points",
      '<div class="scroll" tabindex="0" role="region" aria-label="Points"><table id="points"><thead></thead><tbody></tbody></table></div>',
      '<p><button type="button" id="more">More rows</button></p>',
    ),
    section(
      "What the figures are",
      figureTable(report),
      `<ul>${[...(common.length === 0 ? [] : [`in common: ${common.join(", ")}`]), ...notes.map(escaped)].map((text) => `<li>${text}</li>`).join("")}</ul>`,
    ),
    `</main><script type="application/json" id="data">${embedded(report)}</script>`,
    `<script>${script}</script></body></html>`,
  ].join("\n")}\n`;
}
