/** `rapsim tradeoff`: every quantization setting beside what it finds and what it costs. */
import { resolve } from "node:path";
import type { TradeoffReport } from "../../report/tradeoff-report.ts";
import type { Command, Context } from "../command.ts";
import { checkDistinct, checkWritable, STANDARD_OUTPUT, writeOutput } from "../files.ts";
import { hasColor, pageWidth, write } from "../io.ts";
import { loweringChoices, machineChoice, modelInputs } from "../model-options.ts";
import { type Arguments, textOf } from "../options.ts";
import { TRADEOFF_OPTIONS, type TradeoffOptions, tradeoffOptions } from "../tradeoff-options.ts";

export const tradeoff: Command = {
  name: "tradeoff",
  describe: "Tabulate precision, cycles, traffic and energy of every way to quantize a network",
  positional: { name: "model", required: true, describe: "a float ONNX file with a detection head" },
  options: TRADEOFF_OPTIONS,
  examples: [
    ["rapsim tradeoff net.onnx --dataset kitti/training -o table", "all rows; a long run that may be interrupted"],
    ["rapsim tradeoff net.onnx --dataset kitti/training --activations u8 --csv table.csv", "only rows with u8"],
  ],
  async run(args, context) {
    const model = args.model as string;
    const options = tradeoffOptions(args);
    const { evaluation, csv, rows, common } = options;
    const { measures, ...others } = common;
    const machine = await machineChoice(args);
    const lowering = loweringChoices(args);
    await checkOutputs(model, options, args);
    const { readKittiFolder } = await import("../../host/evaluation/kitti-folder.ts");
    const photos = await readKittiFolder(evaluation.dataset, evaluation.split);
    const { loadFloat } = await import("../eval-float.ts");
    const float = await loadFloat(model);
    const { machineSha256 } = await import("../../isa/index.ts");
    const { RAPSIM_VERSION } = await import("../../compiler/version.ts");
    const { describeWeights } = await import("../../compiler/quantize/measure-weights.ts");
    const { TRADEOFF_SCHEMA } = await import("../../report/tradeoff-report.ts");
    const { dataset: folder, split = null, threshold, points, ignoreSmall, output } = evaluation;
    const identity = {
      schema: TRADEOFF_SCHEMA as typeof TRADEOFF_SCHEMA,
      rapsim: RAPSIM_VERSION,
      model: { name: float.name, sha256: float.sha256 },
      machine: { name: machine.name, sha256: machineSha256(machine) },
      dataset: { folder: resolve(folder), split: split && resolve(split), photos: photos.length },
      threshold,
      points,
      smallDetections: ignoreSmall ? ("ignored" as const) : ("counted" as const),
      options: {
        ...lowering,
        ...others,
        ...(measures === undefined ? {} : { measures: describeWeights(measures) }),
      },
    };
    const { computeRow, NO_STORE, openRowFolder } = await import("../tradeoff-rows.ts");
    const store = output === undefined ? NO_STORE : await openRowFolder(output, identity, evaluation.resume, context);
    const { compileProgram } = await import("../pipeline.ts");
    const { evaluateProgram } = await import("../eval-program.ts");
    const results = [];
    for (const [i, { name, settings, choices }] of rows.entries()) {
      const kept = await store.read(name);
      if (kept !== null) {
        results.push(kept);
        continue;
      }
      const within = { ...context, progress: labelled(context.progress, `${i + 1}/${rows.length}`) };
      const compiled = await compileProgram(model, { machine, ...lowering, ...choices }, within);
      const rowOptions = { ...evaluation, output: store.folderOf(name), resume: true };
      const result = await computeRow(settings, compiled, machine, (program) =>
        evaluateProgram(program, model, float, photos, rowOptions, within),
      );
      await store.save(name, result);
      context.log.info({ row: name, rows: rows.length }, "row done");
      results.push(result);
    }
    context.progress.stop();
    const report: TradeoffReport = { ...identity, float: results[0].float, rows: results.map(({ row }) => row) };
    await writeTable(report, evaluation.json, csv, context);
  },
};

/** The bar says which row it is at. */
function labelled(progress: Context["progress"], label: string): Context["progress"] {
  return { ...progress, stage: (name) => progress.stage(`${label} ${name}`) };
}

async function checkOutputs(model: string, { evaluation: { json, split }, csv }: TradeoffOptions, args: Arguments) {
  await checkDistinct(
    [
      { option: "--json", path: json },
      { option: "--csv", path: csv },
    ],
    [...modelInputs(model), { option: "--split", path: split }, { option: "--machine", path: textOf(args, "machine") }],
  );
  for (const path of [json, csv]) if (path !== undefined) await checkWritable(path);
}

async function writeTable(
  report: TradeoffReport,
  json: string | undefined,
  csv: string | undefined,
  { io }: Context,
): Promise<void> {
  const { tradeoffCsv, tradeoffJson } = await import("../../report/tradeoff-report.ts");
  if (json !== undefined) await writeOutput(json, tradeoffJson(report), io);
  if (csv !== undefined) await writeOutput(csv, tradeoffCsv(report), io);
  if (json === STANDARD_OUTPUT || csv === STANDARD_OUTPUT) return;
  const { tradeoffText } = await import("../../report/tradeoff-text.ts");
  const { stdout, env } = io;
  await write(stdout, tradeoffText(report, { color: hasColor(stdout, env), width: pageWidth(stdout) }));
}
