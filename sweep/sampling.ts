/** Which points of a space are evaluated, in which order: grid, random, Sobol. */
import { Random } from "../compiler/random.ts";
import { RapError } from "../isa/index.ts";
import type { Axis } from "./axis.ts";
import type { Value } from "./expression.ts";
import { type BadPoint, type Point, pointOf } from "./point.ts";
import { MOST_DIMENSIONS, sobolPoints } from "./sobol.ts";
import type { Space } from "./space.ts";

/** More points than this only with `--limit`. */
export const MOST_POINTS = 100_000;
/** Candidates that constraints may leave out one after the other before the space counts as empty. */
const MOST_LEFT_OUT = 1_000_000;

/** Every combination, the last axis first. */
function* grid(axes: readonly Axis[]): Generator<Value[]> {
  const at = axes.map(() => 0);
  for (;;) {
    yield axes.map((axis, i) => axis.at(at[i]));
    let i = axes.length - 1;
    while (i >= 0 && ++at[i] >= axes[i].count) at[i--] = 0;
    if (i < 0) return;
  }
}

function* random(axes: readonly Axis[], seed: number): Generator<Value[]> {
  const source = new Random(seed);
  for (;;) yield axes.map((axis) => axis.atShare(source.uniform()));
}

function* sobol(axes: readonly Axis[]): Generator<Value[]> {
  for (const point of sobolPoints(axes.length)) yield axes.map((axis, i) => axis.atShare(point[i]));
}

/**
 * The points of a space without a search, those that constraints leave out and repetitions not among them.
 * @throws RapError when there are more than `MOST_POINTS` and no limit, and when constraints leave nothing
 */
export function samplePoints(space: Space, limit: number | undefined): (Point | BadPoint)[] {
  const { axes, sampling, place } = space;
  const combinations = axes.reduce((product, { count }) => product * count, 1);
  const wanted = sampling.method === "random" || sampling.method === "sobol" ? sampling.points : combinations;
  if (wanted > MOST_POINTS && limit === undefined) {
    throw new RapError(
      `${place}: ${wanted.toLocaleString("en")} points; more than ${MOST_POINTS.toLocaleString("en")} are evaluated only with --limit N, which takes the first N`,
    );
  }
  if (sampling.method === "sobol" && axes.length > MOST_DIMENSIONS) {
    throw new RapError(`${place}: ${axes.length} axes; Sobol points have at most ${MOST_DIMENSIONS}`);
  }
  const most = Math.min(wanted, limit ?? wanted);
  const points: (Point | BadPoint)[] = [];
  const seen = new Set<string>();
  let idle = 0;
  for (const values of candidates(space)) {
    if (points.length >= most) break;
    if (++idle > MOST_LEFT_OUT) {
      if (points.length > 0) break;
      throw new RapError(
        `${place}: constraints leave out the first ${MOST_LEFT_OUT.toLocaleString("en")} combinations`,
      );
    }
    const key = JSON.stringify(values);
    if (seen.has(key)) {
      // few combinations, all seen: random choices would never end
      if (seen.size >= combinations) break;
      continue;
    }
    const point = pointOf(space, points.length, values);
    if (point === null && sampling.method === "grid") continue;
    seen.add(key);
    if (point === null) continue;
    points.push(point);
    idle = 0;
  }
  if (points.length === 0) throw new RapError(`${place}: the constraints leave out every point`);
  return points;
}

function candidates({ axes, sampling }: Space): Generator<Value[]> {
  switch (sampling.method) {
    case "grid":
      return grid(axes);
    case "random":
      return random(axes, sampling.seed ?? 1);
    case "sobol":
      return sobol(axes);
    case "search":
      throw new Error("a search makes its points as it goes");
  }
}
