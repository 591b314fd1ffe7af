/** rapsim as a library: `quantize`, `compile`, `simulate`, and what they stand on. */
export {
  type CompileOptions,
  compileModel as compile,
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
