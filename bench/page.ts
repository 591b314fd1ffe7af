/** What is measured, as Markdown, and into docs/performance.md between `<!-- measured: name -->` and `<!-- end -->`. */
import { readFileSync, writeFileSync } from "node:fs";

export function markdownTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

/** @param page file that has the two marks */
export function writeIntoPage(page: string, name: string, text: string): void {
  const content = readFileSync(page, "utf8");
  const mark = `<!-- measured: ${name} -->`;
  const start = content.indexOf(mark);
  const end = content.indexOf("<!-- end -->", start);
  if (start < 0 || end < 0) throw new Error(`${page}: no ${mark} ... <!-- end -->`);
  writeFileSync(page, `${content.slice(0, start)}${mark}\n\n${text}\n\n${content.slice(end)}`);
}
