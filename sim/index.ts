export { areaMm2 } from "./area.ts";
export * from "./events.ts";
export * from "./functional/index.ts";
export * from "./laws.ts";
export * from "./races/index.ts";
export * from "./result.ts";
export * from "./simulate.ts";
export * from "./timing/index.ts";
