export * from "./draft.ts";
export * from "./exponents.ts";
export * from "./tiles.ts";
