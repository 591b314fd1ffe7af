// Does a sweep through Redis give every point once, equal to the local one, when workers die and Redis goes away?
import { readFileSync, writeFileSync } from "node:fs";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Random } from "../../compiler/random.ts";
import { QUEUE } from "../../sweep/redis.ts";
import { temporaryFolder } from "../cli/harness.ts";
import { NO_REDIS, type RedisServer, startRedis } from "../support/redis.ts";
import { lineCount, NO_BUILD, pause, type Running, start, until } from "../support/sweep-process.ts";

const { path, remove } = temporaryFolder();

/** 40 programs, 6 rates of each. */
const SPACE = `name: t
settings: { network: tiny }
axes:
  agents: [1, 2, 3, 4, 5]
  array.rows: [4, 8, 16, 32]
  optimize: [0, 1]
  dram.bytesPerCycle: [1, 2, 3, 4, 6, 8]
`;
const POINTS = 240;
const PASSWORD = "open-sesame";
const whySkipped = NO_REDIS ?? NO_BUILD;

let redis: RedisServer;
const workers: Running[] = [];
const work = (concurrency = "1") => {
  const running = start(["worker", "--redis", redis.url, "--concurrency", concurrency, "--log-level", "info"], {
    RAPSIM_REDIS_PASSWORD: PASSWORD,
  });
  workers.push(running);
  return running;
};
const sweep = (folder: string, ...more: string[]) =>
  start(["sweep", path("space.yaml"), "-o", path(folder), "--log-level", "info", ...more], {
    RAPSIM_REDIS_PASSWORD: PASSWORD,
  });
const results = (folder: string) => readFileSync(path(`${folder}/results.jsonl`), "utf8");
const rows = (folder: string) => lineCount(path(`${folder}/results.jsonl`));

describe.skipIf(whySkipped !== null)(`through Redis${whySkipped === null ? "" : ` (skipped: ${whySkipped})`}`, () => {
  beforeAll(async () => {
    writeFileSync(path("space.yaml"), SPACE);
    redis = await startRedis(path("."), PASSWORD);
    expect((await sweep("local").ended).code).toBe(0);
    expect(rows("local")).toBe(POINTS);
  });
  afterEach(async () => {
    for (const { process } of workers) process.kill("SIGKILL");
    await Promise.all(workers.splice(0).map(({ ended }) => ended));
  });
  afterAll(async () => {
    await redis?.stop();
    remove();
  });

  test("3 workers: the rows of the local sweep, nothing left behind, no password in a log", async () => {
    const three = [work(), work(), work("2")];
    const { code, stderr } = await sweep("three", "--redis", redis.url).ended;
    expect(code).toBe(0);
    expect(results("three")).toBe(results("local"));
    const connection = new Redis(redis.url, { password: PASSWORD, maxRetriesPerRequest: null });
    const queue = new Queue(QUEUE, { connection });
    expect(Object.values(await queue.getJobCounts()).reduce((sum, n) => sum + n, 0)).toBe(0);
    await queue.close();
    connection.disconnect();
    // a worker that is told to stop ends in peace
    for (const { process } of three) process.kill("SIGTERM");
    const ended = await Promise.all(three.map((one) => one.ended));
    expect(ended.map((one) => one.code)).toEqual([0, 0, 0]);
    for (const said of [stderr, ...ended.map((one) => one.stderr)]) expect(said).not.toContain(PASSWORD);
  });

  test("two of three workers killed, Redis restarted in between: every point once, as in the local sweep", async () => {
    const random = new Random(7);
    const three = [work(), work(), work()];
    const running = sweep("rough", "--redis", redis.url);
    await until(() => rows("rough") > 20, "the first rows");
    await pause(random.uniform() * 200);
    three[0].process.kill("SIGKILL");
    await pause(random.uniform() * 200);
    await redis.restart("SIGTERM", 1500);
    const atRestart = rows("rough");
    await until(() => rows("rough") > atRestart, "rows after Redis is back");
    three[1].process.kill("SIGKILL");
    const { code, stderr } = await running.ended;
    expect([code, stderr]).toEqual([0, expect.stringContaining("Redis is back")]);
    expect(results("rough")).toBe(results("local"));
  });

  test("the sweep itself killed, then Redis with all it held since its last write: it goes on", async () => {
    work("2");
    const first = sweep("killed", "--redis", redis.url);
    await until(() => rows("killed") > 20, "the first rows");
    first.process.kill("SIGKILL");
    await first.ended;
    await redis.restart("SIGKILL", 100);
    expect((await sweep("killed", "--redis", redis.url, "--resume").ended).code).toBe(0);
    expect(results("killed")).toBe(results("local"));
  });

  test("a job that is no task is refused, and the worker works on", async () => {
    const connection = new Redis(redis.url, { password: PASSWORD, maxRetriesPerRequest: null });
    const queue = new Queue(QUEUE, { connection });
    await queue.add("task", { model: "/etc/passwd", code: "process.exit()" }, { jobId: "hostile" });
    work();
    const { code } = await sweep("after", "--redis", redis.url, "--limit", "16").ended;
    expect(code).toBe(0);
    const job = await queue.getJob("hostile");
    expect([await job!.getState(), job!.failedReason]).toEqual([
      "failed",
      expect.stringMatching(/^not a task of this version: model: /),
    ]);
    await queue.close();
    connection.disconnect();
  });
});
