/** rapsim as a library: `quantize`, `compile`, `simulate`, and what they stand on. */
export {
  type CompileOptions,
  compileModel as compile,
  loadModel,
  type QuantizedModel,
  quantize,
} from "./compiler/index.ts";
export * from "./isa/index.ts";
export { Execution, type SimulateOptions, type Simulation, simulate, type TimingResult } from "./sim/index.ts";
