/** `rapsim explain`: what the compiler decided, why, and how far it is from the bounds. */
import type { Command } from "../command.ts";
import { hasColor, pageWidth, write } from "../io.ts";
import { flag, flagOf } from "../options.ts";

export const explain: Command = {
  name: "explain",
  describe: "Say how a program is scheduled, what bounds each part, and what came second",
  positional: { name: "program", required: true, describe: "program file" },
  options: { json: flag("as JSON") },
  examples: [["rapsim explain squeezedet.bin", ""]],
  async run(args, context) {
    const { io } = context;
    const path = args.program as string;
    const { checked, openProgram } = await import("../pipeline.ts");
    const { program } = await openProgram(path, context);
    const ready = await checked(program, path);
    const { simulateTiming } = await import("../../sim/timing/index.ts");
    const { peakMacsPerCycle } = await import("../../isa/index.ts");
    const { explain: explained } = await import("../../report/explanation.ts");
    const explanation = explained(program, simulateTiming(ready), peakMacsPerCycle(program.machine));
    context.progress.stop();
    if (flagOf(args, "json")) return write(io.stdout, `${JSON.stringify(explanation, null, 2)}\n`);
    const { createPage } = await import("../../report/page.ts");
    const { explanationLines } = await import("../../report/explanation-text.ts");
    const page = createPage({ color: hasColor(io.stdout, io.env), width: pageWidth(io.stdout) });
    return write(io.stdout, `${explanationLines(page, explanation).join("\n")}\n`);
  },
};
