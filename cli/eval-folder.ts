/**
 * The folder of an evaluation: each photograph's detections as they come, in KITTI's result format, and a manifest that
 * says what made them. An evaluation that was interrupted goes on from it.
 */
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { RapError } from "../isa/errors.ts";
import { RESULTS, type Result } from "./eval-detector.ts";
import { prepareFolder, refuse, shown, writeOutput } from "./files.ts";
import { whileLocked } from "./folder-lock.ts";
import type { Io } from "./io.ts";
import { readManifest } from "./manifest.ts";

const MANIFEST = "manifest.json";
const MANIFEST_SCHEMA = "rapsim.evaluation-folder/1";

const source = z.object({ name: z.string(), sha256: z.string() });

const manifestSchema = z.object({
  schema: z.literal(MANIFEST_SCHEMA),
  program: source,
  float: source.nullable(),
  dataset: z.string(),
  threshold: z.number(),
});

/** What the detections depend on. */
export type EvaluationIdentity = Omit<z.infer<typeof manifestSchema>, "schema">;

/** What was found, by photograph. */
export interface EvaluationStore {
  get(result: Result, photo: string): string | undefined;
  /** Where a photograph's result is kept, for messages. */
  place(result: Result, photo: string): string;
  /** Keeps a photograph's result, on disk before it returns. */
  save(result: Result, photo: string, text: string): Promise<void>;
}

/** Results that are kept nowhere. */
export function memoryStore(): EvaluationStore {
  const texts = new Map<string, string>();
  const place = (result: Result, photo: string) => `${result} of ${photo}`;
  return {
    place,
    get: (result, photo) => texts.get(place(result, photo)),
    save: async (result, photo, text) => void texts.set(place(result, photo), text),
  };
}

/** KITTI's program reads results from a folder `data`. */
const dataFolder = (folder: string, result: Result) => join(folder, result, "data");

const EXTENSION: Readonly<Record<Result, string>> = { int8: ".txt", float: ".txt", head: ".json" };

/** Refuses to mix detections of different origin. */
function checkSame(folder: string, before: EvaluationIdentity, now: EvaluationIdentity): void {
  const fail = (what: string, was: string, is: string): never => {
    throw new RapError(
      `${shown(folder)}: was begun with ${what} ${was}, not ${is}; give the same, or another folder with -o`,
    );
  };
  const named = ({ name, sha256 }: z.infer<typeof source>) => `${shown(name)} (SHA-256 ${sha256.slice(0, 12)})`;
  if (before.program.sha256 !== now.program.sha256) fail("program", named(before.program), named(now.program));
  if (before.float !== null && now.float !== null && before.float.sha256 !== now.float.sha256) {
    fail("float network", named(before.float), named(now.float));
  }
  if (before.dataset !== now.dataset) fail("data set", shown(before.dataset), shown(now.dataset));
  if (before.threshold !== now.threshold) fail("threshold", String(before.threshold), String(now.threshold));
}

/** Photographs whose results the folder holds. What a killed process had not finished bears another name and goes. */
async function savedPhotos(folder: string, extension: string): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  try {
    for (const file of await readdir(folder)) {
      const path = join(folder, file);
      if (file.endsWith(".tmp")) await rm(path, { force: true });
      if (file.endsWith(extension)) texts.set(file.slice(0, -extension.length), await readFile(path, "utf8"));
    }
  } catch (error) {
    refuse(folder, "read", error);
  }
  return texts;
}

/**
 * Works in a folder while no other process does.
 * @throws RapError when the folder holds an evaluation and none is to be resumed, or one of something else
 */
export async function withEvaluationFolder<T>(
  folder: string,
  identity: EvaluationIdentity,
  resume: boolean,
  io: Io,
  work: (store: EvaluationStore) => Promise<T>,
): Promise<T> {
  await prepareFolder(folder);
  return whileLocked(folder, "rapsim eval", io, async () => work(await openFolder(folder, identity, resume, io)));
}

async function openFolder(
  folder: string,
  identity: EvaluationIdentity,
  resume: boolean,
  io: Io,
): Promise<EvaluationStore> {
  const path = join(folder, MANIFEST);
  const before = await readManifest(path, manifestSchema, "an evaluation");
  if (before !== null && !resume) {
    throw new RapError(
      `${shown(folder)}: holds an evaluation; go on with it (--resume), or give another folder with -o`,
    );
  }
  if (before !== null) checkSame(folder, before, identity);
  const manifest = { schema: MANIFEST_SCHEMA, ...identity, float: identity.float ?? before?.float ?? null };
  await writeOutput(path, `${JSON.stringify(manifest, null, 2)}\n`, io);
  const saved = {} as Record<Result, Map<string, string>>;
  for (const result of RESULTS) {
    const data = dataFolder(folder, result);
    const isKept = result === "int8" || manifest.float !== null;
    if (isKept) await prepareFolder(data);
    saved[result] = before !== null && isKept ? await savedPhotos(data, EXTENSION[result]) : new Map();
  }
  const place = (result: Result, photo: string) => join(dataFolder(folder, result), photo + EXTENSION[result]);
  return {
    place,
    get: (result, photo) => saved[result].get(photo),
    save: async (result, photo, text) => {
      await writeOutput(place(result, photo), text, io);
      saved[result].set(photo, text);
    },
  };
}
