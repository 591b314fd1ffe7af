/** Detections and labels to the numbers of a report. */
import {
  averagePrecision,
  type LevelTally,
  precisionCurve,
  scoreLevels,
  tallyLevels,
} from "../host/average-precision.ts";
import { agreeOnPhoto, disagreement, sumAgreement } from "../host/evaluation/agreement.ts";
import { bootstrap, type Interval, type Intervals } from "../host/evaluation/bootstrap.ts";
import { type HeadError, parseHeadError, pooledSqnrDb } from "../host/evaluation/head-error.ts";
import type { KittiPhoto } from "../host/evaluation/kitti-folder.ts";
import type { KittiClass } from "../host/evaluation/kitti-rules.ts";
import { type Detection, parseKitti } from "../host/index.ts";
import type { ApEstimate, Estimate, EvaluationReport } from "../report/eval-report.ts";
import type { Network } from "./eval-detector.ts";
import type { EvaluationStore } from "./eval-folder.ts";
import type { EvalOptions } from "./eval-options.ts";

const BOOTSTRAP = { resamples: 1000, seed: 1, level: 0.95 } as const;

/** Photographs in a report's list when no pictures of them are wanted. */
const LISTED_WORST = 10;

/** A photograph that went through the networks. */
export interface EvaluatedPhoto extends KittiPhoto {
  /** Absent: the network was not asked for. */
  readonly found: Readonly<Partial<Record<Network, readonly Detection[]>>>;
  /** How far INT8's head is from float's; null: there is no float, or its head is another. */
  readonly headError: HeadError | null;
}

/**
 * A photograph's detections from their text, also when they are fresh: a resumed evaluation must give the same numbers.
 * @throws RapError when a file that was kept has been damaged
 */
export function readFound(
  photo: string,
  networks: readonly Network[],
  store: EvaluationStore,
): EvaluatedPhoto["found"] {
  const found: { [N in Network]?: readonly Detection[] } = {};
  for (const network of networks) {
    found[network] = parseKitti(store.get(network, photo)!, store.place(network, photo)).map(
      ({ class: name, score, box }) => ({ class: name, score: score ?? 0, box }),
    );
  }
  return found;
}

/** As `readFound`. */
export function readHeadError(photo: string, store: EvaluationStore): HeadError {
  return parseHeadError(store.get("head", photo)!, store.place("head", photo));
}

export type EvaluationNumbers = Pick<
  EvaluationReport,
  "points" | "smallDetections" | "bootstrap" | "levels" | "mean" | "agreement" | "headSqnrDb" | "worst"
>;

/** One network's estimates. */
interface Estimates {
  readonly levels: readonly ApEstimate[];
  readonly mean: Estimate;
}

const hasHeadError = (photo: EvaluatedPhoto): photo is EvaluatedPhoto & { readonly headError: HeadError } =>
  photo.headError !== null;

const ends = (interval: Interval | null) => (interval === null ? null : ([interval.low, interval.high] as const));

function estimatesOf(tallies: readonly LevelTally[], intervals: Intervals, points: 11 | 40): Estimates {
  const all = tallies[0].tally.objects.map(() => 1);
  return {
    levels: tallies.map(({ tally }, i) => {
      const curve = precisionCurve(tally, all);
      return { value: curve && averagePrecision(curve, points), interval: ends(intervals.aps[i]), curve };
    }),
    mean: { value: scoreLevels(tallies, all, points).mean, interval: ends(intervals.mean) },
  };
}

function differenceOf(a: Estimate, b: Estimate, interval: Interval | null): Estimate {
  return { value: a.value === null || b.value === null ? null : a.value - b.value, interval: ends(interval) };
}

/** Average precisions with their intervals, INT8 beside float where there is float, and how the two agree. */
export function summarize(
  photos: readonly EvaluatedPhoto[],
  classes: readonly KittiClass[],
  { points, ignoreSmall, worst }: Pick<EvalOptions, "points" | "ignoreSmall" | "worst">,
): EvaluationNumbers {
  const smallDetections = ignoreSmall ? "ignored" : "counted";
  const withFloat = photos.every(({ found }) => found.float !== undefined);
  const tallies = (withFloat ? (["int8", "float"] as const) : (["int8"] as const)).map((network) =>
    tallyLevels(
      photos.map(({ labels, found }) => ({ labels, detections: found[network] ?? [] })),
      classes,
      smallDetections,
    ),
  );
  const spread = bootstrap(tallies, { ...BOOTSTRAP, points });
  const [int8, float] = tallies.map((of, i) => estimatesOf(of, spread.networks[i], points));
  const { difference } = spread;
  const agreements = withFloat ? photos.map(({ found }) => agreeOnPhoto(found.float ?? [], found.int8 ?? [])) : [];
  const { sure, matched, meanIou, found, confirmed } = sumAgreement(agreements);
  return {
    points,
    smallDetections,
    bootstrap: BOOTSTRAP,
    levels: tallies[0].map(({ class: { name }, level, tally }, i) => ({
      class: name,
      difficulty: level.name,
      objects: tally.objects.reduce((sum, count) => sum + count, 0),
      int8: int8.levels[i],
      float: float?.levels[i] ?? null,
      difference: difference && differenceOf(int8.levels[i], float.levels[i], difference.aps[i]),
    })),
    mean: {
      int8: int8.mean,
      float: float?.mean ?? null,
      difference: difference && differenceOf(int8.mean, float.mean, difference.mean),
    },
    agreement: withFloat ? { floatBoxes: sure, matched, meanIou, int8Boxes: found, confirmed } : null,
    headSqnrDb: photos.every(hasHeadError) ? pooledSqnrDb(photos.map(({ headError }) => headError)) : null,
    worst: agreements
      .map((agreement, i) => ({ photo: photos[i].name, disagreement: disagreement(agreement) }))
      .filter((photo) => photo.disagreement > 0)
      .sort((a, b) => b.disagreement - a.disagreement)
      .slice(0, Math.max(worst, LISTED_WORST)),
  };
}
