/** The layer table as CSV (RFC 4180, lines end in LF): one row per layer, numbers as they are. */
import type { Report } from "./report.ts";

function quoted(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One object per layer; nested values become `energyPj.mac`, lists are joined by a blank. */
function flat(record: object): [key: string, value: string | number][] {
  return Object.entries(record).flatMap(([key, value]) => {
    if (Array.isArray(value)) return [[key, value.join(" ")] as [string, string]];
    if (typeof value === "object" && value !== null) {
      return flat(value).map(([inner, v]) => [`${key}.${inner}`, v] as [string, string | number]);
    }
    return [[key, value as string | number]];
  });
}

export function layersCsv({ layers }: Pick<Report, "layers">): string {
  const rows = layers.map(({ name, op, ...rest }) => new Map(flat({ name, op, ...rest })));
  const header = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  const lines = [header, ...rows.map((row) => header.map((key) => row.get(key) ?? ""))];
  return lines.map((line) => `${line.map(quoted).join(",")}\n`).join("");
}
