/** docs/validation.md: its generated parts, and putting them into the page. */
import { readFileSync, writeFileSync } from "node:fs";
import { expect } from "vitest";
import { ELSEWHERE, errorText, type Row } from "../conformance/index.ts";

const path = new URL("../../docs/validation.md", import.meta.url);
const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;

function table(head: readonly string[], lines: readonly string[]): string {
  return [line(head), `|${"---|".repeat(head.length)}`, ...lines].join("\n");
}

const lineOf = ({ id, claim, against, status, error, unit, allowed, detail }: Row): string =>
  line([`\`${id}\``, claim, against, errorText(error, unit), errorText(allowed, unit), status, detail]);

/** Rows that were skipped here, for want of data, keep what the page says of them. */
export function checksPart(rows: readonly Row[]): string {
  const before = readFileSync(path, "utf8").split("\n");
  const lines = rows.map((row) => {
    const kept = before.find((text) => text.startsWith(`| \`${row.id}\` | ${row.claim} | ${row.against} |`));
    return row.status === "skipped" && kept !== undefined ? kept : lineOf(row);
  });
  return table(["check", "claim", "checked against", "error", "allowed", "result", "compared"], lines);
}

export function elsewherePart(): string {
  const lines = ELSEWHERE.map(({ claim, against, needs, command }) => line([claim, against, needs, `\`${command}\``]));
  return table(["claim", "checked against", "needs", "command"], lines);
}

/** @param caught fault -> checks that find it */
export function faultsPart(caught: ReadonlyMap<string, readonly string[]>): string {
  const lines = [...caught].map(([fault, checks]) =>
    line([fault, checks.length === 0 ? "**none**" : checks.map((id) => `\`${id}\``).join(", ")]),
  );
  return table(["fault", "found by"], lines);
}

/** The part of the page is this text; `npm run docs` writes it. */
export function expectPart(name: string, part: string): void {
  const page = readFileSync(path, "utf8");
  const pattern = new RegExp(`(<!-- generated: ${name} -->\n)[\\s\\S]*?(<!-- end -->)`);
  expect(page).toMatch(pattern);
  const fresh = page.replace(pattern, (_, begin, end) => `${begin}${part}\n${end}`);
  if (process.env.UPDATE_DOCS) writeFileSync(path, fresh);
  else expect(page, "docs/validation.md is stale: npm run docs").toBe(fresh);
}
