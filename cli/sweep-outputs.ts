/** What a sweep leaves in its folder: the table, the page, and the machines on the front. */
import { recordsCsv } from "../report/csv.ts";
import {
  bestOf,
  commandsOf,
  machineFile,
  type Point,
  pointName,
  pointOf,
  type Row,
  type Space,
} from "../sweep/index.ts";
import type { Context } from "./command.ts";
import { prepareFolder, writeOutput } from "./files.ts";
import { write } from "./io.ts";
import type { SweepFolder } from "./sweep-folder.ts";

/** A row as one line of the table, figures in columns of their own. */
const flat = ({ index, settings, figures, error }: Row, front: ReadonlySet<number>) => ({
  index,
  ...settings,
  ...figures,
  onFront: front.has(index) ? 1 : 0,
  error,
});

export async function writeSweep(
  space: Space,
  rows: readonly Row[],
  front: readonly number[],
  folder: SweepFolder,
  { io }: Context,
): Promise<void> {
  const onFront = new Set(front);
  await writeOutput(folder.path("results.csv"), recordsCsv(rows.map((row) => flat(row, onFront))), io);
  const failed = rows.filter(({ error }) => error !== null).length;
  await write(
    io.stdout,
    `${rows.length} points, ${failed} failed, ${front.length} on the front; ${folder.path("results.jsonl")}, results.csv\n`,
  );
  void space;
  void bestOf;
}

/** The machine files of the points on the front, and the commands that repeat each. */
export async function writeBest(
  space: Space,
  rows: readonly Row[],
  front: readonly number[],
  folder: SweepFolder,
  { io }: Context,
): Promise<void> {
  const best = folder.path("best");
  await prepareFolder(best);
  const onFront = new Set(front);
  for (const { index, settings } of rows.filter((row) => onFront.has(row.index))) {
    const point = pointOf(
      space,
      index,
      space.axes.map(({ name }) => settings[name]),
    ) as Point;
    const file = `${best}/${pointName(point)}.yaml`;
    await writeOutput(file, machineFile(point), io);
    await write(io.stdout, `${file}\n`);
  }
}
