/**
 * Which scalar register holds which run-time exponent, and which histogram register its values. A scalar register holds a
 * distance from the static exponent; register 0 is always 0.
 */
import { HISTOGRAM_REGISTERS, RapError, SCALAR_REGISTERS } from "../../isa/index.ts";
import type { RuntimeExponent, RuntimeScaling } from "../quantized-model.ts";

/** What a group does when it is its turn: all of it; what its exponent needs to be known; the rest, when it is known. */
export type Pass = "whole" | "measure" | "finish";

/** Besides: an exponent from its histogram; a sum's exponent from those of its operands; one stored for the host. */
type StepKind = Pass | "measured" | "followed" | "told";

/** A step of a frame; run-time exponents by their index in the model, null where there is none. */
export interface Plan {
  readonly kind: StepKind;
  readonly group: number;
  readonly inputs: readonly (number | null)[];
  readonly output: number | null;
  readonly histogram: number | null;
  /** told: the output */
  readonly tensor: string | null;
}

/** Registers of a step: scalar registers, 0 where the exponent is constant; a histogram register, null for none. */
export interface Registers {
  readonly inputs: readonly number[];
  readonly output: number;
  readonly histogram: number | null;
}

export interface Step {
  readonly kind: StepKind;
  readonly group: number;
  readonly registers: Registers;
  /** The exponent of the output. */
  readonly exponent: RuntimeExponent | null;
  readonly tensor: string | null;
}

export interface Schedule {
  readonly steps: readonly Step[];
  /** Registers that keep their values from frame to frame, and the group that uses them first. */
  readonly kept: readonly { readonly register: number; readonly group: number }[];
}

interface Extent {
  readonly first: number;
  readonly last: number;
}

/** @param network named in messages. @throws RapError when there are too few registers */
export function assignRegisters(
  plans: readonly Plan[],
  network: string,
  runtime: RuntimeScaling | undefined,
): Schedule {
  const { mode, exponents } = runtime ?? { mode: "static", exponents: [] };
  const refuse = (most: number, kind: string): never => {
    throw new RapError(
      `${network}: ${mode} scaling needs more than ${most} ${kind} registers for its exponents, and an agent has ${most}; take another scaling mode`,
    );
  };
  const uses = (find: (plan: Plan, exponent: number) => boolean) =>
    exponents.map((_, exponent) => extentOf(plans, (plan) => find(plan, exponent)));
  const inFrame = uses(({ inputs, output }, exponent) => output === exponent || inputs.includes(exponent));
  const isKept = exponents.map(({ clipLog2 }) => mode === "delayed" && clipLog2 !== null);
  const scalars = giveOut(
    inFrame.map((extent, i) => (isKept[i] ? { first: -1, last: plans.length } : extent)),
    SCALAR_REGISTERS - 1,
    (most) => refuse(most, "scalar"),
  ).map((number) => number + 1);
  const histograms = giveOut(
    uses(({ histogram }, exponent) => histogram === exponent),
    HISTOGRAM_REGISTERS,
    (most) => refuse(most, "histogram"),
  );
  const scalarOf = (exponent: number | null) => (exponent === null ? 0 : scalars[exponent]);
  const steps = plans.map(({ kind, group, inputs, output, histogram, tensor }) => ({
    kind,
    group,
    registers: {
      inputs: inputs.map(scalarOf),
      output: scalarOf(output),
      histogram: histogram === null ? null : histograms[histogram],
    },
    exponent: output === null ? null : exponents[output],
    tensor,
  }));
  const kept = scalars.flatMap((register, i) =>
    isKept[i] ? [{ register, group: plans[inFrame[i]!.first].group }] : [],
  );
  return { steps, kept };
}

/** First and last step with a property; null: none has it. */
function extentOf(plans: readonly Plan[], has: (plan: Plan) => boolean): Extent | null {
  const first = plans.findIndex(has);
  return first < 0 ? null : { first, last: plans.findLastIndex(has) };
}

/** A number below `most` for each extent, -1 for null; where two overlap they differ. */
function giveOut(extents: readonly (Extent | null)[], most: number, refuse: (most: number) => never): number[] {
  const numbers = extents.map(() => -1);
  /** by number: the last step of its latest user */
  const busyUntil = new Array<number>(most).fill(-2);
  const inOrder = extents
    .flatMap((extent, i) => (extent === null ? [] : [{ ...extent, i }]))
    .sort((a, b) => a.first - b.first);
  for (const { first, last, i } of inOrder) {
    const number = busyUntil.findIndex((end) => end < first);
    if (number < 0) refuse(most);
    numbers[i] = number;
    busyUntil[number] = last;
  }
  return numbers;
}
