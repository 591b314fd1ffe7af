/** What goes wrong: what the user reads of it, and the exit code. */
import { RapError, UsageError } from "../isa/errors.ts";
import { ClosedPipe } from "./io.ts";

export const EXIT = { done: 0, input: 1, usage: 2, bug: 70, interrupted: 130 } as const;

export interface Failure {
  readonly exitCode: number;
  /** Empty: say nothing. */
  readonly message: string;
}

/** @param command the one that failed, for the hint after a wrong use */
export function describeFailure(error: unknown, command: string | undefined): Failure {
  if (error instanceof ClosedPipe) return { exitCode: EXIT.done, message: "" };
  if (error instanceof UsageError) {
    const help = ["rapsim", ...(command === undefined ? [] : [command]), "--help"].join(" ");
    return { exitCode: error.exitCode, message: `${oneLine(error.message)}\nsee ${help}` };
  }
  if (error instanceof RapError) return { exitCode: error.exitCode, message: oneLine(error.message) };
  if (isOutOfMemory(error)) {
    return {
      exitCode: EXIT.input,
      message: `not enough memory (${(error as Error).message}); take a smaller machine or network, or give Node more`,
    };
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    exitCode: EXIT.bug,
    message: `${stack}\nThis is a bug in rapsim. Please report it with the command line and the lines above.`,
  };
}

const MAX_MESSAGE = 2000;

/** Messages quote files and arguments: nothing in them may steer the terminal or fill it. */
function oneLine(message: string): string {
  const line = message.replace(/\p{Cc}/gu, "?");
  return line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE)}...` : line;
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof RangeError && /allocat|out of memory/i.test(error.message);
}
