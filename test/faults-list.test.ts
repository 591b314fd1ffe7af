/** The faults that `npm run test:faults` plants: is each still a change of one place in the simulator? */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { FAULTS } from "./faults/list.ts";

const folder = resolve(import.meta.dirname, "../sim/timing");

test("each fault's text occurs once in its file, and the fault changes it", () => {
  for (const { file, from, to } of FAULTS) {
    const occurrences = readFileSync(join(folder, file), "utf8").split(from).length - 1;
    expect(occurrences, `${file}: ${from}`).toBe(1);
    expect(to).not.toBe(from);
  }
});
