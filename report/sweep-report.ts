/** A sweep as its page shows it. */

export type SettingValue = number | boolean | string;

export interface SweepFigure {
  readonly name: string;
  readonly unit: string;
  readonly meaning: string;
  readonly better: "maximize" | "minimize";
}

export interface SweepPoint {
  readonly index: number;
  readonly settings: Readonly<Record<string, SettingValue>>;
  /** null where the point failed, and single figures where they are not known. */
  readonly figures: Readonly<Record<string, number | null>> | null;
  readonly error: string | null;
  readonly onFront: boolean;
  readonly withinLimits: boolean;
  /** Of its machine: what is not at its default. */
  readonly machine: Readonly<Record<string, SettingValue>>;
  /** What repeats the point by hand. */
  readonly commands: readonly string[];
}

export interface SweepReport {
  readonly rapsim: string;
  readonly name: string;
  readonly about: string;
  /** What all points have in common, over the defaults. */
  readonly settings: Readonly<Record<string, SettingValue>>;
  /** Axes and variables. */
  readonly axes: readonly string[];
  readonly derived: readonly string[];
  readonly figures: readonly SweepFigure[];
  readonly objectives: readonly { readonly figure: string; readonly goal: "maximize" | "minimize" }[];
  readonly limits: readonly string[];
  readonly points: readonly SweepPoint[];
  /** What the reader must know before believing a number. */
  readonly notes: readonly string[];
}
