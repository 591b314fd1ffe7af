// Does the search find fronts that are known, and is a front what nothing beats?
import fc from "fast-check";
import { expect, test } from "vitest";
import { nsga2 } from "../../sweep/nsga2.ts";
import { dominates, frontOf } from "../../sweep/pareto.ts";

test("a front is every point that no other dominates", () => {
  const cost = fc.tuple(fc.nat(6), fc.nat(6), fc.nat(6));
  fc.assert(
    fc.property(fc.array(cost, { maxLength: 40 }), (costs) => {
      const expected = costs.flatMap((one, i) => (costs.some((other) => dominates(other, one)) ? [] : [i]));
      expect(frontOf(costs)).toEqual(expected);
    }),
  );
});

/** Zitzler, Deb and Thiele 2000: the front of ZDT1 is f2 = 1 - sqrt(f1), of ZDT2 f2 = 1 - f1^2, both where all other genes are 0. */
const zdt = (shape: (ratio: number) => number) => (genes: readonly number[]) => {
  const g = 1 + (9 * genes.slice(1).reduce((sum, gene) => sum + gene, 0)) / (genes.length - 1);
  return [genes[0], g * shape(genes[0] / g)];
};

test.each([
  ["ZDT1", (ratio: number) => 1 - Math.sqrt(ratio)],
  ["ZDT2", (ratio: number) => 1 - ratio ** 2],
])("%s: near the known front, and all along it", async (_name, shape) => {
  const problem = zdt(shape);
  const last = await nsga2({ genes: 30, population: 100, generations: 250, seed: 1 }, async (generation) =>
    generation.map((genes) => ({ costs: problem(genes), violation: 0 })),
  );
  // the paper's table II, after as many points: 0.033 from the front of ZDT1 on average, 0.072 from that of ZDT2
  for (const { costs } of last) expect(costs[1] - shape(costs[0])).toBeLessThan(0.02);
  const along = last.map(({ costs }) => costs[0]).sort((a, b) => a - b);
  const gaps = along.slice(1).map((value, i) => value - along[i]);
  expect([along[0] < 0.02, along.at(-1)! > 0.98, Math.max(...gaps) < 0.05]).toEqual([true, true, true]);
});

test("what is not allowed loses against what is, and less of it against more", async () => {
  // only genes above 0.7 are allowed; the cost draws to 0
  const last = await nsga2({ genes: 1, population: 20, generations: 40, seed: 3 }, async (generation) =>
    generation.map(([gene]) => ({ costs: [gene], violation: Math.max(0, 0.7 - gene) })),
  );
  for (const { costs } of last) expect(costs[0]).toBeGreaterThanOrEqual(0.7);
  expect(Math.min(...last.map(({ costs }) => costs[0]))).toBeLessThan(0.705);
});

test("the same seed takes the same way", async () => {
  const run = async (seed: number) => {
    const seen: unknown[] = [];
    await nsga2({ genes: 3, population: 8, generations: 5, seed }, async (generation) => {
      seen.push(generation);
      return generation.map(([a, b, c]) => ({ costs: [a + b, c], violation: 0 }));
    });
    return seen;
  };
  expect(await run(1)).toEqual(await run(1));
  expect(await run(1)).not.toEqual(await run(2));
});
