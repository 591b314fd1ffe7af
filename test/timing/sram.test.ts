/** SRAM banks: do units slow each other down as docs/timing.md says, and never move more than the banks can? */
import { describe, expect, test } from "vitest";
import { axis, Builder, run, type Shape, whole } from "./build.ts";

/** 16 B/cycle in all. */
const BANKS = { "sram.banks": 2, "sram.bankBytesPerCycle": 8, "lanes.latencyCycles": 0 };
/** 64 pixels of 8 channels and 64 weights: 576 B in 64 cycles, 9/16 of the banks' cycles. */
const PIXELS: Shape = [8, 8, 8];
const ARRAY = 9 / 16;

/** Fields of an addition; it takes 3 B for each value. */
function addition(program: Builder, values: number) {
  const tensor = program.tensor("sum", [1, values, 1]);
  const view = program.view(tensor);
  return { a: view, b: view, dst: view, tensor, ...whole([1, values, 1]) };
}

describe("MAC arrays go first", () => {
  test("a shift beside a convolution tries 1 / (1 - 9/16) times", () => {
    const program = new Builder(BANKS);
    const shiftFields = program.shift([10, 4, 8]);
    const convFields = program.conv(PIXELS, 8);
    const alone = program.add("shift", shiftFields);
    program.add("sync", { after: ["shift"], before: ["mac", "shift"] });
    const conv = program.add("conv", convFields);
    const shift = program.add("shift", shiftFields);
    const { cycles } = run(program);
    // 320 values on 8 lanes; the table takes 32 B more
    expect(cycles(alone)).toBe(40);
    expect(cycles(shift)).toBe(Math.round(40 / (1 - ARRAY)));
    // 8 preload + 64 + 14
    expect(cycles(conv)).toBe(86);
  });

  test("a convolution that comes later is not slowed down while there is room", () => {
    const program = new Builder(BANKS);
    const shiftFields = program.shift([4, 1, 8]);
    const convFields = program.conv(PIXELS, 8);
    const shift = program.add("shift", shiftFields);
    const conv = program.add("conv", convFields);
    const { cycles, span } = run(program);
    // 32 values and a table of 32 B: 64 B, 4 cycles at least, all the banks for 4 cycles
    expect(cycles(shift)).toBe(4);
    expect(span(conv).start).toBe(span(shift).end);
    expect(cycles(conv)).toBe(86);
  });

  test("a copy beside a convolution tries again for each of its whole cycles", () => {
    const program = new Builder({ ...BANKS, "link.bytesPerCycle": 64 });
    const tensor = program.tensor("tile", [1, 41, 1]);
    const view = program.view(tensor);
    const convFields = program.conv(PIXELS, 8);
    program.add("conv", convFields);
    const copy = program.add("copy", { src: view, dst: view, ...whole([1, 41, 1]) });
    const { cycles } = run(program);
    // 41 B read and 41 B written: 6 cycles of 16 B
    expect(cycles(copy)).toBe(Math.round(6 / (1 - ARRAY)));
  });

  test("a copy tries again for the MAC arrays of the agent that it goes to", () => {
    const program = new Builder({ ...BANKS, agents: 2, "link.bytesPerCycle": 4 });
    const view = program.view(program.tensor("tile", [1, 40, 1]));
    // agent 1 alone convolves
    program.add("conv", { ...program.conv(PIXELS, 8), x: axis(8, 8, 0, -8) });
    const sent = { y: axis(0, 1), x: axis(0, 40), c: axis(0, 1), offsetX: 1 };
    const copy = program.add("copy", { src: view, dst: view, ...sent });
    const next = program.add("copy", { src: view, dst: view, ...sent });
    const { span } = run(program);
    // the link takes 10 cycles
    expect(span(next).start - span(copy).start).toBe(Math.round(10 / (1 - ARRAY)));
  });

  test("loads and stores beside a convolution move at 7/16 of their rate", () => {
    for (const op of ["load", "store"] as const) {
      // the engine is slow, DRAM is quick: 256 B / 4
      const program = new Builder({ ...BANKS, "dma.bytesPerCycle": 4 });
      const tensor = program.tensor("tile", [1, 1, 256], "intermediate");
      const view = program.view(tensor);
      const fields = program.conv([24, 16, 8], 8);
      const conv = program.add("conv", fields);
      const box = whole([1, 1, 256]);
      const move =
        op === "load" ? program.add("load", { dst: view, ...box }) : program.add("store", { src: view, ...box });
      const { cycles, span } = run(program);
      expect(span(conv).start).toBeLessThan(span(move).start);
      // 384 pixels x 8 + 64 B in 384 cycles
      const array = (384 * 8 + 64) / (384 * 16);
      expect(cycles(move)).toBe(Math.ceil(64 / (1 - array)) + (op === "load" ? 0 : 1));
    }
  });
});

describe("banks hold so much", () => {
  test("what is booked is not there for others: 16 - 9 B/cycle", () => {
    const program = new Builder({ ...BANKS, "pool.lanes": 64 });
    const convFields = program.conv(PIXELS, 8);
    const add = addition(program, 64);
    program.add("conv", convFields);
    const sum = program.add("add", add);
    const { cycles } = run(program);
    // 192 B: 12 cycles of all banks, of which 7/16 are free
    expect(cycles(sum)).toBe(Math.ceil(192 / 7));
  });

  test("what an instruction gives back is there for the next, while a third keeps its share", () => {
    const program = new Builder({ ...BANKS, "pool.lanes": 64 });
    const convFields = program.conv(PIXELS, 8);
    const add = addition(program, 64);
    const conv = program.add("conv", convFields);
    const sums = [program.add("add", add), program.add("add", add)];
    const { cycles, span } = run(program);
    for (const sum of sums) expect(cycles(sum)).toBe(Math.ceil(192 / 7));
    expect(span(sums[1]).start).toBe(span(sums[0]).end);
    expect(span(conv).end).toBeGreaterThan(span(sums[1]).start);
  });

  test("an instruction that takes all banks keeps others from starting, and the cause is said", () => {
    const program = new Builder({ ...BANKS, "pool.lanes": 64 });
    const add = addition(program, 64);
    const shiftFields = program.shift([8, 1, 8]);
    const sum = program.add("add", add);
    const shift = program.add("shift", shiftFields);
    const { span, unit } = run(program);
    expect(span(sum).end - span(sum).start).toBe(12);
    expect(span(shift).start).toBe(span(sum).end);
    expect(unit("shift").stalls.sram).toBe(11);
  });

  test("a group starts when there is room in all its agents' SRAM", () => {
    const program = new Builder({ ...BANKS, "pool.lanes": 64, agents: 2 });
    const tensor = program.tensor("tile", [1, 1, 64], "intermediate");
    const view = program.view(tensor);
    const sums = program.tensor("sum", [1, 64, 1]);
    const operand = program.view(sums);
    // agent 1 adds, agent 0 has nothing to add
    const box = { y: axis(0, 1), x: axis(64, 64, 0, -64), c: axis(0, 1) };
    const sum = program.add("add", { a: operand, b: operand, dst: operand, tensor: sums, ...box });
    const load = program.add("load", { dst: view, ...whole([1, 1, 64]), multicast: "all" });
    const { span } = run(program);
    for (const agent of [0, 1]) expect(span(load, agent).start).toBe(span(sum, 1).end);
  });

  test("a group moves as fast as the fullest SRAM of its agents lets it", () => {
    const program = new Builder({ ...BANKS, "pool.lanes": 1, agents: 3 });
    const tensor = program.tensor("tile", [1, 1, 208], "intermediate");
    const view = program.view(tensor);
    const sums = program.tensor("sum", [1, 64, 1]);
    const operand = program.view(sums);
    // agent 1 alone adds: 3 of its 16 B/cycle
    const box = { y: axis(0, 1), x: axis(64, 64, 0, -64), c: axis(0, 1) };
    const sum = program.add("add", { a: operand, b: operand, dst: operand, tensor: sums, gridX: 2, ...box });
    const load = program.add("load", { dst: view, ...whole([1, 1, 208]), multicast: "all" });
    const { cycles, span } = run(program);
    expect(span(sum, 1).end).toBeGreaterThan(span(load).end);
    for (const agent of [0, 1, 2]) expect(cycles(load, agent)).toBe(208 / 13);
  });

  test("a copy takes the banks of both agents", () => {
    const program = new Builder({ ...BANKS, "pool.lanes": 64, agents: 2, "link.bytesPerCycle": 64 });
    const tensor = program.tensor("tile", [1, 64, 1]);
    const view = program.view(tensor);
    const copyBox = { y: axis(0, 1), x: axis(0, 64), c: axis(0, 1) };
    const add = addition(program, 64);
    // agent 0 sends 64 B to agent 1: 4 cycles of all banks of either
    const copy = program.add("copy", { src: view, dst: view, ...copyBox, offsetX: 1 });
    const sum = program.add("add", add);
    const { span } = run(program);
    for (const agent of [0, 1]) expect(span(sum, agent).start).toBe(span(copy, 0).start + 4);
  });

  test("a copy is as slow as the fuller of both SRAMs", () => {
    const program = new Builder({ ...BANKS, "pool.lanes": 1, agents: 2, "link.bytesPerCycle": 64 });
    const view = program.view(program.tensor("tile", [1, 208, 1]));
    const sums = program.tensor("sum", [1, 64, 1]);
    const operand = program.view(sums);
    // agent 1 alone adds: 3 of its 16 B/cycle
    const box = { y: axis(0, 1), x: axis(64, 64, 0, -64), c: axis(0, 1) };
    program.add("add", { a: operand, b: operand, dst: operand, tensor: sums, ...box });
    const sent = { y: axis(0, 1), x: axis(0, 208), c: axis(0, 1) };
    const copy = program.add("copy", { src: view, dst: view, ...sent, offsetX: 1 });
    const next = program.add("copy", { src: view, dst: view, ...sent, offsetX: 1 });
    const { span } = run(program);
    expect(span(next).start - span(copy).start).toBe(208 / 13);
  });

  test("two arrays of an agent share them, too", () => {
    const program = new Builder({ ...BANKS, "agent.tensorProcessors": 2 });
    const fields = program.conv(PIXELS, 8);
    const first = program.add("conv", { ...fields, tp: 0 });
    const second = program.add("conv", { ...fields, tp: 1 });
    const { cycles } = run(program);
    expect(cycles(first)).toBe(86);
    // 576 B at 16 - 9 B/cycle, + 8 preload + 14 drain
    expect(cycles(second)).toBe(Math.ceil(576 / 7) + 22);
  });
});
