import { test } from "vitest";
import { checkRandomLowerings } from "../support/lowering-property.ts";

test("random models on random machines, at every level: values, probes, races, laws", () => {
  checkRandomLowerings(30);
});
