/** What `rapsim sweep` does: evaluates into a folder, then writes its tables and pages. */
import { RapError } from "../isa/errors.ts";
import { bestOf, createPool, openResults, runOn, runSweep, type Space } from "../sweep/index.ts";
import type { OnConnection, RedisPlace } from "../sweep/redis.ts";
import type { Context } from "./command.ts";
import { prepareFolder } from "./files.ts";
import { whileLocked } from "./folder-lock.ts";
import { openSweepFolder } from "./sweep-folder.ts";
import type { SweepChoices } from "./sweep-options.ts";
import { writeBest, writeSweep } from "./sweep-outputs.ts";
import { calibrationOf, precisionMeasure } from "./sweep-precision.ts";
import { createSweepProgress } from "./sweep-progress.ts";

export async function sweepInto(space: Space, text: string, options: SweepChoices, context: Context): Promise<void> {
  const { output, redis } = options;
  const place = redis === undefined ? null : await redisPlaceOf(redis, context);
  await prepareFolder(output);
  await whileLocked(output, "rapsim sweep", context.io, () => sweepAt(place, space, text, options, context));
}

async function sweepAt(
  place: RedisPlace | null,
  space: Space,
  text: string,
  options: SweepChoices,
  context: Context,
): Promise<void> {
  const { workers, limit, best } = options;
  const calibration = await calibrationOf(space, context);
  const folder = await openSweepFolder(options, space, text, calibration, context);
  const precisionOf = await precisionMeasure(space, folder.path("precision"), workers, context);
  const queue = place === null ? null : await openQueue(place, folder.run, context);
  const results = openResults(folder.path("results.jsonl"));
  const pool = await createPool(workers);
  const progress = createSweepProgress(context, results.rows.size);
  try {
    const rows = await runSweep(space, {
      results,
      pool,
      runTasks: queue?.runTasks ?? runOn(pool),
      limit,
      modelFolder: folder.path("models"),
      calibration,
      precisionOf,
      onModel: (choice) => context.log.info(choice, "quantizing"),
      onProgress: progress.report,
    });
    progress.stop();
    const front = bestOf(space, rows);
    await writeSweep(space, rows, front, folder, context);
    if (best) await writeBest(space, rows, front, folder, context);
    const failed = rows.filter(({ error }) => error !== null);
    if (failed.length === rows.length) {
      throw new RapError(`none of ${rows.length} points could be evaluated; the first: ${failed[0].error}`);
    }
  } finally {
    progress.stop();
    results.close();
    await queue?.close();
    await pool.close();
  }
}

// BullMQ and its client are loaded for those who use them
async function redisPlaceOf(url: string, { io }: Context): Promise<RedisPlace> {
  const { checkRedis, redisPlace } = await import("../sweep/redis.ts");
  const place = redisPlace(url, io.env.RAPSIM_REDIS_PASSWORD);
  // before there is a folder: what is refused here has begun no sweep
  await checkRedis(place);
  return place;
}

async function openQueue(place: RedisPlace, run: string, { log }: Context) {
  const { createQueueRunner } = await import("../sweep/queue-runner.ts");
  return createQueueRunner(place, run, logConnection(place.shown, log));
}

/** Says when Redis is away, and when it is back. */
export const logConnection =
  (shown: string, log: Context["log"]): OnConnection =>
  (state, why) => {
    if (state === "away") log.warn({ redis: shown, why }, "Redis is away; waiting for it");
    else log.warn({ redis: shown }, "Redis is back");
  };
