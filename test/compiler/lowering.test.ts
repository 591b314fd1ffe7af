import fc from "fast-check";
import { expect, test } from "vitest";
import { compileModel } from "../../compiler/lowering/index.ts";
import { createMachine, type Machine, RapError } from "../../isa/index.ts";
import { arbitraryMachineShape, arbitraryModelWithInput } from "../arbitrary/quantized-model.ts";

type MachineShape = typeof arbitraryMachineShape extends fc.Arbitrary<infer S> ? S : never;

function machineOf(shape: MachineShape): Machine {
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

test("every random model compiles for every random machine, or is refused by name", () => {
  let compiled = 0;
  let refused = 0;
  fc.assert(
    fc.property(arbitraryModelWithInput(), arbitraryMachineShape, ({ model }, shape) => {
      try {
        const program = compileModel(model, machineOf(shape));
        expect(program.body.length).toBeGreaterThan(1);
        compiled++;
      } catch (error) {
        if (!(error instanceof RapError)) throw error;
        expect(error.message).toMatch(/fits .* free SRAM/);
        refused++;
      }
    }),
    { numRuns: 300 },
  );
  expect(compiled).toBeGreaterThan(refused);
});
