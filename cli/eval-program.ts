/** One program over a data set: what `rapsim eval` does once, and `rapsim tradeoff` for every row of its table. */
import { resolve } from "node:path";
import { RAPSIM_VERSION } from "../compiler/version.ts";
import { sameLayout } from "../host/evaluation/head-error.ts";
import type { KittiPhoto } from "../host/evaluation/kitti-folder.ts";
import { KITTI_CLASSES } from "../host/evaluation/kitti-rules.ts";
import { type HostSection, listNames, RapError, sha256 } from "../isa/index.ts";
import { EVALUATION_SCHEMA, type EvaluationReport } from "../report/eval-report.ts";
import type { Context } from "./command.ts";
import { NETWORKS, type Network, RESULTS, type Result } from "./eval-detector.ts";
import type { FloatSource } from "./eval-float.ts";
import { type EvaluationStore, memoryStore, withEvaluationFolder } from "./eval-folder.ts";
import type { EvalOptions } from "./eval-options.ts";
import { detectMissing } from "./eval-photos.ts";
import { type EvaluatedPhoto, readFound, readHeadError, summarize } from "./eval-summary.ts";
import { shown } from "./files.ts";
import type { ProgramFile } from "./pipeline.ts";

export interface Evaluation {
  readonly report: EvaluationReport;
  readonly photos: readonly EvaluatedPhoto[];
}

/** @param place of the program, named in messages. @throws RapError when nothing can be evaluated */
export async function evaluateProgram(
  { program, file }: ProgramFile,
  place: string,
  float: FloatSource | null,
  photos: readonly KittiPhoto[],
  options: EvalOptions,
  context: Context,
): Promise<Evaluation> {
  const { name, host, provenance } = program;
  const classes = classesOf(host, place, float);
  const sources = {
    program: { name, sha256: sha256(file) },
    float: float && { name: float.name, sha256: float.sha256 },
  };
  const { output, threshold, dataset: folder, split = null } = options;
  const identity = { ...sources, dataset: resolve(folder), threshold };
  const results = resultsOf(host, float);
  const plan = {
    parts: { program: file, place, float: float?.part ?? null, threshold },
    results,
    threads: options.threads,
    isOrdered: provenance.options.scaling === "delayed",
    isResumable: output !== undefined,
  };
  const detect = async (store: EvaluationStore) => ({
    store,
    failures: await detectMissing(photos, store, plan, context),
  });
  const { store, failures } = await (output === undefined
    ? detect(memoryStore())
    : withEvaluationFolder(output, identity, options.resume, context.io, detect));
  const failed = new Set(failures.map(({ photo }) => photo));
  if (failed.size === photos.length) {
    throw new RapError(`none of ${photos.length} photographs could be evaluated; the first: ${failures[0].message}`);
  }
  const networks: readonly Network[] = NETWORKS.filter((network) => results.includes(network));
  const evaluated = photos
    .filter((photo) => !failed.has(photo.name))
    .map((photo) => ({
      ...photo,
      found: readFound(photo.name, networks, store),
      headError: results.includes("head") ? readHeadError(photo.name, store) : null,
    }));
  context.progress.stage("precision");
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
  return { report, photos: evaluated };
}

/** What is to be found of each photograph; heads are compared only where they hold the same things. */
function resultsOf({ head }: HostSection, float: FloatSource | null): readonly Result[] {
  if (float === null) return ["int8"];
  const comparable = head?.kind === "convdet" && sameLayout(head, float.part.head);
  return RESULTS.filter((result) => result !== "head" || comparable);
}

/** The classes of KITTI that both networks find. @throws RapError when they find none, or not the same ones */
function classesOf({ head, outputs }: HostSection, place: string, float: FloatSource | null) {
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
