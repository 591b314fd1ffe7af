/** The tables of a run's page. */
import type { EnergyPj } from "../sim/result.ts";
import { componentsOf } from "./activity.ts";
import { causeColor, componentColor, layerColor } from "./colors.ts";
import { bar, layerCell, numberCell, partsBar, type Row, swatch, table, wordCell } from "./html.ts";
import { escaped } from "./markup.ts";
import { grouped, percent, significant, withPrefix } from "./numbers.ts";
import { groupBy } from "./recording.ts";
import type { Report } from "./report.ts";
import type { RunRecord } from "./run-record.ts";
import { boundText, causeText } from "./words.ts";

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
      layerCell(layer.name, i, layerColor(i), layer.fused),
      wordCell(layer.op),
      numberCell(layer.startCycle),
      numberCell(layer.attributedCycles),
      numberCell(layer.attributedCycles / cycles, percent(layer.attributedCycles / cycles)),
      { ...numberCell(layer.attributedCycles / longest, bar(layer.attributedCycles / longest)), className: "barcell" },
      numberCell(layer.macs),
      numberCell(layer.macUtilization, layer.macs === 0 ? "" : percent(layer.macUtilization)),
      numberCell(layer.dramReadBytes),
      numberCell(layer.dramWriteBytes),
      numberCell(layer.energyPj.total, significant(layer.energyPj.total * 1e-6)),
      wordCell(layer.bound),
    ],
  }));
  return table("Layers", headings, rows);
}

export function componentTable(energy: EnergyPj): string {
  const rows = componentsOf(energy).map((name, i) => {
    const share = energy.total === 0 ? 0 : energy[name] / energy.total;
    return {
      cells: [
        { html: `${swatch(componentColor(i))} ${escaped(name)}`, value: name },
        numberCell(energy[name], withPrefix(energy[name] * 1e-12, "J")),
        numberCell(share, percent(share)),
        { ...numberCell(share, bar(share, componentColor(i))), className: "barcell" },
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
    const parts = components.map((name, n) => ({
      fraction: energyPj[name] / most,
      color: componentColor(n),
      tip: `${name} ${withPrefix(energyPj[name] * 1e-12, "J")}`,
    }));
    const [largest] = [...components].sort((a, b) => energyPj[b] - energyPj[a]);
    return {
      layer: i,
      cells: [
        layerCell(layer.name, i, layerColor(i), layer.fused),
        numberCell(energyPj.total, withPrefix(energyPj.total * 1e-12, "J")),
        { ...numberCell(energyPj.total, partsBar(parts)), className: "barcell" },
        wordCell(energyPj.total === 0 ? "" : largest),
      ],
    };
  });
  return table("Energy by layer", ["layer", "energy", "by component", "most for"], rows);
}

/** Causes by name, busy first: its share of the cycles that units of a kind had. */
function sharesOf(units: Report["units"]): { readonly cycles: number; readonly causes: Map<string, number> } {
  const causes = new Map([["busy", units.reduce((sum, { busyCycles }) => sum + busyCycles, 0)]]);
  for (const { stalls } of units) {
    for (const [cause, cycles] of Object.entries(stalls)) causes.set(cause, (causes.get(cause) ?? 0) + cycles);
  }
  return { cycles: [...causes.values()].reduce((sum, cycles) => sum + cycles, 0), causes };
}

/** Units of a kind that worked, together. */
function workingKinds({ units }: Pick<Report, "units">): [kind: string, units: Report["units"]][] {
  return [...groupBy(units, ({ kind }) => kind)].filter(([, of]) => of.some(({ busyCycles }) => busyCycles > 0));
}

export function unitTable(report: Pick<Report, "units">): string {
  const rows = workingKinds(report).map(([kind, of]) => {
    const { cycles, causes } = sharesOf(of);
    const busy = causes.get("busy")!;
    const waits = [...causes].slice(1).sort(([, a], [, b]) => b - a);
    const parts = [["busy", busy] as const, ...waits].map(([cause, spent]) => ({
      fraction: spent / cycles,
      color: causeColor(cause),
      tip: `${kind}, ${causeText(cause)}: ${grouped(spent)} cycles of ${of.length} units, ${percent(spent / cycles)}`,
    }));
    const text = waits.map(([cause, spent]) => `${causeText(cause)} ${percent(spent / cycles)}`).join(", ");
    return {
      cells: [
        wordCell(kind),
        numberCell(of.length),
        numberCell(busy),
        numberCell(busy / cycles, percent(busy / cycles)),
        { ...numberCell(busy / cycles, partsBar(parts)), className: "barcell" },
        { ...wordCell(text), className: "text" },
      ],
    };
  });
  return table("Units", ["unit", "how many", "busy cycles", "busy", "busy, and waiting for", "stands still"], rows);
}

/** Cycles below which no frame can end. */
export function boundTable({ bounds, intervalCycles }: NonNullable<Report["totals"]>): string {
  const rows = Object.entries(bounds).map(([bound, cycles]) => ({
    cells: [
      wordCell(boundText(bound)),
      numberCell(cycles),
      numberCell(cycles / intervalCycles, percent(cycles / intervalCycles)),
      { ...numberCell(cycles / intervalCycles, bar(cycles / intervalCycles)), className: "barcell" },
    ],
  }));
  return table("Bounds", ["bound", "cycles", "of the frame", "of the frame, as a bar"], rows);
}

export function instructionTable({ operations }: RunRecord): string {
  const most = Math.max(1, ...operations.map(({ executed }) => executed));
  const rows: Row[] = operations.map(({ op, instructions, executed, cycles }) => ({
    cells: [
      wordCell(op),
      numberCell(instructions),
      numberCell(executed),
      { ...numberCell(executed / most, bar(executed / most)), className: "barcell" },
      numberCell(cycles),
    ],
  }));
  const headings = ["instruction", "in the program", "executed", "executed, as a bar", "cycles, all agents"];
  return table("Instructions", headings, rows);
}

export function machineTable(parameters: Report["machine"]["parameters"]): string {
  const rows = Object.entries(parameters).map(([name, value]) => ({
    cells: [wordCell(name), wordCell(String(value))],
  }));
  return table("Machine", ["parameter", "value"], rows);
}
