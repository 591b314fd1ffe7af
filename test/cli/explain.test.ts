// Does explain say what the compiler decided and the simulator counted?
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { decodeProgram, encodeProgram, loadPreset } from "../../isa/index.ts";
import type { Explanation } from "../../report/explanation.ts";
import { rapsim, temporaryFolder } from "./harness.ts";

const { path, remove } = temporaryFolder();
afterAll(remove);

async function compiled(level: string): Promise<string> {
  const file = path(`tiny-${level}.bin`);
  const { code, stderr } = await rapsim(["compile", "tiny", "-o", file, "--machine", "rap-small", "--optimize", level]);
  expect([code, stderr]).toEqual([0, ""]);
  return file;
}

describe("rapsim explain", () => {
  test("every layer once, with figures that add up to the run", async () => {
    const file = await compiled("1");
    const { code, stdout } = await rapsim(["explain", file, "--json"]);
    expect(code).toBe(0);
    const explanation = JSON.parse(stdout) as Explanation;
    const program = decodeProgram(readFileSync(file), file);
    expect(explanation.steps.flatMap(({ layers }) => layers)).toEqual(program.layers.map(({ name }) => name));
    const cycles = explanation.steps.reduce((sum, { simulated }) => sum + simulated.cycles, 0);
    expect(cycles).toBeLessThanOrEqual(explanation.cycles);
    expect(cycles).toBeGreaterThan(0.9 * explanation.cycles);
    const schedules = explanation.steps.flatMap(({ schedule }) => schedule ?? []);
    expect(schedules.length).toBeGreaterThan(0);
    for (const schedule of schedules)
      expect(schedule.sramBytes).toBeLessThanOrEqual(loadPreset("rap-small").parameters["sram.bytes"]);
  });

  test("as text", async () => {
    const { code, stdout } = await rapsim(["explain", await compiled("2")]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^tiny on rap-small: [\d,]+ cycles/);
    for (const word of ["schedule", "tensors", "SRAM", "simulated", "estimated", "runner-up"])
      expect(stdout).toContain(word);
  });

  test("layers that went through DRAM by themselves", async () => {
    const { code, stdout } = await rapsim(["explain", await compiled("0")]);
    expect(code).toBe(0);
    expect(stdout).toContain("Layers go through DRAM one by one");
  });

  test("hostile names do not reach the terminal", async () => {
    const file = await compiled("1");
    const program = decodeProgram(readFileSync(file), file);
    const layers = program.layers.map((layer) => ({ ...layer, name: `\x1b[2J${layer.name}` }));
    writeFileSync(file, encodeProgram({ ...program, layers }));
    const { stdout } = await rapsim(["explain", file]);
    expect(stdout).toContain("?[2J");
    expect(stdout).not.toContain("\x1b");
  });

  test("an unknown level is wrong usage", async () => {
    const { code, stderr } = await rapsim(["compile", "tiny", "-o", path("x.bin"), "--optimize", "3"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/optimize.*'3'/);
  });
});
