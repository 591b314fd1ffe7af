// Sweeps as processes of their own, so that they can be killed. They run the build in dist/.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../../dist/bin/rapsim.js", import.meta.url));

/** Why tests of processes are skipped; null: there is a build. */
export const NO_BUILD = existsSync(bin) ? null : "npm run build makes dist/";

export interface Running {
  readonly process: ChildProcess;
  /** Exit code, null after a signal, and what was said on standard error. */
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>;
}

export function start(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const child = spawn(process.execPath, [bin, ...argv], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...env },
  });
  const chunks: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    child.on("close", (code) => resolve({ code, stderr: Buffer.concat(chunks).toString() }));
  });
  return { process: child, ended };
}

export const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits until something is so. @throws Error after ten minutes */
export async function until(isSo: () => boolean, what: string): Promise<void> {
  for (let waited = 0; !isSo(); waited += 50) {
    if (waited > 600_000) throw new Error(`waited ten minutes for ${what}`);
    await pause(50);
  }
}

/** Whole lines of a file; 0 when it is not there. */
export const lineCount = (path: string) => (existsSync(path) ? readFileSync(path, "utf8").split("\n").length - 1 : 0);
