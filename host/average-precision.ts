/**
 * Average precision by the rules of KITTI's 2D object benchmark, as its evaluate_object program computes it
 * (docs/evaluation.md).
 */
import { DIFFICULTIES, type Difficulty, type KittiClass, type SmallDetections } from "./evaluation/kitti-rules.ts";
import { countPhoto, type EvaluatedPhoto } from "./evaluation/photo-counts.ts";

/** Recall 0, 1/40, .. 1: where precision is sampled. */
export const RECALL_SAMPLES = 41;

/** How a curve becomes one number: every fourth sample (KITTI until October 2019), or all but the one at recall 0. */
export type AveragedPoints = 11 | 40;

/** Something about one photograph, by falling score. */
interface Event {
  readonly photo: number;
  readonly score: number;
}

interface CountChange extends Event {
  readonly tp: number;
  readonly fp: number;
}

/** All photographs judged for one class and difficulty: enough to evaluate any selection of them. */
export interface Tally {
  /** Objects that are asked for, by photograph. */
  readonly objects: readonly number[];
  readonly hits: readonly Event[];
  /** What each step downwards in score adds to the counts. */
  readonly changes: readonly CountChange[];
}

export function tally(
  photos: readonly EvaluatedPhoto[],
  kittiClass: KittiClass,
  level: Difficulty,
  small: SmallDetections = "counted",
): Tally {
  const counts = photos.map((photo) => countPhoto(photo, kittiClass, level, small));
  const byScore = (a: Event, b: Event) => b.score - a.score;
  return {
    objects: counts.map(({ objects }) => objects),
    hits: counts.flatMap(({ hits }, photo) => hits.map((score) => ({ photo, score }))).sort(byScore),
    changes: counts
      .flatMap(({ steps }, photo) =>
        steps.map(({ score, tp, fp }, i) => ({
          photo,
          score,
          tp: tp - (i === 0 ? 0 : steps[i - 1].tp),
          fp: fp - (i === 0 ? 0 : steps[i - 1].fp),
        })),
      )
      .sort(byScore),
  };
}

/** How often each photograph counts. */
export type PhotoWeights = ArrayLike<number>;

/** Objects that are asked for in the weighted photographs. */
export function objectCount({ objects }: Tally, weights: PhotoWeights): number {
  return objects.reduce((sum, count, photo) => sum + count * weights[photo], 0);
}

/**
 * Scores at which the recall comes closest to 0, 1/40, .. 1, as far as it comes. Few objects make few samples: n of
 * them at most n.
 */
function sampledScores(of: Tally, weights: PhotoWeights): number[] {
  const wanted = objectCount(of, weights);
  const total = of.hits.reduce((sum, { photo }) => sum + weights[photo], 0);
  const scores: number[] = [];
  let found = 0;
  let recall = 0;
  for (const { photo, score } of of.hits) {
    for (let copy = 0; copy < weights[photo]; copy++) {
      found++;
      const [here, next] = [found / wanted, (found + 1) / wanted];
      if (found < total && next - recall < recall - here) continue;
      scores.push(score);
      recall += 1 / (RECALL_SAMPLES - 1);
    }
  }
  return scores;
}

/**
 * Precision at recall 0, 1/40, .. 1, each the best at this or any higher recall; 0 where the recall is not reached.
 * null when the photographs hold no such object.
 */
export function precisionCurve(of: Tally, weights: PhotoWeights): readonly number[] | null {
  if (objectCount(of, weights) === 0) return null;
  const curve = new Array<number>(RECALL_SAMPLES).fill(0);
  let [tp, fp, at] = [0, 0, 0];
  for (const [i, score] of sampledScores(of, weights).entries()) {
    for (; at < of.changes.length && of.changes[at].score >= score; at++) {
      const change = of.changes[at];
      tp += change.tp * weights[change.photo];
      fp += change.fp * weights[change.photo];
    }
    curve[i] = tp === 0 ? 0 : tp / (tp + fp);
  }
  for (let i = RECALL_SAMPLES - 2; i >= 0; i--) curve[i] = Math.max(curve[i], curve[i + 1]);
  return curve;
}

/** A curve's mean over 11 of its samples (recall 0, 0.1, .. 1) or over 40 (all but recall 0). */
export function averagePrecision(curve: readonly number[], points: AveragedPoints): number {
  const step = points === 11 ? 4 : 1;
  let sum = 0;
  for (let i = points === 11 ? 0 : 1; i < RECALL_SAMPLES; i += step) sum += curve[i];
  return sum / points;
}

/** One class at one level of difficulty. */
export interface LevelTally {
  readonly class: KittiClass;
  readonly level: Difficulty;
  readonly tally: Tally;
}

/** Every class at every level of difficulty, class by class. */
export function tallyLevels(
  photos: readonly EvaluatedPhoto[],
  classes: readonly KittiClass[],
  small: SmallDetections = "counted",
): LevelTally[] {
  return classes.flatMap((kittiClass) =>
    DIFFICULTIES.map((level) => ({ class: kittiClass, level, tally: tally(photos, kittiClass, level, small) })),
  );
}

/** The APs of levels, in their order, and the mean of those that have one; null: no such object in the photographs. */
export interface LevelScores {
  readonly aps: readonly (number | null)[];
  readonly mean: number | null;
}

export function scoreLevels(levels: readonly LevelTally[], weights: PhotoWeights, points: AveragedPoints): LevelScores {
  const aps = levels.map(({ tally: of }) => {
    const curve = precisionCurve(of, weights);
    return curve === null ? null : averagePrecision(curve, points);
  });
  const known = aps.filter((ap) => ap !== null);
  return { aps, mean: known.length === 0 ? null : known.reduce((sum, ap) => sum + ap, 0) / known.length };
}
