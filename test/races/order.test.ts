import { describe, expect, test } from "vitest";
import type { UnitKind } from "../../isa/index.ts";
import { analyseOrder } from "../../sim/races/index.ts";
import { axis, box, ProgramBuilder } from "../functional/builder.ts";

/** A program of fences and the like on a 2 x 2 grid. */
function builder(): ProgramBuilder {
  const b = new ProgramBuilder({}, { gridY: 2, gridX: 2 });
  b.tensor("input", [2, 2, 1], "i8", "input");
  b.tensor("output", [2, 2, 1], "i8", "output");
  return b;
}

const fence = (b: ProgramBuilder, unit: UnitKind, waits: number[] = [], signals: number[] = []) =>
  b.emit("fence", { unit, waits, signals });

/** For each pair of agents, whether a in one happens before b in the other: rows are the first agent. */
function matrix(b: ProgramBuilder, first: number, second: number, agents = 4): boolean[][] {
  const order = analyseOrder(b.build());
  const list = Array.from({ length: agents }, (_, agent) => agent);
  return list.map((from) =>
    list.map((to) => order.happensBefore({ index: first, agent: from }, { index: second, agent: to })),
  );
}

const own = [0, 1, 2, 3].map((from) => [0, 1, 2, 3].map((to) => from === to));
const all = own.map((row) => row.map(() => true));
const none = own.map((row) => row.map(() => false));

describe("what orders instructions", () => {
  test("a unit of an agent is in order; units and agents by themselves are not ordered", () => {
    const b = builder();
    const [a, c, d] = [fence(b, "mac"), fence(b, "shift"), fence(b, "mac")];
    expect(matrix(b, a, d)).toEqual(own);
    expect(matrix(b, d, a)).toEqual(none);
    expect(matrix(b, a, c)).toEqual(none);
    expect(matrix(b, a, a)).toEqual(none);
  });

  test("tensor processors have units of their own", () => {
    const b = new ProgramBuilder({ "agent.tensorProcessors": 2 });
    b.tensor("input", [1, 1, 1], "i8", "input");
    b.tensor("output", [1, 1, 1], "i8", "output");
    const [a, c, d] = [0, 1, 0].map((tp) => b.emit("fence", { unit: "mac", tp }));
    expect([matrix(b, a, c, 1), matrix(b, a, d, 1)]).toEqual([[[false]], [[true]]]);
  });

  test("a signal before its wait, through a chain of units", () => {
    const b = builder();
    const [s, t] = [b.semaphore("load", "mac"), b.semaphore("mac", "store")];
    const a = fence(b, "load", [], [s]);
    fence(b, "mac", [s], [t]);
    const c = fence(b, "store", [t]);
    expect(matrix(b, a, c)).toEqual(own);
  });

  test("the k-th wait takes the k-th signal", () => {
    const b = builder();
    const s = b.semaphore("load", "mac");
    const signals = [fence(b, "load", [], [s]), fence(b, "load", [], [s])];
    const waits = [fence(b, "mac", [s]), fence(b, "mac", [s])];
    expect(signals.map((a) => waits.map((c) => matrix(b, a, c)[0][0]))).toEqual([
      [true, true],
      [false, true],
    ]);
  });

  test("initial signals come first and say nothing", () => {
    const b = builder();
    const s = b.semaphore("mac", "load", { initial: 1 });
    const waits = [fence(b, "load", [s])];
    const a = fence(b, "mac", [], [s]);
    waits.push(fence(b, "load", [s]));
    fence(b, "mac", [], [s]);
    expect(waits.map((c) => matrix(b, a, c)[0][0])).toEqual([false, true]);
  });

  test("a signal to the neighbour; ends outside the grid are void", () => {
    const b = builder();
    const s = b.semaphore("link", "mac", { gridY: 2, gridX: 2, offsetX: 1 });
    const a = fence(b, "link", [], [s]);
    const c = fence(b, "mac", [s]);
    expect(matrix(b, a, c)).toEqual([
      [false, true, false, false],
      [false, false, false, false],
      [false, false, false, true],
      [false, false, false, false],
    ]);
  });

  test("a semaphore's grid may be larger or smaller than the chip", () => {
    const b = builder();
    const large = b.semaphore("link", "mac", { gridY: 3, gridX: 3, offsetX: 1 });
    const small = b.semaphore("load", "store", { gridY: 1, gridX: 2, offsetX: -1 });
    const [a, c] = [fence(b, "link", [], [large]), fence(b, "mac", [large])];
    const [d, e] = [fence(b, "load", [], [small]), fence(b, "store", [small])];
    // 3 x 3: agents 0 1 2 / 3; 1 x 2: agents 0 1
    expect(matrix(b, a, c)).toEqual([
      [false, true, false, false],
      [false, false, true, false],
      [false, false, false, false],
      [false, false, false, false],
    ]);
    expect(matrix(b, d, e)).toEqual([[false, false, false, false], [true, false, false, false], ...none.slice(2)]);
  });

  test("an instruction clipped to nothing still waits and signals", () => {
    const b = builder();
    const [s, t] = [b.semaphore("store", "load"), b.semaphore("load", "mac")];
    const outside = { y: axis(0, 1, 5, 0), x: axis(0, 1), c: axis(0, 1) };
    const dst = b.view(0, outside, 0);
    const a = fence(b, "store", [], [s]);
    b.emit("load", { dst, ...outside, waits: [s], signals: [t] });
    const c = fence(b, "mac", [t]);
    expect(matrix(b, a, c)).toEqual(own);
  });
});

describe("sync", () => {
  /** The mac and the store units do something, then barriers, then the load unit: what of the first is before the last. */
  const program = (barriers: (b: ProgramBuilder) => void) => {
    const b = builder();
    const [mac, store] = [fence(b, "mac"), fence(b, "store")];
    barriers(b);
    const load = fence(b, "load");
    return { mac: matrix(b, mac, load), store: matrix(b, store, load) };
  };
  const sync = (b: ProgramBuilder, after: UnitKind[], before: UnitKind[]) => b.emit("sync", { after, before });

  test("orders all agents, the named units only", () => {
    expect(program((b) => sync(b, ["store"], ["load"]))).toEqual({ mac: none, store: all });
    expect(program((b) => sync(b, ["mac"], ["load", "store"]))).toEqual({ mac: all, store: none });
    expect(program((b) => sync(b, ["store", "mac"], ["mac"]))).toEqual({ mac: none, store: none });
  });

  test("two barriers add up", () => {
    const both = program((b) => {
      sync(b, ["store"], ["load"]);
      sync(b, ["mac"], ["load"]);
    });
    expect(both).toEqual({ mac: all, store: all });
  });

  test("a second barrier waits for what ended, not for what the first one holds back", () => {
    // mac has nothing to do between the barriers, so the second one does not wait for the store
    const atRest = program((b) => {
      sync(b, ["store"], ["mac"]);
      sync(b, ["mac"], ["load"]);
    });
    expect(atRest).toEqual({ mac: all, store: none });
    const busy = program((b) => {
      sync(b, ["store"], ["mac"]);
      fence(b, "mac");
      sync(b, ["mac"], ["load"]);
    });
    expect(busy).toEqual({ mac: all, store: all });
  });
});

describe("agents that meet", () => {
  const loads = (multicast: "none" | "all" | "row" | "column", given: object = {}) => {
    const b = builder();
    const a = fence(b, "load");
    const pixel = box(0, 1, 0, 1, 0, 1);
    const load = b.emit("load", { dst: b.view(0, pixel, 0), ...pixel, multicast, ...given });
    const c = fence(b, "load");
    return { before: matrix(b, a, load), after: matrix(b, a, c), itself: matrix(b, load, c) };
  };
  const inRow = own.map((row, a) => row.map((_, c) => a >> 1 === c >> 1));
  const inColumn = own.map((row, a) => row.map((_, c) => a % 2 === c % 2));

  test.each([
    ["none", own],
    ["all", all],
    ["row", inRow],
    ["column", inColumn],
  ] as const)("a load with multicast %s starts when its group has arrived", (multicast, expected) => {
    const { before, after, itself } = loads(multicast);
    expect([before, after]).toEqual([expected, expected]);
    // but ends in each agent by itself
    expect(itself).toEqual(own);
  });

  test("agents outside the grid do not take part", () => {
    const { after } = loads("all", { gridY: 1, gridX: 2 });
    expect(after).toEqual(own.map((row, a) => row.map((_, c) => (a < 2 && c < 2) || a === c)));
  });

  test("a group clipped to nothing need not meet", () => {
    const b = builder();
    const a = fence(b, "load");
    const outside = box(7, 1, 0, 1, 0, 1);
    b.emit("load", { dst: b.view(0, outside, 0), ...outside, multicast: "all" });
    const c = fence(b, "load");
    expect(matrix(b, a, c)).toEqual(own);
  });

  test("a reduction starts and ends in all agents at once", () => {
    const b = builder();
    const a = fence(b, "scalar");
    const reduce = b.emit("reduce", { histogram: 1 });
    const c = fence(b, "scalar");
    expect([matrix(b, a, reduce), matrix(b, reduce, c)]).toEqual([all, all]);
  });
});

describe("frames", () => {
  const program = () => {
    const b = builder();
    const resident = fence(b, "load");
    b.endPrologue();
    const [a, c] = [fence(b, "mac"), fence(b, "store")];
    return { checked: b.build(), resident, a, c };
  };

  test("the prologue ends before the first frame starts", () => {
    const { checked, resident, a, c } = program();
    const { happensBefore } = analyseOrder(checked, { frames: 2, overlapFrames: true });
    expect(happensBefore({ index: resident, agent: 0 }, { index: a, agent: 3 })).toBe(true);
    expect(happensBefore({ index: resident, agent: 0 }, { index: c, agent: 1, frame: 1 })).toBe(true);
  });

  test.each([
    [false, true],
    [true, false],
  ])("overlapping %s: all of a frame before all of the next %s", (overlapFrames, expected) => {
    const { checked, a, c } = program();
    const { happensBefore } = analyseOrder(checked, { frames: 2, overlapFrames });
    expect(happensBefore({ index: c, agent: 0, frame: 0 }, { index: a, agent: 1, frame: 1 })).toBe(expected);
    expect(happensBefore({ index: a, agent: 0, frame: 0 }, { index: a, agent: 0, frame: 1 })).toBe(true);
  });

  test("a wait may take the signal of the frame before", () => {
    const b = builder();
    const s = b.semaphore("store", "load", { initial: 1 });
    const wait = fence(b, "load", [s]);
    const signal = fence(b, "store", [], [s]);
    const { happensBefore } = analyseOrder(b.build(), { frames: 3, overlapFrames: true });
    for (const frame of [0, 1]) {
      const later = { index: wait, agent: 2, frame: frame + 1 };
      expect(happensBefore({ index: signal, agent: 2, frame }, later)).toBe(true);
      expect(happensBefore({ index: signal, agent: 1, frame }, later)).toBe(false);
    }
  });

  test("what runs at issue, or in no such frame, is refused by name", () => {
    const b = builder();
    const sync = b.emit("sync", { after: ["mac"], before: ["mac"] });
    const a = fence(b, "mac");
    const { happensBefore } = analyseOrder(b.build());
    expect(() => happensBefore({ index: sync, agent: 0 }, { index: a, agent: 0 })).toThrow(
      "#0 sync, agent 0, frame 0: runs in no unit there",
    );
    expect(() => happensBefore({ index: a, agent: 9 }, { index: a, agent: 0, frame: 1 })).toThrow("runs in no unit");
  });
});
