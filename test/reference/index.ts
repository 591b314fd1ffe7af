export * from "./arithmetic.ts";
export * from "./model.ts";
export * from "./operators.ts";
