/** Random legal programs on random machines: do the laws hold, and does a plain cycle-by-cycle simulation say the same? */
import fc from "fast-check";
import { expect, test } from "vitest";
import { withParameters } from "../../isa/index.ts";
import { createSimulationEmitter } from "../../sim/events.ts";
import { checkLaws } from "../../sim/laws.ts";
import { prepareTiming, simulateTiming } from "../../sim/timing/index.ts";
import { BETTER } from "./better.ts";
import { simulateByCycle } from "./cycle-by-cycle.ts";
import { build, IDEAL, plans, TIMED_DRAM, WIDE_SRAM } from "./random-program.ts";

test("every law, for any program, machine and number of frames", () => {
  fc.assert(
    fc.property(plans(4), fc.integer({ min: 1, max: 3 }), fc.boolean(), (plan, frames, overlapFrames) => {
      const program = build(plan);
      expect(checkLaws(program, simulateTiming(program, { frames, overlapFrames }))).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

// SRAM is wide here: which of two instructions that start in one cycle books its banks first is left to the event loop
test("event by event as cycle by cycle: every start and end, every cycle's cause", () => {
  const machines = { sram: WIDE_SRAM, dram: TIMED_DRAM };
  fc.assert(
    fc.property(plans(4, machines), fc.integer({ min: 1, max: 2 }), fc.boolean(), (plan, frames, overlapFrames) => {
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

// With one agent, all code in one block and no stores, DRAM's order of service cannot change. Where it can, serving in order of
// arrival has anomalies, as every such discipline has: docs/timing.md.
test("more bandwidth, less latency, wider units are never slower when DRAM's order of service is fixed", () => {
  const kinds = [
    "load",
    "conv",
    "shift",
    "pool",
    "add",
    "copy",
    "range",
    "exponent",
    "reduce",
    "sync",
    "fence",
  ] as const;
  fc.assert(
    fc.property(
      plans(1, { sram: WIDE_SRAM, dram: IDEAL }, kinds),
      fc.constantFrom(...Object.keys(BETTER)),
      (plan, key) => {
        const program = build({ ...plan, machine: { ...plan.machine, "issue.fetchInstructions": 512 } });
        const { machine } = program.program;
        const value = machine.parameters[key as "dram.bytesPerCycle"];
        const better = withParameters(machine, { [key]: BETTER[key](value) }, "test");
        const { cycles } = simulateTiming(program, { machine: better }).totals;
        expect(cycles).toBeLessThanOrEqual(simulateTiming(program).totals.cycles);
      },
    ),
    { numRuns: 300 },
  );
});

test("other constants, same cycles: time never reads data", () => {
  fc.assert(
    fc.property(plans(4), fc.integer(), (plan, seed) => {
      const program = build(plan);
      const constants = program.program.constants.map((_, i) => (seed >> (i % 24)) & 255);
      const other = { ...program, program: { ...program.program, constants } };
      expect(simulateTiming(other)).toEqual(simulateTiming(program));
    }),
    { numRuns: 30 },
  );
});

test("a prepared program takes any rates, one after another, as if each were its first", () => {
  const changes: readonly (readonly [string, (value: number) => number])[] = [
    ...Object.entries(BETTER),
    ["dma.requestBytes", (value) => (value === 64 ? 256 : 64)],
    ["dram.burstBytes", (value) => (value === 64 ? 32 : 64)],
    ["clockHz", (value) => 2 * value],
    ["range.lanes", (value) => value + 3],
    ["sram.bankBytesPerCycle", (value) => (value === 16 ? 8 : 16)],
    ["energy.dramPjPerByte", (value) => 3 * value],
  ];
  const change = fc.subarray([...changes], { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(plans(4), fc.array(change, { minLength: 1, maxLength: 3 }), (plan, list) => {
      const program = build(plan);
      const { machine } = program.program;
      const time = prepareTiming(program);
      const machines = list.map((some) =>
        withParameters(
          machine,
          Object.fromEntries(some.map(([key, next]) => [key, next(machine.parameters[key as "clockHz"])])),
          "test",
        ),
      );
      for (const other of [...machines, machine, ...machines]) {
        expect(time({ machine: other })).toEqual(simulateTiming(build(plan), { machine: other }));
      }
    }),
    { numRuns: 60 },
  );
});
