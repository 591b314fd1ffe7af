import type { z } from "zod";

/** The first complaint of a failed validation in one line: `head.anchors[3][0]: Invalid input: expected number, ...`. */
export function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  const path = issue.path
    .map((key, i) => (typeof key === "number" ? `[${key}]` : `${i === 0 ? "" : "."}${String(key)}`))
    .join("");
  return `${path === "" ? "top level" : path}: ${issue.message}`;
}
