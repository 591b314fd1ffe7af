/** What a setting may be called and may be: machine parameters by isa's table, and the options of quantizer and compiler. */
import { closest, distance } from "fastest-levenshtein";
import {
  checkParameter,
  listNames,
  PACKINGS,
  PARAMETER_KEYS,
  type Packing,
  type ParameterKey,
  RapError,
} from "../isa/index.ts";
import type { Value } from "./expression.ts";

interface Option {
  readonly byDefault: Value | null;
  /** The values there are; null: checked elsewhere. */
  readonly values: readonly Value[] | null;
  readonly meaning: string;
}

/** Settings that are not machine parameters. null by default: left to the compiler. */
export const OPTIONS = {
  machine: { byDefault: "rap-e", values: null, meaning: "preset or machine file whose parameters are the defaults" },
  network: { byDefault: "squeezedet", values: null, meaning: "built-in network, ONNX or .rapq file" },
  activations: { byDefault: "i8", values: ["i8", "u8"], meaning: "format of activations" },
  head: { byDefault: "i32", values: ["i32", "i8"], meaning: "format of the values that leave the network" },
  scaling: {
    byDefault: "static",
    values: ["static", "calibrated", "dynamic", "delayed"],
    meaning: "when exponents of activations are chosen",
  },
  seed: {
    byDefault: 1,
    values: null,
    meaning: "of built-in networks' weights and of the pictures scales are chosen by",
  },
  optimize: { byDefault: 1, values: [0, 1, 2], meaning: "effort of the compiler" },
  packing: { byDefault: null, values: PACKINGS, meaning: "how kernel taps share array rows" },
} as const satisfies Record<string, Option>;
export type OptionName = keyof typeof OPTIONS;

export const isOption = (name: string): name is OptionName => Object.hasOwn(OPTIONS, name);
export const isParameter = (name: string): name is ParameterKey => (PARAMETER_KEYS as readonly string[]).includes(name);

export const SETTING_NAMES: readonly string[] = [...Object.keys(OPTIONS), ...PARAMETER_KEYS];

/** Options of one point, all known. */
export interface Options {
  readonly machine: string;
  readonly network: string;
  readonly activations: "i8" | "u8";
  readonly head: "i32" | "i8";
  readonly scaling: "static" | "calibrated" | "dynamic" | "delayed";
  readonly seed: number;
  readonly optimize: 0 | 1 | 2;
  readonly packing: Packing | null;
}

/** @throws RapError naming the nearest setting */
export function checkSettingName(name: string, place: string): void {
  if (isOption(name) || isParameter(name)) return;
  const nearest = closest(name, SETTING_NAMES);
  const remedy =
    distance(name, nearest) <= name.length / 2
      ? `did you mean ${nearest}?`
      : `options are ${listNames(Object.keys(OPTIONS))}; rapsim machines --show rap-e has the parameters; names of one's own go under variables`;
  throw new RapError(`${place}: ${name} is neither a machine parameter nor an option; ${remedy}`);
}

const HIGHEST_SEED = 2 ** 31 - 1;

/** Holds a value against its setting's rule. @throws RapError */
export function checkSetting(name: string, value: Value, place: string): void {
  if (isParameter(name)) checkParameter(name, value, place);
  if (!isOption(name)) return;
  const fail = (rule: string): never => {
    throw new RapError(`${place}: ${name} = ${JSON.stringify(value)}: ${rule}`);
  };
  const { values }: Option = OPTIONS[name];
  if (values !== null && !values.includes(value)) fail(`must be one of ${listNames(values.map(String))}`);
  if (name === "seed" && !(Number.isInteger(value) && Number(value) >= 0 && Number(value) <= HIGHEST_SEED)) {
    fail(`must be a whole number 0..${HIGHEST_SEED}`);
  }
  if ((name === "network" || name === "machine") && typeof value !== "string") fail("must be a name");
}
