/** A photograph with the found boxes drawn on it. */
import type { Path2D, SKRSContext2D } from "@napi-rs/canvas";
import { clamp } from "../isa/index.ts";
import type { Box, Detection } from "./box.ts";
import type { Image } from "./image.ts";
import { LETTER_BASE, LETTER_TOP, type Lettering, letter } from "./letters.ts";

type Color = readonly [red: number, green: number, blue: number];

/** The classes of road scenes have colours of their own; others get a hue by name, the same in every picture. */
const CLASS_COLORS: Readonly<Record<string, Color>> = {
  car: [64, 224, 110],
  pedestrian: [255, 92, 92],
  cyclist: [255, 196, 30],
};

function colorOf(name: string): Color {
  const known = CLASS_COLORS[name.toLowerCase()];
  if (known !== undefined) return known;
  // FNV-1a
  let hash = 0x811c9dc5;
  for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return hueColor(((hash >>> 8) % 720) / 720);
}

/** A bright colour of a hue in 0..1, light enough to be read on a dark label. */
function hueColor(hue: number): Color {
  const part = (shift: number) => {
    const x = Math.abs(((hue + shift) % 1) * 6 - 3) - 1;
    return Math.round(255 * (0.38 + 0.62 * clamp(x, 0, 1)));
  };
  return [part(0), part(2 / 3), part(1 / 3)];
}

function css([red, green, blue]: Color, alpha = 1): string {
  return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
}

/** Between a label's class and its score, in units of the alphabet. */
const WORD_SPACE = 6.5;

type ToPath = (path: string) => Path2D;

interface Label {
  readonly name: Lettering;
  readonly score: Lettering;
  readonly color: Color;
}

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The part of `b` that `a` covers, 0..1. */
function covered(a: Rectangle, b: Rectangle): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return width > 0 && height > 0 ? (width * height) / Math.max(1, b.width * b.height) : 0;
}

/** What is on the picture already. */
interface Marks {
  readonly boxes: readonly Rectangle[];
  readonly labels: Rectangle[];
}

/** Sizes in pixels; they grow with the picture, so that a label is as legible on a large photograph. */
interface Sizes {
  readonly line: number;
  /** pixels per unit of the alphabet */
  readonly letter: number;
  readonly padding: number;
}

function sizesFor(image: Image): Sizes {
  const scale = Math.max(1, Math.sqrt(image.width * image.height) / 680);
  return { line: 2 * scale, letter: scale, padding: 3.5 * scale };
}

/** How many label heights a label may stand away from its box. */
const LABEL_STEPS = 7;

/** A label's place: at its box's upper edge if that is free, else near by, off other labels and off small boxes. */
function placeLabel(box: Rectangle, width: number, height: number, image: Image, marks: Marks): Rectangle {
  let best: Rectangle = { x: box.x, y: box.y, width, height };
  let bestCost = Number.POSITIVE_INFINITY;
  const consider = (x: number, y: number, away: number) => {
    const place = {
      x: clamp(x, 0, Math.max(0, image.width - width)),
      y: clamp(y, 0, Math.max(0, image.height - height)),
      width,
      height,
    };
    let cost = away + (Math.abs(place.x - x) + Math.abs(place.y - y)) / height;
    for (const label of marks.labels) cost += 100 * covered(place, label);
    // another's box matters by how much of it is hidden, its own more: that is what one looks at
    for (const other of marks.boxes) cost += (other === box ? 9 : 6) * covered(place, other);
    if (cost < bestCost) [best, bestCost] = [place, cost];
  };
  const lefts = [box.x, box.x + box.width - width, box.x + (box.width - width) / 2];
  for (const [i, x] of lefts.entries()) {
    for (let step = 0; step < LABEL_STEPS; step++) {
      consider(x, box.y - height * (1 + 1.15 * step), step + 0.2 * i);
      consider(x, box.y + box.height + height * 1.15 * step, step + 0.5 + 0.2 * i);
    }
    consider(x, box.y, 0.3 + 0.2 * i);
  }
  for (const x of [box.x - width, box.x + box.width]) consider(x, box.y, 0.8);
  return best;
}

/** Joins a label that had to stand off to its box. */
function strokeLeader(context: SKRSContext2D, label: Rectangle, box: Rectangle, color: Color, line: number): void {
  const above = label.y + label.height < box.y - 1;
  const below = label.y > box.y + box.height + 1;
  if (!above && !below) return;
  const x = clamp(label.x + label.width / 2, box.x, box.x + box.width);
  context.strokeStyle = css(color, 0.9);
  context.lineWidth = line / 2;
  context.beginPath();
  context.moveTo(clamp(x, label.x, label.x + label.width), above ? label.y + label.height : label.y);
  context.lineTo(x, above ? box.y : box.y + box.height);
  context.stroke();
}

function strokeBox(context: SKRSContext2D, box: Rectangle, color: Color, line: number): void {
  context.lineJoin = "round";
  context.fillStyle = css(color, 0.1);
  context.fillRect(box.x, box.y, box.width, box.height);
  // a dark rim keeps a bright line visible on a bright ground
  context.strokeStyle = "rgba(0, 0, 0, 0.55)";
  context.lineWidth = line * 2;
  context.strokeRect(box.x, box.y, box.width, box.height);
  context.strokeStyle = css(color);
  context.lineWidth = line;
  context.strokeRect(box.x, box.y, box.width, box.height);
}

function strokeText(context: SKRSContext2D, text: Lettering, x: number, ink: string, toPath: ToPath): void {
  context.strokeStyle = ink;
  for (const stroke of text.strokes) {
    context.save();
    context.translate(x + stroke.x, 0);
    context.stroke(toPath(stroke.path));
    context.restore();
  }
}

/** A dark plate with the class in its colour and the score in white. */
function paintLabel(context: SKRSContext2D, label: Label, place: Rectangle, sizes: Sizes, toPath: ToPath): void {
  context.fillStyle = "rgba(12, 14, 18, 0.82)";
  context.fillRect(place.x, place.y, place.width, place.height);
  context.fillStyle = css(label.color);
  context.fillRect(place.x, place.y, sizes.line, place.height);
  context.save();
  context.translate(place.x + 1.5 * sizes.padding, place.y + 1.2 * sizes.padding);
  context.scale(sizes.letter, sizes.letter);
  context.lineCap = "round";
  context.lineJoin = "round";
  context.lineWidth = 1.35;
  strokeText(context, label.name, 0, css(label.color), toPath);
  strokeText(context, label.score, label.name.width + WORD_SPACE, "#ffffff", toPath);
  context.restore();
}

/** The detection's box inside the picture, so that its whole line shows. */
function visibleBox([x0, y0, x1, y1]: Box, image: Image, line: number): Rectangle {
  const x = clamp(x0, line / 2, image.width - line / 2);
  const y = clamp(y0, line / 2, image.height - line / 2);
  return {
    x,
    y,
    width: clamp(x1 - x, 0, image.width - line / 2 - x),
    height: clamp(y1 - y, 0, image.height - line / 2 - y),
  };
}

function toRgba({ width, height, rgb }: Image): Uint8ClampedArray {
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    rgba[to] = rgb[from];
    rgba[to + 1] = rgb[from + 1];
    rgba[to + 2] = rgb[from + 2];
    rgba[to + 3] = 255;
  }
  return rgba;
}

/**
 * Draws each detection's box, class and score (two decimals) on the picture. No font is needed.
 * @returns the bytes of a PNG file of the picture's size
 */
export async function drawBoxes(image: Image, detections: readonly Detection[]): Promise<Uint8Array> {
  // Loaded when the first picture is drawn: it would add to the start-up time of every command.
  const { createCanvas, ImageData, Path2D } = await import("@napi-rs/canvas");
  const canvas = createCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.putImageData(new ImageData(toRgba(image), image.width, image.height), 0, 0);

  const sizes = sizesFor(image);
  const found = [...detections]
    .sort((a, b) => b.score - a.score)
    .map((detection) => ({
      box: visibleBox(detection.box, image, sizes.line),
      name: letter(detection.class),
      score: letter(detection.score.toFixed(2)),
      color: colorOf(detection.class),
    }));
  // The best lies on top, and all labels above all boxes.
  for (const { box, color } of [...found].reverse()) strokeBox(context, box, color, sizes.line);
  const marks: Marks = { boxes: found.map(({ box }) => box), labels: [] };
  const height = (LETTER_BASE - LETTER_TOP) * sizes.letter + 2.4 * sizes.padding;
  for (const label of found) {
    const width = (label.name.width + WORD_SPACE + label.score.width) * sizes.letter + 2.8 * sizes.padding;
    marks.labels.push(placeLabel(label.box, width, height, image, marks));
  }
  for (const [i, { box, color }] of found.entries()) strokeLeader(context, marks.labels[i], box, color, sizes.line);
  for (const [i, label] of found.entries()) {
    paintLabel(context, label, marks.labels[i], sizes, (path) => new Path2D(path));
  }
  return canvas.encode("png");
}
