/** `rapsim eval`: average precision on a labelled data set, INT8 beside float. */
import { resolve } from "node:path";
import { listNames, RapError } from "../../isa/errors.ts";
import type { HostSection } from "../../isa/index.ts";
import type { EvaluationReport } from "../../report/eval-report.ts";
import type { Command } from "../command.ts";
import type { Network } from "../eval-detector.ts";
import type { FloatSource } from "../eval-float.ts";
import { checkEvalOutputs, EVAL_OPTIONS, evalOptions } from "../eval-options.ts";
import { checkWritable, shown } from "../files.ts";

export const evaluate: Command = {
  name: "eval",
  describe: "Measure average precision on labelled photographs, INT8 beside float",
  positional: {
    name: "program",
    required: true,
    describe: "program file, or a network to compile on the way: ONNX file, .rapq file, built-in name",
  },
  options: EVAL_OPTIONS,
  examples: [
    ["rapsim eval net.rapq --dataset kitti/training --float net.onnx", "what the integers cost in precision"],
    [
      "rapsim eval net.bin --dataset kitti/training --split val.txt -o result --resume",
      "a long evaluation that may be interrupted",
    ],
  ],
  async run(args, context) {
    const options = evalOptions(args);
    await checkEvalOutputs(options);
    if (options.json !== undefined) await checkWritable(options.json);
    const { readKittiFolder } = await import("../../host/evaluation/kitti-folder.ts");
    const photos = await readKittiFolder(options.dataset, options.split);
    const float =
      options.float === undefined ? null : await (await import("../eval-float.ts")).loadFloat(options.float);
    const { openProgram } = await import("../pipeline.ts");
    const { program, file } = await openProgram(options.program, context);
    const { name, host, provenance } = program;
    const classes = await classesOf(host, options.program, float);
    const { sha256 } = await import("../../isa/index.ts");
    const sources = {
      program: { name, sha256: sha256(file) },
      float: float && { name: float.name, sha256: float.sha256 },
    };

    const { memoryStore, openEvaluationFolder } = await import("../eval-folder.ts");
    const { output, threshold } = options;
    const identity = { ...sources, dataset: resolve(options.dataset), threshold };
    const store =
      output === undefined ? memoryStore() : await openEvaluationFolder(output, identity, options.resume, context.io);
    const { detectMissing } = await import("../eval-photos.ts");
    const networks: readonly Network[] = float === null ? ["int8"] : ["int8", "float"];
    const failures = await detectMissing(
      photos,
      store,
      {
        parts: { program: file, place: options.program, float: float?.part ?? null, threshold },
        networks,
        threads: options.threads,
        isOrdered: provenance.options.scaling === "delayed",
        isResumable: output !== undefined,
      },
      context,
    );
    const failed = new Set(failures.map(({ photo }) => photo));
    if (failed.size === photos.length) {
      throw new RapError(`none of ${photos.length} photographs could be evaluated; the first: ${failures[0].message}`);
    }

    const { readFound, summarize } = await import("../eval-summary.ts");
    const evaluated = photos
      .filter((photo) => !failed.has(photo.name))
      .map((photo) => ({ ...photo, found: readFound(photo.name, networks, store) }));
    context.progress.stage("precision");
    const { EVALUATION_SCHEMA } = await import("../../report/eval-report.ts");
    const { RAPSIM_VERSION } = await import("../../compiler/version.ts");
    const { dataset: folder, split = null } = options;
    const report: EvaluationReport = {
      schema: EVALUATION_SCHEMA,
      rapsim: RAPSIM_VERSION,
      program: { ...sources.program, trained: host.trained, provenance },
      float: sources.float,
      dataset: { folder, split, photos: photos.length, evaluated: evaluated.length },
      threshold,
      ...summarize(evaluated, classes, options),
      failures,
      warnings: host.trained ? [] : ["The weights are not trained: these precisions mean nothing."],
    };
    const { drawWorst, writeEvaluation } = await import("../eval-outputs.ts");
    await drawWorst(report, evaluated, options, context);
    context.progress.stop();
    await writeEvaluation(report, options, context);
    if (failures.length > 0) {
      throw new RapError(
        `${failures.length} of ${photos.length} photographs could not be evaluated; the first: ${failures[0].message}`,
      );
    }
  },
};

/** The classes of KITTI that both networks find. @throws RapError when they find none, or not the same ones */
async function classesOf({ head, outputs }: HostSection, place: string, float: FloatSource | null) {
  const { KITTI_CLASSES } = await import("../../host/evaluation/kitti-rules.ts");
  if (head?.kind !== "convdet" || !outputs.some(({ tensor }) => tensor === head.tensor)) {
    throw new RapError(`${shown(place)}: has no detection head; only detections can be compared with labels`);
  }
  const among = (known: readonly string[]) =>
    KITTI_CLASSES.filter(({ name }) => known.some((other) => other.toLowerCase() === name));
  const named = (classes: readonly { readonly name: string }[]) => listNames(classes.map(({ name }) => name));
  const classes = among(head.classes);
  if (classes.length === 0) {
    const some = listNames(head.classes.slice(0, MOST_NAMED));
    throw new RapError(`${shown(place)}: finds ${some}; KITTI's labels are of ${named(KITTI_CLASSES)}`);
  }
  if (float !== null && named(among(float.part.head.classes)) !== named(classes)) {
    const found = named(among(float.part.head.classes)) || "none of KITTI's classes";
    throw new RapError(
      `${shown(float.part.path)}: finds ${found}, the program ${named(classes)}; give the same network in float`,
    );
  }
  return classes;
}

/** Class names in a message. */
const MOST_NAMED = 10;
