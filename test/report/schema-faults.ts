/** The published schemas as checks: what a report says that they do not describe, or leaves out that they demand. */
import { readFileSync } from "node:fs";
import { Ajv2020, type AnySchemaObject } from "ajv/dist/2020.js";

const readSchema = (file: string) => JSON.parse(readFileSync(new URL(`../../docs/${file}`, import.meta.url), "utf8"));

/** The schema with nothing allowed that it does not name: a field nobody described is found. */
function closed(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closed);
  if (typeof node !== "object" || node === null) return node;
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, closed(value)]));
  return "properties" in copy && "required" in copy && !("additionalProperties" in copy)
    ? { ...copy, additionalProperties: false }
    : copy;
}

/** A check against one of the schemas in docs. */
export function faultsAgainst(file: string): (report: object) => string[] {
  const validate = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true }).compile(
    closed(readSchema(file)) as AnySchemaObject,
  );
  return (report) =>
    validate(JSON.parse(JSON.stringify(report)))
      ? []
      : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

export const schema = readSchema("report.schema.json");
export const schemaFaults = faultsAgainst("report.schema.json");
