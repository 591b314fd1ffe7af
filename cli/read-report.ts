/** A report of an earlier run, from its file. */
import type { Report } from "../report/report.ts";
import { readInput, shown } from "./files.ts";

const MOST_BYTES = 2 ** 28;

/** @throws RapError when it cannot be read or is none */
export async function readReport(path: string): Promise<Report> {
  const file = await readInput(path, "a report", MOST_BYTES);
  const { parseReport } = await import("../report/read-report.ts");
  return parseReport(Buffer.from(file).toString("utf8"), shown(path));
}
