// Is a timeline with few intervals still that of the run?
import fc from "fast-check";
import { expect, test } from "vitest";
import { timelineOf } from "../../report/run-intervals.ts";
import { timing } from "./synthetic.ts";

const names = timing.layers.map(({ name }) => name);
const rows = fc.array(
  fc
    .record({ agent: fc.nat(1), startCycle: fc.nat(10_000), length: fc.nat(300), layer: fc.nat(names.length - 1) })
    .map(({ agent, startCycle, length, layer }) => ({
      ...{ agent, startCycle, endCycle: startCycle + length, layer: names[layer] },
      ...{ unit: "mac", index: 0, op: "conv", tile: 0 },
    })),
  { maxLength: 200 },
);

test("no more intervals than asked for; they cover all work, and nothing farther from it than what was joined", () => {
  fc.assert(
    fc.property(rows, fc.integer({ min: 4, max: 100 }), (instructions, most) => {
      const { tracks, joinedCycles } = timelineOf(timing, { instructions, stalls: [], dram: [] }, most);
      expect(tracks.reduce((sum, { work }) => sum + work.length / 4, 0)).toBeLessThanOrEqual(most);
      for (const { agent, work } of tracks) {
        const own = instructions.filter((row) => row.agent === agent);
        let [end, drawn] = [0, 0];
        const covered = new Set<number>();
        for (let i = 0; i < work.length; i += 4) {
          expect(work[i]).toBeGreaterThanOrEqual(0);
          const start = end + work[i];
          end = start + work[i + 1];
          drawn += work[i + 1];
          for (let cycle = start; cycle < end; cycle++) covered.add(cycle);
        }
        const worked = new Set(
          own.flatMap((r) => Array.from({ length: r.endCycle - r.startCycle }, (_, i) => r.startCycle + i)),
        );
        for (const cycle of worked) expect(covered.has(cycle)).toBe(true);
        // each joint adds a gap at most
        expect(drawn - worked.size).toBeLessThanOrEqual(joinedCycles * own.length);
        if (joinedCycles === 0) expect(drawn).toBe(worked.size);
      }
    }),
    { numRuns: 50 },
  );
});
