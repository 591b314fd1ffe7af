// Does a compiled program compute what the model says, on any machine? test/reference decides.
import fc from "fast-check";
import { expect } from "vitest";
import { compileModel } from "../../compiler/index.ts";
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
import { assembleProbes, Execution, type Probe } from "../../sim/functional/index.ts";
import { findRaces } from "../../sim/races/index.ts";
import { arbitraryMachineShape, arbitraryModelWithInput } from "../arbitrary/quantized-model.ts";
import { runReference } from "../reference/index.ts";

type MachineShape = typeof arbitraryMachineShape extends fc.Arbitrary<infer S> ? S : never;

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

/** The program, or null when the machine is too small for the model: such a refusal names what does not fit. */
function compileOrRefuse(model: QuantizedModel, machine: Machine): Program | null {
  try {
    return compileModel(model, machine);
  } catch (error) {
    if (!(error instanceof RapError)) throw error;
    expect(error.message).toMatch(/fits .* free SRAM|tiles are too small/);
    return null;
  }
}

/** A random model on a random machine gives the reference's values, without races, or is refused by name. */
export function checkRandomLowerings(runs: number): void {
  let refused = 0;
  fc.assert(
    fc.property(arbitraryModelWithInput(), arbitraryMachineShape, ({ model, input }, shape) => {
      const program = compileOrRefuse(model, machineOf(shape));
      if (program === null) {
        refused++;
        return;
      }
      const checked = checkProgram(decodeProgram(encodeProgram(program), "test"), "test");
      for (const overlapFrames of [false, true]) expect(findRaces(checked, { overlapFrames }).map(String)).toEqual([]);
      const expected = runReference(model, input);
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
    }),
    { numRuns: runs },
  );
  expect(refused).toBeLessThan(runs / 2);
}
