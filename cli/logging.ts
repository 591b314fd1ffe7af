/** Logs on standard error: lines for people on a terminal, JSON lines with `--log-json` . */
import { createRequire } from "node:module";
import { Writable } from "node:stream";
import type { Logger } from "pino";
import { hasColor, type Io } from "./io.ts";

export const LOG_LEVELS = ["silent", "error", "warn", "info", "debug", "trace"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  readonly level: LogLevel;
  readonly json: boolean;
}

const METHODS = ["fatal", "error", "warn", "info"] as const;
export type Log = Pick<Logger, (typeof METHODS)[number]>;

const require = createRequire(import.meta.url);

/** pino is loaded with the first line that is written: most runs write none, and start the sooner. */
export function createLogger(options: LogOptions, io: Io): Log {
  const wanted = LOG_LEVELS.indexOf(options.level);
  let logger: Logger | undefined;
  const method = (name: (typeof METHODS)[number]) => {
    const rank = name === "fatal" ? LOG_LEVELS.indexOf("error") : LOG_LEVELS.indexOf(name);
    if (rank > wanted) return () => {};
    return (...line: [object | string, string?]) => {
      logger ??= pinoLogger(options, io);
      (logger[name] as (...line: unknown[]) => void)(...line);
    };
  };
  return Object.fromEntries(METHODS.map((name) => [name, method(name)])) as Log;
}

function pinoLogger({ level, json }: LogOptions, io: Io): Logger {
  const { pino } = require("pino") as typeof import("pino");
  const settings = { level, base: null };
  const sink = { write: (line: string) => void io.stderr.write(line) };
  if (json) return pino(settings, sink);
  const pretty = require("pino-pretty") as typeof import("pino-pretty");
  // in this process, not in pino's worker: no line is lost when the process ends
  const destination = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      sink.write(chunk.toString());
      done();
    },
  });
  const stream = pretty({
    colorize: hasColor(io.stderr, io.env),
    translateTime: "SYS:HH:MM:ss",
    singleLine: true,
    destination,
    sync: true,
  });
  return pino(settings, stream);
}
