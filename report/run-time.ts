/** The views over time of a run's page: places to draw in, and the data that client/*.js draws from. */
import { causeColor, layerColor } from "./colors.ts";
import { key, keys, note, section, shortName } from "./html.ts";
import { escaped } from "./markup.ts";
import { grouped, percent, significant, withPrefix } from "./numbers.ts";
import type { Report, TimedReport } from "./report.ts";
import type { RunRecord } from "./run-record.ts";
import type { Chart } from "./run-series.ts";
import { causeText } from "./words.ts";

const BUTTONS = [
  ["in", "Zoom in", "+"],
  ["out", "Zoom out", "−"],
  ["left", "Earlier", "←"],
  ["right", "Later", "→"],
  ["all", "Whole run", "Whole run"],
] as const;

const MISSING =
  "What happened when is not in this report: of more than 16 frames it is not kept, and reports of earlier versions have none.";

export function overTimeSection({ record }: TimedReport, drawn: readonly Chart[]): string {
  if (record === null) return section("time", "Over time", note(MISSING));
  const buttons = BUTTONS.map(
    ([action, label, text]) => `<button type="button" data-zoom="${action}" aria-label="${label}">${text}</button>`,
  );
  const charts = new Map(drawn.map((chart) => [chart.id, chart]));
  return section(
    "time",
    "Over time",
    `<div class="controls">${buttons.join("")}<span class="dim">Drag in the timeline or the SRAM to move, in a chart to zoom; Ctrl + wheel zooms, and + − ← → with a chart in focus.</span></div>`,
    "<h3>Units</h3>",
    unitKeys(record),
    '<div id="timeline" tabindex="0" role="group" aria-label="When each unit works, coloured by layer, and why it stands still; the tables of layers and units have the sums"><canvas></canvas><div></div></div>',
    note(
      record.joinedCycles === 0
        ? "Every instruction that took cycles of its own, in cycles of the run. Bars are in the colour of their layer, the thin line says why a unit stands still. Scroll for more agents."
        : `In cycles of the run. Work in one unit that is at most ${grouped(record.joinedCycles)} cycles apart is drawn as one where it is of one layer or lies within as many cycles. Scroll for more agents.`,
    ),
    series(charts.get("arrays"), "What all MAC arrays together do, as a share of their cycles."),
    series(
      charts.get("bandwidth"),
      `Bytes on the bus, rounded out to bursts, averaged over ${grouped(record.activity.binCycles)} cycles; the line is the peak.`,
    ),
    sramParts(record, charts.get("occupancy")),
    series(
      charts.get("power"),
      "A layer's energy is spread evenly over the time its instructions held the units that spend it: an estimate within a layer, exact over the run.",
    ),
  );
}

function unitKeys({ tracks, causes }: RunRecord): string {
  const seen = new Set(tracks.flatMap(({ stalls }) => stalls.filter((_, i) => i % 3 === 2)));
  const items = causes.filter((_, i) => seen.has(i)).map((cause) => key(causeColor(cause), causeText(cause)));
  return keys(items);
}

function series(chart: Chart | undefined, text: string): string {
  if (chart === undefined) return "";
  return `<h3>${chart.title}, ${chart.unit}</h3><div class="series" id="${chart.id}" tabindex="0" role="group" aria-label="${escaped(chart.summary)}"></div>${note(text)}`;
}

function sramParts({ sram }: RunRecord, occupancy: Chart | undefined): string {
  if (sram === null) return "";
  const text = `What lies in the SRAM of agent ${sram.agent}, from the instruction that writes it to the last one that reads it, told apart in pieces of ${grouped(sram.pieceBytes)} B, in the colour of the layer that wrote it. At most ${grouped(sram.peakBytes)} of ${grouped(sram.bytes)} B live at once (${percent(sram.peakBytes / sram.bytes)}).`;
  const cut = ` Buffers that begin after cycle ${grouped(sram.untilCycle)} are left out.`;
  const isCut =
    sram.buffers.length > 0 && occupancy !== undefined && sram.untilCycle < occupancy.xs[occupancy.xs.length - 1];
  return `<h3>SRAM of agent ${sram.agent}, address by time</h3><div id="sram" tabindex="0" role="group" aria-label="${escaped(text)}"><canvas></canvas></div>${note(isCut ? text + cut : text)}${series(occupancy, "The sum of the buffers above; the line is all of the SRAM.")}`;
}

/** What the page's scripts draw from. */
export function pageData({ layers, totals, record }: Report, charts: readonly Chart[]): object {
  if (totals === null) return {};
  const summaries = layers.map((layer) => {
    const { name, attributedCycles, macs, macUtilization, dramReadBytes, dramWriteBytes, energyPj, bound } = layer;
    return [
      `${shortName(name)}: ${grouped(attributedCycles)} cycles (${percent(attributedCycles / totals.cycles)})`,
      ...(macs > 0 ? [`${withPrefix(macs, "MAC")}, arrays used ${percent(macUtilization)}`] : []),
      `DRAM ${grouped(dramReadBytes)} B read, ${grouped(dramWriteBytes)} B written`,
      `${significant(energyPj.total * 1e-6)} µJ`,
      `bound by ${bound}`,
    ].join(" · ");
  });
  const shared = {
    cycles: totals.cycles,
    layers: layers.map(({ name }) => shortName(name)),
    colors: layers.map((_, i) => layerColor(i)),
    spans: layers.map(({ startCycle, endCycle }) => [startCycle, endCycle]),
    summaries,
  };
  if (record === null) return shared;
  const { tracks, causes, operations, instructions, sram } = record;
  return {
    ...{ ...shared, tracks, instructions, sram },
    causes: causes.map(causeText),
    causeColors: causes.map(causeColor),
    operations: operations.map(({ op }) => op),
    charts,
  };
}
