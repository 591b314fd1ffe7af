/** YAML from a stranger: plain maps, lists and scalars, each with its line for messages. */
import { closest, distance } from "fastest-levenshtein";
import { type Document, isAlias, isMap, isNode, isScalar, LineCounter, parseDocument, visit } from "yaml";
import type { z } from "zod";
import { listNames, RapError } from "../isa/index.ts";

/** The YAML parser takes quadratic time on hostile text. */
const MOST_CHARACTERS = 1 << 16;
const DEEPEST = 8;

type Path = readonly PropertyKey[];

/** Text by a schema. @param path of the file, named in messages. @throws RapError with file, line, value and rule */
export function parseYaml<T>(
  text: string,
  path: string,
  schema: z.ZodType<T>,
): { readonly value: T; readonly place: (...at: PropertyKey[]) => string } {
  if (text.length > MOST_CHARACTERS)
    throw new RapError(`${path}: ${text.length} characters; a file of this kind has at most ${MOST_CHARACTERS}`);
  const lines = new LineCounter();
  let document: Document;
  try {
    document = parseDocument(text, { lineCounter: lines, logLevel: "error" });
  } catch (cause) {
    // nested beyond what the parser's stack holds
    throw new RapError(`${path}: not YAML: ${(cause as Error).message}`, { cause });
  }
  const line = (offset: number) => `${path}:${lines.linePos(offset).line}`;
  const [error] = document.errors;
  if (error !== undefined) {
    const rule =
      error.code === "BAD_ALIAS"
        ? "aliases (*name) are not read"
        : error.message.split("\n")[0].replace(/ at line \d+.*$/, "");
    throw new RapError(`${line(error.pos[0])}: not YAML: ${rule}`);
  }
  checkPlain(document, line);
  const place = (...at: PropertyKey[]) => line(offsetOf(document, at));
  const data: unknown = document.toJS({ maxAliasCount: 0 });
  const parsed = schema.safeParse(data);
  if (parsed.success) return { value: parsed.data, place };
  throw new RapError(issueText(parsed.error.issues[0], schema, data, place));
}

/** Refuses what a plain file does not need and a hostile one may use. */
function checkPlain(document: Document, line: (offset: number) => string): void {
  visit(document, (_key, node, parents) => {
    if (parents.length > 2 * DEEPEST) {
      const at = isNode(node) ? (node.range?.[0] ?? 0) : 0;
      throw new RapError(`${line(at)}: nested more than ${DEEPEST} deep`);
    }
    if (!isNode(node)) return;
    const at = node.range?.[0] ?? 0;
    const refuse = (what: string): never => {
      throw new RapError(`${line(at)}: ${what} are not read; write the value itself`);
    };
    if (isAlias(node)) refuse("aliases (*name)");
    if ("anchor" in node && node.anchor !== undefined) refuse("anchors (&name)");
    if (node.tag?.startsWith("!")) refuse("tags (!name)");
    if (!isMap(node)) return;
    for (const { key } of node.items) {
      const name = isScalar(key) ? key.value : undefined;
      const keyAt = isNode(key) ? (key.range?.[0] ?? at) : at;
      if (typeof name !== "string") throw new RapError(`${line(keyAt)}: a key must be a text`);
      // they would name what every object has
      if (name in {}) throw new RapError(`${line(keyAt)}: '${name}' cannot be a key here`);
    }
  });
}

/** Where a value stands; the nearest one around it that the file has. */
function offsetOf(document: Document, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

const MOST_SHOWN = 60;

/** Kinds of values as zod calls them, in a reader's words. */
const KINDS: Readonly<Record<string, string>> = {
  object: "keys with values",
  record: "keys with values",
  array: "a list",
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
};

function ruleOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${KINDS[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `must be one of ${listNames(issue.values.map(String))}`;
    default:
      return issue.message;
  }
}

function issueText(
  issue: z.core.$ZodIssue,
  schema: z.ZodType,
  data: unknown,
  place: (...at: PropertyKey[]) => string,
): string {
  const { path } = issue;
  const name = path
    .map((key, i) => (typeof key === "number" ? `[${key}]` : `${i > 0 ? "." : ""}${String(key)}`))
    .join("");
  if (issue.code === "unrecognized_keys") {
    const [key] = issue.keys;
    const known = Object.keys(shapeOf(schemaAt(schema, path)) ?? {});
    const nearest = known.length === 0 ? "" : closest(key, known);
    const remedy =
      nearest !== "" && distance(key, nearest) <= key.length / 2
        ? `; did you mean ${nearest}?`
        : known.length > 0
          ? `; known: ${listNames(known)}`
          : "";
    return `${place(...path, key)}: ${name === "" ? "" : `${name}: `}'${key}' is not a key here${remedy}`;
  }
  const value = JSON.stringify(path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)?.[key], data));
  const what = `${place(...path)}: ${name === "" ? "the file" : name}`;
  const meaning = schemaAt(schema, path)?.description;
  const rule = `${ruleOf(issue)}${meaning === undefined ? "" : ` (${meaning})`}`;
  if (value === undefined) return `${what}: is missing; ${rule}`;
  return `${what} = ${value.length > MOST_SHOWN ? `${value.slice(0, MOST_SHOWN)}...` : value}: ${rule}`;
}

/** The part of a schema at a path of objects. */
function schemaAt(schema: z.ZodType, [key, ...rest]: Path): z.ZodType | null {
  if (key === undefined) return schema;
  const next = shapeOf(schema)?.[key];
  return next === undefined ? null : schemaAt(next, rest);
}

/** The keys an object's schema has; undefined: it is of no object. */
function shapeOf(schema: z.ZodType | null): Record<PropertyKey, z.ZodType> | undefined {
  const { innerType, shape } = (schema?.def ?? {}) as { innerType?: z.ZodType; shape?: Record<PropertyKey, z.ZodType> };
  return innerType === undefined ? shape : shapeOf(innerType);
}
