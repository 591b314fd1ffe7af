/** Rows as the page shows them: with the front, and what repeats each point. */
import type { SweepPoint, SweepReport } from "../report/sweep-report.ts";
import { keepsLimits } from "./best.ts";
import { commandsOf, machineChanges } from "./commands.ts";
import { FIGURE_NAMES, FIGURES } from "./figures.ts";
import { pointOf } from "./point.ts";
import type { Row } from "./results.ts";
import type { Space } from "./space.ts";

const FOR_STRUCTURE =
  "Points that differ in rates only share a program, which was made for the base machine's rates. A compiler that knows a point's own rates may do better: compileFor: machine in the space file.";
const RANDOM_WEIGHTS =
  "Figures but meanAp depend on the network's geometry, not on its weights. The area is a proxy, and energies are of the class, not of a chip: docs/energy.md.";

export function reportOf(space: Space, rows: readonly Row[], front: readonly number[], rapsim: string): SweepReport {
  const onFront = new Set(front);
  return {
    rapsim,
    name: space.name,
    about: space.about,
    settings: Object.fromEntries(space.settings),
    axes: space.axes.map(({ name }) => name),
    derived: space.derived.map(({ name }) => name),
    figures: FIGURE_NAMES.map((name) => {
      const { unit, meaning, better } = FIGURES[name];
      return { name, unit, meaning, better };
    }),
    objectives: space.objectives,
    limits: space.limits.map(({ text }) => text),
    points: rows.map((row) => shownPoint(space, row, onFront.has(row.index))),
    notes: [...(space.compileFor === "structure" ? [FOR_STRUCTURE] : []), RANDOM_WEIGHTS],
  };
}

function shownPoint(space: Space, row: Row, onFront: boolean): SweepPoint {
  const { index, settings, figures, error } = row;
  const values = space.axes.map(({ name }) => settings[name]);
  const point = pointOf(space, index, values);
  const isWhole = point !== null && !("error" in point);
  return {
    index,
    settings,
    figures,
    error,
    onFront,
    withinLimits: keepsLimits(space, row),
    machine: isWhole ? machineChanges(point.machine) : {},
    commands: isWhole ? commandsOf(space, point) : [],
  };
}
