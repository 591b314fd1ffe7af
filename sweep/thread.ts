/** What a thread of the pool runs. */
import type { MessagePort } from "node:worker_threads";
import { createEvaluator } from "./evaluate.ts";
import { quantizeInto } from "./models.ts";
import type { Task } from "./task.ts";

export interface ThreadTask {
  readonly task: Task;
  /** The network's file, in memory that threads share. */
  readonly model: Uint8Array;
  /** Outcomes go this way, one by one; null behind the last. */
  readonly port: MessagePort;
}

const evaluator = createEvaluator();

export async function evaluate({ task, model, port }: ThreadTask): Promise<void> {
  try {
    await evaluator.run(task, model, (outcome) => port.postMessage(outcome));
  } finally {
    port.postMessage(null);
    port.close();
  }
}

export const quantize = quantizeInto;
