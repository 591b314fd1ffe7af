/** From values on the axes to a point: every setting known, the machine built, or the reason why there is none. */
import { type Machine, type MachineParameters, PARAMETERS, RapError, withParameters } from "../isa/index.ts";
import type { Value } from "./expression.ts";
import { checkSetting, isParameter, OPTIONS, type Options } from "./settings.ts";
import type { Space } from "./space.ts";

export interface Point {
  /** Position among the points of the space: the row's number. */
  readonly index: number;
  /** Axes, variables and derived settings, as the row shows them. */
  readonly settings: Readonly<Record<string, Value>>;
  readonly options: Options;
  /** The machine that is timed. */
  readonly machine: Machine;
  /** The machine the program is made for; the same structure. */
  readonly compiledFor: Machine;
}

/** A point that cannot be evaluated: a row with an error. */
export interface BadPoint {
  readonly index: number;
  readonly settings: Readonly<Record<string, Value>>;
  readonly error: string;
}

/** null: the constraints leave it out. @param values of the axes, in their order */
export function pointOf(space: Space, index: number, values: readonly Value[]): Point | BadPoint | null {
  const scope = new Map<string, Value>();
  for (const [name, { byDefault }] of Object.entries(OPTIONS)) if (byDefault !== null) scope.set(name, byDefault);
  for (const [name, value] of space.settings) scope.set(name, value);
  const settings: Record<string, Value> = {};
  const give = (name: string, value: Value) => {
    scope.set(name, value);
    settings[name] = value;
  };
  space.axes.forEach(({ name }, i) => {
    give(name, values[i]);
  });
  try {
    const base = space.machines.get(String(scope.get("machine")))!;
    for (const [name, value] of Object.entries(base.parameters)) if (!scope.has(name)) scope.set(name, value);
    for (const { name, expression } of space.derived) give(name, expression.evaluate(scope));
    for (const constraint of space.constraints) {
      const holds = constraint.evaluate(scope);
      if (typeof holds !== "boolean")
        throw new RapError(`${constraint.place}: '${constraint.text}': is neither true nor false`);
      if (!holds) return null;
    }
    for (const { name, expression } of space.derived) checkSetting(name, scope.get(name)!, expression.place);
    return { index, settings, options: optionsOf(scope), ...machinesOf(space, base, scope) };
  } catch (error) {
    if (!(error instanceof RapError)) throw error;
    return { index, settings, error: error.message };
  }
}

function optionsOf(scope: ReadonlyMap<string, Value>): Options {
  return Object.fromEntries(Object.keys(OPTIONS).map((name) => [name, scope.get(name) ?? null])) as unknown as Options;
}

function machinesOf(
  space: Space,
  base: Machine,
  scope: ReadonlyMap<string, Value>,
): Pick<Point, "machine" | "compiledFor"> {
  const changes = (wanted: (key: keyof MachineParameters) => boolean) =>
    Object.fromEntries([...scope].filter(([name]) => isParameter(name) && wanted(name)));
  const machine = withParameters(
    base,
    changes(() => true),
    space.place,
  );
  if (space.compileFor === "machine") return { machine, compiledFor: machine };
  // rates that all points share are the base machine's; those of an axis are not
  const varies = new Set([...space.axes, ...space.derived].map(({ name }) => name));
  const fixed = changes((key) => PARAMETERS[key].kind === "structure" || !varies.has(key));
  return { machine, compiledFor: withParameters(base, fixed, space.place) };
}
