import { test } from "vitest";
import { checkRandomLowerings } from "../support/lowering-property.ts";

test("many random models on random machines: values, probes, races", () => checkRandomLowerings(1000));
