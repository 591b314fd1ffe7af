/** Is isa/numerics what docs/arithmetic.md says? Every function against the reference; the only place where both meet. */
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import * as numerics from "../isa/numerics.ts";
import * as reference from "./reference/index.ts";

const INT32 = { min: -2147483648, max: 2147483647 };

/** Integers of every magnitude, their neighbours, and the places where rounding turns. */
const int32 = fc.oneof(
  fc.integer(INT32),
  fc.integer({ min: -300, max: 300 }),
  fc
    .tuple(fc.integer({ min: 0, max: 31 }), fc.integer({ min: -2, max: 2 }), fc.constantFrom(1, -1, 3, -3))
    .map(([log2, delta, factor]) => Math.max(INT32.min, Math.min(INT32.max, factor * 2 ** log2 + delta))),
);
const int8 = fc.oneof(fc.integer({ min: -128, max: 127 }), fc.constantFrom(-128, -127, -1, 0, 1, 127));
const shiftAmount = fc.integer({ min: -8, max: 31 });
const exponent = fc.integer({ min: -40, max: 40 });
const range = fc.constantFrom<[number, number]>([-128, 127], [0, 127], [0, 255], [0, 48], [-20, 90], [5, 5]);
const RUNS = { numRuns: 3000 };

/** Edge values of int32, and every tie of every shift. */
const edges = [INT32.min, INT32.min + 1, INT32.max, INT32.max - 1, -1, 0, 1, 127, 128, -128, -129, 255, 256];
for (let s = 1; s <= 31; s++) {
  for (const odd of [1, 3, -1, -3, -5]) {
    for (const delta of [-1, 0, 1]) {
      const value = odd * 2 ** (s - 1) + delta;
      if (value >= INT32.min && value <= INT32.max) edges.push(value);
    }
  }
}

describe("roundShift", () => {
  it("equals the reference at the edges and ties, for every shift", () => {
    const wrong: [number, number][] = [];
    for (const a of edges) {
      for (let s = -8; s <= 31; s++) {
        if (!Object.is(numerics.roundShift(a, s), reference.roundShift(a, s))) wrong.push([a, s]);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("equals the reference", () => {
    fc.assert(
      fc.property(int32, shiftAmount, (a, s) => {
        expect(numerics.roundShift(a, s)).toBe(reference.roundShift(a, s));
      }),
      RUNS,
    );
  });

  it("loses nothing at the sums of the adder and the products of average pooling", () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 44), max: 2 ** 44 }), shiftAmount, (a, s) => {
        const exact = s > 0 ? (BigInt(a) + (1n << BigInt(s - 1))) >> BigInt(s) : BigInt(a) << BigInt(-s);
        const expected = s > 0 ? exact : BigInt(Math.max(INT32.min, Math.min(INT32.max, Number(exact))));
        expect(BigInt(numerics.roundShift(a, s))).toBe(expected);
        expect(numerics.roundShift(a, s)).toBe(reference.roundShift(a, s));
      }),
      RUNS,
    );
  });
});

test("FORMATS: bytes and ranges", () => {
  expect(numerics.FORMATS).toEqual(["i8", "u8", "i32"]);
  const arrays = { i8: Int8Array, u8: Uint8Array, i32: Int32Array };
  for (const format of numerics.FORMATS) {
    expect(numerics.FORMAT_BYTES[format]).toBe(arrays[format].BYTES_PER_ELEMENT);
    for (const limit of [numerics.FORMAT_MIN[format], numerics.FORMAT_MAX[format]])
      expect(arrays[format].of(limit)[0]).toBe(limit);
    expect(arrays[format].of(numerics.FORMAT_MIN[format] - 1)[0]).toBe(numerics.FORMAT_MAX[format]);
  }
  expect([numerics.SHIFT_MIN, numerics.SHIFT_MAX, numerics.ADD_SHIFT_MAX]).toEqual([-8, 31, 16]);
});

test("clamp and saturate32", () => {
  expect([-3, -2, 0, 5, 6].map((value) => numerics.clamp(value, -2, 5))).toEqual([-2, -2, 0, 5, 5]);
  expect([INT32.min - 1, INT32.min, INT32.max, INT32.max + 1].map(numerics.saturate32)).toEqual([
    INT32.min,
    INT32.min,
    INT32.max,
    INT32.max,
  ]);
});

test("leaky equals the reference", () => {
  fc.assert(
    fc.property(int32, fc.integer({ min: 1, max: 31 }), fc.integer({ min: 0, max: 31 }), (value, a, b) => {
      expect(numerics.leaky(value, { a, b })).toBe(reference.leaky(value, a, b));
    }),
    RUNS,
  );
});

describe("the shift unit", () => {
  const biasShiftAmount = fc.integer({ min: -31, max: 23 });
  const slope = fc.option(fc.record({ a: fc.integer({ min: 1, max: 12 }), b: fc.integer({ min: 0, max: 12 }) }));

  it("aligns every bias as the reference does", () => {
    const wrong: [number, number][] = [];
    for (let bias = -128; bias <= 127; bias++) {
      for (let biasShift = -31; biasShift <= 23; biasShift++) {
        const ours = numerics.alignBias({ bias, biasShift, shift: 0 });
        if (!Object.is(ours, reference.alignBias(bias, biasShift))) wrong.push([bias, biasShift]);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("equals the reference", () => {
    fc.assert(
      fc.property(
        int32,
        int8,
        biasShiftAmount,
        shiftAmount,
        range,
        slope,
        (acc, bias, biasShift, shift, [low, high], leaky) => {
          const ours = numerics.shiftUnit(acc, { bias, biasShift, shift }, low, high, leaky);
          expect(ours).toBe(reference.shiftUnit(acc, bias, biasShift, shift, low, high, leaky?.a, leaky?.b));
        },
      ),
      RUNS,
    );
  });

  it("equals the reference with run-time exponents, also those that leave the shifter's range", () => {
    fc.assert(
      fc.property(
        fc.tuple(int32, int8, biasShiftAmount, shiftAmount),
        range,
        slope,
        exponent,
        exponent,
        ([acc, bias, biasShift, shift], [low, high], leaky, fIn, fOut) => {
          const entry = { bias, biasShift, shift };
          expect(numerics.alignBias(entry, fIn)).toBe(reference.alignBias(bias, biasShift, fIn));
          expect(numerics.shiftUnit(acc, entry, low, high, leaky, fIn, fOut)).toBe(
            reference.shiftUnit(acc, bias, biasShift, shift, low, high, leaky?.a, leaky?.b, fIn, fOut),
          );
        },
      ),
      RUNS,
    );
  });

  it("equals the reference at the edges", () => {
    const wrong: number[][] = [];
    for (const acc of edges) {
      for (const bias of [-128, -1, 0, 1, 127]) {
        for (const biasShift of [-31, -7, -1, 0, 1, 16, 23]) {
          for (const shift of [-8, -1, 0, 1, 8, 30, 31]) {
            const ours = numerics.shiftUnit(acc, { bias, biasShift, shift }, -128, 127);
            if (ours !== reference.shiftUnit(acc, bias, biasShift, shift, -128, 127))
              wrong.push([acc, bias, biasShift, shift]);
          }
        }
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe("average pooling", () => {
  it("has the reference's reciprocal for every count, a factor of 2^14..2^15", () => {
    const wrong: number[] = [];
    for (let count = 1; count <= 65025; count++) {
      const { factor, shift } = numerics.reciprocal(count);
      const [expectedFactor, expectedShift] = reference.reciprocal(count);
      if (factor !== expectedFactor || shift !== expectedShift || factor < 2 ** 14 || factor > 2 ** 15)
        wrong.push(count);
    }
    expect(wrong).toEqual([]);
  });

  it("equals the reference for every sum of windows up to 5 x 5", () => {
    const wrong: [number, number][] = [];
    for (let count = 1; count <= 25; count++) {
      for (let sum = -128 * count; sum <= 255 * count; sum++) {
        if (numerics.average(sum, count) !== reference.average(sum, count)) wrong.push([sum, count]);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("equals the reference for large windows", () => {
    const windows = fc
      .integer({ min: 1, max: 65025 })
      .chain((count) => fc.tuple(fc.integer({ min: -128 * count, max: 255 * count }), fc.constant(count)));
    fc.assert(
      fc.property(windows, ([sum, count]) => {
        expect(numerics.average(sum, count)).toBe(reference.average(sum, count));
      }),
      RUNS,
    );
  });
});

describe("addition", () => {
  it("equals the reference", () => {
    const operands = fc.oneof(
      fc.tuple(int8, int8),
      fc.tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 255 })),
    );
    const near = fc.integer({ min: -8, max: 8 });
    const exponents = fc.oneof(fc.tuple(near, near, near), fc.tuple(exponent, exponent, exponent));
    fc.assert(
      fc.property(operands, exponents, range, ([a, b], [fA, fB, fOut], [low, high]) => {
        expect(numerics.addUnit(a, b, fA, fB, fOut, low, high)).toBe(reference.add(a, b, fA, fB, fOut, low, high));
      }),
      { numRuns: 20_000 },
    );
  });

  it("shifts within the adder's width", () => {
    expect(numerics.addShifts(4, 6, 4)).toEqual({ a: 2, b: 0, out: 2 });
    expect(numerics.addShifts(0, 16, 24)).toEqual({ a: 16, b: 0, out: -8 });
    expect(numerics.addShifts(0, 17, 40)).toEqual({ a: 16, b: 0, out: -8 });
    expect(numerics.addShifts(0, 0, -40)).toEqual({ a: 0, b: 0, out: 31 });
  });
});

describe("the range unit", () => {
  it("finds the reference's leading bit and bin at the edges", () => {
    const wrong: number[][] = [];
    for (const value of edges) {
      if (numerics.leadingBit(value) !== reference.leadingBit(value)) wrong.push([value]);
      for (let e = -40; e <= 70; e++)
        if (numerics.rangeBin(value, e) !== reference.rangeBin(value, e)) wrong.push([value, e]);
    }
    expect(wrong).toEqual([]);
  });

  it("finds the reference's bin", () => {
    fc.assert(
      fc.property(int32, exponent, (value, e) => {
        expect(numerics.leadingBit(value)).toBe(reference.leadingBit(value));
        expect(numerics.rangeBin(value, e)).toBe(reference.rangeBin(value, e));
      }),
      RUNS,
    );
  });

  it("bins by real magnitude", () => {
    fc.assert(
      fc.property(int32, exponent, (value, e) => {
        const bin = numerics.rangeBin(value, e);
        const real = Math.abs(value) * 2 ** -e;
        if (bin > 1) expect(real).toBeGreaterThanOrEqual(2 ** (bin - 1 - numerics.HISTOGRAM_BIAS));
        if (bin > 0 && bin < numerics.HISTOGRAM_BINS - 1)
          expect(real).toBeLessThan(2 ** (bin - numerics.HISTOGRAM_BIAS));
        expect(bin === 0).toBe(value === 0);
      }),
      RUNS,
    );
  });

  it("chooses the reference's exponent", () => {
    const count = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(20), fc.nat(10_000_000));
    const histogram = fc.array(count, { minLength: numerics.HISTOGRAM_BINS, maxLength: numerics.HISTOGRAM_BINS });
    fc.assert(
      fc.property(histogram, fc.constantFrom(7, 8), fc.integer({ min: 0, max: 31 }), (bins, bits, clipLog2) => {
        expect(numerics.chooseExponent(bins, bits, clipLog2)).toBe(reference.chooseExponent(bins, bits, clipLog2));
      }),
      RUNS,
    );
  });

  it.each([7, 8])("chooses the reference's exponent for histograms of one and two bins, %i bits", (bits) => {
    const wrong: number[][] = [];
    for (let low = 0; low < numerics.HISTOGRAM_BINS; low++) {
      for (let high = 0; high < numerics.HISTOGRAM_BINS; high++) {
        const bins = new Uint32Array(numerics.HISTOGRAM_BINS);
        bins[low] += 1023;
        bins[high] += 1;
        for (const clipLog2 of [0, 9, 10, 11, 31]) {
          const ours = numerics.chooseExponent(bins, bits, clipLog2);
          if (ours !== reference.chooseExponent(bins, bits, clipLog2)) wrong.push([low, high, clipLog2]);
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(numerics.chooseExponent(new Uint32Array(numerics.HISTOGRAM_BINS), bits, 10)).toBe(bits + 15);
  });
});
