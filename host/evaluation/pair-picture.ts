/** Two networks' detections on one photograph, to be looked at together. */
import type { OverlayOptions } from "sharp";
import type { Detection } from "../box.ts";
import { drawBoxes } from "../draw.ts";
import type { Image } from "../image.ts";
import { LETTER_BASE, letter } from "../letters.ts";

export interface PairSide {
  readonly caption: string;
  readonly detections: readonly Detection[];
}

/** Photographs at least this much wider than high stand one above the other, others side by side. */
const WIDE = 1.5;

/** pixels */
const CAPTION_HEIGHT = 28;
const GAP = 6;
const INDENT = 10;

/** A caption as SVG strokes: no font is needed. */
function captionSvg(caption: string, width: number): Uint8Array {
  const strokes = letter(caption).strokes.map(({ x, path }) => `<path transform="translate(${x} 0)" d="${path}"/>`);
  const top = (CAPTION_HEIGHT - LETTER_BASE) / 2;
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${CAPTION_HEIGHT}">` +
      `<g transform="translate(${INDENT} ${top})" fill="none" stroke="#fff" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round">` +
      `${strokes.join("")}</g></svg>`,
  );
}

/** Both sides' boxes drawn on the picture, each under its caption. @returns the bytes of a PNG file */
export async function drawPair(image: Image, sides: readonly [PairSide, PairSide]): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  const { width, height } = image;
  const isWide = width >= WIDE * height;
  const tile = { width: width + (isWide ? 0 : GAP), height: height + CAPTION_HEIGHT + (isWide ? GAP : 0) };
  const layers: OverlayOptions[] = [];
  for (const [i, { caption, detections }] of sides.entries()) {
    const [left, top] = isWide ? [0, i * tile.height] : [i * tile.width, 0];
    layers.push({ input: Buffer.from(captionSvg(caption, width)), left, top });
    layers.push({ input: Buffer.from(await drawBoxes(image, detections)), left, top: top + CAPTION_HEIGHT });
  }
  const whole = {
    width: isWide ? width : 2 * tile.width - GAP,
    height: isWide ? 2 * tile.height - GAP : tile.height,
  };
  return sharp({ create: { ...whole, channels: 3, background: { r: 20, g: 22, b: 26 } } })
    .composite(layers)
    .png()
    .toBuffer();
}
