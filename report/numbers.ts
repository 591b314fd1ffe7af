/** Numbers as people read them: grouped thousands, sensible precision, units. */

/** 1234567.891 with 1 decimal -> `1,234,567.9`; a half is rounded away from 0, by the shortest decimals that name the value. */
export function grouped(value: number, decimals = 0): string {
  // not by Intl.NumberFormat, which takes tens of milliseconds to start
  const [whole, ...fraction] = rounded(value, decimals).toFixed(decimals).split(".");
  return [whole.replace(/\B(?=(\d{3})+$)/g, ","), ...fraction].join(".");
}

function rounded(value: number, decimals: number): number {
  if (!Number.isFinite(value)) return value;
  const [mantissa, exponent = "0"] = String(Math.abs(value)).split("e");
  const scaled = Math.round(Number(`${mantissa}e${Number(exponent) + decimals}`));
  return Math.sign(value) * Number(`${scaled}e${-decimals}`);
}

/** As many decimals as `digits` significant digits need, none above: 12.345 -> `12.3`, 12345 -> `12,345`. */
export function significant(value: number, digits = 3): string {
  if (value === 0) return "0";
  // by way of toExponential: 9.996 rounds up to 10.0, which has one decimal less
  const exponent = Number(value.toExponential(digits - 1).split("e")[1]);
  return grouped(value, Math.min(9, Math.max(0, digits - 1 - exponent)));
}

const PREFIXES = ["p", "n", "µ", "m", "", "k", "M", "G", "T", "P"] as const;
const NO_PREFIX = PREFIXES.indexOf("");

/** A value with a decimal prefix: 5283053568 MAC -> `5.283 GMAC`. */
export function withPrefix(value: number, unit: string, digits = 3): string {
  if (value === 0) return `0 ${unit}`;
  const rounded = Number(value.toPrecision(digits));
  const step = Math.floor(Math.log10(Math.abs(rounded)) / 3 + 1e-9);
  const index = Math.min(PREFIXES.length - 1, Math.max(0, step + NO_PREFIX));
  return `${significant(value / 1000 ** (index - NO_PREFIX), digits)} ${PREFIXES[index]}${unit}`;
}

/** 0.1234 -> `12.3 %` */
export function percent(fraction: number): string {
  if (fraction > 0 && fraction < 0.0005) return "<0.1 %";
  return `${(fraction * 100).toFixed(1)} %`;
}

/** `1 frame`, `2 frames` */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${grouped(n)} ${n === 1 ? one : many}`;
}

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"] as const;

/** A bar of block characters, `width` cells for 1; anything above 0 shows. */
export function bar(fraction: number, width: number): string {
  if (!(fraction > 0)) return "";
  const eighths = Math.max(1, Math.round(Math.min(1, fraction) * width * 8));
  return "█".repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
}
