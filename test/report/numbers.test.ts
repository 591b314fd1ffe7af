// Numbers in reports: precision, separators, units.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bar, count, grouped, percent, significant, withPrefix } from "../../report/index.ts";

describe("significant digits", () => {
  test.each([
    [0, 3, "0"],
    [12.345, 3, "12.3"],
    [9.996, 3, "10.0"], // rounds up into another power of ten
    [1234.5, 3, "1,235"],
    [0.00012345, 3, "0.000123"],
    [1e-20, 3, "0.000000000"],
    [-2.34567, 4, "-2.346"],
  ])("%d with %d -> %s", (value, digits, text) => expect(significant(value, digits)).toBe(text));
});

describe("decimal prefixes", () => {
  test.each([
    [5_283_053_568, "MAC", 4, "5.283 GMAC"],
    [999_999, "B", 3, "1.00 MB"],
    [999, "B", 3, "999 B"],
    [0.0081, "s", 3, "8.10 ms"],
    [4.2e-7, "s", 3, "420 ns"],
    [0, "B", 3, "0 B"],
    [1e9, "Hz", 3, "1.00 GHz"],
    [1e20, "B", 3, "100,000 PB"],
  ])("%d %s with %d -> %s", (value, unit, digits, text) => expect(withPrefix(value, unit, digits)).toBe(text));
});

test("shares say when there is little, and nothing when there is nothing", () => {
  expect([0, 0.0001, 0.0005, 0.5, 1].map(percent)).toEqual(["0.0 %", "<0.1 %", "0.1 %", "50.0 %", "100.0 %"]);
  expect([0, 0.001, 0.5, 1, 2].map((part) => bar(part, 4))).toEqual(["", "▏", "██", "████", "████"]);
});

test("thousands and plurals", () => {
  expect(grouped(1234567.25, 1)).toBe("1,234,567.3");
  expect([count(1, "frame"), count(2000, "frame"), count(3, "class", "classes")]).toEqual([
    "1 frame",
    "2,000 frames",
    "3 classes",
  ]);
});

test("grouped numbers are those of Intl.NumberFormat", () => {
  const values = fc.oneof(
    fc.double({ min: -1e5, max: 1e5, noNaN: true }),
    fc.integer(),
    // halves
    fc
      .tuple(fc.integer({ min: -1e4, max: 1e4 }), fc.integer({ min: 0, max: 9 }))
      .map(([n, d]) => (10 * n + 5) / 10 ** d),
  );
  fc.assert(
    fc.property(values, fc.integer({ min: 0, max: 9 }), (value, decimals) => {
      const intl = new Intl.NumberFormat("en-US", {
        minimumFractionDigits: decimals,
        maximumFractionDigits: decimals,
        signDisplay: "negative", // what rounds to 0 has no sign
      });
      expect(grouped(value, decimals)).toBe(intl.format(value));
    }),
    { numRuns: 2000 },
  );
});
