import { expect, test } from "vitest";
import { checkRandomRuntimeExponents } from "../support/runtime-property.ts";

test("random models with run-time exponents on random machines: values of several frames, races, laws", () => {
  const { refused, moved, secondPasses } = checkRandomRuntimeExponents(40);
  expect(refused).toBeLessThan(20);
  expect(moved).toBeGreaterThan(5);
  for (const count of Object.values(secondPasses)) expect(count).toBeGreaterThan(0);
});
