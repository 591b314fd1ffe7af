/** `rapsim quantize`: a float network becomes integers, for every machine the same. */
import { UsageError } from "../../isa/errors.ts";
import type { Command } from "../command.ts";
import { checkDistinct, checkWritable, STANDARD_OUTPUT, writeOutput } from "../files.ts";
import { write } from "../io.ts";
import { modelInputs, QUANTIZE_OPTIONS, quantizeChoices } from "../model-options.ts";
import { type Arguments, text, textOf } from "../options.ts";
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
    report: {
      type: "string",
      describe:
        "what the integers cost, layer by layer: as text, or into a file ending in .json, .csv or .html; may be repeated",
    },
    float: text("of a .rapq file: the float network it was made of, for --report"),
    ...QUANTIZE_OPTIONS,
  },
  examples: [
    ["rapsim quantize net.onnx -o net.rapq --activations u8", "one more bit for activations after ReLU"],
    ["rapsim quantize net.onnx -o net.rapq --report net.html", "the error of every layer, with histograms"],
  ],
  async run(args, context) {
    const model = args.model as string;
    const report = reportChoice(args);
    const choices = quantizeChoices(args);
    const float = textOf(args, "float");
    if (float !== undefined && report === null) throw new UsageError("--float is for --report; add --report");
    const output = textOf(args, "output") ?? defaultOutput(model, ".rapq");
    if (output === STANDARD_OUTPUT && report?.length === 0) {
      throw new UsageError("--report and --output both write to standard output; give --report a file");
    }
    const files = (report ?? []).map((path) => ({ option: "--report", path }));
    // a quantized network that is only looked at is not written again
    const writesModel = !(float !== undefined && textOf(args, "output") === undefined);
    const outputs = writesModel ? [{ option: "--output", path: output }, ...files] : files;
    await checkDistinct(outputs, [...modelInputs(model), { option: "--float", path: float }]);
    for (const { path } of outputs) await checkWritable(path);
    const { quantizeModel, rapqFile } = await import("../pipeline.ts");
    if (report !== null) (await import("../quantize-report.ts")).checkReportFiles(report);
    const quantized = await quantizeModel(model, choices, context);
    const { quantizationReportOf, writeQuantizationReport } = await import("../quantize-report.ts");
    const found = report === null ? null : await quantizationReportOf(quantized, float ?? model, context);
    context.progress.stop();
    const file = await rapqFile(quantized);
    if (writesModel) await writeOutput(output, file, context.io);
    if (found !== null) await writeQuantizationReport(found, report ?? [], context);
    if (!writesModel || output === STANDARD_OUTPUT) return;
    const { writtenModelText } = await import("../describe-model.ts");
    await write(context.io.stdout, writtenModelText(output, quantized, file.length));
  },
};

/** The files of `--report`, none when it stands alone; null: no report is wanted. */
function reportChoice(args: Arguments): readonly string[] | null {
  const given = args.report;
  if (given === undefined) return null;
  return (Array.isArray(given) ? given.map(String) : [String(given)]).filter((file) => file !== "");
}
