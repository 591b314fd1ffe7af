/** The figures of a point: what a search aims at, limits hold against, and every result row says. */

import { z } from "zod";
import { listNames, type Machine } from "../isa/index.ts";
import type { TimingResult } from "../sim/index.ts";

interface Figure {
  readonly unit: string;
  readonly meaning: string;
  readonly better: "maximize" | "minimize";
  /** null: not known from time alone. */
  readonly of: ((timing: TimingResult, machine: Machine) => number) | null;
}

const PJ_PER_MJ = 1e9;

export const FIGURES = {
  framesPerSecond: {
    unit: "1/s",
    meaning: "frames a second, from the interval between frames",
    better: "maximize",
    of: ({ totals }) => totals.framesPerSecond,
  },
  latencyMs: {
    unit: "ms",
    meaning: "one frame, from its input to its last output byte",
    better: "minimize",
    of: ({ totals }, { parameters }) => (1e3 * totals.latencyCycles) / parameters.clockHz,
  },
  cycles: {
    unit: "cycles",
    meaning: "the whole run, weights loaded beforehand included",
    better: "minimize",
    of: ({ totals }) => totals.cycles,
  },
  millijoulesPerFrame: {
    unit: "mJ",
    meaning: "energy of the whole run, by frames",
    better: "minimize",
    of: ({ totals, frames }) => totals.energyPj.total / frames / PJ_PER_MJ,
  },
  dramMillijoulesPerFrame: {
    unit: "mJ",
    meaning: "of it, DRAM",
    better: "minimize",
    of: ({ totals, frames }) => totals.energyPj.dram / frames / PJ_PER_MJ,
  },
  idleMillijoulesPerFrame: {
    unit: "mJ",
    meaning: "of it, leakage and clock: what time alone costs",
    better: "minimize",
    of: ({ totals, frames }) => (totals.energyPj.leakage + totals.energyPj.clock) / frames / PJ_PER_MJ,
  },
  averagePowerW: {
    unit: "W",
    meaning: "energy by time of the run",
    better: "minimize",
    of: ({ totals }) => totals.averagePowerW,
  },
  dramBytesPerFrame: {
    unit: "B",
    meaning: "DRAM read and written, in whole bursts",
    better: "minimize",
    of: ({ totals, frames }) => (totals.dramReadBytes + totals.dramWriteBytes) / frames,
  },
  sramAccessBytesPerFrame: {
    unit: "B",
    meaning: "SRAM read and written",
    better: "minimize",
    of: ({ totals, frames }) => (totals.sramReadBytes + totals.sramWriteBytes) / frames,
  },
  macUtilization: {
    unit: "",
    meaning: "useful multiply-accumulates by what the arrays could do, 0..1",
    better: "maximize",
    of: ({ totals }) => totals.macUtilization,
  },
  areaMm2: {
    unit: "mm2",
    meaning: "area proxy of the machine (docs/energy.md)",
    better: "minimize",
    of: ({ totals }) => totals.areaMm2.total,
  },
  sramBytes: {
    unit: "B",
    meaning: "SRAM on the chip, all agents together",
    better: "minimize",
    of: (_timing, { parameters: p }) => p.agents * p["sram.bytes"],
  },
  meanAp: {
    unit: "",
    meaning: "mean of the average precisions on the data set, 0..1; null without one",
    better: "maximize",
    of: null,
  },
} as const satisfies Record<string, Figure>;

export type FigureName = keyof typeof FIGURES;
export const FIGURE_NAMES = Object.keys(FIGURES) as FigureName[];

/** null: not measured */
export type Figures = Readonly<Record<FigureName, number | null>>;

export const figuresSchema = z.strictObject(
  Object.fromEntries(
    FIGURE_NAMES.map((name) => {
      const { unit, meaning } = FIGURES[name];
      return [
        name,
        z
          .number()
          .nullable()
          .describe(unit === "" ? meaning : `${meaning}; ${unit}`),
      ];
    }),
  ) as Record<FigureName, z.ZodNullable<z.ZodNumber>>,
);

export const isFigure = (name: string): name is FigureName => Object.hasOwn(FIGURES, name);
export const figureList = () => listNames(FIGURE_NAMES);

export function figuresOf(timing: TimingResult, machine: Machine): Figures {
  return Object.fromEntries(
    FIGURE_NAMES.map((name) => {
      const figure: Figure = FIGURES[name];
      return [name, figure.of === null ? null : figure.of(timing, machine)];
    }),
  ) as Figures;
}
