/** The folder of a sweep: what it is of, so that only the same sweep goes on in it. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { RAPSIM_VERSION } from "../compiler/version.ts";
import { machineSha256, RapError } from "../isa/index.ts";
import { type Calibration, networkSources, type Space } from "../sweep/index.ts";
import type { Context } from "./command.ts";
import { shown, writeOutput } from "./files.ts";
import { readManifest } from "./manifest.ts";
import type { SweepChoices } from "./sweep-options.ts";

const SCHEMA = "rapsim.sweep/1";
const MANIFEST = "sweep.json";

const manifestSchema = z.object({ schema: z.literal(SCHEMA), run: z.uuid(), identity: z.unknown() });

export interface SweepFolder {
  /** Tells the tasks of this sweep from those of others in a queue. */
  readonly run: string;
  readonly path: (name: string) => string;
}

/** @throws RapError when the folder holds a sweep and none is to be resumed, or one of something else */
export async function openSweepFolder(
  { output: folder, resume, best }: SweepChoices,
  space: Space,
  text: string,
  calibration: Calibration | null,
  { io, log }: Context,
): Promise<SweepFolder> {
  const identity = {
    rapsim: RAPSIM_VERSION,
    space: space.identity,
    machines: Object.fromEntries([...space.machines].map(([name, machine]) => [name, machineSha256(machine)])),
    networks: networkSources(space),
    calibration: calibration?.sha256 ?? null,
  };
  const path = (name: string) => join(folder, name);
  const before = await readManifest(path(MANIFEST), manifestSchema, "a sweep");
  if (before !== null && !resume && !best) {
    throw new RapError(`${shown(folder)}: holds a sweep; go on with it (--resume), or give another folder with -o`);
  }
  if (before !== null && JSON.stringify(before.identity) !== JSON.stringify(identity)) {
    throw new RapError(
      `${shown(folder)}: its sweep is of another space, network, machine or version of rapsim (see ${MANIFEST}); give the same, or another folder with -o`,
    );
  }
  if (before === null && resume)
    log.warn({ folder }, "nothing to resume: the folder holds no sweep yet; beginning one");
  const run = before?.run ?? randomUUID();
  await writeOutput(path("space.yaml"), text, io);
  await writeOutput(path(MANIFEST), `${JSON.stringify({ schema: SCHEMA, run, identity }, null, 2)}\n`, io);
  return { run, path };
}
