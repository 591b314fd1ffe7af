// A redis-server of a test's own, on a free port, that keeps an append-only file.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";

const SERVER = process.env.RAPSIM_REDIS_SERVER ?? "redis-server";
const isThere = spawnSync(SERVER, ["--version"]).status === 0;
// set where it must be there (.ci/run): then its absence is an error
if (!isThere && process.env.RAPSIM_REDIS_SERVER !== undefined) throw new Error(`${SERVER} is not installed`);

/** Why tests that need Redis are skipped; null: it is there. */
export const NO_REDIS = isThere ? null : "no redis-server: apt-get install -y redis-server";

export interface RedisServer {
  readonly url: string;
  /** Ends it, as an operator would or at once, and starts it again on its files after a pause. */
  restart(signal: "SIGTERM" | "SIGKILL", pauseMs: number): Promise<void>;
  stop(): Promise<void>;
}

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

export async function startRedis(folder: string, password: string): Promise<RedisServer> {
  const port = await freePort();
  const settings = {
    port: String(port),
    bind: "127.0.0.1",
    dir: folder,
    appendonly: "yes",
    requirepass: password,
    "maxmemory-policy": "noeviction",
  };
  const argv = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value]);
  const begin = () =>
    new Promise<ChildProcess>((resolve, reject) => {
      const server = spawn(SERVER, argv, { stdio: ["ignore", "pipe", "inherit"] });
      server.on("error", reject);
      server.stdout.on("data", (text: Buffer) => {
        if (text.toString().includes("Ready to accept connections")) resolve(server);
      });
    });
  const end = (server: ChildProcess, signal: "SIGTERM" | "SIGKILL") =>
    new Promise<void>((resolve) => {
      server.on("close", () => resolve());
      server.kill(signal);
    });
  let server = await begin();
  return {
    url: `redis://127.0.0.1:${port}`,
    restart: async (signal, pauseMs) => {
      await end(server, signal);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      server = await begin();
    },
    stop: () => end(server, "SIGKILL"),
  };
}
