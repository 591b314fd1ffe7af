/** Which rows are best: the Pareto front of the objectives among the points within the limits. */
import { RapError } from "../isa/index.ts";
import type { Scope, Value } from "./expression.ts";
import { frontOf } from "./pareto.ts";
import type { Row } from "./results.ts";
import type { Space } from "./space.ts";

/** Objectives, all to be small; null: the point failed, or a figure is not known. */
export function costsOf({ objectives }: Space, { figures }: Row): number[] | null {
  if (figures === null) return null;
  const costs = objectives.map(({ figure, goal }) => {
    const value = figures[figure];
    return value === null ? Number.NaN : goal === "minimize" ? value : -value;
  });
  return costs.some(Number.isNaN) ? null : costs;
}

export function keepsLimits(space: Space, row: Row): boolean {
  if (space.limits.length === 0) return row.figures !== null;
  const scope = scopeOf(space, row);
  return space.limits.every((limit) => {
    const holds = limit.evaluate(scope);
    if (typeof holds !== "boolean") throw new RapError(`${limit.place}: '${limit.text}': is neither true nor false`);
    return holds;
  });
}

function scopeOf(space: Space, { settings, figures }: Row): Scope {
  const scope = new Map<string, Value>([...space.settings, ...Object.entries(settings)]);
  for (const [name, value] of Object.entries(figures ?? {})) if (value !== null) scope.set(name, value);
  return scope;
}

/** Numbers of the points on the front, in order. */
export function bestOf(space: Space, rows: readonly Row[]): number[] {
  const judged = rows.flatMap((row) => {
    const costs = costsOf(space, row);
    return costs !== null && keepsLimits(space, row) ? [{ index: row.index, costs }] : [];
  });
  return frontOf(judged.map(({ costs }) => costs)).map((i) => judged[i].index);
}
