export * from "./draft.ts";
export * from "./tiles.ts";
