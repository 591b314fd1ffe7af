/** The layer table: where cycles, traffic and energy go. */
import type { LayerResult } from "../sim/result.ts";
import { bar, count, grouped, percent, significant, withPrefix } from "./numbers.ts";
import { type Column, type Page, printable, tableLines } from "./page.ts";
import type { Report } from "./report.ts";

const BAR_WIDTH = 8;

const nameOf = ({ name, fused }: LayerResult) => printable([name, ...fused].join("+"));
/** `(start)` and `(end)` are no layers of the network. */
const isPseudo = ({ name }: LayerResult) => name.startsWith("(");

function columns(page: Page, totalCycles: number, widest: number): Column<LayerResult>[] {
  const share = ({ attributedCycles }: LayerResult) => (totalCycles === 0 ? 0 : attributedCycles / totalCycles);
  return [
    {
      head: "layer",
      align: "left",
      cell: nameOf,
      paint: (text, row) => (isPseudo(row) ? page.dim(text) : text),
      maxWidth: 34,
      shrinkTo: 16,
    },
    { head: "op", align: "left", cell: ({ op }) => printable(op), maxWidth: 12, drop: 5 },
    { head: "cycles", align: "right", cell: ({ attributedCycles }) => grouped(attributedCycles) },
    { head: "share", align: "right", cell: (row) => percent(share(row)), drop: 2 },
    {
      head: "",
      align: "left",
      // bars are drawn against the largest layer: that one fills the column
      cell: (row) => bar(widest === 0 ? 0 : row.attributedCycles / widest, BAR_WIDTH),
      paint: page.accent,
      drop: 6,
    },
    { head: "MACs", align: "right", cell: ({ macs }) => (macs === 0 ? "-" : withPrefix(macs, "").trimEnd()), drop: 3 },
    { head: "util", align: "right", cell: ({ macs, macUtilization }) => (macs === 0 ? "-" : percent(macUtilization)) },
    {
      head: "DRAM kB",
      align: "right",
      cell: ({ dramReadBytes, dramWriteBytes }) => grouped((dramReadBytes + dramWriteBytes) / 1000),
      drop: 1,
    },
    { head: "µJ", align: "right", cell: ({ energyPj }) => significant(energyPj.total * 1e-6), drop: 4 },
    { head: "bound", align: "left", cell: ({ bound }) => printable(bound), maxWidth: 10 },
  ];
}

export function layersLines(page: Page, { layers, totals, frames }: Report): string[] {
  if (layers.length === 0) return [];
  const shown = layers.filter((layer) => !isPseudo(layer) || layer.attributedCycles > 0);
  const widest = Math.max(...shown.map(({ attributedCycles }) => attributedCycles));
  const heading = page.bold("Layers") + page.dim(frames > 1 ? `  sums over ${count(frames, "frame")}` : "");
  return [heading, ...tableLines(page, columns(page, totals?.cycles ?? 0, widest), shown)];
}
