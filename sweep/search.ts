/** A search through a space: NSGA-II proposes points, their figures judge them. */
import { RapError } from "../isa/index.ts";
import { costsOf, keepsLimits } from "./best.ts";
import { type Judged, nsga2 } from "./nsga2.ts";
import { type BadPoint, type Point, pointOf } from "./point.ts";
import type { Row } from "./results.ts";
import type { Evaluate } from "./run.ts";
import type { Sampling, Space } from "./space.ts";

type SearchSampling = Extract<Sampling, { method: "search" }>;

/** Violations by how far a point is from being of use. */
const LEFT_OUT: Judged = { costs: [], violation: 3 };
const FAILED = 2;
const OUTSIDE = 1;

/** Just below 1: the last value of an axis. */
const LAST_SHARE = 1 - Number.EPSILON;

/** Evaluates generation after generation. Each point has one row, whoever proposes it again. */
export async function searchPoints(
  space: Space,
  { population, generations, seed = 1 }: SearchSampling,
  evaluate: Evaluate,
): Promise<void> {
  if (population % 2 !== 0) throw new RapError(`${space.place}: population ${population}: must be even`);
  const rows = new Map<string, Row | null>();
  let next = 0;
  await nsga2({ genes: space.axes.length, population, generations, seed }, async (generation) => {
    const values = generation.map((genes) => space.axes.map((axis, i) => axis.atShare(Math.min(LAST_SHARE, genes[i]))));
    const keys = values.map((own) => JSON.stringify(own));
    const fresh = new Map<string, Point | BadPoint>();
    for (const [i, key] of keys.entries()) {
      if (rows.has(key) || fresh.has(key)) continue;
      const point = pointOf(space, next, values[i]);
      if (point === null) rows.set(key, null);
      else {
        fresh.set(key, point);
        next++;
      }
    }
    const found = await evaluate([...fresh.values()]);
    [...fresh.keys()].forEach((key, i) => {
      rows.set(key, found[i]);
    });
    return keys.map((key) => judged(space, rows.get(key)!));
  });
  if (next === 0) throw new RapError(`${space.place}: the constraints leave out every point that the search tried`);
}

function judged(space: Space, row: Row | null): Judged {
  if (row === null) return { ...LEFT_OUT, costs: space.objectives.map(() => 0) };
  const costs = costsOf(space, row);
  if (costs === null) return { costs: space.objectives.map(() => 0), violation: FAILED };
  return { costs, violation: keepsLimits(space, row) ? 0 : OUTSIDE };
}
