/** What a schedule is made of, and what makes one better than another. */
import type { Machine } from "../../isa/index.ts";
import type { PhaseCost } from "./cost.ts";
import type { PhaseChoice, PhaseShape } from "./phase.ts";

export interface PlannedPhase {
  readonly kind: "phase";
  readonly shape: PhaseShape;
  readonly choice: PhaseChoice;
  readonly cost: PhaseCost;
  /** the tiling that came second */
  readonly second: { readonly choice: PhaseChoice; readonly cost: PhaseCost } | null;
}

/** An operator by itself through DRAM, or a convolution with the pooling behind it, tiled by the layer planner. */
export interface PlannedLayer {
  readonly kind: "layer";
  readonly first: number;
  /** one behind the last operator */
  readonly end: number;
  readonly cycles: number;
}

export type Step = PlannedPhase | PlannedLayer;

/** Steps that take a schedule from one cut to the next, and the best other way to that cut. */
export interface Leg {
  readonly steps: readonly Step[];
  /** first operator of the other way's last leg, and how many cycles more all of that way takes */
  readonly other: { readonly first: number; readonly moreCycles: number } | null;
}

/** Of two schedules that take as long, the one with less traffic; DRAM time hidden behind other work counts this much. */
const HIDDEN_TRAFFIC = 0.3;

/** Cycles, and a little for traffic. */
export function scoreOf({ cycles, dramBytes }: Pick<PhaseCost, "cycles" | "dramBytes">, machine: Machine): number {
  return cycles + (HIDDEN_TRAFFIC * dramBytes) / machine.parameters["dram.bytesPerCycle"];
}
