// How good is the search? On tiny networks, against all stripe heights and column cuts, by the cost model's own measure: simulating every
// tiling would take too long. Cuts and homes of tensors are searched in the same way in both.
import fc from "fast-check";
import { expect, test } from "vitest";
import { groupModel } from "../../compiler/lowering/groups.ts";
import { networkOf } from "../../compiler/schedule/operators.ts";
import { Search, type SearchEffort } from "../../compiler/schedule/search.ts";
import { createMachine } from "../../isa/index.ts";
import { arbitraryQuantizedModel } from "../arbitrary/quantized-model.ts";

const NETWORKS = 50;
const WITHIN = 1.1;
/** Of level 2; level 1 tries fewer. */
const EFFORT: SearchEffort = { stripeHeights: 10, columnCuts: 8, refinements: 2, longestGrid: 256 };
/** More sizes than any tile has rows or columns. */
const EXHAUSTIVE: SearchEffort = { stripeHeights: 64, columnCuts: 64, refinements: 0, longestGrid: 256 };

test("tiny networks: the search against all tilings", () => {
  const models = fc.sample(arbitraryQuantizedModel({ maxSteps: 3 }), { numRuns: 4 * NETWORKS, seed: 1 });
  const ratios: number[] = [];
  for (const [i, model] of models.entries()) {
    const parameters = { agents: [1, 4, 16][i % 3], "sram.bytes": [8192, 16384, 32768][i % 2] };
    const machine = createMachine("tiny", parameters, "test");
    const network = networkOf(model, groupModel(model, false));
    const cyclesWith = (effort: SearchEffort): number | null => {
      const input = { network, machine, packing: "full", sramBytes: parameters["sram.bytes"], effort } as const;
      const legs = new Search({ ...input, layerCost: () => null }).run(() => {});
      if (legs === null) return null;
      const steps = legs.flatMap(({ steps: of }) => of);
      return steps.reduce((sum, step) => sum + (step.kind === "phase" ? step.cost.cycles : step.cycles), 0);
    };
    const [found, best] = [cyclesWith(EFFORT), cyclesWith(EXHAUSTIVE)];
    if (found === null || best === null) continue;
    ratios.push(found / best);
    if (ratios.length === NETWORKS) break;
  }
  ratios.sort((a, b) => a - b);
  const good = ratios.filter((ratio) => ratio <= WITHIN).length;
  console.log(`${good} of ${ratios.length} within 10 %; worst ${ratios[ratios.length - 1].toFixed(3)} of the best`);
  expect(ratios).toHaveLength(NETWORKS);
  expect(ratios[ratios.length - 1]).toBeLessThanOrEqual(WITHIN);
});
