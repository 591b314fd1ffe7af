/** `rapsim asm`: assembly text becomes a program. */
import type { Command } from "../command.ts";
import { checkKind } from "../file-kind.ts";
import { checkDistinct, checkWritable, readInput, STANDARD_OUTPUT, writeOutput } from "../files.ts";
import { write } from "../io.ts";
import { text, textOf } from "../options.ts";
import { defaultOutput } from "./compile.ts";

const MAX_ASSEMBLY_BYTES = 2 ** 28;

export const asm: Command = {
  name: "asm",
  describe: "Assemble a program from text",
  positional: { name: "source", required: true, describe: "assembly file" },
  options: { output: text("program file to write (default: the source's name with .bin)", { alias: "o" }) },
  examples: [["rapsim asm hand.s -o hand.bin && rapsim run hand.bin", "run a program written by hand"]],
  async run(args, { io }) {
    const path = args.source as string;
    const output = textOf(args, "output") ?? defaultOutput(path, ".bin");
    await checkDistinct([{ option: "--output", path: output }], [{ option: "SOURCE", path }]);
    await checkWritable(output);
    await checkKind(path, "assembly text");
    const source = await readInput(path, "an assembly file", MAX_ASSEMBLY_BYTES);
    const { assembled } = await import("../pipeline.ts");
    const compiled = await assembled(source, path);
    await writeOutput(output, compiled.file, io);
    if (output === STANDARD_OUTPUT) return;
    const { writtenProgramText } = await import("../describe-program.ts");
    await write(io.stdout, writtenProgramText(output, compiled));
  },
};
