/** The rows of the trade-off table: each is evaluated and timed once, and kept where there is a folder. */
import { join } from "node:path";
import { type Machine, RapError, sha256 } from "../isa/index.ts";
import type { Precision, TradeoffRow } from "../report/tradeoff-report.ts";
import type { Context } from "./command.ts";
import type { Evaluation, evaluateProgram } from "./eval-program.ts";
import { prepareFolder, shown, writeOutput } from "./files.ts";
import { textIfThere } from "./manifest.ts";
import { checked, type ProgramFile } from "./pipeline.ts";

/** A row, and what else a table says that every row finds again. */
export interface RowResult {
  readonly row: TradeoffRow;
  readonly float: Precision;
}

/** What one frame in steady state costs: what a second frame adds to the first. */
async function frameCost({ program }: ProgramFile, machine: Machine): Promise<TradeoffRow["frame"]> {
  const { simulateTiming } = await import("../sim/timing/index.ts");
  const ready = await checked(program, program.name);
  const [one, two] = [1, 2].map((frames) => simulateTiming(ready, { machine, frames, overlapFrames: false }).totals);
  const dramBytes = (of: typeof one) => of.dramReadBytes + of.dramWriteBytes;
  return {
    cycles: two.cycles - one.cycles,
    dramBytes: dramBytes(two) - dramBytes(one),
    millijoules: (two.energyPj.total - one.energyPj.total) * 1e-9,
  };
}

function precisionOf({ report: { levels, mean } }: Evaluation, network: "int8" | "float"): Precision {
  return {
    mean: mean[network]!,
    levels: levels.map((level) => ({
      class: level.class,
      difficulty: level.difficulty,
      value: level[network]!.value,
    })),
  };
}

/** Evaluates and times one row. @throws RapError when a photograph cannot be read: rows must be of the same photographs */
export async function computeRow(
  settings: Readonly<Record<string, string>>,
  compiled: ProgramFile,
  machine: Machine,
  evaluate: (compiled: ProgramFile) => ReturnType<typeof evaluateProgram>,
): Promise<RowResult> {
  const evaluation = await evaluate(compiled);
  const { failures, dataset, agreement, mean, headSqnrDb } = evaluation.report;
  if (failures.length > 0) {
    throw new RapError(
      `${failures.length} of ${dataset.photos} photographs could not be evaluated; the first: ${failures[0].message}; mend or leave them out (--split), and go on with --resume`,
    );
  }
  const row = {
    settings,
    programSha256: sha256(compiled.file),
    precision: precisionOf(evaluation, "int8"),
    difference: mean.difference!,
    agreement: agreement!,
    headSqnrDb,
    frame: await frameCost(compiled, machine),
  };
  return { row, float: precisionOf(evaluation, "float") };
}

const TABLE = "tradeoff.json";

/** Where rows are kept. */
export interface RowStore {
  /** The folder of a row's detections; undefined: they are kept nowhere. */
  readonly folderOf: (name: string) => string | undefined;
  read(name: string): Promise<RowResult | null>;
  save(name: string, result: RowResult): Promise<void>;
}

export const NO_STORE: RowStore = { folderOf: () => undefined, read: async () => null, save: async () => {} };

/**
 * A folder for rows. `tradeoff.json` in it says what they depend on; each row has a folder of its own.
 * @throws RapError when the folder holds a table and none is to be resumed, or one of something else
 */
export async function openRowFolder(
  folder: string,
  identity: object,
  resume: boolean,
  { io }: Context,
): Promise<RowStore> {
  const path = join(folder, TABLE);
  const text = `${JSON.stringify(identity, null, 2)}\n`;
  await prepareFolder(folder);
  const before = await textIfThere(path);
  if (before !== null && !resume) {
    throw new RapError(`${shown(folder)}: holds a table; go on with it (--resume), or give another folder with -o`);
  }
  if (before !== null && before !== text) {
    throw new RapError(
      `${shown(folder)}: its table is of another model, machine, data set or threshold (see ${TABLE}); give the same, or another folder with -o`,
    );
  }
  await writeOutput(path, text, io);
  const rowPath = (name: string) => join(folder, name, "row.json");
  return {
    folderOf: (name) => join(folder, name),
    read: async (name) => {
      const kept = await textIfThere(rowPath(name));
      try {
        return kept === null ? null : (JSON.parse(kept) as RowResult);
      } catch (cause) {
        throw new RapError(`${shown(rowPath(name))}: not a row; remove it, and it is made again`, { cause });
      }
    },
    save: (name, result) => writeOutput(rowPath(name), `${JSON.stringify(result, null, 2)}\n`, io),
  };
}
