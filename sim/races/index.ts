export * from "./find-races.ts";
export type { OrderOptions } from "./order.ts";
export * from "./program-order.ts";
