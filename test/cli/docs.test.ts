// Does docs/cli.md name every option of every command, and no other? Are the commands in the other pages right?
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { COMMANDS, LOG_OPTIONS, parse } from "../../cli/cli.ts";
import { runOptions } from "../../cli/run-options.ts";
import { CapturedOutput } from "./harness.ts";

const page = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");
const text = page("docs/cli.md");

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

/** Command lines in code blocks, without what a shell does around them and the remarks behind them. */
const commandLines = ["README.md", "docs/getting-started.md"].flatMap((name) =>
  [...page(name).matchAll(/npx rapsim ([^\s`]+(?: [^\s&|>`]+)*)(?=\s)/g)].map(([, line]) => [name, line] as const),
);

test("there are commands to check", () => expect(commandLines.length).toBeGreaterThan(15));

test.each(commandLines)("%s: rapsim %s", async (_name, line) => {
  const asked = await parse(line.split(" "), { stdout: new CapturedOutput(), stderr: new CapturedOutput(), env: {} });
  if (typeof asked === "string") throw new Error("a page shows help instead of a command");
  if (asked.command.name === "run") runOptions(asked.args);
});
