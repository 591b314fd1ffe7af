/** Differences as people read them. */
import type { Change, TotalChange } from "./compare.ts";
import { grouped, percent, significant, withPrefix } from "./numbers.ts";
import { causeText } from "./words.ts";

const TOTAL_TEXT: Readonly<Record<string, string>> = {
  framesPerSecond: "frames a second",
  latencySeconds: "latency",
  cycles: "cycles",
  latencyCycles: "latency, cycles",
  intervalCycles: "between frames, cycles",
  macUtilization: "MAC utilisation",
  energyPj: "energy",
  averagePowerW: "average power",
  framesPerJoule: "frames per joule",
  dramReadBytes: "DRAM read",
  dramWriteBytes: "DRAM written",
  macsExecuted: "MACs executed",
  instructions: "instructions",
  areaMm2: "area, about",
};

export const totalText = ({ name }: TotalChange) => TOTAL_TEXT[name] ?? name;
export const causeName = ({ name }: Change) => (name === "busy" ? "busy" : causeText(name));

/** A value with its unit, in the prefix that fits. */
export function amountText(value: number, unit: string): string {
  if (unit === "of the peak") return percent(value);
  if (unit === "pJ") return withPrefix(value * 1e-12, "J", 4);
  if (unit === "cycles" || unit === "instructions") return grouped(value);
  if (unit === "s" || unit === "W" || unit === "B" || unit === "MAC") return withPrefix(value, unit, 4);
  return unit === "mm²" ? `${significant(value, 4)} mm²` : significant(value, 4);
}

/** The difference with its sign; `=` where there is none. */
export function differenceText({ difference, unit }: Pick<Change, "difference" | "unit">): string {
  if (difference === 0) return "=";
  const size = Math.abs(difference);
  const text = unit === "of the peak" ? `${(100 * size).toFixed(1)} points` : amountText(size, unit);
  return `${difference > 0 ? "+" : "−"}${text}`;
}

/** 1.25 -> `+25.0 %`; empty where there is nothing to divide by */
export function ratioText(ratio: number | null): string {
  if (ratio === null || ratio === 1) return "";
  const percents = 100 * (ratio - 1);
  return `${percents > 0 ? "+" : "−"}${grouped(Math.abs(percents), Math.abs(percents) < 1000 ? 1 : 0)} %`;
}

/** true: B is better; null: neither, or no matter */
export function isBetter({ better, difference }: TotalChange): boolean | null {
  if (better === null || difference === 0) return null;
  return difference < 0 === (better === "lower");
}
