export * from "./dump.ts";
export { type Elements, Execution } from "./execution.ts";
export * from "./probes.ts";
