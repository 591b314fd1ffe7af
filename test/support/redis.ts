// A redis-server of a test's own, on a free port, that keeps an append-only file.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";

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

const OPENSSL = "openssl";

/** Why tests of TLS are skipped; null: certificates can be made. Debian's Redis speaks TLS. */
export const NO_TLS =
  NO_REDIS ?? (spawnSync(OPENSSL, ["version"]).status === 0 ? null : "no openssl: apt-get install -y openssl");

/** Files of a certificate. */
export interface Certificate {
  readonly key: string;
  readonly certificate: string;
}

function openssl(argv: readonly string[]): void {
  const { status, stderr } = spawnSync(OPENSSL, argv, { encoding: "utf8" });
  if (status !== 0) throw new Error(`openssl ${argv[0]}: ${stderr}`);
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** An authority that signs itself, in two files of a folder. */
export function makeAuthority(folder: string, name: string): Certificate {
  const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  openssl(["req", "-x509", ...NEW_KEY, "-days", "2", "-subj", `/CN=${name}`, "-keyout", key, "-out", certificate]);
  return { key, certificate };
}

/** A certificate for 127.0.0.1 that an authority signed. */
export function makeCertificate(folder: string, name: string, authority: Certificate): Certificate {
  const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  const request = join(folder, `${name}.csr`);
  const alternative = ["-addext", "subjectAltName=IP:127.0.0.1"];
  openssl(["req", ...NEW_KEY, "-subj", `/CN=${name}`, ...alternative, "-keyout", key, "-out", request]);
  const signed = ["-CA", authority.certificate, "-CAkey", authority.key, "-days", "2", "-copy_extensions", "copy"];
  openssl(["x509", "-req", "-in", request, ...signed, "-out", certificate]);
  return { key, certificate };
}

/** @param tls certificate of a server that speaks TLS only */
export async function startRedis(folder: string, password: string, tls?: Certificate): Promise<RedisServer> {
  const port = await freePort();
  const ports =
    tls === undefined
      ? { port: String(port) }
      : {
          port: "0",
          "tls-port": String(port),
          "tls-cert-file": tls.certificate,
          "tls-key-file": tls.key,
          "tls-ca-cert-file": tls.certificate,
          "tls-auth-clients": "no",
        };
  const settings = {
    ...ports,
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
      server.on("close", (code) => reject(new Error(`${SERVER} ended at its start with ${code}`)));
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
    url: `${tls === undefined ? "redis" : "rediss"}://127.0.0.1:${port}`,
    restart: async (signal, pauseMs) => {
      await end(server, signal);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      server = await begin();
    },
    stop: () => end(server, "SIGKILL"),
  };
}
