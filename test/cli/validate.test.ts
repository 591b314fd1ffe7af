// rapsim validate: the table, JSON, one check, and what fails.
import { expect, test, vi } from "vitest";
import { CHECKS } from "../conformance/index.ts";
import { rapsim } from "./harness.ts";

test("one check, as a table and as JSON", async () => {
  const { code, stdout, stderr } = await rapsim(["validate", "laws-small"]);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/result +claim +checked against +error +allowed/);
  expect(stdout).toContain("1 pass, 0 fail");
  expect(stdout.split("\n").filter((line) => line.length > 100)).toEqual([]);
  const json = await rapsim(["validate", "laws-small", "--json"]);
  expect(JSON.parse(json.stdout)).toMatchObject({
    schema: "rapsim.validation/1",
    checks: [{ id: "laws-small", status: "pass", error: 0, unit: "differences", allowed: 0 }],
  });
});

test("without the data beside the repository a check is skipped, with the reason", async () => {
  const { code, stdout } = await rapsim(["validate", "onnxim-total"], { env: { RAPSIM_SHARED: "/nowhere" } });
  expect(code).toBe(0);
  expect(stdout).toContain("set RAPSIM_SHARED to the folder that holds peers");
  expect(stdout).toContain("1 skipped.");
});

test("--quick leaves out what is slow", async () => {
  const { code, stdout } = await rapsim(["validate", "macs", "--quick"]);
  expect(code).toBe(0);
  expect(stdout).toContain("left out by --quick");
});

test("an unknown check is refused by name", async () => {
  const { code, stderr } = await rapsim(["validate", "speed"]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^check 'speed': no such check; known: values, /);
});

test("a claim that fails: in the table, and exit code 1", async () => {
  const check = CHECKS.find(({ id }) => id === "laws-small")!;
  const spy = vi.spyOn(check, "run").mockReturnValue({ error: 3, detail: "planted" });
  const { code, stdout, stderr } = await rapsim(["validate", "laws-small"]);
  spy.mockRestore();
  expect(code).toBe(1);
  expect(stdout).toMatch(/^ +fail +the same laws/m);
  expect(stderr).toBe("1 of 1 claims fail: laws-small\n");
});
