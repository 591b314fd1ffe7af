/** `rapsim compare`: two runs beside each other, from their JSON reports. */
import { UsageError } from "../../isa/errors.ts";
import type { Command } from "../command.ts";
import { checkDistinct, checkWritable, STANDARD_OUTPUT, shown, writeOutput } from "../files.ts";
import { hasColor, pageWidth, write } from "../io.ts";
import { flag, flagOf, text, textOf } from "../options.ts";
import { readReport } from "../read-report.ts";

export const compare: Command = {
  name: "compare",
  describe: "Compare two runs: totals, layers, and where cycles, traffic and energy went",
  positional: { name: "reports", required: true, many: true, describe: "two files that run --json wrote" },
  options: {
    json: text("write the comparison as JSON; - for standard output, without the text"),
    html: text("write the comparison as one page for a browser; - for standard output, without the text"),
    force: flag("compare runs of different networks as well; layers are matched by name"),
  },
  examples: [
    ["rapsim compare before.json after.json", "what a change did"],
    ["rapsim compare before.json after.json --html change.html", "the same as a page"],
  ],
  async run(args, { io }) {
    const files = args.reports as readonly string[];
    if (files.length !== 2) throw new UsageError(`two reports are compared, not ${files.length}`);
    const [json, html] = [textOf(args, "json"), textOf(args, "html")];
    await checkDistinct(
      [
        { option: "--json", path: json },
        { option: "--html", path: html },
      ],
      files.map((path) => ({ option: "REPORTS", path })),
    );
    for (const path of [json, html]) if (path !== undefined) await checkWritable(path);
    const given = async (path: string) => ({ file: shown(path), report: await readReport(path) });
    const [a, b] = [await given(files[0]), await given(files[1])];
    const { comparisonHtml, comparisonJson, comparisonText, compareRuns } = await import("../../report/index.ts");
    const comparison = compareRuns(a, b, flagOf(args, "force"));
    if (json !== undefined) await writeOutput(json, comparisonJson(comparison), io);
    if (html !== undefined) await writeOutput(html, comparisonHtml(comparison), io);
    if (json === STANDARD_OUTPUT || html === STANDARD_OUTPUT) return;
    const page = { color: hasColor(io.stdout, io.env), width: pageWidth(io.stdout) };
    await write(io.stdout, comparisonText(comparison, page));
  },
};
