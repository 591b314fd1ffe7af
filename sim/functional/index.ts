export * from "./dump.ts";
export { type Elements, Execution, type ExecutionOptions } from "./execution.ts";
export * from "./probes.ts";
