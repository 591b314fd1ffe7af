/** Photographs through the networks: what is missing is computed and kept at once, so that an interruption loses nothing. */
import type { EvaluationReport } from "../report/eval-report.ts";
import type { Context } from "./command.ts";
import { EXIT } from "./errors.ts";
import type { DetectorParts, Result } from "./eval-detector.ts";
import type { EvaluationStore } from "./eval-folder.ts";
import { detectAll } from "./eval-threads.ts";
import { exitTidily } from "./files.ts";

export interface NamedPhoto {
  readonly name: string;
  /** Path of the picture. */
  readonly image: string;
}

export interface DetectionPlan {
  readonly parts: DetectorParts;
  readonly results: readonly Result[];
  readonly threads: number;
  /** INT8's values depend on the photographs before: they go through one chip, from the first on. */
  readonly isOrdered: boolean;
  /** Detections outlive the process. */
  readonly isResumable: boolean;
}

/** What is still to be found of each photograph. */
function openTasks(photos: readonly NamedPhoto[], store: EvaluationStore, { results, isOrdered }: DetectionPlan) {
  const isOpen = (result: Result, { name }: NamedPhoto) => store.get(result, name) === undefined;
  // INT8's values are needed for its detections and for the head's error
  const startsOver =
    isOrdered && photos.some((photo) => results.some((result) => result !== "float" && isOpen(result, photo)));
  return photos
    .map((photo) => ({
      name: photo.name,
      image: photo.image,
      results: results.filter((result) => isOpen(result, photo) || (startsOver && result === "int8")),
    }))
    .filter((task) => task.results.length > 0);
}

/** Fills the store. @returns the photographs that cannot be read, in their order */
export async function detectMissing(
  photos: readonly NamedPhoto[],
  store: EvaluationStore,
  plan: DetectionPlan,
  { io, log, progress }: Context,
): Promise<EvaluationReport["failures"]> {
  const tasks = openTasks(photos, store, plan);
  let done = photos.length - tasks.length;
  if (done > 0) log.info({ done, photos: photos.length }, "evaluation resumed");
  const failures = new Map<string, string>();
  const report = progress.stage("photos");
  report(done / photos.length);
  const interrupted = () => {
    progress.stop();
    const next = plan.isResumable ? ": go on with --resume" : "; with -o they would be kept";
    io.stderr.write(`interrupted; ${done} of ${photos.length} photographs are done${next}\n`);
    exitTidily(EXIT.interrupted);
  };
  process.once("SIGINT", interrupted);
  try {
    await detectAll(plan.parts, tasks, plan.isOrdered ? 1 : plan.threads, async (index, outcome) => {
      const { name, results } = tasks[index];
      if (outcome.kind === "failed") failures.set(name, outcome.message);
      else for (const result of results) await store.save(result, name, outcome.texts[result]!);
      done++;
      log.info({ photo: name, outcome: outcome.kind }, "photograph evaluated");
      report(done / photos.length);
    });
  } finally {
    process.off("SIGINT", interrupted);
  }
  return photos.flatMap(({ name }) => {
    const message = failures.get(name);
    return message === undefined ? [] : [{ photo: name, message }];
  });
}
