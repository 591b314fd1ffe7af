// Is the work that an agent is said to share with the one before it the work that it has?
import fc from "fast-check";
import { expect, test } from "vitest";
import { bindViews, instruction, loadPreset } from "../../isa/index.ts";
import { likeness, measure } from "../../sim/timing/work.ts";
import { AGENTS, GRID_OPS, gridScenario } from "../arbitrary/grid-scenario.ts";

test("what is said to be alike is measured to be alike", () => {
  const alike = new Map<string, number>();
  fc.assert(
    fc.property(gridScenario, ({ context, bound }) => {
      const isLikeBefore = likeness(context, bound);
      for (let agent = 1; agent < AGENTS; agent++) {
        if (!isLikeBefore(agent)) continue;
        expect(measure(context, bound, agent)).toEqual(measure(context, bound, agent - 1));
        const { op } = bound.instruction;
        alike.set(op, (alike.get(op) ?? 0) + 1);
      }
    }),
    { numRuns: 4000 },
  );
  for (const op of GRID_OPS.filter((name) => name !== "copy" && name !== "store")) {
    expect(alike.get(op)).toBeGreaterThan(50);
  }
});

test("a load's padding goes where the view lies, which may differ from agent to agent", () => {
  const axis = (extent: number, stepA = 0) => ({ base: 0, stepA, stepB: 0, extent });
  const tensors = [{ name: "t", height: 4, width: 4, channels: 1, format: "i8", role: "input", address: 0 } as const];
  const context = { machine: loadPreset("rap-e"), tensors };
  const isLike = (viewStep: number) => {
    const grid = { gridY: 2, gridX: 1, c: axis(1) };
    const view = instruction("view", { ...grid, y: axis(6, viewStep), x: axis(6), pixelPitch: 1, rowPitch: 6 });
    const load = instruction("load", { ...grid, y: axis(6), x: axis(6), fill: true });
    return likeness(context, bindViews([view, load], String)[1])(1);
  };
  expect(isLike(0)).toBe(true);
  expect(isLike(1)).toBe(false);
});
