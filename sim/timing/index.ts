export { NOT_MODELLED } from "./not-modelled.ts";
export { prepareTiming, simulateTiming, type TimingOptions } from "./simulate.ts";
