/** Files: read with a clear refusal, written whole or not at all. */
import { access, chmod, constants, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { RapError, systemReason, UsageError } from "../isa/errors.ts";
import { makeFolder } from "../isa/folder.ts";
import { type Io, write } from "./io.ts";

/** Stands for standard output where a file is to be written. */
export const STANDARD_OUTPUT = "-";

/** An error of the operating system as one that the user can mend; anything else is passed on. */
export function refuse(path: string, doing: string, error: unknown): never {
  const { code } = error as NodeJS.ErrnoException;
  if (!(error instanceof Error) || code === undefined || error instanceof RapError) throw error;
  throw new RapError(`${shown(path)}: cannot be ${doing}: ${systemReason(error)}`, { cause: error });
}

/** A path as part of one line. */
export function shown(path: string): string {
  return path.replace(/\p{Cc}/gu, "?");
}

async function statOrNull(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

export async function fileExists(path: string): Promise<boolean> {
  return (await statOrNull(path).catch(() => null)) !== null;
}

/** Programs and networks beyond this are refused before they are read. */
const MAX_INPUT_BYTES = 2 ** 30;

/** A whole file. @param what named in messages: "a program" @throws RapError */
export async function readInput(path: string, what: string, maxBytes = MAX_INPUT_BYTES): Promise<Uint8Array> {
  try {
    const info = await stat(path);
    if (info.isDirectory()) throw new RapError(`${shown(path)}: is a folder; ${what} is needed`);
    if (info.size > maxBytes) {
      throw new RapError(`${shown(path)}: ${info.size} bytes; ${what} has at most ${maxBytes}`);
    }
    return await readFile(path);
  } catch (error) {
    return refuse(path, "read", error);
  }
}

/** The first bytes of a file, by which its kind is known. @throws RapError */
export async function readStart(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(START_BYTES), 0, START_BYTES, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    return refuse(path, "read", error);
  }
}

const START_BYTES = 16;

/** Temporary files that exist, or are about to. */
let unfinished = 0;
/** Aborted, with the exit code, when the process is to end: no file is begun any more, those under way are removed. */
const ending = new AbortController();
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
let serial = 0;

const never = () => new Promise<never>(() => {});

/** Ends the process once nothing half-written is left: an unfinished file cannot be removed while it is being opened. */
export function exitTidily(exitCode: number): void {
  if (!ending.signal.aborted) ending.abort(exitCode);
  if (unfinished === 0) process.exit(exitCode);
}

const onSignal = (signal: NodeJS.Signals) => exitTidily(SIGNALS[signal as keyof typeof SIGNALS]);

/** Works on a temporary file beside `path`. When the work fails or is interrupted, the file goes. */
async function withTemporary(path: string, work: (temporary: string) => Promise<void>): Promise<void> {
  if (ending.signal.aborted) return never();
  const temporary = `${path}.${process.pid}.${serial++}.tmp`;
  // Handlers stand only while there is something to remove: without them a signal ends long computations at once.
  if (unfinished++ === 0) for (const signal of Object.keys(SIGNALS)) process.on(signal, onSignal);
  try {
    await work(temporary);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    // a signal that has come is lost when its handler goes before it was called
    await nextTurn();
    if (--unfinished === 0) for (const signal of Object.keys(SIGNALS)) process.off(signal, onSignal);
    if (ending.signal.aborted) await (unfinished === 0 ? process.exit(ending.signal.reason) : never());
  }
}

/** Where a link leads, so that the link stays; in its folder's true place when nothing is there yet. */
async function target(path: string): Promise<string> {
  return realpath(path).catch(async () => {
    const folder = await realpath(dirname(path)).catch(() => resolve(dirname(path)));
    return join(folder, basename(path));
  });
}

/** Devices and pipes are written to as they are; only regular files are replaced. */
async function isSpecial(path: string): Promise<boolean> {
  const info = await statOrNull(path);
  return info !== null && !info.isFile() && !info.isDirectory();
}

/** Refuses a path that could not be written, before long work is done for it. @throws RapError */
export async function checkWritable(path: string): Promise<void> {
  if (path === STANDARD_OUTPUT) return;
  try {
    const info = await statOrNull(path);
    if (info?.isDirectory()) throw new RapError(`${shown(path)}: is a folder; a file is to be written`);
    if (info !== null) await access(path, constants.W_OK);
    if (await isSpecial(path)) return;
    const folder = dirname(await target(path));
    if ((await statOrNull(folder)) === null)
      throw new RapError(`${shown(path)}: cannot be written: no folder ${shown(folder)}`);
    await withTemporary(await target(path), async (trial) => {
      await writeThrough(trial, "wx", "");
      await rm(trial);
    });
  } catch (error) {
    refuse(path, "written", error);
  }
}

/**
 * Makes the folder if need be, and refuses one that could not be written into.
 * @throws RapError; UsageError for `-`
 */
export async function prepareFolder(path: string): Promise<void> {
  if (path === STANDARD_OUTPUT) {
    throw new UsageError("-: standard output takes no folder; give one by name (./- is one that is called so)");
  }
  makeFolder(path);
  await checkWritable(join(path, "trial"));
}

/** Writes a file whole or not at all: to a temporary file beside it, which then takes its name. `-`: standard output. */
export async function writeOutput(path: string, content: string | Uint8Array, io: Io): Promise<void> {
  if (path === STANDARD_OUTPUT) return write(io.stdout, content);
  try {
    if (await isSpecial(path)) return await writeThrough(path, "w", content);
    const final = await target(path);
    await withTemporary(final, async (temporary) => {
      await writeThrough(temporary, "wx", content);
      const mode = (await statOrNull(final))?.mode;
      if (mode !== undefined) await chmod(temporary, mode & 0o777);
      await rename(temporary, final);
    });
  } catch (error) {
    refuse(path, "written", error);
  }
}

async function writeThrough(path: string, flags: string, content: string | Uint8Array): Promise<void> {
  const file = await open(path, flags);
  try {
    await file.writeFile(content, { signal: ending.signal });
  } finally {
    await file.close();
  }
}

export interface NamedPath {
  /** The option that gave it. */
  readonly option: string;
  readonly path: string | undefined;
}

/** Outputs that would overwrite each other or an input are a mistake. @throws UsageError */
export async function checkDistinct(outputs: readonly NamedPath[], inputs: readonly NamedPath[]): Promise<void> {
  const seen = new Map<string, string>();
  const place = async (path: string) => (path === STANDARD_OUTPUT ? path : await target(path));
  for (const { option, path } of inputs) if (path !== undefined) seen.set(await place(path), option);
  for (const { option, path } of outputs) {
    if (path === undefined || (path !== STANDARD_OUTPUT && (await isSpecial(path).catch(() => false)))) continue;
    const other = seen.get(await place(path));
    if (other !== undefined) {
      throw new UsageError(
        path === STANDARD_OUTPUT
          ? `${option} and ${other} both write to standard output`
          : `${option} would overwrite ${shown(path)}, which ${other} names`,
      );
    }
    seen.set(await place(path), option);
  }
}
