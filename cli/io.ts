/** What a command may touch of the process: two streams and the environment. Tests hand in their own. */
import { RapError } from "../isa/errors.ts";

export interface Output {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(chunk: string | Uint8Array, done?: (error?: Error | null) => void): boolean;
}

export interface Io {
  /** Results. */
  readonly stdout: Output;
  /** Logs, progress and errors. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The reader of a pipe went away: nothing is left to say, and nobody to say it to. */
export class ClosedPipe extends Error {}

export function write(output: Output, chunk: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(chunk, (error) => {
      if (error === undefined || error === null) return resolve();
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE" || code === "ERR_STREAM_DESTROYED") return reject(new ClosedPipe());
      const why = code === "ENOSPC" ? "no space left on the device" : error.message;
      reject(new RapError(`standard output: ${why}`, { cause: error }));
    });
  });
}

/** Colours: on a terminal, unless the user or the terminal asks for none (https://no-color.org). */
export function hasColor(output: Output, env: Io["env"]): boolean {
  return output.isTTY === true && (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb";
}

/** Lines longer than this are hard to read, however wide the terminal. */
const WIDEST = 100;

export function pageWidth(output: Output): number {
  return Math.min(WIDEST, (output.isTTY === true && output.columns) || WIDEST);
}
