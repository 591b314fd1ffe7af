/** A point as files and command lines: what repeats it by hand. */
import {
  DEFAULT_MACHINE,
  type Machine,
  machineText,
  PARAMETER_KEYS,
  PARAMETERS,
  type ParameterKey,
} from "../isa/index.ts";
import type { Value } from "./expression.ts";
import type { Point } from "./point.ts";
import { OPTIONS } from "./settings.ts";
import type { Space } from "./space.ts";

/** Of a point's files. */
export const pointName = ({ index }: Pick<Point, "index">) => `point-${index}`;

/** The point's machine as a file that `--machine` takes. */
export const machineFile = (point: Point) => machineText({ ...point.machine, name: pointName(point) });

/** What the machine's file has to say: parameters that are not at their default. */
export function machineChanges({ parameters }: Machine): Partial<Record<ParameterKey, Value>> {
  return Object.fromEntries(
    PARAMETER_KEYS.filter((key) => parameters[key] !== PARAMETERS[key].default).map((key) => [key, parameters[key]]),
  );
}

/** Characters that no shell gives a meaning. */
const quoted = (text: string) => (/^[\w./=:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** Options of `rapsim compile` that are its defaults are left out. */
const COMPILE_OPTIONS = ["optimize", "packing", "activations", "head", "scaling", "seed"] as const;

/** Two command lines: the program is made, and timed, as in the sweep. */
export function commandsOf(space: Space, point: Point): readonly [compile: string, run: string] {
  const { options, machine, compiledFor } = point;
  const base = space.machines.get(options.machine)!;
  const changed = (a: Machine, b: Machine) =>
    PARAMETER_KEYS.filter((key) => a.parameters[key] !== b.parameters[key]).flatMap((key) => [
      "--set",
      `${key}=${a.parameters[key]}`,
    ]);
  const given = COMPILE_OPTIONS.flatMap((name) => {
    const value = options[name];
    return value === null || value === OPTIONS[name].byDefault ? [] : [`--${name}`, String(value)];
  });
  const program = `${pointName(point)}.bin`;
  const compile = [
    "rapsim",
    "compile",
    options.network,
    ...(options.machine === DEFAULT_MACHINE ? [] : ["--machine", options.machine]),
    ...changed(compiledFor, base),
    ...given,
    ...(options.scaling === "calibrated" ? ["--calibration", space.calibration ?? ""] : []),
    "-o",
    program,
  ];
  const run = [
    "rapsim",
    "run",
    program,
    "--mode",
    "timing",
    ...(space.frames > 1 ? ["--frames", String(space.frames)] : []),
    ...(space.overlapFrames ? ["--overlap-frames"] : []),
    ...changed(machine, compiledFor),
  ];
  const line = (words: readonly string[]) => words.map(quoted).join(" ");
  return [line(compile), line(run)];
}
