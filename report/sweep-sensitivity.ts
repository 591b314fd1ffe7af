/** How much of a figure's variation goes with each axis. */
import type { SettingValue, SweepPoint } from "./sweep-report.ts";

/** Distinct values beyond this are put into groups of equal size. */
const MOST_GROUPS = 12;

/** Positions grouped by their values; numbers of many values by rank. */
function groupsOf(values: readonly SettingValue[]): number[][] {
  const distinct = new Map<SettingValue, number[]>();
  for (const [i, value] of values.entries()) distinct.set(value, [...(distinct.get(value) ?? []), i]);
  if (distinct.size <= MOST_GROUPS || typeof values[0] !== "number") return [...distinct.values()];
  const order = values.map((_, i) => i).sort((a, b) => Number(values[a]) - Number(values[b]) || a - b);
  const size = order.length / MOST_GROUPS;
  return Array.from({ length: MOST_GROUPS }, (_, g) => order.slice(Math.round(g * size), Math.round((g + 1) * size)));
}

const mean = (numbers: readonly number[]) => numbers.reduce((sum, n) => sum + n, 0) / numbers.length;

/**
 * The correlation ratio (Pearson 1905): variance of the figure's means over the axis' values, by the variance of the
 * figure, 0..1. Of a full grid it is Sobol's first-order index. null: the figure does not vary, or is not known.
 */
export function sensitivityOf(points: readonly SweepPoint[], axis: string, figure: string): number | null {
  const known = points.flatMap(({ settings, figures }) => {
    const value = figures?.[figure];
    return value === null || value === undefined ? [] : [{ setting: settings[axis], value }];
  });
  if (known.length < 2) return null;
  const all = mean(known.map(({ value }) => value));
  const total = known.reduce((sum, { value }) => sum + (value - all) ** 2, 0);
  // what rounding leaves of a figure that is the same everywhere is no variation
  if (!(total > 1e-18 * known.length * all * all)) return null;
  const between = groupsOf(known.map(({ setting }) => setting)).reduce((sum, group) => {
    return sum + group.length * (mean(group.map((i) => known[i].value)) - all) ** 2;
  }, 0);
  return Math.min(1, between / total);
}
