import type { z } from "zod";
import { listNames } from "../isa/index.ts";

type Path = readonly PropertyKey[];

/** The first complaint of a failed validation in one line: `head.anchors[3][0] = "x": Invalid input: expected number, ...`. */
export function firstIssue(error: z.ZodError, schema: z.ZodType, data: unknown): string {
  const [{ path, message }] = error.issues;
  const [parent, last] = [path.slice(0, -1), path.at(-1)];
  const known = keysAt(schema, data, parent);
  if (typeof last === "string" && known !== null && !known.includes(last)) {
    return `${pathText(path)} = ${valueText(valueAt(data, path))}: not a known key (a remark must be a text); known: ${listNames(known)}`;
  }
  const value = valueAt(data, path);
  return `${pathText(path)}${value === undefined ? "" : ` = ${valueText(value)}`}: ${message}`;
}

function pathText(path: Path): string {
  const text = path
    .map((key, i) => (typeof key === "number" ? `[${key}]` : `${i === 0 ? "" : "."}${String(key)}`))
    .join("");
  return text === "" ? "top level" : text;
}

const MOST_CHARACTERS = 60;

function valueText(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}...` : text;
}

function valueAt(data: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], data);
}

/** The parts of a schema that lead to its keys. */
interface Definition {
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly innerType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly options?: readonly z.ZodType[];
}

/** The keys an object has by its schema, where the data chooses between alternatives; null: there is no object. */
function keysAt(schema: z.ZodType, data: unknown, path: Path): readonly string[] | null {
  const { shape, innerType, element, options } = schema.def as Definition;
  if (innerType !== undefined) return keysAt(innerType, data, path);
  if (options !== undefined) {
    const chosen = options.find((option) => {
      const kind = (option.def as Definition).shape?.kind;
      return kind?.safeParse(valueAt(data, ["kind"])).success === true;
    });
    return chosen === undefined ? null : keysAt(chosen, data, path);
  }
  const [key, ...rest] = path;
  if (key === undefined) return shape === undefined ? null : Object.keys(shape);
  const next = typeof key === "number" ? element : shape?.[String(key)];
  return next === undefined ? null : keysAt(next, valueAt(data, [key]), rest);
}
