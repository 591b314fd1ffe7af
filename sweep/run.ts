/** A sweep from space to rows: samples or searches, quantizes, evaluates what has no row yet, and puts the rows in order. */
import { createModelSet, type ModelSetOptions } from "./model-set.ts";
import type { BadPoint, Point } from "./point.ts";
import type { Pool } from "./pool.ts";
import type { ResultFile, Row } from "./results.ts";
import { samplePoints } from "./sampling.ts";
import { searchPoints } from "./search.ts";
import type { Space } from "./space.ts";
import { type Outcome, type Task, tasksOf } from "./task.ts";

/** Evaluates tasks, here or elsewhere. Every point has its outcome, in no certain order, before it returns. */
export type RunTasks = (
  tasks: readonly Task[],
  /** Files of quantized networks by hash. */
  models: ReadonlyMap<string, Uint8Array>,
  onOutcome: (outcome: Outcome) => void,
) => Promise<void>;

export interface SweepOptions extends ModelSetOptions {
  readonly results: ResultFile;
  readonly runTasks: RunTasks;
  readonly limit: number | undefined;
  readonly onProgress: (progress: SweepProgress) => void;
}

export interface SweepProgress {
  /** Points with a row. */
  readonly done: number;
  /** Points known so far: a search makes more as it goes. */
  readonly total: number;
  readonly failed: number;
}

/** Evaluates every point of a space that has no row. @returns all rows, in order */
export async function runSweep(space: Space, options: SweepOptions): Promise<readonly Row[]> {
  const { results, limit } = options;
  const evaluate = createEvaluation(space, options);
  if (space.sampling.method === "search") await searchPoints(space, space.sampling, evaluate);
  else await evaluate(samplePoints(space, limit));
  return results.sort();
}

/** Evaluates tasks on the threads of a pool. */
export const runOn =
  (pool: Pool): RunTasks =>
  async (tasks, models, onOutcome) => {
    const queue = tasks.values();
    const drain = async () => {
      for (const task of queue) await pool.evaluate(task, models.get(task.model)!, onOutcome);
    };
    await Promise.all(Array.from({ length: pool.threads }, drain));
  };

/** Points in, their rows out; what has a row is not evaluated again. */
export type Evaluate = (points: readonly (Point | BadPoint)[]) => Promise<readonly Row[]>;

function createEvaluation(space: Space, { results, runTasks, onProgress, ...options }: SweepOptions): Evaluate {
  const models = createModelSet(space, options);
  let total = 0;
  let failed = [...results.rows.values()].filter(({ error }) => error !== null).length;
  const add = (row: Row) => {
    if (row.error !== null && !results.rows.has(row.index)) failed++;
    results.add(row);
    onProgress({ done: results.rows.size, total, failed });
  };
  return async (points) => {
    total += points.length;
    const byIndex = new Map<number, Point>();
    for (const point of points) {
      if (results.rows.has(point.index)) continue;
      const { index, settings } = point;
      const error = "error" in point ? point.error : (await models.of(point)).error;
      if (error === null) byIndex.set(index, point as Point);
      else add({ index, settings, figures: null, error });
    }
    const tasks = tasksOf([...byIndex.values()], (point) => models.known(point).sha256, space);
    await runTasks(tasks, models.files, ({ index, figures, error }) => {
      const point = byIndex.get(index)!;
      const { meanAp } = models.known(point);
      add({ index, settings: point.settings, figures: figures && { ...figures, meanAp }, error });
    });
    return points.map(({ index }) => results.rows.get(index)!);
  };
}
