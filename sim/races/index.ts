export * from "./find-races.ts";
export * from "./program-order.ts";
