// Sobol points and random points: those that were published, the same every time, each once.
import { expect, test } from "vitest";
import { samplePoints } from "../../sweep/sampling.ts";
import { MOST_DIMENSIONS, sobolPoints } from "../../sweep/sobol.ts";
import { parseSpace } from "../../sweep/space.ts";

/** The first n points. */
function sobol(dimensions: number, n: number): number[][] {
  const points = sobolPoints(dimensions);
  return Array.from({ length: n }, () => points.next().value as number[]);
}

test("dimensions 1 and 2: the first points of the literature", () => {
  expect(sobol(2, 10)).toEqual([
    [0.5, 0.5],
    [0.75, 0.25],
    [0.25, 0.75],
    [0.375, 0.375],
    [0.875, 0.875],
    [0.625, 0.125],
    [0.125, 0.625],
    [0.1875, 0.3125],
    [0.6875, 0.8125],
    [0.9375, 0.0625],
  ]);
});

test("all 40 dimensions: point 15 as scipy.stats.qmc.Sobol(40, scramble=False) has it, in 65536ths", () => {
  // the sum is over what scipy printed; a wrong direction number changes it
  expect(sobol(MOST_DIMENSIONS, 15)[14].map((u) => u * 65536)).toEqual([
    4096, 61440, 36864, 20480, 45056, 12288, 53248, 20480, 20480, 45056, 4096, 12288, 20480, 36864, 61440, 53248, 61440,
    61440, 20480, 45056, 53248, 53248, 36864, 53248, 20480, 45056, 12288, 53248, 20480, 36864, 53248, 12288, 12288,
    20480, 28672, 36864, 20480, 61440, 61440, 45056,
  ]);
});

test("every dimension is a (0, m, 1)-net: 2^m points, one in each interval of 2^-m", () => {
  const points = [Array<number>(MOST_DIMENSIONS).fill(0), ...sobol(MOST_DIMENSIONS, 1023)];
  for (let d = 0; d < MOST_DIMENSIONS; d++) {
    expect(new Set(points.map((point) => Math.floor(point[d] * 1024))).size).toBe(1024);
  }
});

const space = (sampling: string) =>
  parseSpace(
    `name: t\nsettings: { network: tiny }\naxes:\n  agents: [1, 2, 4]\n  dram.bytesPerCycle: { from: 1, to: 64, scale: log }\nsampling: ${sampling}\n`,
    "space.yaml",
  );
const values = (sampling: string) => samplePoints(space(sampling), undefined).map((point) => point.settings);

test("random points follow the seed", () => {
  expect(values("{ method: random, points: 20 }")).toHaveLength(20);
  expect(values("{ method: random, points: 20 }")).toEqual(values("{ method: random, points: 20, seed: 1 }"));
  expect(values("{ method: random, points: 20, seed: 2 }")).not.toEqual(values("{ method: random, points: 20 }"));
});

test("Sobol points spread evenly over values and ranges", () => {
  const found = values("{ method: sobol, points: 30 }");
  for (const agents of [1, 2, 4]) expect(found.filter((point) => point.agents === agents).length).toBeGreaterThan(7);
  const small = found.filter((point) => Number(point["dram.bytesPerCycle"]) < 8);
  expect(small.length).toBeGreaterThan(12);
  expect(small.length).toBeLessThan(18);
});

test("few combinations: each once, then an end", () => {
  const few = parseSpace(
    "name: t\nsettings: { network: tiny }\naxes:\n  agents: [1, 2]\n  shift.lanes: [8, 16]\nsampling: { method: random, points: 50 }\n",
    "space.yaml",
  );
  expect(samplePoints(few, undefined)).toHaveLength(4);
});
