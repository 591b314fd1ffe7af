export { NOT_MODELLED } from "./not-modelled.ts";
export { latencyOf, prepareTiming, simulateTiming, type TimingOptions } from "./simulate.ts";
