export { NOT_MODELLED } from "./not-modelled.ts";
export { simulateTiming, type TimingOptions } from "./simulate.ts";
