/** The other side of the queue: takes tasks, evaluates them on this machine's threads, and returns their outcomes. */
import { UnrecoverableError, Worker } from "bullmq";
import { type Pool, shareable } from "./pool.ts";
import { connectRedis, modelKey, type OnConnection, QUEUE, type RedisPlace } from "./redis.ts";
import { type Outcome, type Task, taskSchema } from "./task.ts";

export interface QueueWorkerOptions {
  readonly place: RedisPlace;
  readonly pool: Pool;
  readonly onConnection: OnConnection;
  /** A task is done, or why it is not. */
  readonly onTask: (points: number, error: string | null) => void;
}

/** A task that is not renewed for so long belongs to a worker that has died. */
const LOCK_MS = 15_000;
const STALLED_CHECK_MS = 5000;
/** A task that so many workers died of fails. */
const MOST_STALLED = 8;
const MOST_MODEL_BYTES = 2 ** 28;
const MOST_MODELS = 4;

/** Works until it is closed. @throws RapError when Redis cannot be reached at the start */
export async function createQueueWorker(options: QueueWorkerOptions): Promise<{ close(): Promise<void> }> {
  const { place, pool, onConnection, onTask } = options;
  const client = await connectRedis(place, onConnection);
  const models = new Map<string, Uint8Array>();
  async function modelOf(hash: string): Promise<Uint8Array> {
    const kept = models.get(hash);
    if (kept !== undefined) return kept;
    const bytes = await client.strlen(modelKey(hash));
    if (bytes > MOST_MODEL_BYTES)
      throw new UnrecoverableError(`network ${hash}: ${bytes} bytes; at most ${MOST_MODEL_BYTES}`);
    const file = await client.getBuffer(modelKey(hash));
    // the sweep puts it there again
    if (file === null) throw new Error(`network ${hash}: is not in Redis`);
    if (models.size >= MOST_MODELS) models.delete(models.keys().next().value!);
    const shared = shareable(file);
    models.set(hash, shared);
    return shared;
  }
  const worker = new Worker<unknown, Outcome[]>(
    QUEUE,
    async (job) => {
      const task = checkedTask(job.data);
      const outcomes: Outcome[] = [];
      await pool.evaluate(task, await modelOf(task.model), (outcome) => outcomes.push(outcome));
      return outcomes;
    },
    {
      connection: client,
      concurrency: pool.threads,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
      maxStalledCount: MOST_STALLED,
    },
  );
  worker.on("error", () => {});
  worker.on("completed", (_job, outcomes) => onTask(outcomes.length, null));
  worker.on("failed", (_job, error) => onTask(0, error.message));
  await worker.waitUntilReady();
  return {
    close: async () => {
      await worker.close();
      client.disconnect();
    },
  };
}

/** A job's data as a task. What is anything else is refused for good. */
export function checkedTask(data: unknown): Task {
  const parsed = taskSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw new UnrecoverableError(`not a task of this version: ${path.join(".") || "it"}: ${message}`);
}
