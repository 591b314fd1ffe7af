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
  readonly tls?: { readonly servername: string };
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
      ...(protocol === "rediss:" ? { tls: { servername: host } } : {}),
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
export async function connectRedis({ options, shown }: RedisPlace, onConnection: OnConnection): Promise<Redis> {
  await probe(options, shown);
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
    if (!isAway) onConnection("away", reasonOf(error));
    isAway = true;
  });
  client.on("ready", () => {
    if (isAway) onConnection("back", "");
    isAway = false;
  });
  return client;
}

async function probe(options: Address, shown: string): Promise<void> {
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
    throw new RapError(`${shown}: Redis cannot be used: ${reasonOf(cause)}`, { cause });
  } finally {
    client.disconnect();
  }
}

/** Redis' own words, which name no password. */
function reasonOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ECONNREFUSED") return "nothing listens there; start redis-server, or give another address";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "no such host";
  if (code === "ETIMEDOUT") return "no answer";
  if (/^(NOAUTH|WRONGPASS)/.test(error.message)) {
    return "it asks for another password; give it in the URL or in RAPSIM_REDIS_PASSWORD";
  }
  return code ?? error.message.split("\n")[0];
}
