import { describe, expect, test } from "vitest";
import type { Region } from "../../isa/index.ts";
import { AccessLog, type LoggedAccess } from "../../sim/races/access-log.ts";
import { findRaces } from "../../sim/races/index.ts";
import { axis, box, ProgramBuilder, type Shape, whole } from "../functional/builder.ts";

const SHAPE: Shape = [4, 4, 4];

function builder(grid = { gridY: 1, gridX: 1 }) {
  const b = new ProgramBuilder({}, grid);
  const input = b.tensor("input", SHAPE, "i8", "input");
  const output = b.tensor("output", SHAPE, "i8", "output");
  return { b, input, output };
}

const racesOf = (b: ProgramBuilder, options = {}) => findRaces(b.build(), { frames: 1, ...options });
/** What two instructions do to which bytes of which memory. */
const summary = (b: ProgramBuilder, options = {}) =>
  racesOf(b, options).map(({ space, agent, begin, end, first, second }) => [
    space,
    agent,
    begin,
    end,
    first.unit,
    second.unit,
  ]);

describe("in SRAM", () => {
  test("a load over what a store still reads, and back", () => {
    const { b, input, output } = builder();
    const [row, part] = [box(0, 1, 0, 4, 0, 4), box(1, 1, 1, 2, 0, 4)];
    b.emit("store", { src: b.view(output, row, 0), ...row });
    b.emit("load", { dst: b.view(input, part, 12), ...part });
    // bytes 0..15 and 12..19
    expect(summary(b)).toEqual([["sram", 0, 12, 16, "store", "load"]]);
  });

  test("two reads do not race, nor do agents with SRAM of their own", () => {
    const { b, output } = builder({ gridY: 2, gridX: 2 });
    const mine = { y: axis(0, 2, 2), x: axis(0, 2, 0, 2), c: axis(0, 4) };
    const src = b.view(output, mine, 0);
    b.emit("store", { src, ...mine });
    b.emit("copy", { src, dst: b.view(output, mine, 100), ...mine });
    expect(summary(b)).toEqual([]);
  });

  test("channels side by side in one tile do not race; one channel more does", () => {
    for (const [channels, expected] of [
      [2, []],
      [3, [["sram", 0, 102, 103, "link", "pool"]]],
    ] as const) {
      const { b, input, output } = builder();
      const half = box(0, 4, 0, 4, 0, 2);
      const src = b.view(input, half, 0);
      const dst = b.view(output, whole(SHAPE), 100);
      const wider = box(0, 4, 0, 4, 0, channels);
      b.emit("copy", { src: b.view(output, wider, 300), dst, ...wider });
      b.emit("add", { a: src, b: src, dst, tensor: input, ...half, channelOffset: 2, low: 0, high: 127 });
      expect(summary(b)).toEqual(expected);
    }
  });

  test("a copy into the neighbour's SRAM, until a signal to it says so", () => {
    for (const ordered of [false, true]) {
      const { b, input, output } = builder({ gridY: 1, gridX: 2 });
      const full = b.semaphore("link", "store", { gridY: 1, gridX: 2, offsetX: 1 });
      const mine = { y: axis(0, 4), x: axis(0, 2, 0, 2), c: axis(0, 4) };
      const before = { ...mine, x: axis(-2, 2, 0, 2) };
      const dst = b.view(input, before, 64);
      b.emit("copy", { src: b.view(input, mine, 0), dst, ...mine, offsetX: 1, signals: ordered ? [full] : [] });
      b.emit("store", { src: b.view(output, mine, 64), ...mine, waits: ordered ? [full] : [] });
      // agent 0 sends, agent 1 receives; beyond agent 1 the copy is void
      expect(summary(b)).toEqual(ordered ? [] : [["sram", 1, 64, 96, "link", "store"]]);
    }
  });

  test("a multicast load: each agent's own SRAM, and all read the same DRAM", () => {
    const { b, input, output } = builder({ gridY: 2, gridX: 2 });
    const done = b.semaphore("load", "store");
    const tile = whole(SHAPE);
    b.emit("load", { dst: b.view(input, tile, 0), ...tile, multicast: "all", signals: [done] });
    const mine = { y: axis(0, 2, 2), x: axis(0, 2, 0, 2), c: axis(0, 4) };
    b.emit("store", { src: b.view(output, mine, 0), ...mine, waits: [done] });
    expect(summary(b)).toEqual([]);
  });
});

describe("in DRAM", () => {
  const storeThenLoad = (between: (b: ProgramBuilder) => void) => {
    const { b, output } = builder({ gridY: 1, gridX: 2 });
    const mine = { y: axis(0, 4), x: axis(0, 2, 0, 2), c: axis(0, 4) };
    const theirs = { ...mine, x: axis(2, 2, 0, -2) };
    b.emit("store", { src: b.view(output, mine, 0), ...mine });
    between(b);
    b.emit("load", { dst: b.view(output, theirs, 100), ...theirs });
    return b;
  };

  test("a load of what another agent stores needs a barrier", () => {
    const races = racesOf(storeThenLoad(() => {}));
    expect(races.map(({ space, first, second }) => [space, first.agent, second.agent])).toEqual([["dram", 1, 0]]);
    expect(summary(storeThenLoad((b) => b.emit("sync", { after: ["store"], before: ["load"] })))).toEqual([]);
  });

  test("the order within each agent is not enough", () => {
    const own = storeThenLoad((b) => {
      const s = b.semaphore("store", "load");
      b.emit("fence", { unit: "store", signals: [s] });
      b.emit("fence", { unit: "load", waits: [s] });
    });
    expect(racesOf(own).map(({ space }) => space)).toEqual(["dram"]);
  });

  test("agents that store interleaved channels of one tensor do not race", () => {
    const { b, output } = builder({ gridY: 1, gridX: 4 });
    const mine = { y: axis(0, 4), x: axis(0, 4), c: axis(0, 1, 0, 1) };
    b.emit("store", { src: b.view(output, mine, 0), ...mine });
    expect(summary(b)).toEqual([]);
    const wider = { ...mine, c: axis(0, 2, 0, 1) };
    b.emit("store", { src: b.view(output, wider, 100), ...wider });
    const races = racesOf(b);
    expect(races.every(({ first, second }) => first.agent !== second.agent)).toBe(true);
    expect(races.map(({ first, second }) => [first.index, second.index])).toEqual([
      [1, 3],
      [3, 3],
    ]);
  });
});

describe("accumulators and registers", () => {
  test("a reduction joins all agents; a histogram is cleared by its own agent", () => {
    const { b } = builder({ gridY: 2, gridX: 2 });
    b.emit("reduce", { histogram: 2 });
    b.emit("exponent", { dst: 3, histogram: 2, bits: 7 });
    b.emit("scalar", { dst: 4, a: 3 });
    expect(summary(b, { frames: 3, overlapFrames: true })).toEqual([]);
  });

  test("a shift that reads a register while it is set", () => {
    const { b, input, output } = builder();
    const values = b.constant("values", [1, 1, 1], "i32", Int32Array.of(1));
    const table = b.constant("table", [1, 1, 4], "i8", new Int8Array(4));
    const one = whole([1, 1, 1]);
    const src = b.view(values, one, 0);
    const entries = b.view(table, whole([1, 1, 4]), 4);
    b.emit("scalar", { dst: 7, immediate: 1 });
    b.emit("shift", {
      source: "view",
      src,
      table: entries,
      dst: b.view(output, one, 8),
      tensor: input,
      ...one,
      exponentOut: 7,
    });
    expect(summary(b)).toEqual([["registers", 0, 7, 8, "scalar", "shift"]]);
  });
});

describe("an instruction's own operands", () => {
  test("pooling in place is reported, elementwise operations in place are not", () => {
    const { b, input } = builder();
    const view = b.view(input, whole(SHAPE), 0);
    const kernel = { kernelY: 3, kernelX: 3, strideY: 1, strideX: 1, padTop: 1, padLeft: 1 };
    b.emit("pool", { src: view, dst: view, tensor: input, ...whole(SHAPE), ...kernel });
    const pool = b.emit("fence", { unit: "pool" }) - 1;
    b.emit("add", { a: view, b: view, dst: view, tensor: input, ...whole(SHAPE), low: 0, high: 127 });
    b.barrier();
    b.emit("copy", { src: view, dst: view, ...whole(SHAPE), shift: 1 });
    const races = racesOf(b);
    expect(races.map(({ first, second }) => [first.index, second.index])).toEqual([[pool, pool]]);
    expect(String(races[0])).toMatch(
      /^sram of agent 0, bytes 0\.\.64: #1 pool .* reads and #1 pool .*; it overwrites its own operand$/,
    );
  });

  test("a copy onto part of its own source is reported", () => {
    const { b, input } = builder();
    const row = box(0, 1, 0, 4, 0, 4);
    b.emit("copy", { src: b.view(input, row, 0), dst: b.view(input, row, 4), ...row });
    expect(summary(b)).toEqual([["sram", 0, 4, 16, "link", "link"]]);
  });

  test("a load may fill and write the same bytes", () => {
    const { b, input } = builder();
    const window = box(-1, 6, -1, 6, 0, 4);
    b.emit("load", { dst: b.view(input, window, 0), ...window, fill: true });
    expect(summary(b)).toEqual([]);
  });
});

describe("what is forgotten", () => {
  const run = (base: number, bytes: number): Region => ({ base, n0: 1, pitch0: 0, n1: 1, pitch1: 0, bytes });
  /** Accesses by threads 0, 1, ..., each knowing the threads it names; answers which earlier ones it races with. */
  function log() {
    const accesses = new AccessLog(100, 1, () => new Int32Array(8), 1000);
    let thread = 0;
    return (write: boolean, region: Region, knows: readonly number[] = []) => {
      const event = { index: thread, frame: 0, agent: 0, thread, epoch: 1 };
      const clock = Int32Array.from({ length: 8 }, (_, t) => (knows.includes(t) ? 1 : 0));
      const found: [number, number, number][] = [];
      const access: LoggedAccess = { event, write, region };
      accesses.add(access, clock, (earlier, { begin, end }) => found.push([earlier.event.thread, begin, end]));
      thread++;
      return found;
    };
  }

  test("a read does not take a write's place", () => {
    const add = log();
    add(true, run(0, 8));
    add(false, run(0, 8), [0]);
    expect(add(false, run(0, 8))).toEqual([[0, 0, 8]]);
  });

  test("a later write takes the place of what it covers, and only of that", () => {
    const add = log();
    add(true, run(10, 20));
    expect(add(true, run(15, 5), [0])).toEqual([]);
    // bytes 10..14 and 20..29 are still thread 0's
    expect(add(false, run(0, 12), [1])).toEqual([[0, 10, 12]]);
    expect(add(false, run(28, 12), [1])).toEqual([[0, 28, 30]]);
    expect(add(false, run(15, 5), [1])).toEqual([]);
    expect(add(false, run(15, 5), [0])).toEqual([[1, 15, 20]]);
  });

  test("a later read takes the place of an earlier one", () => {
    const add = log();
    add(false, run(0, 8));
    add(false, run(0, 8), [0]);
    expect(add(true, run(0, 8), [1, 0])).toEqual([]);
    expect(add(true, run(0, 8), [2])).toEqual([]);
    expect(add(true, run(0, 8), [])).toEqual([[3, 0, 8]]);
  });

  test("an access that is not ordered takes nobody's place", () => {
    const add = log();
    add(true, run(0, 8));
    expect(add(true, run(0, 8))).toEqual([[0, 0, 8]]);
    expect(add(true, run(0, 8), [1])).toEqual([[0, 0, 8]]);
  });
});
