/** `rapsim eval`: average precision on a labelled data set, INT8 beside float. */
import { basename, join, resolve } from "node:path";
import { listNames, RapError } from "../../isa/errors.ts";
import type { HostSection, Program } from "../../isa/index.ts";
import type { EvaluationReport } from "../../report/eval-report.ts";
import type { Command, Context } from "../command.ts";
import type { Network, PhotoTask } from "../eval-detector.ts";
import type { FloatSource } from "../eval-float.ts";
import type { EvaluationStore } from "../eval-folder.ts";
import { checkEvalOutputs, EVAL_OPTIONS, type EvalOptions, evalOptions } from "../eval-options.ts";
import type { EvaluatedPhoto } from "../eval-summary.ts";
import { checkWritable, prepareFolder, STANDARD_OUTPUT, shown, writeOutput } from "../files.ts";
import { hasColor, pageWidth, write } from "../io.ts";

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
    const classes = await classesOf(program.host, options, float);
    const { sha256 } = await import("../../isa/index.ts");
    const programSha256 = sha256(file);

    const store = await openStore(program, programSha256, float, options, context);
    const networks: readonly Network[] = float === null ? ["int8"] : ["int8", "float"];
    const failures = await detectMissing(
      photos.map(({ name, image }) => ({ name, image })),
      networks,
      store,
      { program: file, place: options.program, float: float?.part ?? null, threshold: options.threshold },
      options,
      context,
    );
    const failed = new Set(failures.map(({ photo }) => photo));
    if (failed.size === photos.length) {
      throw new RapError(`none of ${photos.length} photographs could be evaluated; the first: ${failures[0].message}`);
    }

    const { readDetections, summarize } = await import("../eval-summary.ts");
    context.progress.stage("precision");
    const evaluated = photos
      .filter(({ name }) => !failed.has(name))
      .map((photo): EvaluatedPhoto => {
        const found: { [N in Network]?: ReturnType<typeof readDetections> } = {};
        for (const network of networks) {
          const place = join(options.output ?? "", network, "data", `${photo.name}.txt`);
          found[network] = readDetections(store.get(network, photo.name)!, place);
        }
        return { ...photo, found };
      });
    const { EVALUATION_SCHEMA } = await import("../../report/eval-report.ts");
    const { RAPSIM_VERSION } = await import("../../compiler/version.ts");
    const { name, host, provenance } = program;
    const report: EvaluationReport = {
      schema: EVALUATION_SCHEMA,
      rapsim: RAPSIM_VERSION,
      program: { name, sha256: programSha256, trained: host.trained, provenance },
      float: float && { name: float.name, sha256: float.sha256 },
      dataset: {
        folder: options.dataset,
        split: options.split ?? null,
        photos: photos.length,
        evaluated: evaluated.length,
      },
      threshold: options.threshold,
      ...summarize(evaluated, classes, options),
      failures,
      warnings: host.trained ? [] : ["The weights are not trained: these precisions mean nothing."],
    };
    await drawWorst(report, evaluated, options, context);
    context.progress.stop();
    await writeReport(report, options, context);
    if (failures.length > 0) {
      throw new RapError(
        `${failures.length} of ${photos.length} photographs could not be evaluated; the first: ${failures[0].message}`,
      );
    }
  },
};

/** The classes of KITTI that the networks find. @throws RapError when they find none, or not the same ones */
async function classesOf(
  { head, outputs }: HostSection,
  { program, float: path }: EvalOptions,
  float: FloatSource | null,
) {
  const { KITTI_CLASSES } = await import("../../host/evaluation/kitti-rules.ts");
  if (head?.kind !== "convdet" || !outputs.some(({ tensor }) => tensor === head.tensor)) {
    throw new RapError(`${shown(program)}: has no detection head; only detections can be compared with labels`);
  }
  const among = (names: readonly string[]) =>
    KITTI_CLASSES.filter(({ name }) => names.some((known) => known.toLowerCase() === name));
  const classes = among(head.classes);
  if (classes.length === 0) {
    throw new RapError(
      `${shown(program)}: finds ${listNames(head.classes.slice(0, 10))}; KITTI asks for ${listNames(KITTI_CLASSES.map(({ name }) => name))}`,
    );
  }
  const floatClasses = float === null ? classes : among(float.part.head.classes);
  if (floatClasses.length !== classes.length || floatClasses.some((one, i) => one !== classes[i])) {
    const names = (some: typeof classes) => listNames(some.map(({ name }) => name)) || "none of KITTI's classes";
    throw new RapError(
      `${shown(path ?? "")}: finds ${names(floatClasses)}, the program ${names(classes)}; give the same network in float`,
    );
  }
  return classes;
}

async function openStore(
  program: Program,
  programSha256: string,
  float: FloatSource | null,
  { output, dataset, threshold, resume }: EvalOptions,
  { io }: Context,
): Promise<EvaluationStore> {
  const { memoryStore, openEvaluationFolder } = await import("../eval-folder.ts");
  if (output === undefined) return memoryStore();
  const identity = {
    program: { name: program.name, sha256: programSha256 },
    float: float && { name: float.name, sha256: float.sha256 },
    dataset: resolve(dataset),
    threshold,
  };
  return openEvaluationFolder(output, identity, resume, io);
}

interface NamedPhoto {
  readonly name: string;
  readonly image: string;
}

/** Sends photographs through the networks that have not seen them. @returns those that cannot be read */
async function detectMissing(
  photos: readonly NamedPhoto[],
  networks: readonly Network[],
  store: EvaluationStore,
  parts: Parameters<typeof import("../eval-threads.ts").detectAll>[0],
  { threads, output }: EvalOptions,
  { io, log, progress }: Context,
): Promise<EvaluationReport["failures"]> {
  const missing = photos.flatMap(({ name, image }): (PhotoTask & NamedPhoto)[] => {
    const open = networks.filter((network) => store.get(network, name) === undefined);
    return open.length === 0 ? [] : [{ name, image, networks: open }];
  });
  let done = photos.length - missing.length;
  if (done > 0) log.info({ done, photos: photos.length }, "evaluation resumed");
  const failures: { photo: string; message: string }[] = [];
  const report = progress.stage("photos");
  report(done / photos.length);
  const interrupted = () => {
    progress.stop();
    if (output !== undefined)
      io.stderr.write(`interrupted; ${done} of ${photos.length} photographs are done: go on with --resume\n`);
    // after the other listeners, which remove unfinished files
    setImmediate(() => process.exit(130));
  };
  process.once("SIGINT", interrupted);
  try {
    const { detectAll } = await import("../eval-threads.ts");
    await detectAll(parts, missing, threads, async (index, outcome) => {
      const { name } = missing[index];
      if (outcome.kind === "failed") failures.push({ photo: name, message: outcome.message });
      else
        for (const network of networks) {
          const text = outcome.texts[network];
          if (text !== undefined) await store.save(network, name, text);
        }
      done++;
      log.info({ photo: name, outcome: outcome.kind }, "photograph evaluated");
      report(done / photos.length);
    });
  } finally {
    process.off("SIGINT", interrupted);
  }
  const order = new Map(photos.map(({ name }, i) => [name, i]));
  return failures.sort((a, b) => order.get(a.photo)! - order.get(b.photo)!);
}

async function drawWorst(
  { worst }: EvaluationReport,
  photos: readonly EvaluatedPhoto[],
  { worst: wanted, output }: EvalOptions,
  { io, progress }: Context,
): Promise<void> {
  if (wanted === 0 || output === undefined) return;
  const { readImage } = await import("../../host/index.ts");
  const { drawPair } = await import("../../host/evaluation/pair-picture.ts");
  const { ANSWER_SCORE } = await import("../../host/evaluation/agreement.ts");
  const folder = join(output, "worst");
  await prepareFolder(folder);
  const report = progress.stage("pictures");
  const drawn = worst.slice(0, wanted);
  for (const [i, { photo: name }] of drawn.entries()) {
    const { image, found } = photos.find((photo) => photo.name === name)!;
    const side = (network: Network, caption: string) => ({
      caption: `${caption} ${name}`,
      detections: (found[network] ?? []).filter(({ score }) => score > ANSWER_SCORE),
    });
    const picture = await drawPair(await readImage(image), [side("float", "float"), side("int8", "INT8")]);
    const rank = String(i + 1).padStart(String(drawn.length).length, "0");
    await writeOutput(join(folder, `${rank}-${basename(name)}.png`), picture, io);
    report((i + 1) / drawn.length);
  }
}

async function writeReport(report: EvaluationReport, { json, output }: EvalOptions, { io }: Context): Promise<void> {
  const { evaluationJson } = await import("../../report/eval-report.ts");
  if (json !== undefined) await writeOutput(json, evaluationJson(report), io);
  if (output !== undefined) {
    const { precisionRecallSvg } = await import("../../report/eval-curves.ts");
    await writeOutput(join(output, "evaluation.json"), evaluationJson(report), io);
    await writeOutput(join(output, "precision-recall.svg"), precisionRecallSvg(report), io);
  }
  if (json === STANDARD_OUTPUT) return;
  const { evaluationText } = await import("../../report/eval-text.ts");
  const { stdout, env } = io;
  await write(stdout, evaluationText(report, { color: hasColor(stdout, env), width: pageWidth(stdout) }));
}
