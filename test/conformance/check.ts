/** A check: one claim, what decides it, and how far off is allowed. `rapsim validate` runs them; so does the test beside. */
import type { Lab } from "./lab.ts";

/** differences: a count of things that are not equal; percent: the worst relative error; factor: the larger over the smaller. */
export type Unit = "differences" | "percent" | "factor";

export interface Measured {
  /** How far off it is, in the check's unit. */
  readonly error: number;
  /** What was compared, in numbers. */
  readonly detail: string;
}

export interface Check {
  /** Short name; `--only` takes it. */
  readonly id: string;
  readonly claim: string;
  readonly against: string;
  /** null: the numbers are stated side by side and nothing is judged. */
  readonly allowed: { readonly unit: Unit; readonly most: number } | null;
  /** Whether `--quick` leaves it out. */
  readonly slow?: boolean;
  /** Whether it needs the peers' figures beside the repository. */
  readonly needsPeers?: boolean;
  run(lab: Lab): Measured;
}

export type Status = "pass" | "fail" | "stated" | "skipped";

/** One line of the table. */
export interface Row {
  readonly id: string;
  readonly claim: string;
  readonly against: string;
  readonly status: Status;
  /** null: it was skipped, or nothing is judged. */
  readonly error: number | null;
  readonly unit: Unit | null;
  readonly allowed: number | null;
  /** What was compared; or why it was skipped. */
  readonly detail: string;
}

/** Runs one check, unless something it needs is missing. */
export function runCheck(check: Check, lab: Lab, quick: boolean): Row {
  const { id, claim, against, allowed } = check;
  const unit = allowed?.unit ?? null;
  const most = allowed?.most ?? null;
  const why = check.slow && quick ? "left out by --quick" : check.needsPeers ? lab.peers.whyMissing : null;
  if (why !== null) return { id, claim, against, status: "skipped", error: null, unit, allowed: most, detail: why };
  const { error, detail } = check.run(lab);
  // NaN is no pass
  const status = most === null ? "stated" : error <= most ? "pass" : "fail";
  return { id, claim, against, status, error: most === null ? null : error, unit, allowed: most, detail };
}

const UNIT_TEXT: { readonly [U in Unit]: (value: number) => string } = {
  differences: (value) => String(value),
  percent: (value) => `${value === 0 ? "0" : Number(value.toPrecision(2))} %`,
  factor: (value) => `${Number(value.toPrecision(2))}x`,
};

/** An error or a bound as text. */
export function errorText(value: number | null, unit: Unit | null): string {
  return value === null || unit === null ? "-" : UNIT_TEXT[unit](value);
}

/** Percent by which `value` differs from `reference`. */
export function percentOff(value: number, reference: number): number {
  return 100 * Math.abs(value / reference - 1);
}

/** How many times the larger is the smaller. */
export function factorOff(value: number, reference: number): number {
  return Math.max(value / reference, reference / value);
}
