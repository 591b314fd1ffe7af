/** `rapsim disasm`: a program as text that `rapsim asm` reads. */
import type { Command } from "../command.ts";
import { checkKind } from "../file-kind.ts";
import { checkDistinct, checkWritable, readInput, STANDARD_OUTPUT, writeOutput } from "../files.ts";
import { text, textOf } from "../options.ts";

export const disasm: Command = {
  name: "disasm",
  describe: "Print a program as assembly text",
  positional: { name: "program", required: true, describe: "program file" },
  options: { output: text("file to write (default: standard output)", { alias: "o" }) },
  examples: [["rapsim disasm squeezedet.bin | less", ""]],
  async run(args, { io }) {
    const path = args.program as string;
    const output = textOf(args, "output") ?? STANDARD_OUTPUT;
    await checkDistinct([{ option: "--output", path: output }], [{ option: "PROGRAM", path }]);
    await checkWritable(output);
    await checkKind(path, "program");
    const file = await readInput(path, "a program");
    const { disassembly } = await import("../pipeline.ts");
    await writeOutput(output, await disassembly(file, path), io);
  },
};
