/** How well one network's detections agree with another's on the same photographs, whatever the labels say. */
import type { Detection } from "../box.ts";
import { matchBoxes } from "../match.ts";

/** Boxes with this score or more are asked for. */
export const SURE_SCORE = 0.5;
/** Boxes with a score above this may answer. */
export const ANSWER_SCORE = 0.3;
/** Overlap (intersection over union) from which two boxes are one. */
const MIN_IOU = 0.5;

export interface PhotoAgreement {
  /** Sure boxes of the reference, those that were found, and the sum of the IoU of these. */
  readonly sure: number;
  readonly matched: number;
  readonly iouSum: number;
  /** Sure boxes of the other network, and those that the reference has too. */
  readonly found: number;
  readonly confirmed: number;
}

export interface Agreement extends PhotoAgreement {
  /** Of the matched boxes; 0 when there are none. */
  readonly meanIou: number;
}

const atLeast = (detections: readonly Detection[], score: number) => detections.filter((one) => one.score >= score);
const above = (detections: readonly Detection[], score: number) => detections.filter((one) => one.score > score);

export function agreeOnPhoto(reference: readonly Detection[], other: readonly Detection[]): PhotoAgreement {
  const there = matchBoxes(atLeast(reference, SURE_SCORE), above(other, ANSWER_SCORE), MIN_IOU);
  const back = matchBoxes(atLeast(other, SURE_SCORE), above(reference, ANSWER_SCORE), MIN_IOU);
  return {
    sure: there.total,
    matched: there.matched,
    iouSum: there.meanIou * there.matched,
    found: back.total,
    confirmed: back.matched,
  };
}

export function sumAgreement(photos: readonly PhotoAgreement[]): Agreement {
  const sum = { sure: 0, matched: 0, iouSum: 0, found: 0, confirmed: 0 };
  for (const photo of photos) for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += photo[key];
  return { ...sum, meanIou: sum.matched === 0 ? 0 : sum.iouSum / sum.matched };
}

/** How much two networks differ on a photograph: boxes lost, plus boxes invented, plus what the matched ones' IoU lacks to 1. */
export function disagreement({ sure, matched, iouSum, found, confirmed }: PhotoAgreement): number {
  return sure - matched + (found - confirmed) + (matched - iouSum);
}
