/** `rapsim compile`: a network becomes a program for a machine. */
import { basename, extname } from "node:path";
import type { Command } from "../command.ts";
import { checkDistinct, checkWritable, STANDARD_OUTPUT, writeOutput } from "../files.ts";
import { write } from "../io.ts";
import {
  loweringChoices,
  MACHINE_OPTIONS,
  machineChoice,
  modelInputs,
  QUANTIZE_OPTIONS,
  quantizeChoices,
} from "../model-options.ts";
import { text, textOf } from "../options.ts";

const MODEL_TEXT = "an ONNX file (float), a .rapq file, or a built-in network: squeezedet, squeezenet, tiny";

/** `nets/squeezedet.onnx` -> `squeezedet.bin`, in the working directory */
export function defaultOutput(model: string, extension: string): string {
  return basename(model, extname(model)) + extension;
}

export const compile: Command = {
  name: "compile",
  describe: "Compile a network for a machine",
  positional: { name: "model", required: true, describe: MODEL_TEXT },
  options: {
    output: text("program file to write; - for standard output (default: the model's name with .bin)", { alias: "o" }),
    ...MACHINE_OPTIONS,
    ...QUANTIZE_OPTIONS,
  },
  examples: [
    ["rapsim compile squeezedet -o squeezedet.bin", "the built-in SqueezeDet for the default machine"],
    ["rapsim compile net.onnx --set agents=8 --set sram.bytes=131072", "a network of one's own for a smaller machine"],
  ],
  async run(args, context) {
    const model = args.model as string;
    const output = textOf(args, "output") ?? defaultOutput(model, ".bin");
    const choices = { ...quantizeChoices(args), ...loweringChoices(args) };
    const machine = await machineChoice(args);
    await checkDistinct(
      [{ option: "--output", path: output }],
      [...modelInputs(model), { option: "--machine", path: textOf(args, "machine") }],
    );
    await checkWritable(output);
    const { compileProgram } = await import("../pipeline.ts");
    const compiled = await compileProgram(model, { machine, ...choices }, context);
    context.progress.stop();
    await writeOutput(output, compiled.file, context.io);
    if (output === STANDARD_OUTPUT) return;
    const { writtenProgramText } = await import("../describe-program.ts");
    await write(context.io.stdout, writtenProgramText(output, compiled));
  },
};
