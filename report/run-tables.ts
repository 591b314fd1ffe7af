/** The tables of a run's page. Those with headings to press sort themselves (client/run-page.js). */
import type { EnergyPj, LayerResult } from "../sim/result.ts";
import { componentsOf } from "./activity.ts";
import { escaped } from "./markup.ts";
import { grouped, percent, significant, withPrefix } from "./numbers.ts";
import { groupBy, type Recording } from "./recording.ts";
import type { Report } from "./report.ts";
import { componentColor, layerColor } from "./run-charts.ts";

interface Cell {
  /** Markup. */
  readonly html: string;
  /** What to sort by, as it is in the report. */
  readonly value: string | number;
  readonly className?: string;
}

interface Row {
  readonly cells: readonly Cell[];
  readonly layer?: number;
}

const number = (value: number, html = grouped(value)): Cell => ({ html, value });
const words = (text: string): Cell => ({ html: escaped(text), value: text });

function table(label: string, headings: readonly string[], rows: readonly Row[]): string {
  const classOf = (className?: string) => (className === undefined ? "" : ` class="${className}"`);
  const head = headings.map(
    (heading, i) =>
      `<th scope="col"${classOf(rows[0]?.cells[i].className)}><button type="button">${heading}</button></th>`,
  );
  const body = rows.map(({ cells, layer }) => {
    const columns = cells.map(
      ({ html, value, className }) =>
        `<td${classOf(className)} data-value="${escaped(String(value).slice(0, LONGEST_VALUE))}">${html}</td>`,
    );
    return `<tr${layer === undefined ? "" : ` data-layer="${layer}"`}>${columns.join("")}</tr>`;
  });
  return `<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table class="sortable"><thead><tr>${head.join("")}</tr></thead><tbody>${body.join("")}</tbody></table></div>`;
}

const LONGEST_VALUE = 200;

const bar = (fraction: number) =>
  `<span class="bar" style="width:${Math.max(0, Math.min(100, 100 * fraction)).toFixed(2)}%"></span>`;

/** Names may be of any length: the whole one is in the title, unless it is absurd. */
function layerName({ name, fused }: LayerResult, i: number): Cell {
  const title = escaped([name, ...fused].join(" + ").slice(0, 1000));
  const swatch = `<span class="key" style="background:${layerColor(i)}"></span>`;
  return {
    html: `<button type="button" data-select="${i}" aria-pressed="false" title="${title}">${swatch} <bdi>${escaped(name.slice(0, 1000))}</bdi></button>`,
    value: name,
  };
}

export function layerTable({ layers, totals }: Report): string {
  const cycles = totals?.cycles ?? 1;
  const longest = Math.max(1, ...layers.map(({ attributedCycles }) => attributedCycles));
  const headings = [
    "layer",
    "op",
    "first cycle",
    "cycles",
    "share",
    "share of the longest",
    "MACs",
    "MAC use",
    "DRAM read, B",
    "DRAM written, B",
    "energy, µJ",
    "bound by",
  ];
  const rows = layers.map((layer, i) => ({
    layer: i,
    cells: [
      layerName(layer, i),
      words(layer.op),
      number(layer.startCycle),
      number(layer.attributedCycles),
      number(layer.attributedCycles / cycles, percent(layer.attributedCycles / cycles)),
      { ...number(layer.attributedCycles / longest, bar(layer.attributedCycles / longest)), className: "barcell" },
      number(layer.macs),
      number(layer.macUtilization, layer.macs === 0 ? "" : percent(layer.macUtilization)),
      number(layer.dramReadBytes),
      number(layer.dramWriteBytes),
      number(layer.energyPj.total, significant(layer.energyPj.total * 1e-6)),
      words(layer.bound),
    ],
  }));
  return table("Layers", headings, rows);
}

export function componentTable(energy: EnergyPj): string {
  const rows = componentsOf(energy).map((name, i) => {
    const share = energy.total === 0 ? 0 : energy[name] / energy.total;
    const swatch = `<span class="key" style="background:${componentColor(i)}"></span> ${name}`;
    return {
      cells: [
        { html: swatch, value: name },
        number(energy[name], withPrefix(energy[name] * 1e-12, "J")),
        number(share, percent(share)),
        { ...number(share, bar(share)), className: "barcell" },
      ],
    };
  });
  return table("Energy by component", ["component", "energy", "share", "share as a bar"], rows);
}

export function layerEnergyTable({ layers }: Report): string {
  const most = Math.max(1, ...layers.map(({ energyPj }) => energyPj.total));
  const rows = layers.map((layer, i) => {
    const { energyPj } = layer;
    const components = componentsOf(energyPj);
    const parts = components.map((name, n) => {
      const width = ((100 * energyPj[name]) / most).toFixed(2);
      return width === "0.00"
        ? ""
        : `<span style="width:${width}%;background:${componentColor(n)}" title="${name} ${withPrefix(energyPj[name] * 1e-12, "J")}"></span>`;
    });
    const [largest] = [...components].sort((a, b) => energyPj[b] - energyPj[a]);
    return {
      layer: i,
      cells: [
        layerName(layer, i),
        number(energyPj.total, withPrefix(energyPj.total * 1e-12, "J")),
        { ...number(energyPj.total, `<div class="parts">${parts.join("")}</div>`), className: "barcell" },
        words(energyPj.total === 0 ? "" : largest),
      ],
    };
  });
  return table("Energy by layer", ["layer", "energy", "by component", "most for"], rows);
}

/** Units of a kind together. */
export function unitTable({ units }: Report): string {
  const kinds = [...groupBy(units, ({ kind }) => kind)].filter(([, of]) => of.some(({ busyCycles }) => busyCycles > 0));
  const rows = kinds.map(([kind, of]) => {
    const stalls = new Map<string, number>();
    for (const { stalls: causes } of of) {
      for (const [cause, cycles] of Object.entries(causes)) stalls.set(cause, (stalls.get(cause) ?? 0) + cycles);
    }
    const busy = of.reduce((sum, { busyCycles }) => sum + busyCycles, 0);
    const all = busy + [...stalls.values()].reduce((sum, cycles) => sum + cycles, 0);
    const causes = [...stalls]
      .sort(([, a], [, b]) => b - a)
      .map(([cause, cycles]) => `${cause} ${percent(cycles / all)}`);
    return {
      cells: [
        words(kind),
        number(of.length),
        number(busy),
        number(busy / all, percent(busy / all)),
        { ...number(busy / all, bar(busy / all)), className: "barcell" },
        { ...words(causes.join(", ")), className: "text" },
      ],
    };
  });
  return table("Units", ["unit", "how many", "busy cycles", "busy", "busy as a bar", "stands still"], rows);
}

export function instructionTable({ instructions }: Recording): string {
  const rows = [...groupBy(instructions, ({ op }) => op)].map(([op, of]) => ({
    cells: [
      words(op),
      number(new Set(of.map(({ index }) => index)).size),
      number(of.length),
      number(of.reduce((sum, { startCycle, endCycle }) => sum + endCycle - startCycle, 0)),
    ],
  }));
  return table("Instructions", ["instruction", "in the program", "executed", "cycles, all agents"], rows);
}

export function machineTable(parameters: Report["machine"]["parameters"]): string {
  const rows = Object.entries(parameters).map(([name, value]) => ({ cells: [words(name), words(String(value))] }));
  return table("Machine", ["parameter", "value"], rows);
}
