/** What a sweep leaves in its folder: the table, the page, and the machines on the front. */
import { join } from "node:path";
import { RAPSIM_VERSION } from "../compiler/version.ts";
import { recordsCsv } from "../report/csv.ts";
import { count } from "../report/numbers.ts";
import { sweepHtml } from "../report/sweep-html.ts";
import {
  commandsOf,
  machineFile,
  type Point,
  pointName,
  pointOf,
  type Row,
  reportOf,
  type Space,
} from "../sweep/index.ts";
import type { Context } from "./command.ts";
import { prepareFolder, shown, writeOutput } from "./files.ts";
import { write } from "./io.ts";
import type { SweepFolder } from "./sweep-folder.ts";

/** Writes results.csv and report.html, and says so. */
export async function writeSweep(
  space: Space,
  rows: readonly Row[],
  front: readonly number[],
  folder: SweepFolder,
  { io }: Context,
): Promise<void> {
  const onFront = new Set(front);
  const records = rows.map(({ index, settings, figures, error }) => ({
    index,
    settings,
    figures: figures ?? {},
    onFront: onFront.has(index) ? 1 : 0,
    error,
  }));
  await writeOutput(folder.path("results.csv"), recordsCsv(records), io);
  await writeOutput(folder.path("report.html"), sweepHtml(reportOf(space, rows, front, RAPSIM_VERSION)), io);
  const failed = rows.filter(({ error }) => error !== null).length;
  const files = ["results.jsonl", "results.csv", "report.html"].map((name) => shown(folder.path(name)));
  await write(
    io.stdout,
    `${count(rows.length, "point")}, ${failed} failed, ${front.length} on the front: ${files.join(", ")}\n`,
  );
}

/** Writes the machine files of the points on the front, and prints the commands that repeat each. */
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
  for (const { index, settings } of rows) {
    if (!onFront.has(index)) continue;
    const values = space.axes.map(({ name }) => settings[name]);
    const point = pointOf(space, index, values) as Point;
    const file = join(best, `${pointName(point)}.yaml`);
    await writeOutput(file, machineFile(point), io);
    await write(
      io.stdout,
      `\n${shown(file)}\n${commandsOf(space, point)
        .map((line) => `  ${line}\n`)
        .join("")}`,
    );
  }
}
