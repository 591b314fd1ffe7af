/** The connection to Redis or Valkey, and what lies there. Passwords appear in no message. */
import { Redis } from "ioredis";
import { RAPSIM_VERSION } from "../compiler/version.ts";
import { RapError, UsageError } from "../isa/index.ts";

/** Workers of another version would give other numbers: they wait at another queue. */
export const QUEUE = `rapsim-${RAPSIM_VERSION}`;

/** Files of quantized networks, by hash. */
export const modelKey = (sha256: string) => `rapsim-model:${sha256}`;
export const MODEL_SECONDS = 7 * 24 * 3600;

interface Address {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  /** Certificates are checked against the host, by Node's authorities and those of NODE_EXTRA_CA_CERTS. */
  readonly tls?: Readonly<Record<string, never>>;
}

export interface RedisPlace {
  readonly options: Address;
  /** For messages: without user and password. */
  readonly shown: string;
}

const DEFAULT_PORT = 6379;

/** @param password taken where the URL has none. @throws UsageError that does not repeat the URL: it may hold a password */
export function redisPlace(url: string, password: string | undefined): RedisPlace {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new UsageError("--redis: not a URL; one has the form redis://host:port, or rediss://host:port for TLS");
  }
  const { protocol, hostname, port, username, pathname } = parsed;
  if ((protocol !== "redis:" && protocol !== "rediss:") || hostname === "") {
    throw new UsageError("--redis: must be redis://host:port, or rediss://host:port for TLS");
  }
  const database = pathname.replace(/^\//, "");
  if (!/^\d{0,4}$/.test(database))
    throw new UsageError("--redis: behind the host stands the number of a database, or nothing");
  const secret = parsed.password === "" ? password : decoded(parsed.password);
  const host = hostname.replace(/^\[|\]$/g, "");
  return {
    shown: `${protocol}//${hostname}:${port || DEFAULT_PORT}`,
    options: {
      host,
      port: Number(port || DEFAULT_PORT),
      db: Number(database || 0),
      ...(username === "" ? {} : { username: decoded(username) }),
      ...(secret === undefined ? {} : { password: secret }),
      ...(protocol === "rediss:" ? { tls: {} } : {}),
    },
  };
}

/** A part of a URL in plain characters. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new UsageError("--redis: in a user or password, % is written %25");
  }
}

/** What became of the connection, for logs. */
export type OnConnection = (state: "away" | "back", why: string) => void;

const LONGEST_PAUSE_MS = 2000;
const CONNECT_MS = 5000;

/** A connection that comes back by itself; until then commands wait. @throws RapError when Redis cannot be reached now */
export async function connectRedis(place: RedisPlace, onConnection: OnConnection): Promise<Redis> {
  await checkRedis(place);
  const { options } = place;
  const client = new Redis({
    ...options,
    // commands wait until Redis is back
    maxRetriesPerRequest: null,
    retryStrategy: (attempt) => Math.min(LONGEST_PAUSE_MS, 100 * attempt),
    // a server that is still reading its files counts as away
    reconnectOnError: (error) => error.message.startsWith("LOADING"),
  });
  let isAway = false;
  client.on("error", (error: Error) => {
    if (!isAway) onConnection("away", reasonOf(error, options));
    isAway = true;
  });
  client.on("ready", () => {
    if (isAway) onConnection("back", "");
    isAway = false;
  });
  return client;
}

/** @throws RapError when Redis cannot be reached now */
export async function checkRedis({ options, shown }: RedisPlace): Promise<void> {
  const client = new Redis({ ...options, lazyConnect: true, retryStrategy: () => null, connectTimeout: CONNECT_MS });
  let why: Error | undefined;
  client.on("error", (error: Error) => {
    why = error;
  });
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    const cause = why ?? (error as Error);
    throw new RapError(`${shown}: Redis cannot be used: ${reasonOf(cause, options)}`, { cause });
  } finally {
    client.disconnect();
  }
}

const UNTRUSTED =
  "its certificate is signed by no authority known here; NODE_EXTRA_CA_CERTS=FILE.pem in the environment adds the one that signed it";

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there; start redis-server, or give another address",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "no such host",
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  CERT_HAS_EXPIRED: "its certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host; give the host by a name that stands in it",
};

/** In words that name no password; else Redis' own. */
function reasonOf(error: Error, { tls }: Address): string {
  const { code } = error as NodeJS.ErrnoException;
  if (/^(NOAUTH|WRONGPASS)/.test(error.message)) {
    return "it asks for another password; give it in the URL or in RAPSIM_REDIS_PASSWORD";
  }
  if (code === "ETIMEDOUT") return `no answer${tls ? "; a server without TLS is redis://" : ""}`;
  if (code === "ECONNRESET") return `it hung up${tls ? "" : "; a server with TLS is rediss://"}`;
  return REASONS[code ?? ""] ?? code ?? error.message.split("\n")[0];
}
