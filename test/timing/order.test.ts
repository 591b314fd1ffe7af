/** Semaphores, barriers, queues, issue and fetch: is each gate tight on both sides? */
import { describe, expect, test } from "vitest";
import { axis, Builder, type Fields, run, whole } from "./build.ts";

/** One shift of so many values: values / 8 cycles + 5 of pipeline. */
const shiftOf = (program: Builder, values: number, given: Fields<"shift"> = {}) =>
  program.shift([1, values / 8, 8], given);

describe("semaphores", () => {
  test("a wait ends with its signal, which is given at the end of the pipeline", () => {
    const program = new Builder();
    const done = program.semaphore("shift", "mac");
    const shift = program.add("shift", shiftOf(program, 800, { signals: [done] }));
    const conv = program.add("conv", program.conv([1, 8, 8], 8, { waits: [done] }));
    const { span, unit } = run(program);
    expect(span(shift).end - span(shift).start).toBe(105);
    expect(span(conv).start).toBe(span(shift).end);
    expect(unit("mac").stalls.waitShift).toBeGreaterThan(90);
  });

  test("a signal that is there already does not hold up", () => {
    const program = new Builder();
    const done = program.semaphore("shift", "mac");
    program.add("shift", shiftOf(program, 8, { signals: [done] }));
    const fields = program.conv([10, 8, 8], 8);
    const first = program.add("conv", fields);
    const second = program.add("conv", { ...fields, waits: [done] });
    const { span } = run(program);
    expect(span(second).start - span(first).start).toBe(80);
  });

  test("the k-th wait takes the k-th signal", () => {
    const program = new Builder();
    const done = program.semaphore("shift", "mac");
    const shift = shiftOf(program, 800, { signals: [done] });
    const conv = program.conv([1, 8, 8], 8, { waits: [done] });
    const shifts = [0, 1, 2].map(() => program.add("shift", shift));
    const convs = [0, 1, 2].map(() => program.add("conv", conv));
    const { span } = run(program);
    for (const k of [0, 1, 2]) expect(span(convs[k]).start).toBe(span(shifts[k]).end);
  });

  test("initial signals let the first waits through", () => {
    const program = new Builder();
    const free = program.semaphore("shift", "mac", { initial: 2 });
    const conv = program.conv([1, 8, 8], 8, { waits: [free] });
    const shift = shiftOf(program, 800, { signals: [free] });
    const convs = [0, 1, 2].map((k) => {
      const index = program.add("conv", conv);
      program.add("shift", shift);
      return { index, shift: index + 1, k };
    });
    const { span } = run(program);
    expect(span(convs[1].index).start).toBeLessThan(span(convs[0].shift).end);
    expect(span(convs[2].index).start).toBe(span(convs[0].shift).end);
  });

  test("the charged cause is the first, by priority, that still holds", () => {
    const program = new Builder();
    const byShift = program.semaphore("shift", "mac");
    const byPool = program.semaphore("pool", "mac");
    const shift = shiftOf(program, 80, { signals: [byShift] });
    const tensor = program.tensor("pooled", [1, 20, 8]);
    const view = program.view(tensor);
    const pool: Fields<"pool"> = { src: view, dst: view, tensor, ...whole([1, 20, 8]), signals: [byPool] };
    const conv = program.conv([1, 8, 8], 8, { waits: [byPool, byShift] });
    const at = { shift: program.add("shift", shift), pool: program.add("pool", pool), conv: program.add("conv", conv) };
    const { span, stalls } = run(program);
    // shift: 10 + 5 cycles; pool, issued 1 later: 20 + 5; conv, issued 2 later
    const mac = stalls
      .filter(({ unit }) => unit === "mac")
      .map(({ cause, startCycle, endCycle }) => [cause, endCycle - startCycle]);
    expect(mac.slice(1, 3)).toEqual([
      ["waitShift", 13],
      ["waitPool", 11],
    ]);
    expect(span(at.conv).start).toBe(span(at.pool).end);
    expect(span(at.shift).start + 26).toBe(span(at.pool).end);
  });

  test("a signal to the neighbour; ends outside the grid are void", () => {
    const program = new Builder({ agents: 4 }, 2);
    // from (iy, ix) to (iy, ix + 1)
    const right = program.semaphore("shift", "mac", { gridY: 2, gridX: 2, offsetX: 1 });
    // agents of grid column 0 shift 400 values, those of column 1 80
    const tensor = program.tensor("shifted", [2, 800, 1]);
    const table = program.view(program.tensor("table", [1, 1, 4]));
    const box = { y: axis(0, 1, 1, 0), x: axis(0, 400, 0, -320), c: axis(0, 1) };
    const shift = program.add("shift", { table, dst: program.view(tensor), tensor, ...box, signals: [right] });
    const conv = program.add("conv", program.conv([1, 8, 8], 8, { waits: [right] }));
    const { span } = run(program);
    // agents 0 and 2 have no neighbour on their left: their convolutions start as they issue
    for (const agent of [0, 2]) expect(span(conv, agent).start).toBeLessThan(span(shift, agent).end);
    // agents 1 and 3 wait for agents 0 and 2
    for (const agent of [1, 3]) expect(span(conv, agent).start).toBe(span(shift, agent - 1).end);
  });

  test("agents outside a semaphore's grid neither wait nor signal", () => {
    const program = new Builder({ agents: 3 });
    const inner = program.semaphore("shift", "mac", { gridY: 1, gridX: 2 });
    const shift = program.add("shift", shiftOf(program, 800, { signals: [inner] }));
    const conv = program.add("conv", program.conv([1, 8, 8], 8, { waits: [inner] }));
    const { span } = run(program);
    expect(span(conv, 1).start).toBe(span(shift, 1).end);
    expect(span(conv, 2).start).toBeLessThan(span(shift, 2).end);
  });

  test("an instruction clipped to nothing waits and signals all the same", () => {
    const program = new Builder();
    const [a, b] = [program.semaphore("shift", "pool"), program.semaphore("pool", "mac")];
    const shift = program.add("shift", shiftOf(program, 800, { signals: [a] }));
    const tensor = program.tensor("pooled", [1, 8, 8]);
    const view = program.view(tensor);
    const box = { y: axis(1, 1), x: axis(0, 8), c: axis(0, 8) };
    const pool = program.add("pool", { src: view, dst: view, tensor, ...box, waits: [a], signals: [b] });
    const conv = program.add("conv", program.conv([1, 8, 8], 8, { waits: [b] }));
    const { span } = run(program);
    expect(span(pool)).toEqual({ start: span(shift).end, end: span(shift).end });
    expect(span(conv).start).toBe(span(shift).end);
  });
});

describe("sync", () => {
  test("holds the named units until the last agent has arrived, plus 16 cycles; others run on", () => {
    const program = new Builder({ agents: 2 });
    // agent 0 shifts 80 values, agent 1 800
    const tensor = program.tensor("shifted", [1, 100, 8]);
    const table = program.view(program.tensor("table", [1, 8, 4]));
    const dst = program.view(tensor);
    const box = { y: axis(0, 1), x: axis(90, 100, 0, -90), c: axis(0, 8) };
    const shift = program.add("shift", { table, dst, tensor, ...box });
    const fields = program.conv([1, 8, 8], 8);
    program.add("sync", { after: ["shift"], before: ["mac"] });
    const conv = program.add("conv", fields);
    const later = program.add("shift", { table, dst, tensor, ...box });
    const { span, unit } = run(program);
    expect(span(shift, 1).end - span(shift, 1).start).toBe(105);
    for (const agent of [0, 1]) {
      expect(span(conv, agent).start).toBe(span(shift, 1).end + 16);
      expect(unit("mac", agent).stalls.sync).toBeGreaterThan(100);
    }
    expect(span(later, 0).start).toBeLessThan(span(shift, 1).end);
  });

  test("does not await instructions behind it, nor hold back those before it", () => {
    const program = new Builder();
    const fields = program.conv([1, 8, 8], 8);
    const before = program.add("conv", fields);
    program.add("sync", { after: ["shift"], before: ["mac"] });
    const shift = program.add("shift", shiftOf(program, 800));
    const after = program.add("conv", fields);
    const { span } = run(program);
    // arrival as the sync issues, one cycle after the convolution did
    expect(span(after).start).toBe(span(before).start + 1 + 16);
    expect(span(after).start).toBeLessThan(span(shift).end);
  });

  test("barriers that are released out of order hold each on its own", () => {
    const program = new Builder();
    const fields = program.conv([1, 8, 8], 8);
    const slow = program.add("shift", shiftOf(program, 800));
    program.add("sync", { after: ["shift"], before: ["mac"] });
    program.add("sync", { after: ["pool"], before: ["mac", "pool"] });
    const conv = program.add("conv", fields);
    const pool = program.add("fence", { unit: "pool" });
    const { span } = run(program);
    expect(span(conv).start).toBe(span(slow).end + 16);
    expect(span(pool).start).toBeLessThan(span(slow).end);
  });

  test("reduce starts when all agents have arrived", () => {
    const program = new Builder({ agents: 2 });
    const done = program.semaphore("shift", "scalar");
    const tensor = program.tensor("shifted", [1, 100, 8]);
    const table = program.view(program.tensor("table", [1, 8, 4]));
    const box = { y: axis(0, 1), x: axis(90, 100, 0, -90), c: axis(0, 8) };
    const shift = program.add("shift", { table, dst: program.view(tensor), tensor, ...box, signals: [done] });
    const reduce = program.add("reduce", { waits: [done] });
    const { span, unit } = run(program);
    for (const agent of [0, 1]) expect(span(reduce, agent).start).toBe(span(shift, 1).end);
    // agent 0 shifts 80 values: 90 cycles less
    expect(unit("scalar", 0).stalls.group).toBe(90);
  });
});

describe("issue and fetch", () => {
  test("one instruction in 4 cycles", () => {
    const program = new Builder({ "issue.cyclesPerInstruction": 4 });
    const view = program.shift([1, 1, 8]);
    const [first, second] = [program.add("shift", view), program.add("shift", view)];
    const { span } = run(program);
    // 2 views and the shift itself; the code arrives in cycle 1
    expect(span(first).start).toBe(1 + 3 * 4);
    expect(span(second).start).toBe(1 + 4 * 4);
  });

  test("a full queue stops issue for everybody until an instruction of the unit ends", () => {
    const program = new Builder({ "issue.queueDepth": 2 });
    const fields = program.conv([10, 8, 8], 8);
    const shift = program.shift([1, 8, 1]);
    const convs = [0, 1, 2].map(() => program.add("conv", fields));
    const blocked = program.add("shift", shift);
    const { span, unit } = run(program);
    // the queue holds the running convolution and one more; the third is issued when the first ends, the shift one later
    expect(span(blocked).start).toBe(span(convs[0]).end + 1);
    expect(unit("shift").stalls.notIssued).toBe(span(blocked).start);
  });

  test("with one place more, the third convolution does not block", () => {
    const program = new Builder({ "issue.queueDepth": 3 });
    const fields = program.conv([10, 8, 8], 8);
    const shift = program.shift([1, 8, 1]);
    const convs = [0, 1, 2].map(() => program.add("conv", fields));
    const after = program.add("shift", shift);
    const { span } = run(program);
    expect(span(after).start).toBe(span(convs[0]).start + 3);
  });

  /** Fences issue one per cycle: the last one's end tells when the front end was through. */
  const fences = (count: number, parameters: Readonly<Record<string, unknown>>) => {
    const program = new Builder(parameters);
    const all = Array.from({ length: count }, () => program.add("fence", { unit: "mac" }));
    return { ...run(program), all };
  };

  test("code comes in blocks of 4: two at once, then each when its turn to be buffered comes", () => {
    // a block is 256 B: 16 cycles on the bus + 100 latency
    const rates = { "issue.fetchInstructions": 4, "dram.bytesPerCycle": 16, "dram.latencyCycles": 100 };
    const { span, all, dram } = fences(16, rates);
    expect(dram.map(({ startCycle }) => startCycle)).toEqual([
      0, 16,
      // block 0 has arrived at 116 and is issued by 120
      120,
      // block 1 at 132, issued by 136
      136,
      // block 2 at 236, issued by 240: the halt
      240,
    ]);
    expect(span(all[3]).end).toBe(120);
    expect(span(all[7]).end).toBe(136);
    expect(span(all[11]).end).toBe(240);
    expect(span(all[15]).end).toBe(256);
  });

  test.each([
    // a block only when the one before is issued: 16 + 100 + 4 each
    [1, [0, 120, 240, 360, 480]],
    // block b + 3 when block b is issued: at 120, 136 and so on
    [3, [0, 16, 32, 120, 136]],
  ])("with %i buffers, blocks are fetched at %j", (buffers, starts) => {
    const rates = { "issue.fetchInstructions": 4, "dram.bytesPerCycle": 16, "dram.latencyCycles": 100 };
    const { dram } = fences(16, { ...rates, "issue.fetchBuffers": buffers });
    expect(dram.map(({ startCycle }) => startCycle)).toEqual(starts);
  });

  test("a block larger than a page is fetched in several requests", () => {
    const rates = { "issue.fetchInstructions": 512, "dram.bytesPerCycle": 16, "dram.latencyCycles": 100 };
    const { dram, result } = fences(100, { ...rates, "dma.requestBytes": 4096 });
    // 101 instructions are 6464 B: 4096 and 2368
    expect(dram.map(({ startCycle, bytes }) => [startCycle, bytes])).toEqual([
      [0, 4096],
      [256, 2368],
    ]);
    expect(result.totals.cycles).toBe(404 + 100 + 101);
  });

  test("the slowest agent keeps the buffer", () => {
    const rates = { agents: 2, "issue.fetchInstructions": 4, "issue.queueDepth": 1, "dram.latencyCycles": 100 };
    const program = new Builder(rates);
    const tensor = program.tensor("shifted", [1, 800, 1]);
    const table = program.view(program.tensor("table", [1, 1, 4]));
    const dst = program.view(tensor);
    // agent 1 shifts 800 values twice, agent 0 nothing
    const box = { y: axis(0, 1), x: axis(800, 800, 0, -800), c: axis(0, 1) };
    const shifts = [0, 1].map(() => program.add("shift", { table, dst, tensor, ...box }));
    for (let k = 0; k < 4; k++) program.add("fence", { unit: "mac" });
    const last = program.add("fence", { unit: "mac" });
    const { span } = run(program);
    // block 0 ends with the second shift, which agent 1 issues when its first one ends; then block 2 is fetched
    expect(span(last, 0).start).toBe(span(shifts[0], 1).end + 101 + 1);
    expect(span(last, 1).start).toBe(span(last, 0).start);
  });

  test("fetch is DRAM traffic, once for all agents, rounded out to bursts", () => {
    const { result } = fences(9, { agents: 4, "issue.fetchInstructions": 4, "dram.burstBytes": 1024 });
    // blocks of 256, 256 and 128 B, each in one burst of 1 KiB
    expect(result.totals.dramRequestedBytes).toBe(10 * 64);
    expect(result.totals.dramReadBytes).toBe(3 * 1024);
  });

  test("an empty frame takes its fetch and its halt", () => {
    const program = new Builder({ "dram.bytesPerCycle": 16, "dram.latencyCycles": 100 });
    const { result } = run(program);
    // 64 B / 16 + 100 + 1
    expect(result.totals.cycles).toBe(105);
  });
});
