// SqueezeDet on rap-e twice: with the simulator's DRAM, and with the burst-by-burst reference in its place. Everything else is the
// same, so that requests come when the DRAM at hand lets them come.
import { expect, test } from "vitest";
import { buildNetwork } from "../../compiler/builders.ts";
import { compileModel, quantize } from "../../compiler/index.ts";
import { checkProgram, loadPreset } from "../../isa/index.ts";
import { checkLaws, simulateTiming } from "../../sim/index.ts";
import { createBurstDram } from "../support/burst-dram.ts";

const TOTAL = 0.05;
const LAYER = 0.1;

test.each([
  ["layer by layer, which waits for DRAM", 0],
  ["fused, which hardly does", 1],
] as const)("%s, against DRAM burst by burst: total time within 5 %%, every layer within 10 %%", (_, optimize) => {
  const model = quantize(buildNetwork("squeezedet", { seed: 7 }), { seed: 7 });
  const checked = checkProgram(compileModel(model, loadPreset("rap-e"), { optimize }), "squeezedet");
  const modelled = simulateTiming(checked);
  const reference = simulateTiming(checked, { createDram: createBurstDram });
  expect(checkLaws(checked, modelled)).toEqual([]);
  // pooling within a phase has no cycles of its own
  const error = (cycles: number, expected: number) => (cycles === expected ? 0 : cycles / expected - 1);
  const total = error(modelled.totals.cycles, reference.totals.cycles);
  const layers = modelled.layers
    .map(({ name, attributedCycles }, i) => ({
      name,
      error: error(attributedCycles, reference.layers[i].attributedCycles),
    }))
    .filter(({ name }) => !name.startsWith("("));
  layers.sort((a, b) => Math.abs(b.error) - Math.abs(a.error));
  const percent = (value: number) => `${(100 * value).toFixed(2)} %`;
  console.log(
    `DRAM, optimize ${optimize}: ${modelled.totals.cycles} cycles, burst by burst ${reference.totals.cycles}: ${percent(total)}; worst layers: ${layers
      .slice(0, 3)
      .map((layer) => `${layer.name} ${percent(layer.error)}`)
      .join(", ")}`,
  );
  expect(Math.abs(total)).toBeLessThan(TOTAL);
  expect(layers.filter((layer) => !(Math.abs(layer.error) < LAYER))).toEqual([]);
});
