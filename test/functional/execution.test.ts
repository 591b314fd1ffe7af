import { describe, expect, test } from "vitest";
import { Execution } from "../../sim/functional/index.ts";
import { Scratch } from "../../sim/functional/scratch.ts";
import { WeightCache } from "../../sim/functional/weight-cache.ts";
import type { Kernels } from "../../sim/kernel-api.ts";
import { box, ProgramBuilder, type Shape, whole } from "./builder.ts";

/** input + what the prologue loaded -> output; what the frame before left -> previous. */
function accumulating() {
  const shape: Shape = [1, 2, 2];
  const b = new ProgramBuilder();
  const input = b.tensor("input", shape, "i8", "input");
  const resident = b.constant("resident", shape, "i8", Int8Array.of(1, 2, 3, 4));
  const sum = b.tensor("output", shape, "i8", "output");
  const previous = b.tensor("previous", shape, "i8", "output");
  b.emit("load", { dst: b.view(resident, whole(shape), 0), ...whole(shape) });
  b.endPrologue();
  b.emit("store", { src: b.view(previous, whole(shape), 200), ...whole(shape) });
  const a = b.view(input, whole(shape), 100);
  const dst = b.view(sum, whole(shape), 200);
  b.emit("load", { dst: a, ...whole(shape) });
  b.emit("add", { a, b: b.view(resident, whole(shape), 0), dst, tensor: sum, ...whole(shape), low: -128, high: 127 });
  b.emit("store", { src: dst, ...whole(shape) });
  return b.build({ serial: true });
}

describe("frames", () => {
  test("the prologue runs once; SRAM persists from frame to frame", () => {
    const execution = new Execution(accumulating());
    const first = execution.runFrame(Int8Array.of(10, 20, 30, 40));
    expect([...first.keys()]).toEqual(["output", "previous"]);
    expect([...first.get("output")!]).toEqual([11, 22, 33, 44]);
    expect([...first.get("previous")!]).toEqual([0, 0, 0, 0]);
    const second = execution.runFrame(Int8Array.of(1, 1, 1, 1));
    expect([...second.get("output")!]).toEqual([2, 3, 4, 5]);
    expect([...second.get("previous")!]).toEqual([11, 22, 33, 44]);
    // results are copies
    expect([...first.get("output")!]).toEqual([11, 22, 33, 44]);
  });

  test("the prologue may be run by itself before", () => {
    const execution = new Execution(accumulating());
    execution.runPrologue();
    expect([...execution.readSram(0).subarray(0, 5)]).toEqual([1, 2, 3, 4, 0]);
    expect([...execution.runFrame(Int8Array.of(0, 0, 0, 0)).get("output")!]).toEqual([1, 2, 3, 4]);
    expect([...execution.readTensor("input")]).toEqual([0, 0, 0, 0]);
  });

  test("two executions of one program share nothing", () => {
    const checked = accumulating();
    const [one, other] = [new Execution(checked), new Execution(checked)];
    one.runFrame(Int8Array.of(1, 1, 1, 1));
    expect([...other.runFrame(Int8Array.of(5, 5, 5, 5)).get("previous")!]).toEqual([0, 0, 0, 0]);
  });

  test.each([
    ["too short", Int8Array.of(1), "input of 1 i8 elements"],
    ["of another format", Uint8Array.of(1, 2, 3, 4), "input of 4 u8 elements"],
  ])("an input %s is refused", (_, input, message) => {
    const execution = new Execution(accumulating());
    expect(() => execution.runFrame(input)).toThrow(`program 'test': ${message}; 'input' takes 1 x 2 x 2 i8`);
  });

  test("reading a tensor that is not there, or not in DRAM, is refused by name", () => {
    const b = new ProgramBuilder();
    b.tensor("input", [1, 1, 1], "i8", "input");
    b.tensor("output", [1, 1, 1], "i8", "output");
    b.tensor("inside", [1, 1, 1], "i8");
    const execution = new Execution(b.build());
    expect(() => execution.readTensor("nowhere")).toThrow("program 'test' has no tensor 'nowhere'");
    expect(() => execution.readTensor("inside")).toThrow("tensor 'inside' has no place in DRAM");
  });
});

describe("scratch", () => {
  test("equal lists are one; areas are as large as the largest need", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 4, shared: true });
    const scratch = new Scratch(64);
    const [list, same, other] = [[1, 2], [1, 2], [3]].map((values) => scratch.int32List(values));
    scratch.patch.need(100000);
    scratch.patch.need(5);
    scratch.commit(memory, "test");
    expect([list, same, other]).toEqual([64, 64, 128]);
    expect([...new Int32Array(memory.buffer, 64, 2), new Int32Array(memory.buffer, 128, 1)[0]]).toEqual([1, 2, 3]);
    expect(scratch.patch.address).toBe(192);
    expect(memory.buffer.byteLength).toBe(2 * 65536);
  });

  test("more than 4 GiB is refused with the remedy", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const scratch = new Scratch(2 ** 32 - 64);
    scratch.patch.need(1000);
    expect(() => scratch.commit(memory, "program 'x'")).toThrow(
      /^program 'x': chip, DRAM and the simulator's scratch take \d+ B; .* \(4 GiB\)\. Make agents, /,
    );
  });

  test("a computer that does not grant the memory is said so", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const scratch = new Scratch(65536);
    scratch.reserve(10);
    expect(() => scratch.commit(memory, "program 'x'")).toThrow("program 'x': this computer does not grant 65600 B");
  });
});

describe("weights are packed", () => {
  /** Kernels that count, over a memory in which addresses stand for contents. */
  function counting(equal: (a: number, b: number) => boolean) {
    const calls = { packed: 0, copied: 0 };
    const kernels = {
      equalBytes: (a: number, b: number) => (equal(a, b) ? 1 : 0),
      copyBox: () => calls.copied++,
      packWeights: () => calls.packed++,
    } as unknown as Kernels;
    return { kernels, calls };
  }

  test("once while their bytes stay the same, whichever agent holds them", () => {
    let same = true;
    const { kernels, calls } = counting(() => same);
    const cache = new WeightCache(kernels, new Scratch(0), 4);
    const entry = cache.entry(3, 0, 0, 9, 5);
    expect(cache.entry(3, 0, 0, 9, 5)).toBe(entry);
    expect(cache.entry(3, 0, 0, 5, 9)).not.toBe(entry);
    const address = cache.pack(entry, 1000);
    expect(cache.pack(entry, 2000)).toBe(address);
    expect(calls).toEqual({ packed: 1, copied: 1 });
    same = false;
    cache.pack(entry, 1000);
    expect(calls).toEqual({ packed: 2, copied: 2 });
  });

  test("each time when they are too many to remember", () => {
    const { kernels, calls } = counting(() => true);
    const scratch = new Scratch(0);
    const cache = new WeightCache(kernels, scratch, 256);
    cache.entry(0, 0, 0, 1, 2 ** 19); // 128 MiB and 256 MiB packed
    const entry = cache.entry(0, 1, 0, 1, 2 ** 19);
    expect(entry.stored).toBe(null);
    expect(scratch.weights.bytes).toBe(2 ** 28);
    cache.pack(entry, 1);
    cache.pack(entry, 1);
    expect(calls).toEqual({ packed: 2, copied: 0 });
  });
});

test("weights that change under a convolution are seen", () => {
  // The weights are the input itself: other ones in every frame.
  const b = new ProgramBuilder();
  const input = b.tensor("input", [1, 1, 4], "i8", "input");
  const output = b.tensor("output", [1, 1, 4], "i32", "output");
  const one = b.constant("one", [1, 1, 1], "i8", Int8Array.of(1));
  const table = b.constant("table", [1, 4, 4], "i8", new Int8Array(16));
  const weights = b.view(input, whole([1, 1, 4]), 0);
  const src = b.view(one, whole([1, 1, 1]), 16);
  const entries = b.view(table, whole([1, 4, 4]), 32);
  const dst = b.view(output, whole([1, 1, 4]), 64);
  b.emit("load", { dst: weights, ...whole([1, 1, 4]) });
  b.emit("load", { dst: src, ...box(0, 1, 0, 1, 0, 1) });
  b.emit("load", { dst: entries, ...whole([1, 4, 4]) });
  const kernel = { kernelY: 1, kernelX: 1, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1 };
  b.emit("conv", { src, weights, tensor: output, ...whole([1, 1, 4]), ...kernel, groupOut: 4 });
  b.emit("shift", { table: entries, dst, tensor: output, ...whole([1, 1, 4]) });
  b.emit("store", { src: dst, ...whole([1, 1, 4]) });
  const execution = new Execution(b.build({ serial: true }));
  for (const frame of [
    [1, 2, 3, 4],
    [5, 6, 7, 8],
    [5, 6, 7, 8],
    [-1, 0, 1, 2],
  ]) {
    expect([...execution.runFrame(Int8Array.from(frame)).get("output")!]).toEqual(frame);
  }
});

test("weights with gaps between their rows", () => {
  const b = new ProgramBuilder();
  const input = b.tensor("input", [1, 1, 2], "i8", "input");
  const output = b.tensor("output", [1, 1, 3], "i32", "output");
  const matrix = b.constant("matrix", [1, 2, 4], "i8", Int8Array.of(1, 2, 3, 0, 10, 20, 30, 0));
  const table = b.constant("table", [1, 3, 4], "i8", new Int8Array(12));
  const weights = b.view(matrix, whole([1, 2, 4]), 0, { pixelPitch: 7 });
  const src = b.view(input, whole([1, 1, 2]), 16);
  const entries = b.view(table, whole([1, 3, 4]), 32);
  const dst = b.view(output, whole([1, 1, 3]), 64);
  b.emit("load", { dst: weights, ...whole([1, 2, 4]) });
  b.emit("load", { dst: src, ...whole([1, 1, 2]) });
  b.emit("load", { dst: entries, ...whole([1, 3, 4]) });
  const kernel = { kernelY: 1, kernelX: 1, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1 };
  b.emit("conv", { src, weights, tensor: output, ...whole([1, 1, 3]), ...kernel, cCount: 2, groupIn: 2, groupOut: 3 });
  b.emit("shift", { table: entries, dst, tensor: output, ...whole([1, 1, 3]) });
  b.emit("store", { src: dst, ...whole([1, 1, 3]) });
  expect([...new Execution(b.build({ serial: true })).runFrame(Int8Array.of(1, 2)).get("output")!]).toEqual([
    21, 42, 63,
  ]);
});
