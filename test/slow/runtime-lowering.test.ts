import { expect, test } from "vitest";
import { checkRandomRuntimeExponents } from "../support/runtime-property.ts";

test("many random models with run-time exponents on random machines: values of several frames, races, laws", () => {
  const coverage = checkRandomRuntimeExponents(600);
  console.log(JSON.stringify(coverage));
  expect(coverage.moved).toBeGreaterThan(100);
});
