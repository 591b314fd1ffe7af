// Does a compiled program compute what the model says, on any machine and at every level? test/reference decides.
import fc from "fast-check";
import { expect } from "vitest";
import { type CompileOptions, compileModel } from "../../compiler/index.ts";
import type { QuantizedModel } from "../../compiler/quantized-model.ts";
import {
  checkProgram,
  createMachine,
  decodeProgram,
  encodeProgram,
  type Machine,
  type Program,
  RapError,
} from "../../isa/index.ts";
import { assembleProbes, checkLaws, Execution, findRaces, type Probe, simulateTiming } from "../../sim/index.ts";
import { arbitraryMachineShape, arbitraryModelWithInput, type Elements } from "../arbitrary/quantized-model.ts";
import { runReference } from "../reference/index.ts";
import { MECHANISMS, type Mechanism, mechanismsOf } from "./mechanisms.ts";

type MachineShape = typeof arbitraryMachineShape extends fc.Arbitrary<infer S> ? S : never;
type Level = NonNullable<CompileOptions["optimize"]>;

export const LEVELS: readonly Level[] = [0, 1, 2];

export function machineOf(shape: MachineShape): Machine {
  return createMachine(
    "random",
    {
      agents: shape.agents,
      "agent.tensorProcessors": shape.tensorProcessors,
      "array.rows": shape.rows,
      "array.cols": shape.cols,
      "sram.bytes": shape.sramKiB * 1024,
      "array.accumulatorBytes": shape.accumulatorKiB * 1024,
    },
    "test",
  );
}

/** Machines on which schedules have to choose: grids of agents both ways, SRAM and accumulators that are soon full. */
const crampedMachineShape: fc.Arbitrary<MachineShape> = fc.record({
  agents: fc.constantFrom(1, 2, 4, 9, 16),
  rows: fc.constantFrom(4, 8, 16),
  cols: fc.constantFrom(4, 8, 16),
  sramKiB: fc.constantFrom(4, 6, 8, 12, 20, 32),
  accumulatorKiB: fc.constantFrom(1, 2, 4, 16),
  tensorProcessors: fc.constantFrom(1, 1, 2, 4),
});

/** The program, or null when the machine is too small for the model: such a refusal names what does not fit. */
function compileOrRefuse(model: QuantizedModel, machine: Machine, optimize: Level): Program | null {
  try {
    return compileModel(model, machine, { optimize });
  } catch (error) {
    if (!(error instanceof RapError)) throw error;
    expect(error.message).toMatch(/fits .* free SRAM|tiles are too small/);
    return null;
  }
}

export interface Lowered {
  readonly program: Program;
  /** the bound of the arrays */
  readonly computeCycles: number;
  readonly mechanisms: ReadonlySet<Mechanism>;
}

/** Whether a program gives the reference's values in two frames, without races, and obeys the laws of time. */
export function checkLowered(program: Program, input: Elements, expected: ReturnType<typeof runReference>): Lowered {
  const checked = checkProgram(decodeProgram(encodeProgram(program), "test"), "test");
  for (const overlapFrames of [false, true]) expect(findRaces(checked, { overlapFrames }).map(String)).toEqual([]);
  const execution = new Execution(checked);
  const probes: Probe[] = [];
  execution.onProbe = (probe) => probes.push(probe);
  for (const [name, values] of execution.runFrame(input))
    expect([name, values]).toEqual([name, expected.tensors.get(name)]);
  const assembled = assembleProbes(program, probes);
  expect(assembled.errors).toEqual([]);
  for (const { name, values } of assembled.layers.values())
    expect([name, values]).toEqual([name, expected.accumulators.get(name)]);
  expect(assembled.layers.size).toBe(expected.accumulators.size);
  // a second frame starts from the first one's leftovers and must not see them
  for (const [name, values] of execution.runFrame(input))
    expect([name, values]).toEqual([name, expected.tensors.get(name)]);
  const timing = simulateTiming(checked, {});
  expect(checkLaws(checked, timing)).toEqual([]);
  const { bounds } = timing.totals;
  return { program, computeCycles: bounds.computeCycles, mechanisms: mechanismsOf(program, timing) };
}

/** What random lowerings came to. */
export interface Tally {
  readonly refused: number;
  readonly mechanisms: Readonly<Record<Mechanism, number>>;
}

const machineShape = fc.oneof(arbitraryMachineShape, crampedMachineShape, crampedMachineShape);

/** A random model on a random machine gives the reference's values at every level, without races, or is refused by name. */
export function checkRandomLowerings(runs: number): Tally {
  let refused = 0;
  const mechanisms = Object.fromEntries(MECHANISMS.map((name) => [name, 0])) as Record<Mechanism, number>;
  fc.assert(
    fc.property(arbitraryModelWithInput(), machineShape, ({ model, input }, shape) => {
      const machine = machineOf(shape);
      const expected = runReference(model, input);
      const seen = new Set<string>();
      for (const level of LEVELS) {
        const program = compileOrRefuse(model, machine, level);
        if (program === null) {
          refused++;
          return;
        }
        const file = Buffer.from(encodeProgram(program)).toString("latin1");
        if (seen.has(file)) continue;
        seen.add(file);
        const lowered = checkLowered(program, input, expected);
        for (const name of lowered.mechanisms) mechanisms[name]++;
        const estimate = estimateOf(program);
        if (estimate !== null) expect(estimate).toBeGreaterThanOrEqual(Math.floor(lowered.computeCycles));
      }
    }),
    { numRuns: runs },
  );
  expect(refused).toBeLessThan(runs / 2);
  return { refused, mechanisms };
}

/** Of random models on random machines, as far as their programs are made of phases alone: estimated cycles over simulated ones. */
export function estimateRatios(runs: number, seed: number): number[] {
  return fc
    .sample(fc.tuple(arbitraryModelWithInput(), machineShape), { numRuns: runs, seed })
    .flatMap(([{ model }, shape]) => {
      const program = compileOrRefuse(model, machineOf(shape), 1);
      const estimate = program === null ? null : estimateOf(program);
      if (program === null || estimate === null) return [];
      return [estimate / simulateTiming(checkProgram(program, "test"), {}).totals.latencyCycles];
    });
}

/** Cycles that the schedule counts on; null when a layer went through DRAM by itself. */
export function estimateOf({ schedule, layers }: Program): number | null {
  const covered = new Set(schedule.flatMap(({ layers: [first, end] }) => range(first, end)));
  return covered.size < layers.length ? null : schedule.reduce((sum, { estimate }) => sum + estimate.cycles, 0);
}

const range = (first: number, end: number) => Array.from({ length: end - first }, (_, i) => first + i);
