// Is every constant and every rule of the timing model held by some check? Each fault of the list is planted into a copy of the
// simulator by itself; the timing tests must notice.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FAULTS } from "./list.ts";

const repository = resolve(import.meta.dirname, "../..");
const vitest = join(repository, "node_modules/vitest/vitest.mjs");
const COPIED = [
  "isa",
  "sim",
  "test/timing",
  "test/arbitrary",
  "test/reference",
  "test/support",
  "package.json",
  "tsconfig.json",
  "vitest.config.ts",
];
let copy = "";

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "rapsim-faults-"));
  for (const path of COPIED) cpSync(join(repository, path), join(copy, path), { recursive: true });
  symlinkSync(join(repository, "node_modules"), join(copy, "node_modules"));
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** Where a file's faults are likely noticed first. */
const NEAREST: Readonly<Record<string, string>> = {
  "dram-channel.ts": "dram",
  "arbiter.ts": "dram",
  "memory-controller.ts": "dram",
  "transfers.ts": "transfers",
  "requests.ts": "transfers",
  "fetch.ts": "fetch",
  "sram.ts": "sram",
  "costs.ts": "compute",
  "issue.ts": "order",
  "work.ts": "results",
};

/** Whether tests pass in the copy, and what they say. A simulator that runs for ever does not. */
function passes(tests: string): { ok: boolean; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [vitest, "run", tests, "--bail", "1"], {
    cwd: copy,
    encoding: "utf8",
    timeout: 240_000,
  });
  return { ok: status === 0, output: `${stdout}${stderr}` };
}

test("without a fault, the checks pass", () => {
  const { ok, output } = passes("test/timing");
  expect(ok, output).toBe(true);
});

test.each(FAULTS.map((fault) => [`${fault.file}: ${fault.from} -> ${fault.to}`, fault] as const))("%s", (_, fault) => {
  const path = join(copy, "sim/timing", fault.file);
  const right = readFileSync(path, "utf8");
  expect(right.split(fault.from).length, "must occur once").toBe(2);
  writeFileSync(
    path,
    right.replace(fault.from, () => fault.to),
  );
  try {
    const nearest = NEAREST[fault.file] ?? "order";
    const noticed = !passes(`test/timing/${nearest}.test.ts`).ok || !passes("test/timing").ok;
    expect(noticed, "no check noticed").toBe(true);
  } finally {
    writeFileSync(path, right);
  }
});
