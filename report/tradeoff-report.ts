/** Quantization settings against what they cost, as data: what `rapsim tradeoff --json` writes (docs/tradeoff.schema.json). */
import { recordsCsv } from "./csv.ts";
import type { Estimate, EvaluationAgreement, HeadSqnrDb } from "./eval-report.ts";

export const TRADEOFF_SCHEMA = "rapsim.tradeoff/1";

/** Average precisions of one network, 0..1. */
export interface Precision {
  readonly mean: Estimate;
  readonly levels: readonly { readonly class: string; readonly difficulty: string; readonly value: number | null }[];
}

/** One frame in steady state: what the second of two frames adds. */
export interface FrameCost {
  readonly cycles: number;
  readonly dramBytes: number;
  readonly millijoules: number;
}

export interface TradeoffRow {
  /** Option and value: `activations: "u8"`. */
  readonly settings: Readonly<Record<string, string>>;
  readonly programSha256: string;
  readonly precision: Precision;
  /** Mean average precision less float's. */
  readonly difference: Estimate;
  readonly agreement: EvaluationAgreement;
  readonly headSqnrDb: HeadSqnrDb | null;
  readonly frame: FrameCost;
}

export interface TradeoffReport {
  readonly schema: typeof TRADEOFF_SCHEMA;
  /** Version of rapsim that made the report. */
  readonly rapsim: string;
  readonly model: { readonly name: string; readonly sha256: string };
  readonly machine: { readonly name: string; readonly sha256: string };
  readonly dataset: { readonly folder: string; readonly split: string | null; readonly photos: number };
  readonly threshold: number;
  /** What all rows were quantized and compiled with, besides their settings. */
  readonly options: Readonly<Record<string, string | number | boolean>>;
  readonly points: 11 | 40;
  readonly smallDetections: "counted" | "ignored";
  readonly float: Precision;
  readonly rows: readonly TradeoffRow[];
}

export function tradeoffJson(report: TradeoffReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

/** One row per setting, each average precision in a column of its own. */
export function tradeoffCsv({ rows }: TradeoffReport): string {
  return recordsCsv(
    rows.map(({ settings, precision, difference, agreement, headSqnrDb, frame }) => ({
      ...settings,
      meanAp: precision.mean.value,
      meanApLessFloat: difference.value,
      ap: Object.fromEntries(precision.levels.map((level) => [`${level.class}.${level.difficulty}`, level.value])),
      agreement,
      headSqnrDb: headSqnrDb ?? { classScores: null, confidence: null, boxDeltas: null },
      ...frame,
    })),
  );
}
