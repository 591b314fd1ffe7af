import { expect, test } from "vitest";
import { checkRandomLowerings, estimateRatios } from "../support/lowering-property.ts";

/** Come to pass in about one program of a hundred, so that a run may have none; test/compiler/mechanisms.test.ts makes them come. */
const RARE = new Set([
  "a convolution with its pooling by itself",
  "slices of output channels",
  "streamed weights",
  "input chunks",
  "stored pieces",
]);

test("many random models on random machines, at every level", () => {
  const { mechanisms } = checkRandomLowerings(200);
  console.log(mechanisms);
  for (const [name, count] of Object.entries(mechanisms)) if (!RARE.has(name)) expect(count, name).toBeGreaterThan(0);
});

const MEDIAN_ERROR = 0.15;

test.each([1, 2, 3, 4])("estimated cycles are near simulated ones (sample %i)", (seed) => {
  const errors = estimateRatios(200, seed)
    .map((ratio) => Math.abs(ratio - 1))
    .sort((a, b) => a - b);
  const median = errors[Math.floor(errors.length / 2)];
  console.log(`${errors.length} programs, median error of the estimate ${(100 * median).toFixed(1)} %`);
  expect(errors.length).toBeGreaterThan(50);
  expect(median).toBeLessThanOrEqual(MEDIAN_ERROR);
});
