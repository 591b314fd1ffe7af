/** What the network found: boxes, classes, or the raw outputs where the program names no head. */
import { count, grouped, significant } from "./numbers.ts";
import { type Column, type Page, printable, tableLines, wrapped } from "./page.ts";
import type { Report, ReportDetection, ReportOutput } from "./report.ts";

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

function detectionLines(page: Page, { detections, images, program }: Report): string[] {
  const columns: Column<ReportDetection>[] = [
    ...(images.length > 1 ? [imageColumn] : []),
    { head: "class", align: "left", cell: (row) => printable(row.class), paint: page.bold, maxWidth: 30 },
    { head: "score", align: "right", cell: ({ score }) => score.toFixed(3) },
    ...[0, 1, 2, 3].map(pixel),
  ];
  const where = images.length === 1 ? ` in ${printable(images[0].image)}` : ` in ${count(images.length, "picture")}`;
  const size = images.length === 1 ? ` (${images[0].width} x ${images[0].height})` : "";
  const shown = program.trained ? detections : detections.slice(0, SHOWN_UNTRAINED);
  const more = detections.length - shown.length;
  const heading = page.bold(`${count(detections.length, "detection")}${where}`) + page.dim(size);
  if (detections.length === 0) return [heading];
  const rest =
    more > 0 ? wrapped(page, "  ", `and ${grouped(more)} more, as meaningless; the JSON report has them all`) : [];
  return [heading, ...tableLines(page, columns, shown), ...rest.map(page.dim)];
}

function classificationLines(page: Page, { classifications }: Report): string[] {
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
