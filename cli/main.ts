/** The process: its streams, its exit code, and what no command caught. */
import { main } from "./cli.ts";
import { describeFailure } from "./errors.ts";
import type { Output } from "./io.ts";

// A closed pipe shows in the callback of the write; without a listener the event would end the process with a stack.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});

// What no command caught is our bug, whichever way it came.
process.on("uncaughtException", (error) => {
  const { exitCode, message } = describeFailure(error, undefined);
  process.stderr.write(`${message}\n`);
  process.exit(exitCode);
});

export async function run(argv: readonly string[], stdout: Output = process.stdout): Promise<void> {
  process.exitCode = await main(argv, { stdout, stderr: process.stderr, env: process.env });
}
