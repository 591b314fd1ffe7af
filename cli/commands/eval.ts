/** `rapsim eval`: average precision on a labelled data set, INT8 beside float. */
import { RapError } from "../../isa/errors.ts";
import type { Command } from "../command.ts";
import { drawValidationScenes, VALIDATION_SCENES } from "../drawn-scenes.ts";
import { checkEvalOutputs, EVAL_OPTIONS, evalOptions } from "../eval-options.ts";
import { checkWritable } from "../files.ts";
import { QUANTIZE_OPTIONS, quantizeChoices } from "../model-options.ts";
import { DEFAULT_NETWORK } from "../pipeline.ts";

export const evaluate: Command = {
  name: "eval",
  describe: "Measure average precision on labelled photographs, INT8 beside float",
  positional: {
    name: "program",
    required: false,
    describe:
      "program file, or a network to compile on the way: ONNX file, .rapq file, built-in name (default: the built-in squeezedet, beside itself in float)",
  },
  options: {
    ...EVAL_OPTIONS,
    dataset: {
      ...EVAL_OPTIONS.dataset,
      describe: `${EVAL_OPTIONS.dataset.describe} (default without a program: 500 generated scenes)`,
    },
    ...QUANTIZE_OPTIONS,
  },
  examples: [
    ["rapsim eval", "the built-in detector on 500 generated scenes, INT8 beside float"],
    ["rapsim eval net.rapq --dataset kitti/training --float net.onnx", "what the integers cost in precision"],
    [
      "rapsim eval net.bin --dataset kitti/training --split val.txt -o result --resume",
      "a long evaluation that may be interrupted",
    ],
  ],
  async run(args, context) {
    const place = (args.program as string | undefined) ?? DEFAULT_NETWORK;
    // with a program, a forgotten --dataset is told
    const defaults = args.program === undefined ? { dataset: VALIDATION_SCENES, float: DEFAULT_NETWORK } : {};
    const options = evalOptions(args, defaults);
    const choices = quantizeChoices(args);
    await checkEvalOutputs(place, options);
    if (options.json !== undefined) await checkWritable(options.json);
    if (options.dataset === VALIDATION_SCENES) await drawValidationScenes(context);
    const { readKittiFolder } = await import("../../host/evaluation/kitti-folder.ts");
    const photos = await readKittiFolder(options.dataset, options.split);
    const { loadFloat } = await import("../eval-float.ts");
    const float = options.float === undefined ? null : await loadFloat(options.float);
    const { openProgram } = await import("../pipeline.ts");
    const program = await openProgram(place, context, choices);
    const { evaluateProgram } = await import("../eval-program.ts");
    const { report, photos: evaluated } = await evaluateProgram(program, place, float, photos, options, context);
    const { drawWorst, writeEvaluation } = await import("../eval-outputs.ts");
    await drawWorst(report, evaluated, options, context);
    context.progress.stop();
    await writeEvaluation(report, options, context);
    const { failures } = report;
    if (failures.length > 0) {
      throw new RapError(
        `${failures.length} of ${photos.length} photographs could not be evaluated; the first: ${failures[0].message}`,
      );
    }
  },
};
