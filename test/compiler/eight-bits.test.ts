// Is all arithmetic 8 bits in, 32 bits accumulate? Walks every instruction of compiled programs, in all modes and formats.
import { describe, expect, test } from "vitest";
import { buildNetwork } from "../../compiler/builders.ts";
import { compileModel, quantize } from "../../compiler/index.ts";
import { SECOND_PASSES } from "../../compiler/lowering/second-pass.ts";
import { allInstructions, loadPreset } from "../../isa/index.ts";
import { readersOfWide, tooWide } from "../support/eight-bits.ts";

const machine = loadPreset("rap-small");

describe.each(["static", "dynamic", "delayed"] as const)("%s scaling", (scaling) => {
  describe.each(["i8", "u8"] as const)("%s activations", (activations) => {
    test.each(["i8", "i32"] as const)("%s head: no operand is wider than 8 bits", (head) => {
      const model = quantize(buildNetwork("tiny"), { scaling, activations, head });
      for (const secondPass of SECOND_PASSES) {
        const program = compileModel(model, machine, { secondPass });
        expect(allInstructions(program).some(({ op }) => op === "conv")).toBe(true);
        expect(tooWide(program)).toEqual([]);
        expect(readersOfWide(program)).toEqual([]);
      }
    });
  });
});

test("a wide operand is found", () => {
  const program = compileModel(quantize(buildNetwork("tiny")), machine);
  const weights = program.tensors.findIndex(({ name }) => name.endsWith("/weights"));
  const tensors = program.tensors.map((tensor, i) => (i === weights ? { ...tensor, format: "i32" as const } : tensor));
  expect(tooWide({ ...program, tensors })[0]).toMatch(/^conv\.weights: '.*' is i32$/);
});
