/** Random legal programs on random machines: do the laws hold, and does a plain cycle-by-cycle simulation say the same? */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createSimulationEmitter } from "../../sim/events.ts";
import { checkLaws } from "../../sim/laws.ts";
import { simulateTiming } from "../../sim/timing/index.ts";
import { simulateByCycle } from "./cycle-by-cycle.ts";
import { build, plans } from "./random-program.ts";

test("every law, for any program, machine and number of frames", () => {
  fc.assert(
    fc.property(plans(4), fc.integer({ min: 1, max: 3 }), fc.boolean(), (plan, frames, overlapFrames) => {
      const program = build(plan);
      expect(checkLaws(program, simulateTiming(program, { frames, overlapFrames }))).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test("event by event as cycle by cycle: every start and end, every cycle's cause", () => {
  fc.assert(
    fc.property(plans(4), fc.integer({ min: 1, max: 2 }), fc.boolean(), (plan, frames, overlapFrames) => {
      const program = build(plan);
      const expected = simulateByCycle(program, frames, overlapFrames);
      const events = createSimulationEmitter();
      const items: string[] = [];
      events.on("instruction", ({ index, agent, startCycle, endCycle }) =>
        items.push(`#${index} agent ${agent}: ${startCycle}..${endCycle}`),
      );
      const { totals, units } = simulateTiming(program, { frames, overlapFrames, events });
      expect(items.sort()).toEqual(expected.items);
      expect(totals.cycles).toBe(expected.cycles);
      expect(units.at(-1)!.busyCycles).toBe(expected.dramBusy);
      expect(units.slice(0, -1).map(({ busyCycles, stalls }) => ({ busyCycles, stalls }))).toEqual(
        expected.units.map(({ busyCycles, stalls }) => ({ busyCycles, stalls })),
      );
    }),
    { numRuns: 150 },
  );
});
