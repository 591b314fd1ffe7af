/**
 * KITTI object text: one box per line. Labels have 15 columns, results a 16th, the score
 * (type, truncated, occluded, alpha, x0, y0, x1, y1, height, width, length, x, y, z, rotation_y[, score]).
 */
import { RapError } from "../isa/index.ts";
import type { Box, Detection } from "./box.ts";

/** One line of a label or result file. */
export interface KittiObject {
  readonly class: string;
  /** 0..1, part of the object outside the picture; -1: not said */
  readonly truncated: number;
  /** 0 visible, 1 partly, 2 largely hidden, 3 unknown; -1: not said */
  readonly occluded: number;
  /** observation angle, radians; -10: not said */
  readonly alpha: number;
  /** pixels of the photograph */
  readonly box: Box;
  /** height, width, length in metres */
  readonly dimensions: readonly [number, number, number];
  /** x, y, z in metres, camera coordinates */
  readonly location: readonly [number, number, number];
  /** radians */
  readonly rotation: number;
  /** null in a label file */
  readonly score: number | null;
}

const COLUMNS = [
  ...["type", "truncated", "occluded", "alpha", "x0", "y0", "x1", "y1"],
  ...["height", "width", "length", "x", "y", "z", "rotation_y", "score"],
];
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Detections as KITTI result lines; blanks in a class name become underscores, as columns are parted by blanks. */
export function formatKitti(detections: readonly Detection[]): string {
  return detections
    .map(({ class: name, box, score }) => {
      const corners = box.map((value) => value.toFixed(2)).join(" ");
      return `${name.replace(/\s+/gu, "_")} -1 -1 -10 ${corners} 0.0 0.0 0.0 0.0 0.0 0.0 0.0 ${score.toFixed(6)}\n`;
    })
    .join("");
}

/** Objects as the 15 columns of KITTI label lines, numbers to two decimals. */
export function formatKittiLabels(objects: readonly KittiObject[]): string {
  return objects
    .map(({ class: name, truncated, occluded, alpha, box, dimensions, location, rotation }) => {
      const numbers = [alpha, ...box, ...dimensions, ...location, rotation];
      return `${name} ${truncated.toFixed(2)} ${occluded} ${numbers.map((value) => value.toFixed(2)).join(" ")}\n`;
    })
    .join("");
}

function parseLine(line: string, place: string): KittiObject {
  const words = line.split(/\s+/u);
  if (words.length !== 15 && words.length !== 16) {
    throw new RapError(
      `${place}: ${words.length} columns; a KITTI label has 15 and a result 16. Give a file in KITTI's object format`,
    );
  }
  const numbers = words.slice(1).map((word, i) => {
    const value = NUMBER.test(word) ? Number(word) : Number.NaN;
    if (!Number.isFinite(value)) {
      const said = word.length > 40 ? `${word.slice(0, 40)}...` : word;
      throw new RapError(`${place}: column ${i + 2} (${COLUMNS[i + 1]}) '${said}' is not a number. Mend the line`);
    }
    return value;
  });
  const [truncated, occluded, alpha, x0, y0, x1, y1, height, width, length, x, y, z, rotation] = numbers;
  if (x1 < x0 || y1 < y0) {
    throw new RapError(
      `${place}: box ${x0} ${y0} ${x1} ${y1} is turned round; the columns are left, top, right, bottom. Mend the line`,
    );
  }
  return {
    class: words[0],
    truncated,
    occluded,
    alpha,
    box: [x0, y0, x1, y1],
    dimensions: [height, width, length],
    location: [x, y, z],
    rotation,
    score: numbers[14] ?? null,
  };
}

/** Reads KITTI labels or results; blank lines are skipped. `path` names the text in errors. @throws RapError file:line */
export function parseKitti(text: string, path: string): KittiObject[] {
  const objects: KittiObject[] = [];
  for (const [i, line] of text.split("\n").entries()) {
    const trimmed = line.trim();
    if (trimmed !== "") objects.push(parseLine(trimmed, `${path}:${i + 1}`));
  }
  return objects;
}
