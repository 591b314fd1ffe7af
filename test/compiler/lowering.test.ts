import { test } from "vitest";
import { checkRandomLowerings } from "../support/lowering-property.ts";

test("random models on random machines: values, probes, races", () => checkRandomLowerings(60));
