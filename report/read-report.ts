/** A report from its file, checked against the published schema: what pages and comparisons rest on is all there. */
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { RapError } from "../isa/index.ts";
import { REPORT_SCHEMA, type Report } from "./report.ts";

const SCHEMA = new URL("../docs/report.schema.json", import.meta.url);
const REMEDY = "give a file that 'rapsim run --json' wrote";

/** @param place named in messages @throws RapError */
export function parseReport(text: string, place: string): Report {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new RapError(`${place}: is not JSON; ${REMEDY}`, { cause: error });
  }
  const schema = typeof parsed === "object" && parsed !== null && "schema" in parsed ? parsed.schema : undefined;
  if (schema !== REPORT_SCHEMA) {
    const found = typeof schema === "string" ? `'${schema.slice(0, 60).replace(/\p{Cc}/gu, "?")}'` : "not there";
    throw new RapError(`${place}: its schema is ${found}, not '${REPORT_SCHEMA}'; ${REMEDY}`);
  }
  const validate = new Ajv2020({ allowUnionTypes: true }).compile<Report>(JSON.parse(readFileSync(SCHEMA, "utf8")));
  if (!validate(parsed)) {
    const { instancePath, message } = validate.errors![0];
    throw new RapError(`${place}: ${instancePath || "the report"} ${message}; ${REMEDY}`);
  }
  // reports of versions before the record had none
  return { ...parsed, record: parsed.record ?? null };
}
