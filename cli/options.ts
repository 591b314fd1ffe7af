/** Reading options: every value arrives as text or flag and is checked here, so that each refusal names its option. */
import type { Options } from "yargs";
import { listNames, UsageError } from "../isa/errors.ts";

/** What yargs parsed. */
export type Arguments = Readonly<Record<string, unknown>>;

/** An option that takes one value; it arrives as text and has no type in the help, since many are numbers or names. */
export function text(describe: string, more: Options = {}): Options {
  return { nargs: 1, describe, ...more };
}

/** An option that is there or not. */
export function flag(describe: string): Options {
  return { type: "boolean", describe };
}

export function textOf(args: Arguments, name: string): string | undefined {
  const value = args[name];
  if (Array.isArray(value)) throw new UsageError(`--${name}: given ${value.length} times`);
  if (value === "") throw new UsageError(`--${name}: empty`);
  return typeof value === "string" ? value : undefined;
}

export function flagOf(args: Arguments, name: string): boolean {
  const value = args[name];
  return Array.isArray(value) ? value.includes(true) : value === true;
}

export function choiceOf<N extends string>(args: Arguments, name: string, names: readonly N[]): N | undefined {
  const value = textOf(args, name);
  if (value === undefined) return undefined;
  const found = names.find((known) => known === value);
  if (found === undefined) throw new UsageError(`--${name}: '${value}' is not one of ${listNames(names)}`);
  return found;
}

export interface NumberRule {
  readonly min: number;
  readonly max: number;
  readonly whole?: boolean;
}

export function numberOf(args: Arguments, name: string, { min, max, whole = false }: NumberRule): number | undefined {
  const value = textOf(args, name);
  if (value === undefined) return undefined;
  const number = value.trim() === "" ? Number.NaN : Number(value);
  if (!(number >= min && number <= max) || (whole && !Number.isInteger(number))) {
    throw new UsageError(`--${name}: '${value}' is not a ${whole ? "whole " : ""}number ${min}..${max}`);
  }
  return number;
}

/** `key=value` texts as a map of key to text; a later one wins. */
export function settingsOf(args: Arguments, name: string): ReadonlyMap<string, string> {
  const value = args[name];
  const given = Array.isArray(value) ? value.map(String) : value === undefined ? [] : [String(value)];
  return new Map(
    given.map((item) => {
      const at = item.indexOf("=");
      if (at <= 0) throw new UsageError(`--${name}: '${item}' is not of the form key=value`);
      return [item.slice(0, at).trim(), item.slice(at + 1).trim()] as const;
    }),
  );
}

/** Refuses options that would do nothing here. */
export function refuseOptions(args: Arguments, names: readonly string[], why: string): void {
  for (const name of names) {
    if (args[name] !== undefined && args[name] !== false) throw new UsageError(`--${name} has no effect ${why}`);
  }
}
