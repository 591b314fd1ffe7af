/** Values and time of one program in one call. */
import { checkProgram, type Machine, type Program } from "../isa/index.ts";
import { type Elements, Execution } from "./functional/index.ts";
import type { TimingResult } from "./result.ts";
import { simulateTiming } from "./timing/index.ts";

export interface SimulateOptions {
  /** One input tensor [height, width, channels] per frame; none: time alone. */
  readonly inputs?: readonly (Int8Array | Uint8Array)[];
  /** Other rates than those the program was compiled for; the structure must be the same. */
  readonly machine?: Machine;
  /** Frames timed; as many as inputs by default, at least one. */
  readonly frames?: number;
  readonly overlapFrames?: boolean;
}

export interface Simulation {
  /** Per frame, the outputs by tensor name. */
  readonly outputs: readonly ReadonlyMap<string, Elements>[];
  readonly timing: TimingResult;
}

/** Checks a program, runs it on the inputs, and times it. @throws RapError for a program or input that is wrong */
export function simulate(program: Program, options: SimulateOptions = {}): Simulation {
  const {
    inputs = [],
    machine = program.machine,
    frames = Math.max(1, inputs.length),
    overlapFrames = false,
  } = options;
  const checked = checkProgram(program, program.name);
  const timing = simulateTiming(checked, { machine, frames, overlapFrames });
  if (inputs.length === 0) return { outputs: [], timing };
  const execution = new Execution(checked);
  return { outputs: inputs.map((input) => execution.runFrame(input)), timing };
}
