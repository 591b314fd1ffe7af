/** `rapsim report`: what `run --json` wrote, in the forms that people read. */
import type { Command } from "../command.ts";
import { checkDistinct, checkWritable, writeOutput } from "../files.ts";
import { hasColor, pageWidth, write } from "../io.ts";
import { text, textOf } from "../options.ts";
import { readReport } from "../read-report.ts";

export const report: Command = {
  name: "report",
  describe: "Show a run again from its JSON report: as a page, as tables, as text",
  positional: { name: "report", required: true, describe: "file that run --json wrote" },
  options: {
    output: text("page for a browser to write; - for standard output", { alias: "o" }),
    csv: text("write the layer table as CSV; - for standard output"),
    units: text("write busy and stall cycles of every unit as CSV; - for standard output"),
  },
  examples: [["rapsim report r.json -o report.html", "the page that run --html would have written"]],
  async run(args, { io }) {
    const path = args.report as string;
    const outputs = (["output", "csv", "units"] as const).map((name) => ({ name, path: textOf(args, name) }));
    await checkDistinct(
      outputs.map(({ name, path: to }) => ({ option: `--${name}`, path: to })),
      [{ option: "REPORT", path }],
    );
    for (const { path: to } of outputs) if (to !== undefined) await checkWritable(to);
    const given = await readReport(path);
    const { layersCsv, runHtml, textReport, unitsCsv } = await import("../../report/index.ts");
    const { picturesOf } = await import("../report-pictures.ts");
    const contents = {
      output: async () => runHtml(given, await picturesOf(given)),
      csv: async () => layersCsv(given),
      units: async () => unitsCsv(given),
    };
    for (const { name, path: to } of outputs) {
      if (to !== undefined) await writeOutput(to, await contents[name](), io);
    }
    if (outputs.some(({ path: to }) => to !== undefined)) return;
    await write(io.stdout, textReport(given, { color: hasColor(io.stdout, io.env), width: pageWidth(io.stdout) }));
  },
};
