// Does a sweep go through a Redis that speaks TLS, is a server that nobody vouches for refused, and is no secret ever told?
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../cli/harness.ts";
import {
  type Certificate,
  makeAuthority,
  makeCertificate,
  NO_TLS,
  type RedisServer,
  startRedis,
} from "../support/redis.ts";
import { NO_BUILD, start } from "../support/sweep-process.ts";

const { path, remove } = temporaryFolder();

const SPACE = `name: t
settings: { network: tiny }
axes:
  agents: [1, 2, 3]
  dram.bytesPerCycle: [2, 4]
`;
/** Has a character that is escaped in a URL. */
const PASSWORD = "open/sesame";
const ESCAPED = encodeURIComponent(PASSWORD);
const whySkipped = NO_TLS ?? NO_BUILD;

let redis: RedisServer;
let [trusted, other]: Certificate[] = [];
const withUser = (url = redis.url) => url.replace("//", `//default:${ESCAPED}@`);
const trust = ({ certificate }: Certificate) => ({ NODE_EXTRA_CA_CERTS: certificate });
const sweep = (folder: string, url: string, env: Readonly<Record<string, string>>) =>
  start(["sweep", path("space.yaml"), "-o", path(folder), "--redis", url, "--log-level", "trace"], env).ended;

describe.skipIf(whySkipped !== null)(`through TLS${whySkipped === null ? "" : ` (skipped: ${whySkipped})`}`, () => {
  beforeAll(async () => {
    writeFileSync(path("space.yaml"), SPACE);
    [trusted, other] = ["authority", "stranger"].map((name) => makeAuthority(path("."), name));
    mkdirSync(path("redis"));
    redis = await startRedis(path("redis"), PASSWORD, makeCertificate(path("."), "server", trusted));
  });
  afterAll(async () => {
    await redis?.stop();
    remove();
  });

  test("the rows of the local sweep; user and password in the URL or the environment, and in no log or file", async () => {
    expect((await start(["sweep", path("space.yaml"), "-o", path("local")]).ended).code).toBe(0);
    const worker = start(["worker", "--redis", redis.url, "--concurrency", "1", "--log-level", "trace"], {
      ...trust(trusted),
      RAPSIM_REDIS_PASSWORD: PASSWORD,
    });
    const swept = await sweep("tls", withUser(), trust(trusted));
    worker.process.kill("SIGTERM");
    const worked = await worker.ended;
    expect([swept, worked.code]).toEqual([{ code: 0, stderr: expect.any(String) }, 0]);
    const files = readdirSync(path("tls"), { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
    const texts = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), "latin1"));
    expect(texts.length).toBeGreaterThan(4);
    for (const text of [swept.stderr, worked.stderr, ...texts]) {
      for (const secret of [PASSWORD, ESCAPED]) expect(text.includes(secret)).toBe(false);
    }
    // nothing but log lines: no warning of Node's
    for (const line of [...swept.stderr.trim().split("\n"), ...worked.stderr.trim().split("\n")]) {
      expect(line).toMatch(/^(\[[\d:]+\] (INFO|WARN): .*)?$/);
    }
    expect(readFileSync(path("tls/results.jsonl"), "utf8")).toBe(readFileSync(path("local/results.jsonl"), "utf8"));
  });

  const refused = "Redis cannot be used: ";
  test.each([
    ["an authority that did not sign", () => [withUser(), trust(other)], "its certificate is signed by no authority"],
    [
      "no authority",
      () => [withUser(), {}],
      "its certificate is signed by no authority known here; NODE_EXTRA_CA_CERTS=",
    ],
    [
      "another host",
      () => [withUser().replace("127.0.0.1", "localhost"), trust(trusted)],
      "its certificate is for another host",
    ],
    ["another password", () => [withUser().replace(ESCAPED, "hush"), trust(trusted)], "it asks for another password"],
    ["no TLS", () => [withUser().replace("rediss:", "redis:"), {}], "it hung up; a server with TLS is rediss://"],
  ] as const)("%s: one clear message", async (_name, given, message) => {
    const [url, env] = given() as [string, Record<string, string>];
    const { code, stderr } = await sweep("refused", url, env);
    const shown = url.replace(/default:.*@/, "");
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(`${shown}: ${refused}${message}`) });
    expect(stderr.split("\n")).toHaveLength(2);
    for (const secret of [PASSWORD, ESCAPED, "hush"]) expect(stderr).not.toContain(secret);
  });
});
