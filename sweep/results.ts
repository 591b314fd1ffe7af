/**
 * The rows of a sweep as they come: one line of JSON each, appended. A process may be killed at any moment; what it had not
 * written whole is an incomplete last line, which is dropped when the sweep goes on.
 */
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { z } from "zod";
import { RapError } from "../isa/index.ts";
import { figuresSchema } from "./figures.ts";

const setting = z.union([z.number(), z.boolean(), z.string()]);

/** One point (docs/sweep-row.schema.json is made from this). */
export const rowSchema = z
  .strictObject({
    index: z.number().int().min(0).describe("number of the point in the space"),
    settings: z.record(z.string(), setting).describe("axes, variables and derived settings"),
    figures: figuresSchema.nullable().describe("what came of it; null where it failed"),
    error: z.string().nullable().describe("why it failed; null where it did not"),
  })
  .meta({ title: "A row of results.jsonl" });
export type Row = z.infer<typeof rowSchema>;

export interface ResultFile {
  readonly rows: ReadonlyMap<number, Row>;
  /** Keeps a row, unless its point has one. */
  add(row: Row): void;
  /** Puts the rows in order of their points. The file is as good as before until the new one takes its place. */
  sort(): readonly Row[];
  close(): void;
}

const line = (row: Row) => `${JSON.stringify(row)}\n`;

/** @throws RapError for a file that holds something else */
export function openResults(path: string): ResultFile {
  const rows = existsSync(path) ? readRows(path) : new Map<number, Row>();
  let file = openSync(path, "a");
  return {
    rows,
    add: (row) => {
      if (rows.has(row.index)) return;
      writeSync(file, line(row));
      rows.set(row.index, row);
    },
    sort: () => {
      const sorted = [...rows.values()].sort((a, b) => a.index - b.index);
      const temporary = `${path}.tmp`;
      writeFileSync(temporary, sorted.map(line).join(""));
      closeSync(file);
      renameSync(temporary, path);
      file = openSync(path, "a");
      return sorted;
    },
    close: () => closeSync(file),
  };
}

/** The rows of a file whose incomplete last line, if there is one, is cut off. */
function readRows(path: string): Map<number, Row> {
  const bytes = readFileSync(path);
  const whole = bytes.lastIndexOf("\n") + 1;
  if (whole < bytes.length) truncateSync(path, whole);
  const lines = bytes.subarray(0, whole).toString("utf8").split("\n").slice(0, -1);
  const rows = new Map<number, Row>();
  for (const [i, text] of lines.entries()) {
    const row = parsedRow(text);
    if (row === null)
      throw new RapError(`${path}:${i + 1}: not a row of a sweep; remove the line, and its point is done again`);
    if (!rows.has(row.index)) rows.set(row.index, row);
  }
  return rows;
}

function parsedRow(text: string): Row | null {
  try {
    return rowSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
