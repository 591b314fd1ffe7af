import { expect, test } from "vitest";
import { buildNetwork } from "../../compiler/builders.ts";
import { compileModel, quantize } from "../../compiler/index.ts";
import { encodeProgram, loadPreset, type Program } from "../../isa/index.ts";
import { checkRandomLowerings } from "../support/lowering-property.ts";

test("random models on random machines, at every level: values, probes, races, laws", () => {
  checkRandomLowerings(30);
});

test("of all candidates the fastest is taken", () => {
  const model = quantize(buildNetwork("tiny", { seed: 1 }), { seed: 1 });
  const machine = loadPreset("rap-e");
  for (const optimize of [1, 2] as const) {
    // whichever is named the fastest, by its place
    for (let winner = 0, count = 1; winner < count; winner++) {
      const timed: Program[] = [];
      const latencyOf = (program: Program) => (timed.push(program) === winner + 1 ? 1 : 2);
      const program = compileModel(model, machine, { optimize, latencyOf });
      count = timed.length;
      expect(program).toBe(timed[winner]);
      expect(timed.some(({ schedule }) => schedule.length === 0)).toBe(true);
      expect(timed.some(({ schedule }) => schedule.length > 0)).toBe(true);
    }
  }
});

test("without a simulator's times the level says which program", () => {
  const model = quantize(buildNetwork("tiny", { seed: 1 }), { seed: 1 });
  const machine = loadPreset("rap-e");
  for (const optimize of [1, 2] as const) {
    const [one, again] = [1, 2].map(() => compileModel(model, machine, { optimize }));
    expect(one.schedule.length).toBeGreaterThan(0);
    expect(Buffer.compare(encodeProgram(one), encodeProgram(again))).toBe(0);
  }
});
