// Where several agents or units share DRAM or SRAM, whoever becomes faster may come into the way of somebody more urgent. How often,
// and how much, on random small programs? Each improves one rate of its machine. On real programs the same is asserted.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildNetwork } from "../../compiler/builders.ts";
import { compileModel, quantize } from "../../compiler/index.ts";
import { checkProgram, loadPreset, withParameters } from "../../isa/index.ts";
import { simulateTiming } from "../../sim/timing/index.ts";
import { BETTER } from "../timing/better.ts";
import { ANY_SRAM, build, IDEAL, plans, TIMED_DRAM, WIDE_SRAM } from "../timing/random-program.ts";

const SAMPLES = 2000;
const KEYS = Object.keys(BETTER);
/** An anomaly above this is a finding. */
const FINDING = 0.02;

const ideal = { sram: WIDE_SRAM, dram: IDEAL };
const timed = { sram: ANY_SRAM, dram: TIMED_DRAM };
describe("random small programs", () => {
  test.each([
    ["1 agent, ideal DRAM, wide SRAM", 1, ideal],
    ["1 agent", 1, timed],
    ["up to 4 agents", 4, timed],
  ] as const)("%s", (name, agents, memories) => {
    const samples = fc.sample(fc.tuple(plans(agents, memories), fc.constantFrom(...KEYS)), {
      numRuns: SAMPLES,
      seed: 1,
    });
    const slower = samples.flatMap(([plan, key]) => {
      const program = build(plan);
      const { machine } = program.program;
      const value = machine.parameters[key as "dram.bytesPerCycle"];
      const better = withParameters(machine, { [key]: BETTER[key](value) }, "test");
      const before = simulateTiming(program).totals.cycles;
      const loss = simulateTiming(program, { machine: better }).totals.cycles / before - 1;
      return loss > 0 ? [{ key, loss }] : [];
    });
    slower.sort((a, b) => b.loss - a.loss);
    const percent = (part: number) => `${(100 * part).toFixed(2)} %`;
    const findings = slower.filter(({ loss }) => loss > FINDING);
    console.log(
      `${name}: ${percent(slower.length / SAMPLES)} slower, ${percent(findings.length / SAMPLES)} by more than 2 %; worst: ${slower
        .slice(0, 5)
        .map(({ key, loss }) => `${key} ${percent(loss)}`)
        .join(", ")}`,
    );
    expect(slower.length).toBeLessThan(0.05 * SAMPLES);
  });
});

test("SqueezeDet on rap-e: no rate that gets better makes it slower by more than 2 %", () => {
  const model = quantize(buildNetwork("squeezedet", { seed: 7 }), { seed: 7 });
  const machine = loadPreset("rap-e");
  const program = checkProgram(compileModel(model, machine), "squeezedet");
  const before = simulateTiming(program).totals.cycles;
  const losses = KEYS.map((key) => {
    const better = withParameters(
      machine,
      { [key]: BETTER[key](machine.parameters[key as "dram.bytesPerCycle"]) },
      "test",
    );
    return { key, loss: simulateTiming(program, { machine: better }).totals.cycles / before - 1 };
  });
  console.log(losses.map(({ key, loss }) => `${key} ${(100 * loss).toFixed(2)} %`).join("\n"));
  expect(losses.filter(({ loss }) => loss > FINDING)).toEqual([]);
});
