/** Why a program is as it is: the compiler's schedule beside what the simulator counts, and the bounds of both. */
import type { Program, ScheduleStep } from "../isa/index.ts";
import type { Bounds, LayerResult, TimingResult } from "../sim/result.ts";

export const EXPLANATION_SCHEMA = "rapsim.explanation/1";

export interface ExplainedStep {
  readonly layers: readonly string[];
  /** layer that the last step of the runner-up's way begins with; null: there is none */
  readonly otherCut: string | null;
  /** null: these layers go through DRAM one by one, and nothing was recorded about them */
  readonly schedule: ScheduleStep | null;
  /** of all steps of the same layers together: slices of one layer are not told apart */
  readonly simulated: { readonly cycles: number; readonly dramBytes: number; readonly energyPj: number };
  /** cycles these layers' useful MACs take at the chip's peak */
  readonly computeCycles: number;
}

export interface Explanation {
  readonly schema: typeof EXPLANATION_SCHEMA;
  readonly program: string;
  readonly machine: string;
  readonly sramBytes: number;
  readonly optimize: boolean;
  readonly cycles: number;
  readonly dramBytes: number;
  readonly bounds: Bounds;
  readonly steps: readonly ExplainedStep[];
}

export function explain(program: Program, { totals, layers }: TimingResult, peakMacsPerCycle: number): Explanation {
  const named = layers.slice(1, -1);
  const steps: ExplainedStep[] = [];
  let next = 0;
  for (const step of program.schedule) {
    const [first, end] = step.layers;
    if (first > next) steps.push(stepOf(null, null, named.slice(next, first), peakMacsPerCycle));
    steps.push(
      stepOf(step, step.otherCut && named[step.otherCut.first].name, named.slice(first, end), peakMacsPerCycle),
    );
    next = Math.max(next, end);
  }
  if (next < named.length) steps.push(stepOf(null, null, named.slice(next), peakMacsPerCycle));
  return {
    schema: EXPLANATION_SCHEMA,
    program: program.name,
    machine: program.machine.name,
    sramBytes: program.machine.parameters["sram.bytes"],
    optimize: program.schedule.length > 0,
    cycles: totals.latencyCycles,
    dramBytes: totals.dramReadBytes + totals.dramWriteBytes,
    bounds: totals.bounds,
    steps,
  };
}

function stepOf(
  schedule: ScheduleStep | null,
  otherCut: string | null,
  layers: readonly LayerResult[],
  peak: number,
): ExplainedStep {
  const sum = (of: (layer: LayerResult) => number) => layers.reduce((total, layer) => total + of(layer), 0);
  return {
    layers: layers.map(({ name }) => name),
    otherCut,
    schedule,
    simulated: {
      cycles: sum(({ attributedCycles }) => attributedCycles),
      dramBytes: sum(({ dramReadBytes, dramWriteBytes }) => dramReadBytes + dramWriteBytes),
      energyPj: sum(({ energyPj }) => energyPj.total),
    },
    computeCycles: sum(({ macs }) => macs) / peak,
  };
}
