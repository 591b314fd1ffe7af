/** A search space: read from its file, every name and value in it known to be good. */
import { dirname, resolve } from "node:path";
import { loadMachine, type Machine, PARAMETERS, type Parameter, presetNames, RapError } from "../isa/index.ts";
import { type Axis, listAxis, rangeAxis } from "./axis.ts";
import { type Derived, inOrder } from "./derived.ts";
import { type Expression, parseExpression, type Value } from "./expression.ts";
import { FIGURE_NAMES, type FigureName, figureList, isFigure } from "./figures.ts";
import { checkSetting, checkSettingName, isOption, isParameter, OPTIONS, SETTING_NAMES } from "./settings.ts";
import { type SpaceFile, spaceSchema } from "./space-schema.ts";
import { parseYaml } from "./yaml-file.ts";

export type Sampling = NonNullable<SpaceFile["sampling"]>;
export interface Objective {
  readonly figure: FigureName;
  readonly goal: "maximize" | "minimize";
}

export interface Space {
  readonly name: string;
  readonly about: string;
  /** What all points have, over the defaults. */
  readonly settings: ReadonlyMap<string, Value>;
  /** Axes of settings, then those of variables. */
  readonly axes: readonly Axis[];
  readonly derived: readonly Derived[];
  readonly constraints: readonly Expression[];
  readonly limits: readonly Expression[];
  readonly objectives: readonly Objective[];
  readonly sampling: Sampling;
  readonly frames: number;
  readonly overlapFrames: boolean;
  readonly compileFor: "structure" | "machine";
  readonly dataset: NonNullable<SpaceFile["dataset"]> | null;
  readonly calibration: string | null;
  /** By the names that the file gives them. */
  readonly machines: ReadonlyMap<string, Machine>;
  /** Where each network's name stands, for messages. */
  readonly networks: ReadonlyMap<string, string>;
  /** The file, named in messages about points. */
  readonly place: string;
  /** Line of a part of the file, for messages. */
  readonly placeOf: Place;
  /** Everything the results depend on, as plain data. */
  readonly identity: SpaceFile;
}

type Place = (...at: PropertyKey[]) => string;

const DEFAULT_OBJECTIVES = {
  framesPerSecond: "maximize",
  millijoulesPerFrame: "minimize",
  areaMm2: "minimize",
} as const satisfies Partial<Record<FigureName, "maximize" | "minimize">>;

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** @param path of the file, named in messages. @throws RapError with file, line, value and rule */
export function parseSpace(text: string, path: string): Space {
  const { value: file, place } = parseYaml(text, path, spaceSchema);
  const settings = new Map(Object.entries(file.settings ?? {}));
  for (const [name, value] of settings) {
    checkSettingName(name, place("settings", name));
    checkSetting(name, value, place("settings", name));
  }
  const axes = [
    ...Object.entries(file.axes).map(([name, given]) => {
      checkSettingName(name, place("axes", name));
      return axisOf(name, given, (...at) => place("axes", name, ...at));
    }),
    ...Object.entries(file.variables ?? {}).map(([name, given]) => {
      const at = place("variables", name);
      if (!VARIABLE.test(name)) throw new RapError(`${at}: ${name}: a variable's name is letters, digits and _`);
      if (isParameter(name) || isOption(name) || isFigure(name)) {
        throw new RapError(`${at}: ${name} has a meaning already; settings go under axes`);
      }
      return axisOf(name, given, (...more) => place("variables", name, ...more));
    }),
  ];
  if (axes.length === 0) throw new RapError(`${place("axes")}: no axis; there is nothing to compare`);
  const known = new Set([...SETTING_NAMES, ...axes.map(({ name }) => name)]);
  const derived = Object.entries(file.derived ?? {}).map(([name, given]) => {
    const at = place("derived", name);
    checkSettingName(name, at);
    if (name === "machine" || name === "network")
      throw new RapError(`${at}: ${name} cannot be derived; list its values under axes`);
    return { name, expression: parseExpression(String(given), known, at) };
  });
  const scalings = valuesOf(file, "scaling").map(([value]) => value);
  if (scalings.includes("calibrated") && file.calibration === undefined) {
    throw new RapError(`${place()}: scaling calibrated needs pictures: give calibration, a folder of them`);
  }
  const shown = [...settings.keys(), ...axes.map(({ name }) => name), ...derived.map(({ name }) => name)];
  checkOnce(shown, place());
  const measured = FIGURE_NAMES.filter((name) => name !== "meanAp" || file.dataset !== undefined);
  const ofRow = new Set([...shown, ...measured]);
  const sampling = file.sampling ?? { method: "grid" };
  const endless = axes.find(({ count }) => count === Number.POSITIVE_INFINITY);
  if (sampling.method === "grid" && endless !== undefined) {
    throw new RapError(
      `${place("axes", endless.name)}: ${endless.name}: a grid needs values: give step, factor or count, or another sampling method`,
    );
  }
  return {
    name: file.name,
    about: file.about ?? "",
    settings,
    axes,
    derived: inOrder(derived),
    constraints: (file.constraints ?? []).map((given, i) => parseExpression(given, known, place("constraints", i))),
    limits: (file.limits ?? []).map((given, i) => parseExpression(given, ofRow, place("limits", i))),
    objectives: objectivesOf(file, (name) => place("objectives", name)),
    sampling,
    frames: framesOf(file, place),
    overlapFrames: file.overlapFrames ?? false,
    compileFor: file.compileFor ?? "structure",
    dataset: file.dataset ?? null,
    calibration: file.calibration ?? null,
    machines: machinesOf(file, path, place),
    networks: networksOf(file, place),
    place: path,
    placeOf: place,
    identity: file,
  };
}

function axisOf(name: string, given: SpaceFile["axes"][string], place: Place): Axis {
  if (Array.isArray(given)) {
    for (const [i, value] of given.entries()) checkSetting(name, value, place(i));
    return listAxis(name, given);
  }
  if (isOption(name) && OPTIONS[name].values !== null) {
    throw new RapError(`${place()}: ${name}: give the values as a list`);
  }
  const parameter: Parameter | undefined = isParameter(name) ? PARAMETERS[name] : undefined;
  const axis = rangeAxis(name, given, parameter, place());
  checkSetting(name, axis.at(0), place("from"));
  checkSetting(name, axis.atShare(1 - Number.EPSILON), place("to"));
  return axis;
}

/** The networks that the file names, or the default one, with their lines. */
function networksOf(file: SpaceFile, place: Place): Map<string, string> {
  const given = valuesOf(file, "network").map(([value, at]) => [String(value), place(...at)] as const);
  return new Map(given.length > 0 ? given : [[OPTIONS.network.byDefault, place()]]);
}

/** A setting's values, by where they stand. */
function valuesOf(file: SpaceFile, name: string): (readonly [value: Value, at: readonly PropertyKey[]])[] {
  const axis = file.axes[name];
  const given = file.settings?.[name];
  if (given !== undefined) return [[given, ["settings", name]]];
  return Array.isArray(axis) ? axis.map((value, i) => [value, ["axes", name, i]] as const) : [];
}

/** Files are found from the space file's folder. */
export const besideSpace = (space: string, file: string) => resolve(dirname(space), file);

/** A refusal of what the space file names, with the line that names it. */
export const located = (place: string, error: unknown): unknown =>
  error instanceof RapError ? new RapError(`${place}: ${error.message}`, { cause: error }) : error;

function machinesOf(file: SpaceFile, path: string, place: Place): Map<string, Machine> {
  const given = valuesOf(file, "machine");
  const named = given.length > 0 ? given : [[OPTIONS.machine.byDefault, []] as const];
  return new Map(
    named.map(([value, at]) => {
      const name = String(value);
      try {
        return [name, loadMachine(presetNames().includes(name) ? name : besideSpace(path, name))];
      } catch (error) {
        throw located(place(...at), error);
      }
    }),
  );
}

function framesOf({ frames = 1, overlapFrames }: SpaceFile, place: Place): number {
  if (overlapFrames === true && frames < 2) {
    throw new RapError(`${place("overlapFrames")}: overlapFrames needs at least two frames; give frames`);
  }
  return frames;
}

/** A name has its value from one place. */
function checkOnce(names: readonly string[], place: string): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new RapError(`${place}: ${twice} is given twice among settings, axes, variables and derived`);
  }
}

function objectivesOf({ objectives, dataset }: SpaceFile, place: (name: string) => string): Objective[] {
  return Object.entries(objectives ?? DEFAULT_OBJECTIVES).map(([figure, goal]) => {
    if (!isFigure(figure)) throw new RapError(`${place(figure)}: ${figure} is not a figure; known: ${figureList()}`);
    if (figure === "meanAp" && dataset === undefined) {
      throw new RapError(`${place(figure)}: meanAp needs photographs with labels; give dataset`);
    }
    return { figure, goal };
  });
}
