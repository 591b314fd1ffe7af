/** One evaluation on a labelled data set as data: what `rapsim eval --json` writes (docs/evaluation.md). */
import type { Provenance } from "../isa/index.ts";

export const EVALUATION_SCHEMA = "rapsim.evaluation/1";

/** A number with the interval that other photographs like these might move it in; null: it does not exist. */
export interface Estimate {
  readonly value: number | null;
  readonly interval: readonly [low: number, high: number] | null;
}

/** An average precision, 0..1, and the precision at recall 0, 1/40, .. 1 it is made of. */
export interface ApEstimate extends Estimate {
  readonly curve: readonly number[] | null;
}

/** One class at one level of difficulty. */
export interface EvaluatedLevel {
  readonly class: string;
  readonly difficulty: string;
  /** Labelled objects that are asked for. */
  readonly objects: number;
  readonly int8: ApEstimate;
  readonly float: ApEstimate | null;
  /** INT8 less float. */
  readonly difference: Estimate | null;
}

export interface EvaluationAgreement {
  /** Float boxes with a score of at least 0.5, those that INT8 finds (score above 0.3, IoU of at least 0.5), their mean IoU. */
  readonly floatBoxes: number;
  readonly matched: number;
  readonly meanIou: number;
  /** INT8 boxes with a score of at least 0.5, and those that float finds in the same sense. */
  readonly int8Boxes: number;
  readonly confirmed: number;
}

export interface HeadSqnrDb {
  readonly classScores: number | null;
  readonly confidence: number | null;
  readonly boxDeltas: number | null;
}

export interface EvaluationReport {
  readonly schema: typeof EVALUATION_SCHEMA;
  /** Version of rapsim that made the report. */
  readonly rapsim: string;
  readonly program: {
    readonly name: string;
    readonly sha256: string;
    readonly trained: boolean;
    readonly provenance: Provenance;
  };
  readonly float: { readonly name: string; readonly sha256: string } | null;
  readonly dataset: {
    readonly folder: string;
    readonly split: string | null;
    readonly photos: number;
    /** The others failed. */
    readonly evaluated: number;
  };
  /** Detections above this score are evaluated. */
  readonly threshold: number;
  /** Samples of the curve that make an AP. */
  readonly points: 11 | 40;
  /** Detections below a level's minimum height: judged like any other, or left out. */
  readonly smallDetections: "counted" | "ignored";
  readonly bootstrap: { readonly resamples: number; readonly seed: number; readonly level: number };
  readonly levels: readonly EvaluatedLevel[];
  /** Means over the levels that have an AP. */
  readonly mean: { readonly int8: Estimate; readonly float: Estimate | null; readonly difference: Estimate | null };
  readonly agreement: EvaluationAgreement | null;
  /** Signal to noise of INT8's head against float's, over all photographs, dB; a part's null: no error; null: no float to compare. */
  readonly headSqnrDb: HeadSqnrDb | null;
  /** Photographs on which INT8 and float differ, the worst first. */
  readonly worst: readonly { readonly photo: string; readonly disagreement: number }[];
  readonly failures: readonly { readonly photo: string; readonly message: string }[];
  readonly warnings: readonly string[];
}

/** The report as a file. */
export function evaluationJson(report: EvaluationReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}
