/**
 * One process at a time in a folder. Each that wants it leaves a file of its own, then looks for those of others: of two,
 * at least the later one sees the other. A file never changes hands, so that of a dead process can be removed by anyone
 * at any time: its name does not come back. Nothing has to be cleaned up after `kill -9`.
 */
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { RapError } from "../isa/errors.ts";
import { shown, writeOutput } from "./files.ts";
import type { Io } from "./io.ts";

const holderSchema = z.object({
  host: z.string(),
  /** Of the running system; null where the system does not say. */
  boot: z.string().nullable(),
  /** Process numbers mean something only within it (containers have their own). */
  pidNamespace: z.string().nullable(),
  pid: z.number().int().min(1),
  /** When the process began, in the system's clock ticks: process numbers are used again. */
  startTicks: z.string().nullable(),
  since: z.iso.datetime(),
});
type Holder = z.infer<typeof holderSchema>;

const LOCK_FILE = /^lock-[0-9a-f-]{36}\.json$/;

/** Two that come at the same moment see each other and both step back. */
const ATTEMPTS = 4;
const LONGEST_PAUSE_MS = 200;

/**
 * Does work while no other process does any in the folder.
 * @param what holds folders of this kind, in messages: "rapsim sweep"
 * @throws RapError naming who holds it, since when, and the remedy
 */
export async function whileLocked<T>(folder: string, what: string, io: Io, work: () => Promise<T>): Promise<T> {
  const path = await lock(folder, what, io);
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/** @returns the file to remove at the end */
async function lock(folder: string, what: string, io: Io): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const path = join(folder, `lock-${randomUUID()}.json`);
    const self: Holder = { ...thisProcess(), since: new Date().toISOString() };
    await writeOutput(path, `${JSON.stringify(self)}\n`, io);
    const other = othersIn(folder, path);
    if (other === null) return path;
    rmSync(path, { force: true });
    if (attempt === ATTEMPTS) throw new RapError(heldText(folder, other, self, what));
    await pause(Math.random() * LONGEST_PAUSE_MS);
  }
}

interface Other {
  readonly path: string;
  /** null: the file does not say. */
  readonly holder: Holder | null;
}

/** One that may live; files of the dead go. */
function othersIn(folder: string, own: string): Other | null {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (!LOCK_FILE.test(name) || path === own) continue;
    const holder = holderOf(path);
    if (holder === "gone") continue;
    if (holder === null || !isDead(holder)) return { path, holder };
    rmSync(path, { force: true });
  }
  return null;
}

function holderOf(path: string): Holder | null | "gone" {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "gone" : null;
  }
}

function heldText(folder: string, { path, holder }: Other, self: Holder, what: string): string {
  if (holder === null) {
    return `${shown(folder)}: may be in use by another ${what}: ${shown(path)} cannot be read; if none runs, remove that file and go on with --resume`;
  }
  const { host, pid, since } = holder;
  const who = `another ${what}, process ${pid} on ${shown(host)}, since ${since.replace("T", " ").replace(/\.\d+Z$/, " UTC")}`;
  return canJudge(holder, self)
    ? `${shown(folder)}: in use by ${who}; wait for it, or end it and go on with --resume, or give another folder with -o`
    : `${shown(folder)}: in use by ${who}; whether that one still runs cannot be seen from here: if not, remove ${shown(path)} and go on with --resume`;
}

/** Whether process numbers of the other mean the same here. */
const canJudge = (holder: Holder, self: Omit<Holder, "since">) =>
  holder.host === self.host && holder.boot === self.boot && holder.pidNamespace === self.pidNamespace;

/** True only where it is certain. */
function isDead(holder: Holder): boolean {
  const self = thisProcess();
  // the system has been started anew since
  if (holder.host === self.host && holder.boot !== null && self.boot !== null && holder.boot !== self.boot) return true;
  if (!canJudge(holder, self)) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return true;
  }
  const found = statusOf(holder.pid);
  // a killed process whose parent has not asked after it yet is dead; one that began at another time is another one
  return found !== null && (found.isZombie || (holder.startTicks !== null && found.startTicks !== holder.startTicks));
}

function thisProcess(): Omit<Holder, "since"> {
  return {
    host: hostname(),
    boot: textOf(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
    pidNamespace: textOf(() => readlinkSync("/proc/self/ns/pid")),
    pid: process.pid,
    startTicks: statusOf(process.pid)?.startTicks ?? null,
  };
}

/** From /proc/PID/stat (proc(5)): field 3 is the state, 22 the start. null: the system has no /proc, or not this process. */
function statusOf(pid: number): { readonly isZombie: boolean; readonly startTicks: string } | null {
  const text = textOf(() => readFileSync(`/proc/${pid}/stat`, "latin1"));
  if (text === null) return null;
  // field 2, the name in parentheses, may hold anything
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { isZombie: fields[0] === "Z" || fields[0] === "X", startTicks: fields[22 - 3] };
}

function textOf(read: () => string): string | null {
  try {
    return read();
  } catch {
    return null;
  }
}
