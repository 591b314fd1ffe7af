/** Colours with a meaning, the same in every view and in both themes. */
import type { StallCause } from "../sim/result.ts";

/** Hue in degrees, saturation and lightness in 0..1 -> #rrggbb */
function hex(hue: number, saturation: number, lightness: number): string {
  const part = (n: number) => {
    const k = (n + hue / 30) % 12;
    const value = lightness - saturation * Math.min(lightness, 1 - lightness) * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(255 * value)
      .toString(16)
      .padStart(2, "0");
  };
  return `#${part(0)}${part(8)}${part(4)}`;
}

/** A layer's; neighbours differ: their hues are the golden angle apart. What comes round to a hue again is lighter or darker. */
export const layerColor = (i: number) => hex((i * 137.508 + 205) % 360, 0.6, [0.5, 0.4, 0.62][i % 3]);

/** A component of energy. */
export const componentColor = (i: number) =>
  hex((i * 36 + 205) % 360, i % 2 === 0 ? 0.6 : 0.38, i % 2 === 0 ? 0.52 : 0.6);

export const BUSY_COLOR = "#2f7ed8";
export const READ_COLOR = "#2f7ed8";
export const WRITE_COLOR = "#d9822b";
export const OCCUPIED_COLOR = "#3c9a6f";

/** Memory is warm, other units are cool, what is nobody's fault is grey. */
const STALL_COLORS: { readonly [C in StallCause]: string } = {
  finished: "#b6bcc4",
  notIssued: "#7f8894",
  sync: "#a45fc0",
  waitLoad: "#e0862e",
  waitStore: "#b8702a",
  waitLink: "#8f6fe0",
  waitScalar: "#c98bb5",
  waitMac: "#93b7dd",
  waitShift: "#2fa3a3",
  waitPool: "#4fae5c",
  waitRange: "#93a83a",
  group: "#d8b13a",
  sram: "#d0453f",
  refresh: "#c2607f",
  turnaround: "#e27a6a",
  row: "#b34a8a",
  noRequest: "#b6bcc4",
};

/** Of a cause by name; busy, and what this version does not know, has the colour of work. */
export const causeColor = (cause: string) => STALL_COLORS[cause as StallCause] ?? BUSY_COLOR;

/** A class of detections: the same class, the same colour. */
export function classColor(name: string): string {
  let hash = 7;
  for (const character of name) hash = (Math.imul(hash, 31) + character.codePointAt(0)!) >>> 0;
  return hex((hash * 137.508) % 360, 0.8, 0.6);
}
