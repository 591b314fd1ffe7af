/**
 * A small stroke alphabet for labels, so that they look the same on a machine without any font.
 * Each glyph is an SVG path to be stroked with round ends: capitals and digits from y = 0 to the base line y = 10,
 * small letters from y = 3, descenders to y = 13.
 */

interface Glyph {
  readonly width: number;
  readonly path: string;
}

/** Space between two glyphs; wide enough for the strokes' own width. */
const GAP = 2.6;
export const LETTER_TOP = 0;
export const LETTER_BASE = 10;

/** The round part of a, b, d, g, o, p and q. */
const BOWL = "M5.5 6.5A2.75 3.5 0 1 1 0 6.5A2.75 3.5 0 1 1 5.5 6.5Z";
const OVAL = "M7.2 5A3.6 5 0 1 1 0 5A3.6 5 0 1 1 7.2 5Z";

// biome-ignore format: a table, one glyph per line
const GLYPHS: Readonly<Record<string, Glyph>> = {
  " ": { width: 2.6, path: "" },
  "0": { width: 6, path: "M6 5A3 5 0 1 1 0 5A3 5 0 1 1 6 5Z" },
  "1": { width: 6, path: "M1.2 2.2L3.6 0V10" },
  "2": { width: 6, path: "M0.1 2.8C0.1 -0.9 5.8 -0.9 5.8 2.7C5.8 5.2 0.6 7.4 0 10H6" },
  "3": { width: 6, path: "M0.2 1.8C1 -0.6 5.5 -0.7 5.5 2.3C5.5 4.2 4 4.8 2.4 4.8C4.4 4.8 6 5.6 6 7.3C6 10.8 0.9 10.9 0 8.2" },
  "4": { width: 6, path: "M4.6 10V0L0 7.1H6" },
  "5": { width: 6, path: "M5.5 0H1L0.5 4.7C2.2 3.4 6 3.3 6 6.7C6 10.6 1.2 11 0 8.5" },
  "6": { width: 6, path: "M5.4 1C3.4 -0.9 0 0.2 0 6.2C0 11.3 6 11.2 6 6.9C6 3.2 0.8 3 0.1 6.6" },
  "7": { width: 6, path: "M0 0H6L2.2 10" },
  "8": { width: 6, path: "M3 4.7C-0.4 4.7 -0.2 0 3 0C6.2 0 6.4 4.7 3 4.7C-0.9 4.7 -0.9 10 3 10C6.9 10 6.9 4.7 3 4.7Z" },
  "9": { width: 6, path: "M0.6 9C2.6 10.9 6 9.8 6 3.8C6 -1.3 0 -1.2 0 3.1C0 6.8 5.2 7 5.9 3.4" },
  a: { width: 5.5, path: `${BOWL}M5.5 3V10` },
  b: { width: 5.5, path: `${BOWL}M0 0V10` },
  c: { width: 5, path: "M5 4.4A2.75 3.5 0 1 0 5 8.6" },
  d: { width: 5.5, path: `${BOWL}M5.5 0V10` },
  e: { width: 5.5, path: "M0.1 6.4H5.5A2.75 3.5 0 1 0 4.8 8.8" },
  f: { width: 3.6, path: "M4 0.2C2 -0.4 1.3 0.8 1.3 2.6V10M0 3.3H3.6" },
  g: { width: 5.5, path: `${BOWL}M5.5 3V10.6C5.5 13.6 1.9 13.8 0.4 12.5` },
  h: { width: 5, path: "M0 0V10M0 6.2C0 2 5 2 5 6.2V10" },
  i: { width: 0.8, path: "M0.4 3V10M0.4 0.2V0.3" },
  j: { width: 1.6, path: "M1.4 3V11.3C1.4 12.9 0.6 13.2 -0.4 13M1.4 0.2V0.3" },
  k: { width: 5, path: "M0 0V10M4.6 3L0 7.4M1.7 5.9L5 10" },
  l: { width: 0.8, path: "M0.4 0V10" },
  m: { width: 8.4, path: "M0 3V10M0 6C0 2 4.2 2 4.2 6V10M4.2 6C4.2 2 8.4 2 8.4 6V10" },
  n: { width: 5, path: "M0 3V10M0 6.2C0 2 5 2 5 6.2V10" },
  o: { width: 5.5, path: BOWL },
  p: { width: 5.5, path: `${BOWL}M0 3V13` },
  q: { width: 5.5, path: `${BOWL}M5.5 3V13` },
  r: { width: 3, path: "M0 3V10M0 6.2C0 4 1.4 2.8 3.2 3.1" },
  s: { width: 4.8, path: "M4.6 4.3C3.8 2.5 0.2 2.6 0.2 4.7C0.2 6.9 4.8 6 4.8 8.2C4.8 10.5 0.9 10.6 0 8.7" },
  t: { width: 3.6, path: "M1.3 0.8V8C1.3 9.8 2.2 10.2 3.6 9.8M0 3.2H3.5" },
  u: { width: 5, path: "M0 3V6.8C0 11 5 11 5 6.8V3M5 3V10" },
  v: { width: 5.2, path: "M0 3L2.6 10L5.2 3" },
  w: { width: 8, path: "M0 3L2 10L4 3.6L6 10L8 3" },
  x: { width: 5, path: "M0 3L5 10M5 3L0 10" },
  y: { width: 5.4, path: "M0 3L2.7 10M5.4 3L2.7 10C2 12.2 1.4 13.2 0 13" },
  z: { width: 5, path: "M0 3H5L0 10H5" },
  A: { width: 7, path: "M0 10L3.5 0L7 10M1.2 6.6H5.8" },
  B: { width: 6, path: "M0 0V10H3.4C6.9 10 6.9 4.8 3.4 4.8H0M3.4 4.8C6.3 4.8 6.3 0 3.4 0H0" },
  C: { width: 6.4, path: "M6.4 2A3.7 5 0 1 0 6.4 8" },
  D: { width: 6.3, path: "M0 0V10H2.4C7.6 10 7.6 0 2.4 0Z" },
  E: { width: 5.4, path: "M5.4 0H0V10H5.4M0 4.8H4.7" },
  F: { width: 5.2, path: "M5.2 0H0V10M0 4.8H4.5" },
  G: { width: 6.8, path: "M6.4 2A3.6 5 0 1 0 6.8 7.4V5.4H4" },
  H: { width: 6.4, path: "M0 0V10M6.4 0V10M0 4.8H6.4" },
  I: { width: 0.8, path: "M0.4 0V10" },
  J: { width: 4.5, path: "M4.5 0V7C4.5 11 0 11 0 7.6" },
  K: { width: 6.2, path: "M0 0V10M6 0L0 6.2M2.1 4.2L6.2 10" },
  L: { width: 5, path: "M0 0V10H5" },
  M: { width: 8, path: "M0 10V0L4 7L8 0V10" },
  N: { width: 6.4, path: "M0 10V0L6.4 10V0" },
  O: { width: 7.2, path: OVAL },
  P: { width: 6, path: "M0 10V0H3.4C6.9 0 6.9 5.4 3.4 5.4H0" },
  Q: { width: 7.2, path: `${OVAL}M4.6 7.6L7.2 10.6` },
  R: { width: 6.2, path: "M0 10V0H3.4C6.9 0 6.9 5.4 3.4 5.4H0M3.2 5.4L6.2 10" },
  S: { width: 6, path: "M5.8 2C4.8 -0.8 0.3 -0.6 0.3 2.5C0.3 5.6 6 4.4 6 7.4C6 10.8 1 11 0 8" },
  T: { width: 6.4, path: "M0 0H6.4M3.2 0V10" },
  U: { width: 6.2, path: "M0 0V6.4C0 11.2 6.2 11.2 6.2 6.4V0" },
  V: { width: 6.8, path: "M0 0L3.4 10L6.8 0" },
  W: { width: 9.6, path: "M0 0L2.4 10L4.8 1L7.2 10L9.6 0" },
  X: { width: 6.2, path: "M0 0L6.2 10M6.2 0L0 10" },
  Y: { width: 6.4, path: "M0 0L3.2 5L6.4 0M3.2 5V10" },
  Z: { width: 6, path: "M0 0H6L0 10H6" },
  ".": { width: 0.8, path: "M0.4 9.8V9.9" },
  ",": { width: 0.8, path: "M0.5 9.8L0 11.6" },
  ":": { width: 0.8, path: "M0.4 9.8V9.9M0.4 4.4V4.5" },
  "-": { width: 3.4, path: "M0 6H3.4" },
  "+": { width: 5, path: "M0 6H5M2.5 3.5V8.5" },
  "_": { width: 5.6, path: "M0 11.4H5.6" },
  "/": { width: 4, path: "M0 11L4 -0.6" },
  "(": { width: 2, path: "M2 -0.8C-0.6 2.5 -0.6 8.5 2 11.8" },
  ")": { width: 2, path: "M0 -0.8C2.6 2.5 2.6 8.5 0 11.8" },
  "'": { width: 0.8, path: "M0.4 0V2.4" },
  "&": { width: 6.6, path: "M6.6 10L1.6 3.6C-0.2 1.2 1.4 0 2.6 0C4.2 0 5 2.4 2.8 4C-1 6.6 -0.4 10 2.8 10C5 10 6.2 8.2 6.3 5.8" },
  "%": { width: 7, path: "M0.6 10L6.4 0M3 2.2A1.5 2.1 0 1 1 0 2.2A1.5 2.1 0 1 1 3 2.2ZM7 7.8A1.5 2.1 0 1 1 4 7.8A1.5 2.1 0 1 1 7 7.8Z" },
};

/** Stands for every character without a glyph. */
const UNKNOWN: Glyph = { width: 5, path: "M0 1H5V10H0Z" };

/** The strokes of a line of text, and how wide it is. */
export interface Lettering {
  /** each glyph's path, to be shifted right by x */
  readonly strokes: readonly { readonly x: number; readonly path: string }[];
  readonly width: number;
}

/** Sets a line of text. Accents are dropped. */
export function letter(text: string): Lettering {
  const strokes: { x: number; path: string }[] = [];
  let x = 0;
  for (const character of text.normalize("NFD").replace(/\p{M}/gu, "")) {
    const glyph = GLYPHS[character] ?? UNKNOWN;
    strokes.push({ x, path: glyph.path });
    x += glyph.width + GAP;
  }
  return { strokes, width: Math.max(0, x - GAP) };
}
