/** An axis of a search space: the values one name takes, by position. */
import { type Parameter, RapError } from "../isa/index.ts";
import type { Value } from "./expression.ts";

/** Evenly spaced from `from` to `to`, or by a factor; without step, factor and count: any number between. */
export interface Range {
  readonly from: number;
  readonly to: number;
  readonly step?: number | undefined;
  readonly factor?: number | undefined;
  readonly count?: number | undefined;
  readonly scale?: "linear" | "log" | undefined;
}

export interface Axis {
  readonly name: string;
  /** Values there are; Infinity: any number of a range. */
  readonly count: number;
  /** The value at a position 0..count - 1. Meaningless for an unlimited axis. */
  at(position: number): Value;
  /** The value at a share 0 <= u < 1 of the axis. */
  atShare(u: number): Value;
}

/** Steps are added up in floating point: 0.1 + 0.2 is shown, and reached, as 0.3. */
const DIGITS = 12;
const tidy = (value: number) => Number(value.toPrecision(DIGITS));

/** A share of the way that rounding may take from the last step. */
const SLACK = 1e-9;

export function listAxis(name: string, values: readonly Value[]): Axis {
  return {
    name,
    count: values.length,
    at: (position) => values[position],
    atShare: (u) => values[Math.min(values.length - 1, Math.floor(u * values.length))],
  };
}

/** @param parameter whose step values are rounded to; undefined: none. @throws RapError for a range that is none */
export function rangeAxis(name: string, range: Range, parameter: Parameter | undefined, place: string): Axis {
  const { from, to, step, factor, count, scale } = range;
  const fail = (rule: string): never => {
    throw new RapError(`${place}: ${name}: ${rule}`);
  };
  const given = Object.entries({ step, factor, count }).filter(([, value]) => value !== undefined);
  if (given.length > 1) fail(`${given.map(([key]) => key).join(" and ")}: one of them says how far values are apart`);
  if (!(from <= to)) fail(`from ${from} to ${to}: from must not be above to`);
  if (scale !== undefined && (step ?? factor) !== undefined)
    fail("scale goes with count, or with neither step nor factor");
  const isLog = factor !== undefined || scale === "log";
  if (isLog && from <= 0) fail(`from ${from}: must be above 0 on a log scale`);
  const multiple = parameter?.type === "number" ? parameter.step : 0;
  const fitted = (value: number) => (multiple > 0 ? Math.round(value / multiple) * multiple : tidy(value));
  const between = (u: number) => fitted(isLog ? from * (to / from) ** u : from + (to - from) * u);
  if (step !== undefined) {
    if (!(step > 0)) fail(`step ${step}: must be above 0`);
    return positions(name, Math.floor((to - from) / step + SLACK) + 1, (i) => fitted(from + i * step));
  }
  if (factor !== undefined) {
    if (!(factor > 1)) fail(`factor ${factor}: must be above 1`);
    return positions(name, Math.floor(Math.log(to / from) / Math.log(factor) + SLACK) + 1, (i) =>
      fitted(from * factor ** i),
    );
  }
  if (count !== undefined) {
    if (count < 2 && from !== to) fail(`count ${count}: a range has at least its two ends`);
    return positions(name, count, (i) => between(count === 1 ? 0 : i / (count - 1)));
  }
  return { name, count: Number.POSITIVE_INFINITY, at: () => between(0), atShare: between };
}

function positions(name: string, count: number, at: (position: number) => number): Axis {
  return { name, count, at, atShare: (u) => at(Math.min(count - 1, Math.floor(u * count))) };
}
