/** rapsim as a library: `quantize`, `compile`, `simulate`, and what they stand on. */
import { type CompileOptions, compileModel, type QuantizedModel } from "./compiler/index.ts";
import type { Machine, Program } from "./isa/index.ts";
import { latencyOf } from "./sim/index.ts";

export {
  type CompileOptions,
  decodeRapq,
  encodeRapq,
  importOnnx,
  type LoadOptions,
  loadModel,
  parseSidecar,
  type QuantizedModel,
  type QuantizeOptions,
  quantize,
} from "./compiler/index.ts";
export * from "./isa/index.ts";
export {
  createSimulationEmitter,
  type Elements,
  Execution,
  prepareTiming,
  type SimulateOptions,
  type Simulation,
  simulate,
  simulateTiming,
  type TimingOptions,
  type TimingResult,
} from "./sim/index.ts";

/**
 * A program for a machine, the one that `rapsim compile` makes: candidates are timed, and the fastest is taken.
 * @throws RapError where the network does not fit the machine
 */
export function compile(model: QuantizedModel, machine: Machine, options: CompileOptions = {}): Program {
  return compileModel(model, machine, { latencyOf, ...options });
}
