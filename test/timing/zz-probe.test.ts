import fc from "fast-check";
import { test } from "vitest";
import { simulateTiming } from "../../sim/timing/index.ts";
import { createSimulationEmitter } from "../../sim/events.ts";
import { simulateByCycle } from "./cycle-by-cycle.ts";
import { build, plans } from "./random-program.ts";
import { expect } from "vitest";
test("probe", () => {
  const causes = new Map<string, number>(); const ops = new Map<string, number>(); let n = 0, cycles = 0, zero = 0, items = 0;
  fc.assert(fc.property(plans(4), fc.integer({min:1,max:3}), fc.boolean(), (plan, frames, overlapFrames) => {
    const program = build(plan);
    const events = createSimulationEmitter();
    const its: string[] = [];
    events.on("instruction", ({ index, agent, startCycle, endCycle }) => { items++; if (startCycle === endCycle) zero++; const op = program.bound[index].instruction.op; ops.set(op, (ops.get(op) ?? 0) + 1); its.push(`#${index} agent ${agent}: ${startCycle}..${endCycle}`); });
    const r = simulateTiming(program, { frames, overlapFrames, events });
    const expected = simulateByCycle(program, frames, overlapFrames);
    expect(its.sort()).toEqual(expected.items);
    expect(r.units.slice(0, -1).map(({ busyCycles, stalls }) => ({ busyCycles, stalls }))).toEqual(
        expected.units.map(({ busyCycles, stalls }) => ({ busyCycles, stalls })));
    expect(r.units.at(-1)!.busyCycles).toBe(expected.dramBusy);
    n++; cycles += r.totals.cycles;
    for (const u of r.units) for (const [c, v] of Object.entries(u.stalls)) causes.set(c, (causes.get(c) ?? 0) + v!);
  }), { numRuns: Number(process.env.RUNS ?? 1500) });
  console.log(n, "runs", cycles / n, "cycles/run", items / n, "items/run", zero / items, "zero", causes, ops);
}, 600000);
