/** Tables as CSV (RFC 4180, lines end in LF), numbers as they are. */
import type { TimelineRow } from "./recording.ts";
import type { Report } from "./report.ts";

type Cell = string | number | null;

function quoted(value: Cell): string {
  const text = String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One object per row; nested values become `energyPj.mac`, lists are joined by a blank, null is an empty cell. */
function flat(record: object): [key: string, value: Cell][] {
  return Object.entries(record).flatMap(([key, value]) => {
    if (Array.isArray(value)) return [[key, value.join(" ")] as [string, string]];
    if (typeof value === "object" && value !== null) {
      return flat(value).map(([inner, v]) => [`${key}.${inner}`, v] as [string, Cell]);
    }
    return [[key, value as Cell]];
  });
}

function csv(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => `${row.map(quoted).join(",")}\n`).join("");
}

/** Objects as rows, under all the columns that any of them has. */
export function recordsCsv(records: readonly object[]): string {
  const rows = records.map((record) => new Map(flat(record)));
  const header = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  return csv([header, ...rows.map((row) => header.map((key) => row.get(key) ?? null))]);
}

/** Every instruction of every agent, from start to end, in order of start. */
export function timelineCsv(rows: readonly TimelineRow[]): string {
  const sorted = [...rows].sort((a, b) => a.startCycle - b.startCycle || a.index - b.index || a.agent - b.agent);
  const header = ["startCycle", "endCycle", "agent", "unit", "index", "op", "layer", "tile"] as const;
  return csv([header, ...sorted.map((row) => header.map((key) => row[key]))]);
}

/** The layer table: one row per layer. */
export function layersCsv({ layers }: Pick<Report, "layers">): string {
  return recordsCsv(layers.map(({ name, op, ...rest }) => ({ name, op, ...rest })));
}

/** One row per unit of every agent; a cause that held no unit back has no column. */
export function unitsCsv({ units }: Pick<Report, "units">): string {
  return recordsCsv(units);
}
