/** Lowering: a quantized model and a machine become a program. The stages, in order, are the body of `lower`. */
import { type Machine, PACKINGS, type Packing, type Program, RapError } from "../../isa/index.ts";
import type { QuantizedModel } from "../quantized-model.ts";
import type { SearchEffort } from "../schedule/search.ts";
import { ConvPlans } from "./conv-plans.ts";
import { FusedLowering } from "./fused.ts";
import { layeredFloor, lowerLayered } from "./layered.ts";
import type { SecondPass } from "./second-pass.ts";

export interface CompileOptions {
  /** How kernel taps share array rows; what the machine's feeder does by default. */
  readonly packing?: Packing;
  /** How layers with a dynamic exponent are finished, wherever it is possible; what is cheapest by default. */
  readonly secondPass?: SecondPass;
  /** 0: layer by layer through DRAM; 1: fused phases; 2: the same, with a wider search. Default 1. */
  readonly optimize?: 0 | 1 | 2;
  /**
   * Cycles of one frame by a simulator (the compiler has none). Where given, schedules that may be about as fast are all made and the fastest
   * taken; at level 2 those of both searches.
   */
  readonly latencyOf?: (program: Program) => number;
  readonly onProgress?: (stage: string, fraction: number) => void;
}

/** How hard schedules are searched for, by level. */
export const EFFORTS: Readonly<Record<1 | 2, SearchEffort>> = {
  1: { stripeHeights: 5, columnCuts: 3, refinements: 1, longestGrid: 4 },
  2: { stripeHeights: 10, columnCuts: 8, refinements: 2, longestGrid: 256 },
};

/** Programs layer by layer that are longer lose: what little SRAM there is wants stripes that go through several layers. */
const CANDIDATE_INSTRUCTIONS = 8192;

/** Compiles a quantized model for a machine. @throws RapError naming the layer that does not fit */
export function compileModel(model: QuantizedModel, machine: Machine, options: CompileOptions = {}): Program {
  const { optimize = 1, secondPass, latencyOf, onProgress: progress = () => {} } = options;
  const packing = packingOf(machine, options.packing);
  const choices = { packing, plans: new ConvPlans(machine, packing), progress };
  const layered = () => lowerLayered(model, machine, { ...choices, secondPass })!;
  // run-time exponents are known only after a whole layer, so it goes through DRAM
  if (optimize === 0 || model.runtime !== undefined) return layered();
  const efforts = optimize === 2 && latencyOf !== undefined ? [EFFORTS[1], EFFORTS[2]] : [EFFORTS[optimize]];
  // one candidate after the other: only the fastest so far is kept
  let best: Candidate | null = null;
  let estimatedCycles = Number.POSITIVE_INFINITY;
  const fused = new FusedLowering(model, machine, choices);
  for (const effort of efforts) {
    const lowered = fused.lower(effort);
    if (lowered === null) continue;
    if (latencyOf === undefined) return lowered.program;
    estimatedCycles = Math.min(estimatedCycles, lowered.estimatedCycles);
    best = fasterOf(best, lowered.program, latencyOf);
  }
  if (best === null || latencyOf === undefined) return layered();
  if (layeredFloor(model, machine) <= estimatedCycles) {
    const atMostInstructions = CANDIDATE_INSTRUCTIONS;
    const program = orRefused(() => lowerLayered(model, machine, { ...choices, secondPass, atMostInstructions }));
    if (program !== null) best = fasterOf(best, program, latencyOf);
  }
  return best.program;
}

function orRefused(compile: () => Program | null): Program | null {
  try {
    return compile();
  } catch (error) {
    if (error instanceof RapError) return null;
    throw error;
  }
}

interface Candidate {
  readonly program: Program;
  /** null: nothing to compare it with so far */
  readonly cycles: number | null;
}

/** The later candidate where it is faster. */
function fasterOf(best: Candidate | null, program: Program, latencyOf: (program: Program) => number): Candidate {
  if (best === null) return { program, cycles: null };
  if (program === best.program) return best;
  const known = best.cycles ?? latencyOf(best.program);
  const cycles = latencyOf(program);
  return known <= cycles ? { program: best.program, cycles: known } : { program, cycles };
}

/** @throws RapError when the machine's feeder cannot do it */
function packingOf(machine: Machine, wanted: Packing | undefined): Packing {
  const feeder = machine.parameters["array.feeder"];
  const packing = wanted ?? feeder;
  if (PACKINGS.indexOf(packing) > PACKINGS.indexOf(feeder)) {
    throw new RapError(
      `packing ${packing}: the feeder of machine ${machine.name} does ${feeder} (array.feeder); choose another packing or machine`,
    );
  }
  return packing;
}
