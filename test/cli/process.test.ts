// Does the installed program behave as a process: exit codes, signals, pipes? Runs the build in dist/.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const bin = fileURLToPath(new URL("../../dist/bin/rapsim.js", import.meta.url));
const version = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;

const isBuilt = existsSync(bin);

describe.skipIf(!isBuilt)(`dist/bin/rapsim.js${isBuilt ? "" : " (skipped: npm run build makes it)"}`, () => {
  test("says its version", () => {
    expect(execFileSync(process.execPath, [bin, "--version"], { encoding: "utf8" })).toBe(`${version}\n`);
  });

  test.each([
    [["frobnicate"], 2],
    [["info", "missing.bin"], 1],
    [["machines"], 0],
  ])("%s exits with %d", (argv, code) => {
    expect(spawnSync(process.execPath, [bin, ...argv]).status).toBe(code);
  });

  test("a reader that leaves early is no error", async () => {
    const child = spawn(process.execPath, [bin, "machines"], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    const errors: Buffer[] = [];
    child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect([code, Buffer.concat(errors).toString()]).toEqual([0, ""]);
  });

  test("SIGINT ends long work at once", async () => {
    const child = spawn(process.execPath, [bin, "quantize", "squeezedet", "-o", "-", "--log-level", "trace"], {
      stdio: "ignore",
    });
    setTimeout(() => child.kill("SIGINT"), 700);
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
      child.on("close", (...ended) => resolve(ended)),
    );
    // a shell shows 130 for either
    expect(signal === "SIGINT" || code === 130).toBe(true);
  });
});
