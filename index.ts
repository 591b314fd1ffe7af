export * from "./isa/index.ts";
