// Does docs/cli.md name every option of every command, and no other?
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { COMMANDS, LOG_OPTIONS } from "../../cli/cli.ts";

const text = readFileSync(new URL("../../docs/cli.md", import.meta.url), "utf8");

/** Options that begin a row of the section's table. */
function documented(section: string): string[] {
  const [, body = ""] = text.split(`\n## ${section}\n`);
  return [...body.split("\n## ")[0].matchAll(/^\| `--([a-z-]+)/gm)].map(([, name]) => name).sort();
}

test.each(COMMANDS.map(({ name, options }) => [name, Object.keys(options)] as const))("rapsim %s", (name, options) => {
  expect(documented(`rapsim ${name}`)).toEqual([...options].sort());
});

test("everywhere", () => {
  expect(documented("Everywhere")).toEqual([...Object.keys(LOG_OPTIONS), "help", "version"].sort());
});
