/** An evaluation as a person reads it: one table of average precisions, INT8 beside float, and how well the two agree. */
import type { Estimate, EvaluationReport, HeadSqnrDb } from "./eval-report.ts";
import { count, grouped } from "./numbers.ts";
import { type Column, createPage, type Page, type PageOptions, printable, tableLines, wrapped } from "./page.ts";

/** A row of the table; the last one holds the means. */
interface Row {
  readonly class: string;
  readonly difficulty: string;
  readonly objects: number | null;
  readonly int8: Estimate;
  readonly float: Estimate | null;
  readonly difference: Estimate | null;
}

/** With fewer objects than recall samples no curve reaches the end: KITTI takes at most one sample per object. */
const FULL_CURVE_OBJECTS = 41;
const isFew = (objects: number) => objects > 0 && objects < FULL_CURVE_OBJECTS;

/** 0.76543 -> `76.54`; what rounds to zero has no sign */
const percentage = (value: number, decimals: number) => (100 * value).toFixed(decimals).replace(/^-(0\.0+)$/, "$1");

function points(value: number | null | undefined): string {
  return value === null || value === undefined ? "-" : percentage(value, 2);
}

function signed(value: number | null | undefined): string {
  const text = points(value);
  return /^\d/.test(text) ? `+${text}` : text;
}

function span(estimate: Estimate | null): string {
  const interval = estimate?.interval ?? null;
  return interval === null ? "-" : interval.map((end) => percentage(end, 1)).join(" to ");
}

function columns(report: EvaluationReport): Column<Row>[] {
  const interval = `${100 * report.bootstrap.level} % interval`;
  const int8: Column<Row>[] = [
    { head: "class", align: "left", cell: (row) => printable(row.class) },
    { head: "level", align: "left", cell: ({ difficulty }) => difficulty },
    { head: "objects", align: "right", cell: ({ objects }) => objectsText(objects) },
    { head: "INT8", align: "right", cell: ({ int8 }) => points(int8.value) },
    { head: interval, align: "right", cell: ({ int8 }) => span(int8), drop: 2 },
  ];
  if (report.float === null) return int8;
  return [
    ...int8,
    { head: "float", align: "right", cell: ({ float }) => points(float?.value) },
    { head: interval, align: "right", cell: ({ float }) => span(float), drop: 3 },
    { head: "difference", align: "right", cell: ({ difference }) => signed(difference?.value) },
    { head: interval, align: "right", cell: ({ difference }) => span(difference), drop: 1 },
  ];
}

function objectsText(objects: number | null): string {
  if (objects === null) return "";
  return `${grouped(objects)}${isFew(objects) ? "*" : " "}`;
}

function tableSection(page: Page, report: EvaluationReport): string[] {
  const { levels, mean, points: averaged } = report;
  const rows: Row[] = [...levels, { class: "mean", difficulty: "", objects: null, ...mean }];
  const fewObjects = levels.some(({ objects }) => isFew(objects));
  const small =
    report.smallDetections === "counted"
      ? "detections of any height count"
      : "detections too small for the level do not";
  return [
    page.bold("Average precision, %"),
    ...tableLines(page, columns(report), rows),
    "",
    ...wrapped(
      page,
      "  ",
      `KITTI's rules: ${averaged} recall points, car at IoU 0.7, pedestrian and cyclist at 0.5; ${small}. ` +
        `Intervals: ${grouped(report.bootstrap.resamples)} draws of photographs with replacement.`,
    ).map(page.dim),
    ...(fewObjects
      ? wrapped(
          page,
          "  ",
          `* Fewer than ${FULL_CURVE_OBJECTS} objects: the rules take one recall sample per object at most, so that even perfect detections stay below 100.`,
        ).map(page.dim)
      : []),
  ];
}

function headText({ classScores, confidence, boxDeltas }: HeadSqnrDb): string {
  const decibels = (value: number | null) => (value === null ? "exact" : `${value.toFixed(1)} dB`);
  return `class scores ${decibels(classScores)}, confidences ${decibels(confidence)}, box deltas ${decibels(boxDeltas)}`;
}

function agreementSection(page: Page, { agreement, headSqnrDb }: EvaluationReport): string[] {
  if (agreement === null) return [];
  const { floatBoxes, matched, meanIou, int8Boxes, confirmed } = agreement;
  const share = (part: number, whole: number) =>
    `${grouped(part)} of ${grouped(whole)}${whole === 0 ? "" : ` (${((100 * part) / whole).toFixed(2)} %)`}`;
  const iou = matched === 0 ? "" : `, mean IoU ${meanIou.toFixed(4)}`;
  return [
    page.bold("Agreement with float, whatever the labels say"),
    ...wrapped(page, "  ", `float's boxes from score 0.5 that INT8 finds: ${share(matched, floatBoxes)}${iou}`),
    ...wrapped(page, "  ", `INT8's boxes from score 0.5 that float finds: ${share(confirmed, int8Boxes)}`),
    ...(headSqnrDb === null ? [] : wrapped(page, "  ", `signal to noise of the head: ${headText(headSqnrDb)}`)),
  ];
}

/** How many photographs the text names. */
const SHOWN_WORST = 10;

function worstSection(page: Page, { worst }: EvaluationReport): string[] {
  const shown = worst.slice(0, SHOWN_WORST);
  if (shown.length === 0) return [];
  return [
    page.bold("Worst disagreements"),
    ...tableLines(
      page,
      [
        { head: "photograph", align: "left", cell: ({ photo }) => printable(photo), maxWidth: 40 },
        { head: "lost + new + (1 - IoU)", align: "right", cell: ({ disagreement }) => disagreement.toFixed(2) },
      ],
      shown,
    ),
  ];
}

function failureSection(page: Page, { failures }: EvaluationReport): string[] {
  if (failures.length === 0) return [];
  return [
    page.warn(`${count(failures.length, "photograph")} could not be evaluated`),
    ...failures.flatMap(({ message }) => wrapped(page, "  - ", printable(message))),
  ];
}

/** The whole evaluation, at most `width` columns; ends in a newline. */
export function evaluationText(report: EvaluationReport, options: PageOptions): string {
  const page = createPage(options);
  const { program, dataset, float, threshold, warnings } = report;
  const against = float === null ? "" : ` beside ${printable(float.name)} in float`;
  const sections = [
    [
      `${page.bold(printable(program.name))}${against}: ${count(dataset.evaluated, "photograph")} of ${printable(dataset.folder)}`,
      page.dim(`detections with a score above ${threshold}`),
    ],
    warnings.flatMap((warning) => wrapped(page, "! ", warning).map(page.warn)),
    tableSection(page, report),
    agreementSection(page, report),
    worstSection(page, report),
    failureSection(page, report),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}
