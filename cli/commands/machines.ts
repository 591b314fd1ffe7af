/** `rapsim machines`: the presets, and a machine as a file to start one's own from. */
import { listNames, UsageError } from "../../isa/errors.ts";
import type { Command } from "../command.ts";
import { write } from "../io.ts";
import { text, textOf } from "../options.ts";

export const machines: Command = {
  name: "machines",
  describe: "List the machine presets, or show one as a file",
  options: { show: text("print the machine file of this preset, comments and all; a start for one's own") },
  examples: [["rapsim machines --show rap-e > mine.yaml", "a machine file to edit"]],
  async run(args, { io }) {
    const { machineFile, machineList } = await import("../describe-machine.ts");
    const show = textOf(args, "show");
    const { presetNames } = await import("../../isa/presets.ts");
    if (show !== undefined && !presetNames().includes(show)) {
      throw new UsageError(`--show: '${show}' is not one of ${listNames(presetNames())}`);
    }
    if (show !== undefined) return write(io.stdout, machineFile(show));
    return write(io.stdout, machineList(presetNames(), io));
  },
};
