/** What was found in each picture: drawn on it where the picture is at hand, and as a table. */
import { classColor } from "./colors.ts";
import { numberCell, section, shortName, swatch, table, wordCell } from "./html.ts";
import { coordinate, escaped } from "./markup.ts";
import { groupBy } from "./recording.ts";
import type { Report, ReportDetection, ReportImage } from "./report.ts";
import { knownWords } from "./words.ts";

/** Pictures by the name that the report gives them, as `data:` URLs. */
export type Pictures = ReadonlyMap<string, string>;

/** Boxes over the picture, or over a blank of its size. The lowest score lies below; what should be found is dashed. */
function photo(
  { image, width, height, objects = [] }: ReportImage,
  boxes: readonly ReportDetection[],
  pictures: Pictures,
): string {
  const picture = pictures.get(image);
  const size = Math.max(width, height) / 64;
  const marks = [...boxes]
    .sort((a, b) => a.score - b.score)
    .map(({ class: name, score, box }) => {
      const [x0, y0, x1, y1] = box;
      const color = classColor(name);
      const tip = `${shortName(name)}, score ${score.toFixed(3)}, ${[x0, y0, x1, y1].map((v) => v.toFixed(1)).join(", ")}`;
      const isRight = x0 > 0.85 * width;
      const label = `<text class="boxlabel" x="${coordinate(isRight ? Math.min(width, x1) : Math.max(0, x0))}" y="${coordinate(Math.max(size, y0 - size / 4))}" ${isRight ? 'text-anchor="end" ' : ""}style="font-size:${coordinate(size)}px;fill:${color}">${escaped(shortName(name))} ${score.toFixed(2)}</text>`;
      return `<g data-tip="${escaped(tip)}"><rect ${place(box)} fill="#0000" stroke="${color}" stroke-width="2.5" vector-effect="non-scaling-stroke"/>${label}</g>`;
    });
  const known = objects.map(({ class: name, box, iou }) => {
    const tip = `labelled ${shortName(name)}, ${iou === 0 ? "not found" : `IoU ${iou.toFixed(2)}`}`;
    return `<g data-tip="${escaped(tip)}"><rect ${place(box)} fill="#0000" stroke="#fff" stroke-width="1.5" stroke-dasharray="5 4" vector-effect="non-scaling-stroke"/></g>`;
  });
  const ground =
    picture === undefined
      ? `<rect width="${width}" height="${height}" fill="var(--card)" stroke="var(--line)"/>`
      : `<image href="${picture}" width="${width}" height="${height}"/>`;
  const label = `${shortName(image)} with ${boxes.length} boxes; the table lists them`;
  return `<svg class="photo" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(label)}">${ground}${known.join("")}${marks.join("")}</svg>`;
}

function place([x0, y0, x1, y1]: ReportDetection["box"]): string {
  return `x="${coordinate(x0)}" y="${coordinate(y0)}" width="${coordinate(Math.max(0, x1 - x0))}" height="${coordinate(Math.max(0, y1 - y0))}"`;
}

function boxTable(boxes: readonly ReportDetection[]): string {
  const rows = boxes.map(({ class: name, score, box }) => ({
    cells: [
      { html: `${swatch(classColor(name))} ${escaped(shortName(name))}`, value: name },
      numberCell(score, score.toFixed(3)),
      ...box.map((v) => numberCell(v, v.toFixed(1))),
    ],
  }));
  return table("Detections", ["class", "score", "left", "top", "right", "bottom"], rows);
}

/** Empty where no network looked for boxes or classes. */
export function findingsSection(report: Report, pictures: Pictures): string {
  const { detections, classifications, images, program } = report;
  if (program.head === "classes" || classifications.length > 0) return classesSection(report);
  if (images.length === 0 || (program.head !== "convdet" && detections.length === 0)) return "";
  const found = groupBy(detections, ({ image }) => image);
  const items = images.map((image) => {
    const boxes = found.get(image.image) ?? [];
    const name = `<bdi>${escaped(shortName(image.image))}</bdi>`;
    const list =
      boxes.length === 0
        ? ""
        : `<details${images.length === 1 && boxes.length <= 12 ? " open" : ""}><summary>${boxes.length} ${boxes.length === 1 ? "detection" : "detections"} in ${name}</summary>${boxTable(boxes)}</details>`;
    const known =
      image.objects === undefined || !program.trained ? "" : `<p>${escaped(knownWords(image.objects))} (dashed)</p>`;
    const isDrawn = images.length === 1 || pictures.has(image.image);
    return `${isDrawn ? photo(image, boxes, pictures) : ""}${known}${list === "" ? `<p>Nothing found in ${name}</p>` : list}`;
  });
  return section("found", "Detections", ...items);
}

function classesSection({ classifications }: Report): string {
  if (classifications.length === 0) return "";
  const rows = classifications.flatMap(({ image, top }) =>
    top.map(({ class: name, score }) => ({
      cells: [wordCell(shortName(image)), wordCell(shortName(name)), numberCell(score, score.toFixed(4))],
    })),
  );
  return section("found", "Classes", table("Classes", ["picture", "class", "score"], rows));
}
