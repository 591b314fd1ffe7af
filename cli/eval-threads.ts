/** Photographs spread over threads. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { RapError } from "../isa/errors.ts";
import { createDetector, type DetectorParts, type PhotoOutcome, type PhotoTask } from "./eval-detector.ts";
import type { WorkerReply } from "./eval-worker.ts";

/** Called for each photograph when it is through, in no certain order; the next one waits for it. */
export type OnOutcome = (index: number, outcome: PhotoOutcome) => Promise<void>;

/** Node 20 runs no TypeScript in threads: from the sources, as in tests, all work is done here. */
const isBuilt = import.meta.url.endsWith(".js");

/** Detects on all photographs. @throws RapError when a network cannot be run */
export async function detectAll(
  parts: DetectorParts,
  tasks: readonly PhotoTask[],
  threads: number,
  onOutcome: OnOutcome,
): Promise<void> {
  const count = Math.min(threads, tasks.length);
  if (count > 1 && isBuilt) return detectInThreads(parts, tasks, count, onOutcome);
  const detect = createDetector(parts);
  for (const [index, task] of tasks.entries()) {
    await onOutcome(index, await detect(task));
    // lets signals in
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function detectInThreads(
  parts: DetectorParts,
  tasks: readonly PhotoTask[],
  count: number,
  onOutcome: OnOutcome,
): Promise<void> {
  const queue = tasks.entries();
  const workers: Worker[] = [];
  try {
    const drain = async () => {
      const worker = new Worker(new URL("./eval-worker.js", import.meta.url), { workerData: parts });
      workers.push(worker);
      for (const [index, task] of queue) {
        worker.postMessage(task);
        // rejects with the thread's error when it fails
        const [reply] = (await once(worker, "message")) as [WorkerReply];
        if (reply.kind === "refused") throw new RapError(reply.message);
        await onOutcome(index, reply);
      }
    };
    await Promise.all(Array.from({ length: count }, drain));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_WORKER_OUT_OF_MEMORY") throw error;
    throw new RapError(`not enough memory for ${count} threads; give fewer with --threads`, { cause: error });
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
