/** Making folders, with one refusal wherever rapsim does it. */
import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { RapError, systemReason } from "./errors.ts";

/**
 * Makes a folder unless it is there, and those above it. One after the other: Node's own recursive mkdir never returns
 * where the system says that a folder above is missing although it is there, as in /proc (Node 20.20).
 * @throws RapError naming the first folder that could not be made
 */
export function makeFolder(path: string): void {
  const fail = (rule: string, cause?: unknown): never => {
    throw new RapError(`${path}: ${rule}; give another folder`, { cause });
  };
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory()) return;
    if (found !== undefined) fail("is not a folder");
    const above = dirname(path);
    if (above !== path) makeFolder(above);
    mkdirSync(path);
  } catch (error) {
    if (error instanceof RapError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    // another process or thread was quicker
    if (code === "EEXIST" && statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    const rule = code === "ENOENT" ? `nothing can be made in ${dirname(path)}` : systemReason(error);
    fail(`cannot be made: ${rule}`, error);
  }
}
