/** The manifest of a folder: what its results are of, so that only the same goes on in it. */
import { readFile } from "node:fs/promises";
import type { z } from "zod";
import { RapError } from "../isa/errors.ts";
import { refuse, shown } from "./files.ts";

/** A file's text; null: there is no such file. @throws RapError when it cannot be read */
export async function textIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    return refuse(path, "read", error);
  }
}

/** null: the folder has none yet. @param what named in messages: "a sweep" @throws RapError for a file that is something else */
export async function readManifest<T>(path: string, schema: z.ZodType<T>, what: string): Promise<T | null> {
  const text = await textIfThere(path);
  if (text === null) return null;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new RapError(`${shown(path)}: not the manifest of ${what}; give another folder with -o`, { cause });
  }
}
