/** The trade-off table as a person reads it. */
import { count, grouped } from "./numbers.ts";
import { type Column, createPage, type PageOptions, printable, tableLines, wrapped } from "./page.ts";
import type { TradeoffReport, TradeoffRow } from "./tradeoff-report.ts";

const points = (value: number | null) => (value === null ? "-" : (100 * value).toFixed(2).replace(/^-(0\.0+)$/, "$1"));
const signed = (value: number | null) => points(value).replace(/^(?=\d)/, "+");
const decibels = (value: number | null | undefined) => (value === undefined ? "" : (value?.toFixed(1) ?? "exact"));

const COLUMNS: readonly Column<TradeoffRow>[] = [
  { head: "AP", align: "right", cell: ({ precision }) => points(precision.mean.value) },
  { head: "- float", align: "right", cell: ({ difference }) => signed(difference.value) },
  {
    head: "found %",
    align: "right",
    cell: ({ agreement: { matched, floatBoxes } }) => points(floatBoxes === 0 ? null : matched / floatBoxes),
  },
  { head: "IoU", align: "right", cell: ({ agreement }) => agreement.meanIou.toFixed(3) },
  { head: "score dB", align: "right", cell: ({ headSqnrDb }) => decibels(headSqnrDb?.classScores), drop: 1 },
  { head: "conf. dB", align: "right", cell: ({ headSqnrDb }) => decibels(headSqnrDb?.confidence), drop: 2 },
  { head: "box dB", align: "right", cell: ({ headSqnrDb }) => decibels(headSqnrDb?.boxDeltas), drop: 1 },
  { head: "cycles", align: "right", cell: ({ frame }) => grouped(frame.cycles) },
  { head: "DRAM MB", align: "right", cell: ({ frame }) => (frame.dramBytes / 1e6).toFixed(2) },
  { head: "mJ", align: "right", cell: ({ frame }) => frame.millijoules.toFixed(2) },
];

/** The whole table, at most `width` columns; ends in a newline. */
export function tradeoffText(report: TradeoffReport, options: PageOptions): string {
  const page = createPage(options);
  const { model, machine, dataset, float, rows } = report;
  const settings = Object.keys(rows[0]?.settings ?? {}).map(
    (option): Column<TradeoffRow> => ({
      head: option,
      align: "left",
      cell: (row) => printable(row.settings[option] ?? ""),
    }),
  );
  const notes =
    `AP: mean of ${float.levels.length} average precisions by KITTI's rules, %; float has ${points(float.mean.value)}. ` +
    "found: float's boxes from score 0.5 that the integers find, with the mean IoU of these. dB: signal to noise of the head's parts. " +
    "cycles, DRAM, mJ: one frame in steady state.";
  return `${[
    `${page.bold(printable(model.name))} on ${printable(machine.name)}: ${count(dataset.photos, "photograph")} of ${printable(dataset.folder)}`,
    "",
    ...tableLines(page, [...settings, ...COLUMNS], rows),
    "",
    ...wrapped(page, "  ", notes).map(page.dim),
  ].join("\n")}\n`;
}
