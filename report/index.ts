export * from "./csv.ts";
export * from "./numbers.ts";
export * from "./page.ts";
export * from "./recording.ts";
export * from "./report.ts";
export * from "./run-html.ts";
export * from "./text.ts";
export * from "./trace.ts";
