import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ADD_SHIFT_MAX, FORMAT_MAX, FORMAT_MIN, type Format, SHIFT_MAX, SHIFT_MIN } from "../isa/numerics.ts";
import type { Kernels } from "../sim/kernel-api.ts";
import { createTwinKernels } from "../sim/twin-kernels.ts";
import { createKernelMemory, createWasmKernels, KERNEL_RESERVED_BYTES } from "../sim/wasm-kernels.ts";

const MEMORY_BYTES = 4 * 65536;

const implementations: [string, Kernels][] = [
  ["wasm", createWasmKernels(MEMORY_BYTES)],
  ["twin", createTwinKernels(MEMORY_BYTES)],
];
const [[, wasm], [, twin]] = implementations;

/** Writes values of one width at an address; returns the address. */
function put(kernels: Kernels, address: number, bytes: 1 | 2 | 4, values: readonly number[]): number {
  const view = new DataView(kernels.memory.buffer);
  values.forEach((value, i) => {
    if (bytes === 1) view.setInt8(address + i, value);
    else if (bytes === 2) view.setInt16(address + 2 * i, value, true);
    else view.setInt32(address + 4 * i, value, true);
  });
  return address;
}

function get(kernels: Kernels, address: number, format: Format | "i16", count: number): number[] {
  const view = new DataView(kernels.memory.buffer);
  return Array.from({ length: count }, (_, i) => {
    if (format === "i8") return view.getInt8(address + i);
    if (format === "u8") return view.getUint8(address + i);
    return format === "i16" ? view.getInt16(address + 2 * i, true) : view.getInt32(address + 4 * i, true);
  });
}

/** Numbers worked by hand, against both implementations: does each do what the interface says? */
describe.each(implementations)("%s, by hand", (_, kernels) => {
  test("widen: a 2 x 3 window of 1 channel whose last column and first row do not exist", () => {
    put(kernels, 2000, 1, [-1, 127]);
    kernels.widen(2000, 2, 1, 1, 0, 3000, 2, 3, 1, 2, 0, 2);
    expect(get(kernels, 3000, "i16", 12)).toEqual([0, 0, 0, 0, 0, 0, -1, 0, 127, 0, 0, 0]);
    kernels.widen(2000, 2, 1, 1, 1, 3000, 1, 2, 0, 1, 0, 2);
    expect(get(kernels, 3000, "i16", 4)).toEqual([255, 0, 127, 0]);
  });

  test("conv: 1 x 2 kernel, 2 channels, 4 columns, two pixels, set and add", () => {
    put(kernels, 2000, 2, [1, 2, 3, 4, 5, 6]); // pixels (1,2) (3,4) (5,6)
    // taps x channels rows of 4 columns
    put(kernels, 3000, 1, [1, 0, 0, -1, 0, 1, 0, -1, 0, 0, 1, -1, 0, 0, 0, -1]);
    expect(kernels.packWeights(3000, 4000, 2, 2, 4)).toBe(32);
    kernels.conv(2000, 3, 2, 4000, 5000, 2, 4, 1, 2, 1, 2, 1, 1, 1, 1, 0);
    expect(get(kernels, 5000, "i32", 8)).toEqual([1, 2, 3, -10, 3, 4, 5, -18]);
    kernels.conv(2000, 3, 2, 4000, 5000, 2, 4, 1, 2, 1, 2, 1, 1, 1, 1, 1);
    expect(get(kernels, 5000, "i32", 8)).toEqual([2, 4, 6, -20, 6, 8, 10, -36]);
  });

  test("conv wraps at int32", () => {
    put(kernels, 2000, 2, [1, 0]);
    put(kernels, 3000, 1, [1, 1, 1, 1]);
    put(kernels, 5000, 4, [FORMAT_MAX.i32, 0, 0, 0]);
    kernels.packWeights(3000, 4000, 1, 1, 4);
    kernels.conv(2000, 1, 2, 4000, 5000, 1, 4, 1, 1, 1, 1, 1, 1, 1, 1, 1);
    expect(get(kernels, 5000, "i32", 2)).toEqual([FORMAT_MIN.i32, 1]);
  });

  test("convGrouped: depthwise columns, an unused column becomes 0", () => {
    put(kernels, 2000, 2, [5, 6, 7, 0]);
    put(kernels, 3000, 1, [1, 2, 3, 4]);
    put(kernels, 4000, 4, [0, 1, 2]);
    put(kernels, 5000, 4, [9, 9, 9, 9]);
    kernels.convGrouped(2000, 1, 4, 3000, 5000, 1, 4, 3, 1, 4000, 1, 1, 1, 1, 1, 1, 1, 1, 0);
    expect(get(kernels, 5000, "i32", 4)).toEqual([5, 12, 21, 0]);
  });

  test("shift: bias, rounding of halves, saturation, slope", () => {
    put(kernels, 2000, 4, [3, 5, 1000, -8]);
    // (3 + 2*2) / 2 = 3.5 -> 4; (5 + round(-3/2) = -1) / 8 = 0.5 -> 1; 1000 + 0 saturates; -8 / 4 + -8 / 8 = -3
    put(kernels, 3000, 1, [2, 1, 1, 0, -3, -1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    kernels.shift(2000, 1, 4, 4, 1, 1, 3000, 4000, 4, 4, -128, 127, 2, 3, 0, 0);
    expect(get(kernels, 4000, "i8", 4)).toEqual([4, 1, 127, -3]);
    kernels.shift(2000, 1, 4, 4, 1, 1, 3000, 4000, 4, 4, 0, 127, -1, 0, 0, 0);
    expect(get(kernels, 4000, "i8", 4)).toEqual([4, 1, 127, 0]);
    kernels.shiftWide(2000, 1, 4, 4, 1, 1, 3000, 4000, 16, 16, 0);
    expect(get(kernels, 4000, "i32", 4)).toEqual([7, 4, 1000, -8]);
  });

  test("shift at int32's ends: the sum saturates before it is shifted, the rounding addend does not wrap", () => {
    put(kernels, 2000, 4, [FORMAT_MAX.i32, FORMAT_MAX.i32, FORMAT_MIN.i32, FORMAT_MIN.i32]);
    // 2^31 - 1 + (127 << 23) saturates; 2^31 - 1 over 2^25 is 64; -2^31 over 2^31 is -1; -2^31 - 2^23 saturates, over 2^30 is -2
    put(kernels, 3000, 1, [127, 23, 25, 0, 0, 0, 25, 0, 0, 0, 31, 0, -1, 23, 30, 0]);
    kernels.shift(2000, 1, 4, 4, 1, 1, 3000, 4000, 4, 4, -128, 127, -1, 0, 0, 0);
    expect(get(kernels, 4000, "i8", 4)).toEqual([64, 64, -1, -2]);
  });

  test("pool: 2 x 2 over a 2 x 2 tensor with a border of one", () => {
    put(kernels, 2000, 1, [-1, -2, -3, -8]);
    const pool = (mode: number, unsigned: number) =>
      kernels.pool(2000, 2, 1, 3000, 3, 1, 3, 3, 1, 0, 0, 0, 2, 0, 2, 2, 2, 1, 1, 1, 1, mode, unsigned);
    pool(0, 0);
    expect(get(kernels, 3000, "i8", 9)).toEqual([-1, -1, -2, -1, -1, -2, -3, -3, -8]);
    pool(1, 0); // -1.5 -> -1; -2 -> -2; -3.5 -> -3; -5 -> -5; -5.5 -> -5
    expect(get(kernels, 3000, "i8", 9)).toEqual([-1, -1, -2, -2, -3, -5, -3, -5, -8]);
    pool(2, 0); // -1/4 -> 0; -3/4 -> -1; -2/4 -> 0; -4/4; -14/4 = -3.5 -> -3; -10/4 = -2.5 -> -2
    expect(get(kernels, 3000, "i8", 9)).toEqual([0, -1, 0, -1, -3, -2, -1, -3, -2]);
    pool(0, 1);
    expect(get(kernels, 3000, "u8", 9)).toEqual([255, 255, 254, 255, 255, 254, 253, 253, 248]);
  });

  test("pool: a window without elements is the format's minimum, or 0", () => {
    const pool = (mode: number, unsigned: number) =>
      kernels.pool(2000, 1, 1, 3000, 1, 1, 1, 1, 1, 0, 0, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, mode, unsigned);
    pool(0, 0);
    expect(get(kernels, 3000, "i8", 1)).toEqual([-128]);
    for (const [mode, unsigned] of [
      [0, 1],
      [1, 0],
      [2, 0],
    ]) {
      put(kernels, 3000, 1, [7]);
      pool(mode, unsigned);
      expect(get(kernels, 3000, "u8", 1)).toEqual([0]);
    }
  });

  test("pool: averages use the rounded 16-bit reciprocal: 3 / 6 gives 0, 7 / 14 gives 1", () => {
    // 2^17 / 6 = 21845.33: 3 * 21845 + 2^16 = 2^17 - 1; 2^18 / 14 = 18724.57: 7 * 18725 + 2^17 = 2^18 + 3
    for (const [count, sum, average] of [
      [6, 3, 0],
      [14, 7, 1],
    ]) {
      const pixels = Array.from({ length: count * 9 }, (_, i) => (i < sum * 9 ? 1 : 0));
      put(kernels, 2000, 1, pixels);
      kernels.pool(2000, count * 9, 9, 3000, 9, 9, 1, 1, 9, 0, 0, 0, 1, 0, count, 1, count, 1, 1, 0, 0, 1, 0);
      expect(get(kernels, 3000, "i8", 9)).toEqual(new Array(9).fill(average));
    }
  });

  test("add: (10 << 1) + 3 = 23, / 2 = 11.5 -> 12; -128 + -128 saturates", () => {
    put(kernels, 2000, 1, [10, -128]);
    put(kernels, 3000, 1, [3, -128]);
    kernels.add(2000, 2, 2, 3000, 2, 2, 4000, 2, 2, 1, 1, 2, 1, 0, 1, -128, 127, 0);
    expect(get(kernels, 4000, "i8", 2)).toEqual([12, -128]);
  });

  test("rescale: halves round up, left shifts saturate", () => {
    put(kernels, 2000, 1, [5, -5, 100]);
    kernels.rescale(2000, 3, 3, 3000, 3, 3, 1, 1, 3, 1, -128, 127, 0);
    expect(get(kernels, 3000, "i8", 3)).toEqual([3, -2, 50]);
    kernels.rescale(2000, 3, 3, 3000, 3, 3, 1, 1, 3, -1, -128, 127, 0);
    expect(get(kernels, 3000, "i8", 3)).toEqual([10, -10, 127]);
  });

  test("range: bits minus exponent plus 16; relu counts a negative as 0", () => {
    put(kernels, 2000, 4, [0, 5, -5, -4]);
    put(kernels, 3000, 1, [0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 4, 0, 0, 0]);
    put(kernels, 4000, 4, new Array(33).fill(0));
    kernels.range(2000, 1, 4, 4, 1, 1, 3000, 4000, 0, 0);
    const bins = get(kernels, 4000, "i32", 33);
    expect(bins.flatMap((count, bin) => (count > 0 ? [[bin, count]] : []))).toEqual([
      [0, 2], // 0, and -4 + 4
      [17, 1], // 5: 3 bits - 2 + 16
      [19, 1], // -5: 3 bits + 16
    ]);
    kernels.range(2000, 1, 4, 3, 1, 1, 3000, 4000, 0, 1);
    expect(get(kernels, 4000, "i32", 20)).toEqual([4, ...new Array(16).fill(0), 2, 0, 1]);
  });

  test("boxes: copy, fill, compare", () => {
    put(kernels, 2000, 1, [1, 2, 3, 4, 5, 6]);
    kernels.fillBox(3000, 4, 2, 2, 2, 2, 9);
    kernels.copyBox(2000, 3, 2, 3000, 4, 3, 2, 1, 2);
    expect(get(kernels, 3000, "i8", 8)).toEqual([1, 2, 9, 9, 4, 5, 9, 9]);
    expect(kernels.equalBytes(2000, 3000, 2)).toBe(1);
    expect(kernels.equalBytes(2000, 3000, 3)).toBe(0);
  });
});

/** mulberry32: the bytes of a case follow from one number that fast-check can shrink. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/** The two memories with equal random contents, and a place for each buffer of a case. */
class Arena {
  private readonly random: () => number;
  private free = MEMORY_BYTES;
  private readonly ignored: [number, number][] = [];

  constructor(seed: number) {
    this.random = generator(seed);
    const words = new Int32Array(wasm.memory.buffer);
    for (let i = 0; i < words.length; i++) words[i] = this.random();
    new Int32Array(twin.memory.buffer).set(words);
  }

  /**
   * Addresses for buffers of these sizes, in random order from the memory's end downwards, at any alignment: a kernel
   * that reads too far from the last one traps, and one that writes too far changes bytes the other does not.
   */
  place<Name extends string>(bytes: Record<Name, number>): Record<Name, number> {
    const names = Object.keys(bytes) as Name[];
    const addresses = {} as Record<Name, number>;
    while (names.length > 0) {
      const [name] = names.splice(this.random() % names.length, 1);
      this.free -= bytes[name];
      addresses[name] = this.free;
      this.free -= this.random() % 20;
    }
    expect(this.free).toBeGreaterThan(KERNEL_RESERVED_BYTES);
    return addresses;
  }

  /** Puts the same values into both memories. */
  put(address: number, bytes: 1 | 2 | 4, values: readonly number[]): void {
    put(wasm, address, bytes, values);
    put(twin, address, bytes, values);
  }

  /** int32 values of all magnitudes. */
  putAccumulators(address: number, count: number): void {
    this.put(
      address,
      4,
      Array.from({ length: count }, () => (this.random() | 0) >> (this.random() % 32)),
    );
  }

  /** A range whose contents the implementations may choose themselves. */
  ignore(address: number, bytes: number): void {
    this.ignored.push([address, bytes]);
  }

  /** Calls both; results and memories must be equal afterwards. */
  check(call: (kernels: Kernels) => unknown): void {
    const results = [call(wasm), call(twin)];
    expect(results[0]).toBe(results[1]);
    const memories = [wasm, twin].map((kernels) => Buffer.from(new Uint8Array(kernels.memory.buffer))); // copies
    for (const [address, bytes] of this.ignored) {
      for (const memory of memories) memory.fill(0, address, address + bytes);
    }
    if (memories[0].equals(memories[1])) return;
    const at = memories[0].findIndex((byte, i) => byte !== memories[1][i]);
    expect.fail(`byte ${at} of memory: wasm ${memories[0][at]}, twin ${memories[1][at]}`);
  }
}

const seed = fc.integer();
const flag = fc.integer({ min: 0, max: 1 });
const upTo = (max: number, min = 1) => fc.integer({ min, max });
/** Extents and the gaps between pixels and rows. */
const gap = fc.oneof(fc.constant(0), upTo(3, 0));
const extent = { h: upTo(5), w: upTo(7), gapA: gap, gapB: gap, gapC: gap };
const cols = fc.constantFrom(4, 8, 12, 16, 20, 32);
const channels = fc.oneof(upTo(9), upTo(70));

/** Checks that both implementations agree on so many random cases. */
function agree<T>(
  shape: { [K in keyof T]: fc.Arbitrary<T[K]> },
  runs: number,
  run: (arena: Arena, c: T) => void,
): void {
  fc.assert(
    fc.property(fc.record({ seed, ...shape }), (c) => run(new Arena(c.seed), c as unknown as T)),
    { numRuns: runs },
  );
}

const formatLimits = (unsigned: number) => (unsigned ? [FORMAT_MIN.u8, FORMAT_MAX.u8] : [FORMAT_MIN.i8, FORMAT_MAX.i8]);

const convShape = {
  ...extent,
  cols,
  channels: fc.oneof(upTo(4), upTo(20)),
  kernelY: upTo(4),
  kernelX: upTo(4),
  strideY: upTo(3),
  strideX: upTo(3),
  dilationY: upTo(3),
  dilationX: upTo(3),
  add: flag,
};
type ConvCase = { [K in keyof typeof convShape]: number };

function patchExtent(c: ConvCase): { width: number; height: number; evenChannels: number } {
  return {
    width: (c.w - 1) * c.strideX + (c.kernelX - 1) * c.dilationX + 1 + c.gapA,
    height: (c.h - 1) * c.strideY + (c.kernelY - 1) * c.dilationY + 1,
    evenChannels: c.channels + (c.channels % 2),
  };
}

function checkConv(arena: Arena, c: ConvCase): void {
  const { width, height, evenChannels } = patchExtent(c);
  const taps = c.kernelY * c.kernelX;
  const accRow = c.w + c.gapB;
  const packedBytes = taps * evenChannels * c.cols * 2;
  const at = arena.place({
    patch: 2 * (width * height - c.gapA) * evenChannels,
    weights: taps * c.channels * c.cols,
    packed: packedBytes,
    acc: 4 * c.cols * (c.h * accRow - c.gapB),
  });
  arena.ignore(at.packed, packedBytes); // the packed layout is each implementation's own
  arena.check((k) => k.packWeights(at.weights, at.packed, taps, c.channels, c.cols));
  arena.check((k) =>
    k.conv(
      at.patch,
      width,
      evenChannels,
      at.packed,
      at.acc,
      accRow,
      c.cols,
      c.h,
      c.w,
      c.kernelY,
      c.kernelX,
      c.strideY,
      c.strideX,
      c.dilationY,
      c.dilationX,
      c.add,
    ),
  );
}

/** Are the WebAssembly kernels bit for bit the twin, and do they touch nothing else? */
describe("wasm equals twin", () => {
  test("packWeights and conv", () => agree<ConvCase>(convShape, 200, checkConv));

  test("conv whose weights exceed one sweep of the cache", () => {
    const shape = { gapA: 1, gapB: 1, gapC: 0, strideY: 1, strideX: 1, dilationY: 1, add: 0, h: 2, w: 3 };
    for (const [channelCount, kernelY, kernelX, dilationX, colCount] of [
      [300, 3, 3, 1, 12],
      [1601, 2, 1, 1, 8],
      [130, 5, 3, 2, 20],
    ]) {
      checkConv(new Arena(channelCount), {
        ...shape,
        channels: channelCount,
        kernelY,
        kernelX,
        dilationX,
        cols: colCount,
      });
    }
  });

  test("convGrouped", () => {
    const shape = {
      ...convShape,
      channels: upTo(5),
      groups: upTo(34),
      table: fc.constantFrom("same", "next", "any"),
      first: upTo(3, 0),
      used: upTo(32),
    };
    agree<ConvCase & { groups: number; table: string; first: number; used: number }>(shape, 200, (arena, c) => {
      const columns = Math.min(c.used, c.cols);
      const table = Array.from({ length: columns }, (_, j) => {
        if (c.table === "same") return c.first + c.channels * Math.floor(j / 4);
        return c.first + (c.table === "next" ? j : (j * 7) % c.groups);
      });
      const { width, height, evenChannels } = patchExtent({ ...c, channels: Math.max(...table) + c.channels });
      const accRow = c.w + c.gapB;
      const at = arena.place({
        patch: 2 * (width * height - c.gapA) * evenChannels,
        weights: c.kernelY * c.kernelX * c.channels * c.cols,
        table: 4 * columns,
        acc: 4 * c.cols * (c.h * accRow - c.gapB),
      });
      arena.put(at.table, 4, table);
      arena.check((k) =>
        k.convGrouped(
          at.patch,
          width,
          evenChannels,
          at.weights,
          at.acc,
          accRow,
          c.cols,
          columns,
          c.channels,
          at.table,
          c.h,
          c.w,
          c.kernelY,
          c.kernelX,
          c.strideY,
          c.strideX,
          c.dilationY,
          c.dilationX,
          c.add,
        ),
      );
    });
  });

  test("widen", () => {
    const shape = {
      ...extent,
      channels: fc.oneof(fc.constant(3), channels),
      unsigned: flag,
      a: upTo(20, 0),
      b: upTo(20, 0),
      c: upTo(20, 0),
      d: upTo(20, 0),
      wide: fc.constantFrom(0, 20),
    };
    agree<{ [K in keyof typeof shape]: number }>(shape, 500, (arena, c) => {
      const w = c.w + c.wide;
      const [y0, y1] = [c.a % (c.h + 1), c.b % (c.h + 1)].sort((a, b) => a - b);
      const [x0, x1] = [c.c % (w + 1), c.d % (w + 1)].sort((a, b) => a - b);
      const srcPixel = c.channels + c.gapA;
      const srcRow = (x1 - x0) * srcPixel + c.gapB;
      const evenChannels = c.channels + (c.channels % 2);
      const at = arena.place({
        src: Math.max(0, (y1 - y0) * srcRow - c.gapB - c.gapA),
        dst: 2 * c.h * w * evenChannels,
      });
      arena.check((k) => k.widen(at.src, srcRow, srcPixel, c.channels, c.unsigned, at.dst, c.h, w, y0, y1, x0, x1));
    });
  });

  const shiftShape = {
    ...extent,
    cols,
    used: upTo(32),
    lowShift: fc.constantFrom(-8, -2, 0, 0, 1, 6),
    highShift: fc.constantFrom(0, 8, 14, 22, 23, 31),
    biases: fc.constantFrom("small", "any"),
    fIn: fc.oneof(fc.constant(0), upTo(40, -40)),
    fOut: fc.oneof(fc.constant(0), upTo(40, -40)),
    slope: fc.constantFrom([-1, 0], [-1, 0], [0, 0], [0, 1], [1, 0], [3, 6], [7, 1], [31, 31], [31, 0]),
    clamp: fc.constantFrom("i8", "relu", "u8", "narrow"),
  };
  type ShiftCase = { [K in keyof typeof shiftShape]: (typeof shiftShape)[K] extends fc.Arbitrary<infer T> ? T : never };

  /** Places and fills accumulators and table; dst holds `bytes` per channel. */
  function placeShift(arena: Arena, c: ShiftCase, bytes: number) {
    const channels = Math.min(c.used, c.cols);
    const accRow = c.w + c.gapA;
    const dstPixel = channels * bytes + c.gapB;
    const dstRow = c.w * dstPixel + c.gapC;
    const count = c.cols * (c.h * accRow - c.gapA);
    const at = arena.place({ acc: 4 * count, table: 4 * channels, dst: c.h * dstRow - c.gapB - c.gapC, bins: 4 * 33 });
    arena.putAccumulators(at.acc, count);
    const random = generator(count);
    const between = (low: number, high: number) => low + (random() % (high - low + 1));
    const [low, high] = [Math.min(c.lowShift, c.highShift), Math.max(c.lowShift, c.highShift)];
    const entry = () => [
      between(-128, 127),
      c.biases === "small" ? between(-8, 8) : between(-31, 23),
      between(Math.max(low, SHIFT_MIN), Math.min(high, SHIFT_MAX)),
      0,
    ];
    arena.put(at.table, 1, Array.from({ length: channels }, entry).flat());
    return { at, channels, accRow, dstPixel, dstRow };
  }

  test("shift", () =>
    agree<ShiftCase>(shiftShape, 600, (arena, c) => {
      const { at, channels, accRow, dstPixel, dstRow } = placeShift(arena, c, 1);
      const [low, high] = { i8: [-128, 127], relu: [0, 127], u8: [0, 255], narrow: [-3, 5] }[c.clamp] as number[];
      const [a, b] = c.slope;
      arena.check((k) =>
        k.shift(
          at.acc,
          accRow,
          c.cols,
          channels,
          c.h,
          c.w,
          at.table,
          at.dst,
          dstRow,
          dstPixel,
          low,
          high,
          a,
          b,
          c.fIn,
          c.fOut,
        ),
      );
    }));

  test("shiftWide", () =>
    agree<ShiftCase>(shiftShape, 200, (arena, c) => {
      const { at, channels, accRow, dstPixel, dstRow } = placeShift(arena, c, 4);
      arena.check((k) =>
        k.shiftWide(at.acc, accRow, c.cols, channels, c.h, c.w, at.table, at.dst, dstRow, dstPixel, c.fIn),
      );
    }));

  test("range", () =>
    agree<ShiftCase & { relu: number }>({ ...shiftShape, relu: flag }, 200, (arena, c) => {
      const { at, channels, accRow } = placeShift(arena, c, 1);
      arena.check((k) => k.range(at.acc, accRow, c.cols, channels, c.h, c.w, at.table, at.bins, c.fIn, c.relu));
    }));

  test("pool", () => {
    const shape = {
      ...extent,
      channels,
      originY: upTo(4, 0),
      originX: upTo(4, 0),
      y0: upTo(3, 0),
      x0: upTo(3, 0),
      rows: upTo(8, 0),
      columns: upTo(8, 0),
      kernelY: upTo(5),
      kernelX: upTo(5),
      strideY: upTo(3),
      strideX: upTo(3),
      padTop: upTo(4, 0),
      padLeft: upTo(4, 0),
      mode: upTo(2, 0),
      unsigned: flag,
    };
    agree<{ [K in keyof typeof shape]: number }>(shape, 300, (arena, c) => {
      const srcPixel = c.channels + c.gapA;
      const srcRow = c.columns * srcPixel + c.gapB;
      const dstPixel = c.channels + c.gapC;
      const dstRow = c.w * dstPixel + c.gapA;
      const at = arena.place({
        src: Math.max(0, c.rows * srcRow - c.gapA - c.gapB),
        dst: c.h * dstRow - c.gapA - c.gapC,
      });
      const origin = at.src - c.y0 * srcRow - c.x0 * srcPixel; // of the tensor; need not lie in memory
      arena.check((k) =>
        k.pool(
          origin,
          srcRow,
          srcPixel,
          at.dst,
          dstRow,
          dstPixel,
          c.h,
          c.w,
          c.channels,
          c.originY,
          c.originX,
          c.y0,
          c.y0 + c.rows,
          c.x0,
          c.x0 + c.columns,
          c.kernelY,
          c.kernelX,
          c.strideY,
          c.strideX,
          c.padTop,
          c.padLeft,
          c.mode,
          c.unsigned,
        ),
      );
    });
  });

  test("average pooling of large windows", () => {
    for (const size of [16, 63, 255]) {
      const arena = new Arena(size);
      const at = arena.place({ src: size * size * 3, dst: 3 });
      for (const unsigned of [0, 1]) {
        arena.check((k) =>
          k.pool(
            at.src,
            size * 3,
            3,
            at.dst,
            3,
            3,
            1,
            1,
            3,
            0,
            0,
            0,
            size,
            0,
            size,
            size,
            size,
            1,
            1,
            0,
            0,
            1,
            unsigned,
          ),
        );
      }
    }
  });

  test("add", () => {
    const shape = {
      ...extent,
      channels,
      unsigned: flag,
      inPlace: flag,
      shift: fc.oneof(upTo(ADD_SHIFT_MAX, 0), fc.constant(ADD_SHIFT_MAX)),
      side: flag,
      out: fc.oneof(upTo(SHIFT_MAX, SHIFT_MIN), upTo(0, SHIFT_MIN)),
    };
    agree<{ [K in keyof typeof shape]: number }>(shape, 300, (arena, c) => {
      const [aPixel, bPixel, dstPixel] = [c.gapA, c.gapB, c.inPlace ? c.gapA : c.gapC].map((gap) => c.channels + gap);
      const [aRow, bRow, dstRow] = [c.w * aPixel + c.gapB, c.w * bPixel + c.gapC, c.w * dstPixel + c.gapB];
      const at = arena.place({ a: c.h * aRow, b: c.h * bRow, dst: c.h * dstRow });
      const dst = c.inPlace ? at.a : at.dst;
      const [low, high] = formatLimits(c.unsigned);
      const [shiftA, shiftB] = c.side ? [c.shift, 0] : [0, c.shift];
      arena.check((k) =>
        k.add(
          at.a,
          aRow,
          aPixel,
          at.b,
          bRow,
          bPixel,
          dst,
          dstRow,
          dstPixel,
          c.h,
          c.w,
          c.channels,
          shiftA,
          shiftB,
          c.out,
          low,
          high,
          c.unsigned,
        ),
      );
    });
  });

  test("rescale", () => {
    const shape = { ...extent, channels, unsigned: flag, toUnsigned: flag, shift: upTo(40, -40) };
    agree<{ [K in keyof typeof shape]: number }>(shape, 300, (arena, c) => {
      const [srcPixel, dstPixel] = [c.channels + c.gapA, c.channels + c.gapB];
      const [srcRow, dstRow] = [c.w * srcPixel + c.gapC, c.w * dstPixel + c.gapA];
      const at = arena.place({ src: c.h * srcRow - c.gapA - c.gapC, dst: c.h * dstRow - c.gapB - c.gapA });
      const [low, high] = formatLimits(c.toUnsigned);
      arena.check((k) =>
        k.rescale(
          at.src,
          srcRow,
          srcPixel,
          at.dst,
          dstRow,
          dstPixel,
          c.h,
          c.w,
          c.channels,
          c.shift,
          low,
          high,
          c.unsigned,
        ),
      );
    });
  });

  test("copyBox and fillBox", () => {
    const shape = { ...extent, bytes: fc.oneof(upTo(40), upTo(600)), value: upTo(255, 0) };
    agree<{ [K in keyof typeof shape]: number }>(shape, 200, (arena, c) => {
      const [srcPixel, dstPixel] = [c.bytes + c.gapA, c.bytes + c.gapB];
      const [srcRow, dstRow] = [c.w * srcPixel + c.gapC, c.w * dstPixel + c.gapA];
      const at = arena.place({ src: c.h * srcRow - c.gapA - c.gapC, dst: c.h * dstRow - c.gapB - c.gapA });
      arena.check((k) => k.copyBox(at.src, srcRow, srcPixel, at.dst, dstRow, dstPixel, c.h, c.w, c.bytes));
      arena.check((k) => k.fillBox(at.dst, dstRow, dstPixel, c.h, c.w, c.bytes, c.value));
    });
  });

  test("equalBytes", () => {
    const shape = { bytes: upTo(100, 0), flip: upTo(120, 0) };
    agree<{ [K in keyof typeof shape]: number }>(shape, 200, (arena, c) => {
      const at = arena.place({ a: c.bytes, b: c.bytes });
      const flipped = c.flip < c.bytes;
      arena.check((k) => k.copyBox(at.a, 0, 0, at.b, 0, 0, 1, 1, c.bytes));
      if (flipped) arena.put(at.b + c.flip, 1, [get(wasm, at.b + c.flip, "i8", 1)[0] ^ 16]);
      expect(wasm.equalBytes(at.a, at.b, c.bytes)).toBe(flipped ? 0 : 1);
      arena.check((k) => k.equalBytes(at.a, at.b, c.bytes));
    });
  });
});

describe("memory", () => {
  test.each([
    ["wasm", createWasmKernels],
    ["twin", createTwinKernels],
  ] as const)("%s follows a memory that grows", (_, create) => {
    const kernels = create(1);
    expect(kernels.memory.buffer.byteLength).toBe(65536);
    expect(kernels.memory.grow(1)).toBe(1);
    kernels.fillBox(65536 + 10, 0, 0, 1, 1, 3, 7);
    expect(get(kernels, 65536 + 9, "u8", 5)).toEqual([0, 7, 7, 7, 0]);
  });

  test("instances may share one memory", () => {
    const memory = createKernelMemory(65536);
    const [a, b] = [createWasmKernels(memory), createWasmKernels(memory)];
    a.fillBox(2000, 0, 0, 1, 1, 4, 1);
    b.copyBox(2000, 0, 0, 3000, 0, 0, 1, 1, 4);
    expect(a.equalBytes(2000, 3000, 4)).toBe(1);
  });

  test("more than 4 GiB is refused", () => {
    expect(() => createWasmKernels(2 ** 32 + 1)).toThrow("4294967297 bytes; a run holds at most 4294967296 (4 GiB)");
  });
});

describe("a checkout that was not built", () => {
  afterEach(() => {
    vi.doUnmock("node:fs");
    vi.resetModules();
  });

  test("is told to build", async () => {
    vi.resetModules();
    vi.doMock("node:fs", () => ({ existsSync: () => false, readFileSync: () => expect.fail("read a missing file") }));
    const fresh = await import("../sim/wasm-kernels.ts");
    expect(() => fresh.createWasmKernels(1)).toThrow(/kernels\.wasm: not found at .*; build it with `npm run build`/);
  });
});
