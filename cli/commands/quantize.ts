/** `rapsim quantize`: a float network becomes integers, for every machine the same. */
import type { Command } from "../command.ts";
import { checkDistinct, checkWritable, STANDARD_OUTPUT, writeOutput } from "../files.ts";
import { write } from "../io.ts";
import { modelInputs, QUANTIZE_OPTIONS, quantizeChoices } from "../model-options.ts";
import { text, textOf } from "../options.ts";
import { defaultOutput } from "./compile.ts";

export const quantize: Command = {
  name: "quantize",
  describe: "Turn a float network into 8-bit integers",
  positional: {
    name: "model",
    required: true,
    describe: "an ONNX file (float), or a built-in network: squeezedet, squeezenet, tiny",
  },
  options: {
    output: text("file to write; - for standard output (default: the model's name with .rapq)", { alias: "o" }),
    ...QUANTIZE_OPTIONS,
  },
  examples: [["rapsim quantize net.onnx -o net.rapq --activations u8", "one more bit for activations after ReLU"]],
  async run(args, context) {
    const model = args.model as string;
    const output = textOf(args, "output") ?? defaultOutput(model, ".rapq");
    const choices = quantizeChoices(args);
    await checkDistinct([{ option: "--output", path: output }], modelInputs(model));
    await checkWritable(output);
    const { quantizeModel, rapqFile } = await import("../pipeline.ts");
    const quantized = await quantizeModel(model, choices, context);
    context.progress.stop();
    const file = await rapqFile(quantized);
    await writeOutput(output, file, context.io);
    if (output === STANDARD_OUTPUT) return;
    const { writtenModelText } = await import("../describe-model.ts");
    await write(context.io.stdout, writtenModelText(output, quantized, file.length));
  },
};
