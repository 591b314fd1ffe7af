/**
 * Tasks through a queue: BullMQ on Redis. A task is a job whose id is made from its content, so adding it again changes
 * nothing. Jobs are looked after until each has given its outcomes: one that Redis lost is added again, one that its
 * worker left is handed to another by BullMQ.
 */
import { Queue, QueueEvents } from "bullmq";
import { z } from "zod";
import { sha256 } from "../isa/index.ts";
import { connectRedis, MODEL_SECONDS, modelKey, type OnConnection, QUEUE, type RedisPlace } from "./redis.ts";
import type { RunTasks } from "./run.ts";
import { type Outcome, outcomeSchema, type Task } from "./task.ts";

export interface QueueRunner {
  readonly runTasks: RunTasks;
  close(): Promise<void>;
}

/** How often jobs are asked after, besides what events say. */
const CHECK_MS = 3000;
const ADD_AT_ONCE = 200;
/** A fault that may pass, such as a network that is not there yet, is tried again. */
const ATTEMPTS = { attempts: 8, backoff: { type: "fixed", delay: 1000 } } as const;
const KEEP = { removeOnComplete: { age: MODEL_SECONDS }, removeOnFail: { age: MODEL_SECONDS } } as const;

/** @param run tells this sweep's jobs from those of others. @throws RapError when Redis cannot be reached */
export async function createQueueRunner(
  place: RedisPlace,
  run: string,
  onConnection: OnConnection,
): Promise<QueueRunner> {
  const client = await connectRedis(place, onConnection);
  const listener = await connectRedis(place, () => {});
  const queue = new Queue<Task, Outcome[]>(QUEUE, { connection: client });
  const events = new QueueEvents(QUEUE, { connection: listener });
  // both say it again when Redis is away; onConnection has said it
  queue.on("error", () => {});
  events.on("error", () => {});

  const runTasks: RunTasks = async (tasks, models, onOutcome) => {
    const open = new Map(
      tasks.map((task) => [`${run}-${sha256(Buffer.from(JSON.stringify(task))).slice(0, 32)}`, task]),
    );
    const add = async (ids: readonly string[]) => {
      for (let i = 0; i < ids.length; i += ADD_AT_ONCE) {
        const jobs = ids.slice(i, i + ADD_AT_ONCE).map((jobId) => ({
          name: "task",
          data: open.get(jobId)!,
          opts: { jobId, ...ATTEMPTS, ...KEEP },
        }));
        await queue.addBulk(jobs);
      }
    };
    const collect = async (id: string): Promise<void> => {
      const task = open.get(id);
      if (task === undefined) return;
      const state = await queue.getJobState(id);
      if (state === "unknown" && open.has(id)) return add([id]);
      if (state !== "completed" && state !== "failed") return;
      // read after the state is known: what was read before may lack the answer
      const job = await queue.getJob(id);
      // gone: another call collected it meanwhile, or the next check adds it again
      if (!job || !open.has(id)) return;
      open.delete(id);
      const outcomes = state === "completed" ? outcomesOf(task, job.returnvalue) : null;
      for (const outcome of outcomes ?? failureOf(task, job.failedReason)) onOutcome(outcome);
      await job.remove();
    };
    const { promise: done, resolve, reject } = settleable();
    const finish = (id: string) => {
      collect(id).then(() => open.size === 0 && resolve(), reject);
    };
    const onEvent = ({ jobId }: { jobId: string }) => {
      if (open.has(jobId)) finish(jobId);
    };
    events.on("completed", onEvent);
    events.on("failed", onEvent);
    let checking = false;
    const check = async () => {
      if (checking) return;
      checking = true;
      await putModels(models);
      for (const id of [...open.keys()]) await collect(id);
      checking = false;
      if (open.size === 0) resolve();
    };
    const timer = setInterval(() => check().catch(reject), CHECK_MS);
    try {
      await removeOthers(open);
      await putModels(models);
      await add([...open.keys()]);
      if (open.size > 0) await done;
    } finally {
      clearInterval(timer);
      events.off("completed", onEvent);
      events.off("failed", onEvent);
    }
  };

  async function putModels(models: ReadonlyMap<string, Uint8Array>): Promise<void> {
    for (const [hash, file] of models) {
      if ((await client.expire(modelKey(hash), MODEL_SECONDS)) === 0) {
        await client.set(modelKey(hash), Buffer.from(file), "EX", MODEL_SECONDS);
      }
    }
  }

  /** Jobs of this sweep, from before it was interrupted, that hold points which have their rows by now. */
  async function removeOthers(open: ReadonlyMap<string, Task>): Promise<void> {
    const jobs = await queue.getJobs(["waiting", "delayed", "completed", "failed"]);
    for (const job of jobs) {
      if (job?.id?.startsWith(`${run}-`) && !open.has(job.id)) await job.remove().catch(() => {});
    }
  }

  return {
    runTasks,
    close: async () => {
      await events.close();
      await queue.close();
      client.disconnect();
      listener.disconnect();
    },
  };
}

function settleable() {
  let resolve!: () => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** What a worker sent, if it is what a worker sends: one outcome for each point. */
function outcomesOf(task: Task, sent: unknown): readonly Outcome[] | null {
  const parsed = z.array(outcomeSchema).safeParse(sent);
  if (!parsed.success) return null;
  const wanted = task.points.map(({ index }) => index).join();
  return parsed.data.map(({ index }) => index).join() === wanted ? parsed.data : null;
}

const MOST_CHARACTERS = 2000;

function failureOf(task: Task, reason: string | undefined): Outcome[] {
  const why = reason?.includes("stalled")
    ? "the workers that took this point ended before it was done, again and again; it may need more memory than they have"
    : (reason ?? "the worker's answer is not one of this version");
  return task.points.map(({ index }) => ({ index, figures: null, error: why.slice(0, MOST_CHARACTERS) }));
}
