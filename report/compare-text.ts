/** A comparison as text for the terminal. */
import type { Change, ComparedRun, Comparison, LayerChange } from "./compare.ts";
import { amountText, causeName, differenceText, isBetter, ratioText, totalText } from "./compare-words.ts";
import { count } from "./numbers.ts";
import { type Column, createPage, type Page, type PageOptions, printable, tableLines, wrapped } from "./page.ts";

/** Layers that moved least are left to the JSON. */
const MOST_LAYERS = 12;

/** The whole comparison, at most `width` columns; ends in a newline. */
export function comparisonText(comparison: Comparison, options: PageOptions): string {
  const page = createPage(options);
  const { a, b, notes, settings, totals, cycles, traffic, energy } = comparison;
  const title = (letter: string, { program, machine, frames, file }: ComparedRun) =>
    wrapped(
      page,
      `${page.bold(letter)}  `,
      printable(`${program.name} on ${machine.name}, ${count(frames, "frame")}: ${file}`),
    );
  const blocks = [
    [...title("A", a), ...title("B", b), ...notes.flatMap((note) => wrapped(page, "! ", note)).map(page.warn)],
    settingLines(page, [...settings.machine, ...settings.options]),
    [page.bold("A frame"), ...tableLines(page, changeColumns(page, totalText, ""), totals)],
    moved(page, "Where cycles went", "average MAC array", cycles, causeName),
    moved(page, "Where energy went", "component", energy, ({ name }) => name),
    moved(page, "Traffic", "kind", traffic, ({ name }) => name),
    layerLines(page, comparison.layers),
    findingLines(comparison),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function changeColumns<Row extends Change>(page: Page, nameOf: (row: Row) => string, head: string): Column<Row>[] {
  return [
    { head, align: "left", cell: (row) => printable(nameOf(row)), shrinkTo: 14 },
    { head: "A", align: "right", cell: ({ a, unit }) => amountText(a, unit) },
    { head: "B", align: "right", cell: ({ b, unit }) => amountText(b, unit) },
    { head: "B - A", align: "right", cell: differenceText },
    {
      head: "",
      align: "right",
      drop: 1,
      cell: ({ ratio }) => ratioText(ratio),
      paint: (text, row) => ("better" in row && isBetter(row as never) === false ? page.warn(text) : page.accent(text)),
    },
  ];
}

/** The parts that moved, the most first; nothing where none did. */
function moved(
  page: Page,
  title: string,
  head: string,
  changes: readonly Change[],
  nameOf: (change: Change) => string,
): string[] {
  const rows = changes
    .filter(({ difference }) => difference !== 0)
    .sort((x, y) => Math.abs(y.difference) - Math.abs(x.difference));
  return rows.length === 0 ? [] : [page.bold(title), ...tableLines(page, changeColumns(page, nameOf, head), rows)];
}

function settingLines(page: Page, settings: Comparison["settings"]["machine"]): string[] {
  if (settings.length === 0) return [];
  const columns: Column<(typeof settings)[number]>[] = [
    { head: "setting", align: "left", cell: ({ name }) => printable(name) },
    { head: "A", align: "right", cell: ({ a }) => printable(String(a ?? "-")), maxWidth: 30 },
    { head: "B", align: "right", cell: ({ b }) => printable(String(b ?? "-")), maxWidth: 30 },
  ];
  return [page.bold("Settings that differ"), ...tableLines(page, columns, settings)];
}

function layerLines(page: Page, layers: readonly LayerChange[]): string[] {
  const sorted = layers
    .filter(({ cycles, dramBytes, energyPj }) => cycles !== 0 || dramBytes !== 0 || energyPj !== 0)
    .sort((x, y) => Math.abs(y.cycles) - Math.abs(x.cycles));
  if (sorted.length === 0) return [page.bold("Layers"), "  No layer moved."];
  const cyclesOf = (of: LayerChange["a"]) => (of === null ? "-" : amountText(of.cycles, "cycles"));
  const columns: Column<LayerChange>[] = [
    { head: "layer", align: "left", cell: ({ name }) => printable(name), shrinkTo: 12, maxWidth: 40 },
    { head: "cycles A", align: "right", cell: ({ a }) => cyclesOf(a) },
    { head: "cycles B", align: "right", cell: ({ b }) => cyclesOf(b) },
    { head: "B - A", align: "right", cell: ({ cycles }) => differenceText({ difference: cycles, unit: "cycles" }) },
    { head: "DRAM", align: "right", cell: ({ dramBytes }) => differenceText({ difference: dramBytes, unit: "B" }) },
    {
      head: "energy",
      align: "right",
      cell: ({ energyPj }) => differenceText({ difference: energyPj, unit: "pJ" }),
      drop: 1,
    },
    {
      head: "bound",
      align: "left",
      cell: ({ a, b }) => [...new Set([a?.bound ?? "-", b?.bound ?? "-"])].map(printable).join(" > "),
      drop: 2,
    },
  ];
  const rest = sorted.length - MOST_LAYERS;
  return [
    page.bold("Layers that moved") + page.dim("  the most first"),
    ...tableLines(page, columns, sorted.slice(0, MOST_LAYERS)),
    ...(rest > 0 ? [page.dim(`  and ${count(rest, "layer")} more; --json and --html have them all`)] : []),
  ];
}

export function findingLines({ outputs, detections }: Comparison): string[] {
  const found = detections === null ? [] : [`Detections: ${detections.a} and ${detections.b}.`];
  if (outputs === null) return found;
  const { compared, equal } = outputs;
  const text =
    equal === compared
      ? `Outputs: the same bits in all ${count(compared, "tensor")}.`
      : `Outputs: the same bits in ${equal} of ${count(compared, "tensor")}.`;
  return [text, ...found];
}
