/**
 * How far a result might lie from the one that other photographs like these would give: the photographs are drawn again
 * with replacement, many times, and the spread of the results is taken (percentile bootstrap, Efron 1979).
 */
import { type AveragedPoints, type LevelScores, type LevelTally, scoreLevels } from "../average-precision.ts";

export interface BootstrapOptions {
  readonly resamples: number;
  readonly seed: number;
  /** Share of the resamples inside an interval, 0..1. */
  readonly level: number;
  readonly points: AveragedPoints;
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface Intervals {
  /** In the order of the levels; null: no such object. */
  readonly aps: readonly (Interval | null)[];
  readonly mean: Interval | null;
}

export interface BootstrapResult {
  /** In the order of the networks. */
  readonly networks: readonly Intervals[];
  /** Of the first network's result less the second's, both on the same photographs; null for one network. */
  readonly difference: Intervals | null;
}

/** Uniform numbers 0..1 of a seed: Mulberry32 (Tommy Ettinger, public domain). */
function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How often each photograph is drawn when as many are drawn as there are. */
function drawWeights(photos: number, random: () => number): Uint32Array {
  const weights = new Uint32Array(photos);
  for (let i = 0; i < photos; i++) weights[Math.floor(random() * photos)]++;
  return weights;
}

/** The value below which this part of sorted values lies, between two of them by straight line. */
function quantile(sorted: readonly number[], part: number): number {
  const place = part * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}

function intervalOf(values: readonly (number | null)[], level: number): Interval | null {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  return { low: quantile(sorted, (1 - level) / 2), high: quantile(sorted, (1 + level) / 2) };
}

function intervalsOf(samples: readonly LevelScores[], level: number): Intervals {
  return {
    aps: samples[0].aps.map((_, i) =>
      intervalOf(
        samples.map(({ aps }) => aps[i]),
        level,
      ),
    ),
    mean: intervalOf(
      samples.map(({ mean }) => mean),
      level,
    ),
  };
}

const less = (a: number | null, b: number | null) => (a === null || b === null ? null : a - b);

function differenceOf(a: LevelScores, b: LevelScores): LevelScores {
  return { aps: a.aps.map((ap, i) => less(ap, b.aps[i])), mean: less(a.mean, b.mean) };
}

/** Intervals for one or more networks' levels on the same photographs. Equal seeds give equal intervals. */
export function bootstrap(
  networks: readonly (readonly LevelTally[])[],
  { resamples, seed, level, points }: BootstrapOptions,
): BootstrapResult {
  const random = randomNumbers(seed);
  const photos = networks[0][0].tally.objects.length;
  const samples = networks.map((): LevelScores[] => []);
  for (let i = 0; i < resamples; i++) {
    const weights = drawWeights(photos, random);
    for (const [n, levels] of networks.entries()) samples[n].push(scoreLevels(levels, weights, points));
  }
  const [first, second] = samples;
  return {
    networks: samples.map((of) => intervalsOf(of, level)),
    difference:
      second === undefined
        ? null
        : intervalsOf(
            first.map((scores, i) => differenceOf(scores, second[i])),
            level,
          ),
  };
}
