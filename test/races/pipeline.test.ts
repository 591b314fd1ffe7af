import { describe, expect, test } from "vitest";
import { Execution } from "../../sim/functional/index.ts";
import { analyseOrder, findRaces } from "../../sim/races/index.ts";
import { pairsOf, pipeline, without } from "./pipeline.ts";

const OVERLAP = { overlapFrames: true };

describe("a pipeline in double buffers", () => {
  test.each([1, 3])("with %i agents has no races, with or without overlapping frames", (agents) => {
    const checked = pipeline({ agents }).build();
    expect(findRaces(checked).map(String)).toEqual([]);
    expect(findRaces(checked, { ...OVERLAP, frames: 4 }).map(String)).toEqual([]);
  });

  test("computes what it should", () => {
    const checked = pipeline({ agents: 2 }).build();
    const input = Int8Array.from({ length: 96 }, (_, i) => i % 7);
    const output = new Execution(checked).runFrame(input).get("output")!;
    const sums = Array.from({ length: 24 }, (_, i) => input.subarray(4 * i, 4 * i + 4).reduce((a, b) => a + b));
    expect([...output]).toEqual(sums.flatMap((sum) => Array(8).fill(sum)));
  });

  const checked = pipeline({ agents: 2 }).build();
  const first = checked.program.prologue.length;
  const pairs = pairsOf(checked.program);

  test("has pairs of all six kinds", () => {
    expect(new Set(pairs.map(({ semaphore }) => semaphore)).size).toBe(6);
    expect(pairs.length).toBe(3 * 6 + 3 * (6 - 2));
  });

  test.each(pairs)("needs semaphore $semaphore between $signal and $wait", ({ semaphore, signal, wait }) => {
    const ends = [first + signal, first + wait];
    const before = analyseOrder(checked);
    const damaged = without(checked, semaphore, [
      [signal, "signals"],
      [wait, "waits"],
    ]);
    const after = analyseOrder(damaged);
    for (const agent of [0, 1]) {
      const [a, b] = ends.map((index) => ({ index, agent }));
      expect([before.happensBefore(a, b), after.happensBefore(a, b)]).toEqual([true, false]);
    }
    for (const options of [{}, OVERLAP]) {
      const races = findRaces(damaged, { ...options, limit: Number.POSITIVE_INFINITY });
      const found = races.filter((race) => race.first.index === ends[0] && race.second.index === ends[1]);
      expect(found.length).toBeGreaterThan(0);
      for (const { first, second } of found) {
        expect([first.layer, second.layer]).toEqual(["convolve", "convolve"]);
        expect([first.agent, first.frame]).toEqual([second.agent, second.frame]);
      }
    }
  });

  test.each([
    ["input", 4, "sram"],
    ["accumulators", 5, "accumulators"],
    ["output", 6, "sram"],
  ])("with no word that %s buffers are free: within a frame, and between overlapping frames", (_, semaphore, space) => {
    const all = checked.program.body.flatMap((_, index): [number, "waits" | "signals"][] => [
      [index, "waits"],
      [index, "signals"],
    ]);
    const damaged = without(checked, semaphore, all);
    for (const options of [{}, OVERLAP]) expect(findRaces(damaged, options).map((race) => race.space)).toContain(space);
    // two tiles do not meet in two buffers within a frame: then only overlapping frames do
    const short = without(pipeline({ tiles: 2 }).build(), semaphore, all);
    expect(findRaces(short)).toEqual([]);
    const races = findRaces(short, OVERLAP);
    expect(races.map((race) => race.space)).toContain(space);
    for (const { first, second } of races) expect([first.frame, second.frame]).toEqual([0, 1]);
  });

  test("one credit too many is a race from the third tile on", () => {
    const races = findRaces(pipeline({ credits: 3 }).build());
    const tilesApart = races.map(({ first, second }) => Math.abs(first.index - second.index));
    expect(races.length).toBeGreaterThan(0);
    for (const apart of tilesApart) expect(apart).toBeGreaterThan(4);
  });

  test("an odd number of tiles: the next frame begins in the buffer just used", () => {
    const odd = pipeline({ tiles: 5 }).build();
    expect(findRaces(odd)).toEqual([]);
    const races = findRaces(odd, OVERLAP);
    expect(races.map(({ space, second }) => [space, second.unit])).toEqual([
      ["sram", "load"],
      ["accumulators", "mac"],
      ["sram", "shift"],
    ]);
  });

  test("a race says what, where and who", () => {
    // the first shift's result, stored without waiting
    const { semaphore, signal, wait } = pairs.find((pair) => pair.semaphore === 3)!;
    const damaged = without(checked, semaphore, [
      [signal, "signals"],
      [wait, "waits"],
    ]);
    const [race, ...others] = findRaces(damaged, { frames: 1 });
    expect(others).toEqual([]);
    const [a, b] = [first + signal, first + wait];
    expect(race).toMatchObject({ space: "sram", agent: 0, tp: 0, begin: 200, end: 216 });
    expect(race.first).toEqual({
      ...{ index: a, instruction: `#${a} shift (convolve, tile 0)`, layer: "convolve" },
      ...{ agent: 0, unit: "shift", frame: 0, write: true },
    });
    expect(race.second).toMatchObject({ index: b, unit: "store", write: false });
    expect(String(race)).toBe(
      `sram of agent 0, bytes 200..216: #${a} shift (convolve, tile 0) in agent 0, frame 0 writes and #${b} store (convolve, tile 0) in agent 0, frame 0 reads; nothing orders them`,
    );
  });

  test("the limit holds, and each pair of instructions counts once", () => {
    const all = checked.program.body.flatMap((_, index): [number, "waits" | "signals"][] => [
      [index, "waits"],
      [index, "signals"],
    ]);
    const damaged = without(checked, 1, all);
    expect(findRaces(damaged, { limit: 3 }).length).toBe(3);
    const races = findRaces(damaged, { limit: Number.POSITIVE_INFINITY });
    const keys = races.map(({ first, second, space }) => `${first.index} ${second.index} ${space}`);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("a semaphore that says nothing new can go", () => {
    const b = pipeline();
    const redundant = b.semaphore("load", "shift");
    const program = b.program();
    const extend = (at: number, list: "waits" | "signals") => {
      const instruction = program.body[at];
      return { ...instruction, [list]: [...instruction[list], redundant] };
    };
    const loads = program.body.flatMap(({ op }, i) => (op === "load" ? [i] : []));
    const shifts = program.body.flatMap(({ op }, i) => (op === "shift" ? [i] : []));
    const body = program.body.map((instruction, i) =>
      loads.includes(i) ? extend(i, "signals") : shifts.includes(i) ? extend(i, "waits") : instruction,
    ) as typeof program.body;
    const plain = pipeline().build();
    const extended = {
      program: { ...program, body },
      bound: plain.bound.map((item, i) => ({ ...item, instruction: [...program.prologue, ...body][i] })),
    };
    expect(findRaces(extended)).toEqual([]);
    for (const [k, load] of loads.entries()) {
      const [a, c] = [load, shifts[k]].map((at) => ({ index: program.prologue.length + at, agent: 0 }));
      // without it, the order is there all the same
      expect(analyseOrder(plain).happensBefore(a, c)).toBe(true);
      const reduced = without(extended, redundant, [
        [load, "signals"],
        [shifts[k], "waits"],
      ]);
      expect(findRaces(reduced)).toEqual([]);
    }
  });
});
