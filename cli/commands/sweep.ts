/** `rapsim sweep`: many machines, programs and formats, each evaluated once. */
import { UsageError } from "../../isa/errors.ts";
import type { Command } from "../command.ts";
import { checkDistinct, readInput } from "../files.ts";
import { textOf } from "../options.ts";
import { SWEEP_OPTIONS, sweepOptions } from "../sweep-options.ts";

const MOST_BYTES = 2 ** 20;

export const sweep: Command = {
  name: "sweep",
  describe: "Evaluate a space of machines, compiler options and number formats",
  positional: { name: "space", required: true, describe: "search space, a YAML file" },
  options: SWEEP_OPTIONS,
  examples: [
    ["rapsim sweep space.yaml -o result", "all points, on all cores; result/report.html shows them"],
    ["rapsim sweep space.yaml -o result --resume", "go on where it was interrupted"],
    ["rapsim sweep space.yaml -o result --best", "besides, the machines on the front as files"],
    ["rapsim sweep space.yaml -o result --redis redis://host", "on the machines that run rapsim worker"],
  ],
  async run(args, context) {
    const path = args.space as string;
    const options = sweepOptions(args);
    await checkDistinct([{ option: "--output", path: options.output }], [{ option: "SPACE", path }]);
    const text = Buffer.from(await readInput(path, "a search space", MOST_BYTES)).toString("utf8");
    const { parseSpace } = await import("../../sweep/index.ts");
    const space = parseSpace(text, path);
    if (space.sampling.method === "search" && textOf(args, "limit") !== undefined) {
      throw new UsageError("--limit has no effect on a search; its file says population and generations");
    }
    const { sweepInto } = await import("../sweep-run.ts");
    await sweepInto(space, text, options, context);
  },
};
