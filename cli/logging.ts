/** Logs on standard error: lines for people on a terminal, JSON lines with `--log-json` . */
import { Writable } from "node:stream";
import type { Logger } from "pino";
import { hasColor, type Io } from "./io.ts";

export const LOG_LEVELS = ["silent", "error", "warn", "info", "debug", "trace"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  readonly level: LogLevel;
  readonly json: boolean;
}

/** pino is loaded here: `--help` and `--version` do without. */
export async function createLogger({ level, json }: LogOptions, io: Io): Promise<Logger> {
  const { pino } = await import("pino");
  const settings = { level, base: null };
  const sink = { write: (line: string) => void io.stderr.write(line) };
  if (json) return pino(settings, sink);
  const { default: pretty } = await import("pino-pretty");
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
