// The scaling between nodes and voltages, by the numbers of docs/energy.md.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PARAMETERS } from "../../isa/index.ts";
import { areaScale, logicScale, wireScale } from "../../sim/technology.ts";

const at = (nm: number, voltage: number) => ({ "tech.nodeNm": nm, "tech.voltage": voltage });

describe("logic", () => {
  test.each([
    [45, 0.9, 1],
    // 0.2958 x 0.64 - 0.1241 x 0.8 + 0.03024 = 0.120272 over 1.018 x 0.81 - 0.3107 x 0.9 + 0.1539 = 0.69885
    [16, 0.8, 0.1721],
    [7, 0.7, 0.0684],
    [65, 0.9, 1.514],
    // halfway between 0.4 of 20 nm and 0.6 of 32 nm: 28 nm is two thirds of the way up
    [28, 0.9, (0.20079 / 3 + (2 * 0.45714) / 3) / 0.69885],
  ])("%d nm at %d V: %d", (nm, voltage, scale) => expect(logicScale(at(nm, voltage))).toBeCloseTo(scale, 3));

  const nodes = fc.double({ min: PARAMETERS["tech.nodeNm"].min, max: PARAMETERS["tech.nodeNm"].max, noNaN: true });
  const voltages = fc.double({ min: 0.6, max: PARAMETERS["tech.voltage"].max, noNaN: true });
  test("a lower voltage never costs more, at any node", () => {
    fc.assert(
      fc.property(nodes, voltages, voltages, (nm, a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        expect(logicScale(at(nm, low))).toBeGreaterThan(0);
        expect(logicScale(at(nm, low))).toBeLessThanOrEqual(logicScale(at(nm, high)) + 1e-12);
      }),
    );
  });

  test("a smaller node never takes more area, nor more energy at 0.8 V", () => {
    fc.assert(
      fc.property(nodes, nodes, (a, b) => {
        const [small, large] = [Math.min(a, b), Math.max(a, b)];
        expect(areaScale(at(small, 0.8))).toBeLessThanOrEqual(areaScale(at(large, 0.8)) + 1e-12);
        expect(logicScale(at(small, 0.8))).toBeLessThanOrEqual(logicScale(at(large, 0.8)) + 1e-12);
      }),
    );
  });
});

test("wires follow the voltage alone", () => {
  expect(wireScale(at(45, 0.9))).toBe(1);
  expect(wireScale(at(7, 0.45))).toBeCloseTo(0.25, 12);
});

test.each([
  [65, 1.5],
  [45, 1],
  [16, 0.19],
  [18, 0.2],
  [7, 0.059],
])("area at %d nm: %d", (nm, scale) => expect(areaScale(at(nm, 0.8))).toBeCloseTo(scale, 9));
