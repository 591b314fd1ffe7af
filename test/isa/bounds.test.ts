// Is what is seen of all agents at once true of each of them?
import fc from "fast-check";
import { expect, test } from "vitest";
import { isWithinMemory, isWithinMemoryEverywhere } from "../../isa/bounds.ts";
import { AGENTS, GRID_OPS, gridScenario } from "../arbitrary/grid-scenario.ts";

test("what holds at the corners of the grid holds for every agent", () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(gridScenario, ({ context, bound, sizes }) => {
      const isEverywhere = isWithinMemoryEverywhere(context, bound, sizes);
      const key = `${bound.instruction.op} ${isEverywhere}`;
      seen.set(key, (seen.get(key) ?? 0) + 1);
      if (!isEverywhere) return;
      for (let agent = 0; agent < AGENTS; agent++) {
        expect(() => isWithinMemory(context, bound, agent, sizes)).not.toThrow();
        expect(isWithinMemory(context, bound, agent, sizes)).toBe(true);
      }
    }),
    { numRuns: 5000 },
  );
  expect(seen.get("copy true")).toBeUndefined();
  for (const op of GRID_OPS) {
    expect(seen.get(`${op} false`)).toBeGreaterThan(0);
    if (op !== "copy") expect(seen.get(`${op} true`)).toBeGreaterThan(9);
  }
});
