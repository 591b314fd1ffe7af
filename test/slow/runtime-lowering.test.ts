import { expect, test } from "vitest";
import { checkRandomRuntimeExponents } from "../support/runtime-property.ts";

test("many random models with run-time exponents on random machines: values of several frames, races, laws", () => {
  expect(checkRandomRuntimeExponents(600).moved).toBeGreaterThan(100);
});
