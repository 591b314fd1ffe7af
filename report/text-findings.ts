/** What the network found: boxes, classes, or the raw outputs where the program names no head. */
import { count, grouped, significant } from "./numbers.ts";
import { type Column, type Page, printable, tableLines, wrapped } from "./page.ts";
import type { Report, ReportDetection, ReportOutput } from "./report.ts";
import { knownWords } from "./words.ts";

const imageColumn: Column<{ readonly image: string }> = {
  head: "picture",
  align: "left",
  cell: ({ image }) => printable(image),
  maxWidth: 40,
  shrinkTo: 12,
};

const pixel = (i: number): Column<ReportDetection> => ({
  head: ["left", "top", "right", "bottom"][i],
  align: "right",
  cell: ({ box }) => box[i].toFixed(0),
});

/** Detections of a network that was not trained mean nothing; a few show that there are some. */
const SHOWN_UNTRAINED = 3;

/** One picture of several: how many of each class it shows, and how sure the best is. */
interface PictureSummary {
  readonly image: string;
  readonly detections: readonly ReportDetection[];
}

function classCounts(detections: readonly ReportDetection[]): string {
  const names = [...new Set(detections.map((detection) => detection.class))];
  return names
    .map((name) => `${detections.filter((detection) => detection.class === name).length} ${printable(name)}`)
    .join(", ");
}

const SUMMARY_COLUMNS: readonly Column<PictureSummary>[] = [
  imageColumn,
  { head: "detections", align: "right", cell: ({ detections }) => grouped(detections.length) },
  {
    head: "best score",
    align: "right",
    cell: ({ detections }) =>
      detections.length === 0 ? "" : Math.max(...detections.map(({ score }) => score)).toFixed(3),
  },
  { head: "found", align: "left", cell: ({ detections }) => classCounts(detections), maxWidth: 60, shrinkTo: 16 },
];

function summaryLines(page: Page, { detections, images }: Report): string[] {
  const rows = images.map(({ image }) => ({ image, detections: detections.filter((one) => one.image === image) }));
  return [
    page.bold(`${count(detections.length, "detection")} in ${count(images.length, "picture")}`),
    ...tableLines(page, SUMMARY_COLUMNS, rows),
    ...wrapped(page, "  ", "each detection with its box: the JSON report (--json)").map(page.dim),
  ];
}

function detectionLines(page: Page, report: Report): string[] {
  const { detections, images, program } = report;
  if (images.length > 1) return summaryLines(page, report);
  const columns: Column<ReportDetection>[] = [
    { head: "class", align: "left", cell: (row) => printable(row.class), paint: page.bold, maxWidth: 30 },
    { head: "score", align: "right", cell: ({ score }) => score.toFixed(3) },
    ...[0, 1, 2, 3].map(pixel),
  ];
  const [{ image, width, height, objects }] = images;
  const shown = program.trained ? detections : detections.slice(0, SHOWN_UNTRAINED);
  const more = detections.length - shown.length;
  const found = `${count(detections.length, "detection")} in ${printable(image)}`;
  const heading = page.bold(found) + page.dim(` (${width} x ${height})`);
  const known = objects === undefined || !program.trained ? [] : [...wrapped(page, "  ", knownWords(objects))];
  if (detections.length === 0) return [heading, ...known];
  const rest =
    more > 0 ? wrapped(page, "  ", `and ${grouped(more)} more, as meaningless; the JSON report has them all`) : [];
  return [heading, ...tableLines(page, columns, shown), ...known, ...rest.map(page.dim)];
}

/** The best class of each of several pictures. */
function classificationSummary(page: Page, { classifications }: Report): string[] {
  return [
    page.bold(`Best class of ${count(classifications.length, "picture")}`),
    ...tableLines<Report["classifications"][number]>(
      page,
      [
        imageColumn,
        { head: "class", align: "left", cell: ({ top }) => printable(top[0]?.class ?? ""), maxWidth: 50, shrinkTo: 16 },
        { head: "score", align: "right", cell: ({ top }) => top[0]?.score.toFixed(4) ?? "" },
      ],
      classifications,
    ),
    ...wrapped(page, "  ", "all of them: the JSON report (--json)").map(page.dim),
  ];
}

function classificationLines(page: Page, report: Report): string[] {
  const { classifications } = report;
  if (classifications.length > 1) return classificationSummary(page, report);
  return classifications.flatMap(({ image, top }) => [
    page.bold(`Top ${top.length} of ${printable(image)}`),
    ...tableLines(
      page,
      [
        { head: "class", align: "left", cell: (row) => printable(row.class), maxWidth: 60, shrinkTo: 16 },
        { head: "score", align: "right", cell: ({ score }) => score.toFixed(4) },
      ],
      top,
    ),
  ]);
}

function outputLines(page: Page, { outputs, images }: Report): string[] {
  const columns: Column<ReportOutput>[] = [
    ...(images.length > 1 ? [imageColumn] : []),
    { head: "tensor", align: "left", cell: ({ tensor }) => printable(tensor), maxWidth: 30, shrinkTo: 10 },
    { head: "shape", align: "left", cell: ({ height, width, channels }) => `${height} x ${width} x ${channels}` },
    { head: "format", align: "left", cell: ({ format }) => format },
    { head: "smallest", align: "right", cell: ({ minimum }) => significant(minimum, 4) },
    { head: "largest", align: "right", cell: ({ maximum }) => significant(maximum, 4) },
    { head: "SHA-256 of the bits", align: "left", cell: ({ sha256 }) => sha256.slice(0, 16), drop: 1 },
  ];
  return [page.bold(count(outputs.length, "output tensor")), ...tableLines(page, columns, outputs)];
}

export function findingsLines(page: Page, report: Report): string[] {
  if (report.images.length === 0) return [];
  switch (report.program.head) {
    case "convdet":
      return detectionLines(page, report);
    case "classes":
      return classificationLines(page, report);
    case null:
      return outputLines(page, report);
  }
}
