// Does the map of SRAM show what the instructions wrote and read, when?
import { describe, expect, test } from "vitest";
import { compile, loadModel } from "../../index.ts";
import { checkProgram, effects, loadMachine, type Region, regionEnd } from "../../isa/index.ts";
import { type SramMap, sramMapOf, type TimelineRow } from "../../report/index.ts";
import { liveBytes } from "../../report/sram-map.ts";
import { createSimulationEmitter } from "../../sim/events.ts";
import { simulateTiming } from "../../sim/timing/index.ts";
import { loadProgram } from "../programs/index.ts";

function recordedRun(program: Parameters<typeof checkProgram>[0]) {
  const checked = checkProgram(program, "test");
  const rows: TimelineRow[] = [];
  const events = createSimulationEmitter();
  events.on("instruction", (event) => {
    rows.push({ ...event, op: checked.bound[event.index].instruction.op, tile: 0 });
  });
  const { totals } = simulateTiming(checked, { events });
  return { checked, rows, cycles: totals.cycles };
}

/** Buffers that hold a byte at a cycle. */
const holders = ({ buffers }: SramMap, address: number, cycle: number) =>
  buffers.filter(
    (b) => address >= b.address && address < b.address + b.bytes && cycle >= b.startCycle && cycle < b.endCycle,
  );

function bytesOf({ base, n0, pitch0, n1, pitch1, bytes }: Region): number[] {
  const starts = Array.from({ length: n0 * n1 }, (_, k) => base + Math.floor(k / n1) * pitch0 + (k % n1) * pitch1);
  return starts.flatMap((from) => [from, from + bytes - 1]);
}

describe.each([
  ["the tutorial's program", () => loadProgram("tiny"), 0],
  ["a compiled network, an agent amid others", () => compile(loadModel("tiny"), loadMachine("rap-e")), 5],
] as const)("%s", (_name, program, agent) => {
  const { checked, rows, cycles } = recordedRun(program());
  const map = sramMapOf(checked, rows, agent);

  test("every byte that an instruction reads or writes lies in one buffer while it runs", () => {
    let looked = 0;
    for (const row of rows.filter((r) => r.agent === agent && r.endCycle > r.startCycle)) {
      for (const { space, region, agent: of } of effects(checked.program, checked.bound[row.index], agent)) {
        if (space !== "sram" || of !== agent) continue;
        expect(regionEnd(region)).toBeLessThanOrEqual(map.bytes);
        for (const address of bytesOf(region)) {
          looked++;
          const found = holders(map, address, row.endCycle - 1);
          expect(found.length, `byte ${address} at ${row.endCycle}`).toBe(1);
        }
      }
    }
    expect(looked).toBeGreaterThan(10);
  });

  test("no two buffers share bytes at a time, and all lie in the SRAM and the run", () => {
    for (const [i, a] of map.buffers.entries()) {
      expect(a.address).toBeGreaterThanOrEqual(0);
      expect(a.address + a.bytes).toBeLessThanOrEqual(map.bytes);
      expect(a.startCycle).toBeLessThanOrEqual(a.endCycle);
      expect(a.endCycle).toBeLessThanOrEqual(cycles);
      for (const b of map.buffers.slice(i + 1)) {
        const apart = a.address + a.bytes <= b.address || b.address + b.bytes <= a.address;
        expect(apart || a.endCycle <= b.startCycle || b.endCycle <= a.startCycle).toBe(true);
      }
    }
  });

  test("bytes in use are the buffers' sum at every change, and none remain", () => {
    const live = liveBytes(map.buffers);
    for (const { cycle, bytes } of live) {
      const sum = map.buffers
        .filter(({ startCycle, endCycle }) => startCycle <= cycle && cycle < endCycle)
        .reduce((total, b) => total + b.bytes, 0);
      expect(bytes).toBe(sum);
      expect(bytes).toBeLessThanOrEqual(map.bytes);
    }
    expect(live.at(-1)?.bytes).toBe(0);
  });
});
