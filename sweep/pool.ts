/** Threads that quantize and evaluate: tinypool hands each the next piece of work when it is free. */
import { once } from "node:events";
import { MessageChannel } from "node:worker_threads";
import { RapError } from "../isa/index.ts";
import { createEvaluator } from "./evaluate.ts";
import { type ModelRequest, quantizeInto } from "./models.ts";
import type { Outcome, Task } from "./task.ts";
import type { ThreadTask } from "./thread.ts";

export interface Pool {
  readonly threads: number;
  /** Writes a network's .rapq file. @throws RapError when it cannot be quantized */
  quantize(request: ModelRequest): Promise<void>;
  /** Evaluates a task; each point has its outcome before it returns. @param model the network's file */
  evaluate(task: Task, model: Uint8Array, onOutcome: (outcome: Outcome) => void): Promise<void>;
  close(): Promise<void>;
}

/** Node 20 runs no TypeScript in threads: from the sources, as in tests, all work is done here. */
const isBuilt = import.meta.url.endsWith(".js");

export async function createPool(threads: number): Promise<Pool> {
  return isBuilt ? threadPool(threads) : inProcess();
}

function inProcess(): Pool {
  const evaluator = createEvaluator();
  return {
    threads: 1,
    quantize: async (request) => quantizeInto(request),
    evaluate: evaluator.run,
    close: async () => {},
  };
}

async function threadPool(threads: number): Promise<Pool> {
  const { default: Tinypool } = await import("tinypool");
  const pool = new Tinypool({
    filename: new URL("./thread.js", import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    isolateWorkers: false,
  });
  return {
    threads,
    quantize: async (request) => {
      // its pictures are made when they are asked for; that cannot be sent
      if (request.calibration !== null) return quantizeInto(request);
      try {
        return await pool.run(request, { name: "quantize" });
      } catch (error) {
        // an error loses its class on the way between threads
        if ((error as Error).name === "RapError") throw new RapError((error as Error).message, { cause: error });
        throw error;
      }
    },
    evaluate: async (task, model, onOutcome) => {
      const { port1, port2 } = new MessageChannel();
      const unknown = new Set(task.points.map(({ index }) => index));
      port2.on("message", (outcome: Outcome | null) => {
        if (outcome === null) return port2.close();
        unknown.delete(outcome.index);
        onOutcome(outcome);
      });
      const closed = once(port2, "close");
      const message: ThreadTask = { task, model, port: port1 };
      try {
        await pool.run(message, { name: "evaluate", transferList: [port1] });
        await closed;
      } catch (error) {
        port2.close();
        if ((error as NodeJS.ErrnoException).code !== "ERR_WORKER_OUT_OF_MEMORY") throw error;
        for (const index of unknown) onOutcome({ index, figures: null, error: OUT_OF_MEMORY });
      }
    },
    close: () => pool.destroy(),
  };
}

const OUT_OF_MEMORY = "not enough memory for this point; take a smaller machine, or fewer workers";

/** A file's bytes in memory that threads share. */
export function shareable(file: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(file.length));
  shared.set(file);
  return shared;
}
