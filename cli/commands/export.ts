/** `rapsim export`: a quantized network for other runtimes, with the same integers. */
import { UsageError } from "../../isa/errors.ts";
import type { Command } from "../command.ts";
import { checkDistinct, checkWritable, STANDARD_OUTPUT, writeOutput } from "../files.ts";
import { write } from "../io.ts";
import { QUANTIZE_OPTIONS, quantizeChoices } from "../model-options.ts";
import { text, textOf } from "../options.ts";

export const exportModel: Command = {
  name: "export",
  describe: "Write a network in integers as an ONNX model",
  positional: {
    name: "model",
    required: true,
    describe: "a .rapq file, an ONNX file, or a built-in network: squeezedet, squeezenet, tiny",
  },
  options: {
    onnx: text("ONNX file to write, of integer operators that compute the same integers; - for standard output"),
    ...QUANTIZE_OPTIONS,
  },
  examples: [["rapsim export net.rapq --onnx net-int8.onnx", "the same integers in onnxruntime"]],
  async run(args, context) {
    const model = args.model as string;
    const output = textOf(args, "onnx");
    if (output === undefined) throw new UsageError("--onnx: missing; name the file to write: --onnx out.onnx");
    const choices = quantizeChoices(args);
    await checkDistinct([{ option: "--onnx", path: output }], [{ option: "MODEL", path: model }]);
    await checkWritable(output);
    const { quantizeModel } = await import("../pipeline.ts");
    const quantized = await quantizeModel(model, choices, context);
    context.progress.stop();
    const { exportOnnx } = await import("../../compiler/index.ts");
    const file = exportOnnx(quantized);
    await writeOutput(output, file, context.io);
    if (output === STANDARD_OUTPUT) return;
    const { writtenModelText } = await import("../describe-model.ts");
    await write(context.io.stdout, writtenModelText(output, quantized, file.length));
  },
};
