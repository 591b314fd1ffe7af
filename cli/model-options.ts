/** The options that say how a network becomes integers and which machine it is compiled for. */

import { type MeasureWeights, parseWeights } from "../compiler/quantize/measure-weights.ts";
import { SCALING_MODES, type ScalingMode } from "../compiler/quantize/scaling-modes.ts";
import { sidecarOf } from "../compiler/sidecar-path.ts";
import { RapError, UsageError } from "../isa/errors.ts";
import type { Machine, Packing, ParameterKey } from "../isa/index.ts";
import type { NamedPath } from "./files.ts";
import { type Arguments, choiceOf, flag, flagOf, numberOf, settingsOf, text, textOf } from "./options.ts";

export const QUANTIZE_OPTIONS = {
  activations: text("format of activations: i8, or u8 (one bit more for what is never negative) (default i8)"),
  head: text("format of a convolution's values that leave the network: i32 accumulators or i8 (default i32)"),
  scaling: text(
    "when exponents of activations are chosen: static (beforehand, without pictures), calibrated (beforehand, from --calibration), dynamic (by each frame's values), delayed (by the frame before) (default static)",
  ),
  calibration: text("folder of pictures for --scaling calibrated; 16 of them at most, evenly spread, are used"),
  seed: text("seed of built-in networks' weights and of the pictures that scales are chosen by (default 1)"),
  measures: text(
    "measures that choose scales, with weights: readers=1,kl=0.2 (default: the ensemble of quantization.md)",
  ),
  rescale: flag("move what a quantized ONNX file has no power-of-two scale for to the nearest, and say what it costs"),
};

export interface QuantizeChoices {
  readonly activations?: "i8" | "u8";
  readonly head?: "i8" | "i32";
  readonly scaling?: ScalingMode;
  /** Folder of pictures; with scaling calibrated, and only with it. */
  readonly calibration?: string;
  readonly seed?: number;
  readonly measures?: MeasureWeights;
  readonly rescale?: true;
}

/** Every value of the options that formats and scales are chosen by: what `rapsim tradeoff` goes through, in this order. */
export const QUANTIZE_AXES = {
  scaling: SCALING_MODES,
  activations: ["i8", "u8"],
  head: ["i32", "i8"],
} as const satisfies { readonly [Option in keyof QuantizeChoices]?: readonly QuantizeChoices[Option][] };

const HIGHEST_SEED = 2 ** 31 - 1;

export function quantizeChoices(args: Arguments): QuantizeChoices {
  const activations = choiceOf(args, "activations", QUANTIZE_AXES.activations);
  const head = choiceOf(args, "head", QUANTIZE_AXES.head);
  const scaling = choiceOf(args, "scaling", QUANTIZE_AXES.scaling);
  const calibration = textOf(args, "calibration");
  if (scaling === "calibrated" && calibration === undefined)
    throw new UsageError("--scaling calibrated needs pictures: add --calibration DIR");
  if (scaling !== "calibrated" && calibration !== undefined)
    throw new UsageError("--calibration goes with --scaling calibrated; the other modes take no pictures");
  const seed = numberOf(args, "seed", { min: 0, max: HIGHEST_SEED, whole: true });
  const measures = textOf(args, "measures");
  return {
    ...(measures === undefined ? {} : { measures: asUsage(() => parseWeights(measures), "--measures: ") }),
    ...(activations === undefined ? {} : { activations }),
    ...(head === undefined ? {} : { head }),
    ...(scaling === undefined ? {} : { scaling }),
    ...(calibration === undefined ? {} : { calibration }),
    ...(seed === undefined ? {} : { seed }),
    ...(flagOf(args, "rescale") ? { rescale: true } : {}),
  };
}

export const MACHINE_OPTIONS = {
  machine: text("preset or machine file to compile for (default rap-e; see rapsim machines)"),
  set: text("change one machine parameter, as agents=8; may be repeated"),
  packing: text(
    "how kernel taps share array rows: perTap, kernelRow or full (default: what the machine's feeder can do)",
  ),
  optimize: text(
    "0: layer by layer through DRAM; 1: layers fused, tensors kept in SRAM; 2: the same, with a wider search (default 1)",
  ),
};

/** Options of the compiler. */
export interface LoweringChoices {
  readonly packing?: Packing;
  readonly optimize?: 0 | 1 | 2;
}

export function loweringChoices(args: Arguments): LoweringChoices {
  const packing = choiceOf(args, "packing", ["perTap", "kernelRow", "full"]);
  const optimize = choiceOf(args, "optimize", ["0", "1", "2"]);
  return {
    ...(packing === undefined ? {} : { packing }),
    ...(optimize === undefined ? {} : { optimize: Number(optimize) as 0 | 1 | 2 }),
  };
}

/** The values that `--set` gives, of their parameters' types. @throws UsageError for a parameter or value that is not known */
async function parsedSettings(args: Arguments): Promise<Record<string, unknown>> {
  const given = settingsOf(args, "set");
  if (given.size === 0) return {};
  const { parseParameter } = await import("../isa/machine.ts");
  return asUsage(() =>
    Object.fromEntries([...given].map(([key, value]) => [key, parseParameter(key, value, "--set")])),
  );
}

/** A wrong option value is wrong usage, whoever found it. */
function asUsage<T>(work: () => T, place = ""): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof RapError ? new UsageError(place + error.message) : error;
  }
}

/** The machine that `--machine` and `--set` describe. */
export async function machineChoice(args: Arguments): Promise<Machine> {
  const changes = await parsedSettings(args);
  const { DEFAULT_MACHINE, loadMachine, withParameters } = await import("../isa/index.ts");
  const machine = loadMachine(textOf(args, "machine") ?? DEFAULT_MACHINE);
  return changed(machine, changes, withParameters);
}

/** The machine with what `--set` changes, which its name shows: `rap-e (agents=8)`. */
function changed(
  machine: Machine,
  changes: Readonly<Record<string, unknown>>,
  withParameters: WithParameters,
): Machine {
  const made = asUsage(() => withParameters(machine, changes, "--set"));
  const texts = (Object.keys(changes) as ParameterKey[])
    .filter((key) => made.parameters[key] !== machine.parameters[key])
    .map((key) => `${key}=${made.parameters[key]}`);
  if (texts.length === 0) return machine;
  const [, name, before] = /^(.*?)(?: \((.*)\))?$/s.exec(machine.name)!;
  return Object.freeze({
    ...made,
    name: `${name} (${[...(before === undefined ? [] : [before]), ...texts].join(", ")})`,
  });
}

type WithParameters = typeof import("../isa/machine.ts").withParameters;

/** What `--set` changes at run time: rates only, since the program was compiled for the structure. */
export async function rateChoices(args: Arguments): Promise<(machine: Machine) => Machine> {
  const changes = await parsedSettings(args);
  if (Object.keys(changes).length === 0) return (machine) => machine;
  const { PARAMETERS, loadPreset, DEFAULT_MACHINE, withParameters } = await import("../isa/index.ts");
  for (const key of Object.keys(changes)) {
    if (PARAMETERS[key as keyof typeof PARAMETERS].kind === "structure") {
      throw new UsageError(
        `--set: ${key} belongs to the structure a program is compiled for and cannot change at run time; compile for it: rapsim compile MODEL --set ${key}=...`,
      );
    }
  }
  const apply = (machine: Machine) => changed(machine, changes, withParameters);
  // ranges are the same for every machine: a wrong value shows before long work
  apply(loadPreset(DEFAULT_MACHINE));
  return apply;
}

/** The files that a network is read from: its own, and the sidecar beside it. */
export function modelInputs(model: string): NamedPath[] {
  return [
    { option: "MODEL", path: model },
    { option: "MODEL's sidecar", path: sidecarOf(model) ?? undefined },
  ];
}
