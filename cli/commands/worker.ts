/** `rapsim worker`: evaluates points of sweeps that were put into a queue. */
import { availableParallelism } from "node:os";
import { UsageError } from "../../isa/errors.ts";
import type { Command } from "../command.ts";
import { numberOf, text, textOf } from "../options.ts";

const MOST_THREADS = 1024;

export const worker: Command = {
  name: "worker",
  describe: "Evaluate points for sweeps that use the same Redis, until it is stopped",
  options: {
    redis: text(
      "where the queue is: redis://host:port, or rediss:// for TLS; a password also in RAPSIM_REDIS_PASSWORD",
    ),
    concurrency: text("points evaluated at a time (default: one for each core)"),
  },
  examples: [["rapsim worker --redis redis://10.0.0.1:6379 --concurrency 8", "on as many machines as there are"]],
  async run(args, { io, log }) {
    const url = textOf(args, "redis");
    if (url === undefined)
      throw new UsageError("--redis: where the queue is, is needed: add --redis redis://host:port");
    const threads = numberOf(args, "concurrency", { min: 1, max: MOST_THREADS, whole: true }) ?? availableParallelism();
    const { redisPlace } = await import("../../sweep/redis.ts");
    const { createPool } = await import("../../sweep/pool.ts");
    const { createQueueWorker } = await import("../../sweep/queue-worker.ts");
    const { logConnection } = await import("../sweep-run.ts");
    const place = redisPlace(url, io.env.RAPSIM_REDIS_PASSWORD);
    const pool = await createPool(threads);
    try {
      const queue = await createQueueWorker({
        place,
        pool,
        onConnection: logConnection(place.shown, log),
        onTask: (points, error) =>
          error === null ? log.info({ points }, "evaluated") : log.warn({ error }, "a task was not evaluated"),
      });
      log.info({ redis: place.shown, concurrency: threads }, "waiting for points");
      await untilSignal();
      log.info("finishing what was begun");
      await queue.close();
    } finally {
      await pool.close();
    }
  },
};

/** The first signal lets tasks that were begun end; the next one ends the process. */
function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}
