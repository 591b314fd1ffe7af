// Files are whole or absent, whenever the process is told to end.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Io } from "../../cli/io.ts";

const io = { stdout: process.stdout, stderr: process.stderr, env: {} } as unknown as Io;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rapsim-files-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  vi.restoreAllMocks();
});

test.each([0, 1, 2, 3, 4, 6, 8, 12, 20])(
  "ended %i turns after writing began: whole or absent, no rest",
  async (turns) => {
    // the module remembers that the process ends
    vi.resetModules();
    const { exitTidily, writeOutput } = await import("../../cli/files.ts");
    const content = "x".repeat(3e6);
    const exit = new Promise<readonly [unknown, string[]]>((done) => {
      // what stands there at the moment of the exit
      vi.spyOn(process, "exit").mockImplementation((code) => {
        done([code, readdirSync(folder)]);
        return undefined as never;
      });
    });
    const written: string[] = [];
    const begin = (name: string) =>
      void writeOutput(join(folder, name), content, io).then(
        () => written.push(name),
        // a process that has ended reports nothing any more
        () => {},
      );
    for (const name of ["a", "b"]) begin(name);
    for (let i = 0; i < turns; i++) await nextTurn();
    exitTidily(130);
    begin("late");
    const [code, left] = await exit;
    expect(code).toBe(130);
    for (const name of left) expect(["a", "b"]).toContain(name);
    for (const name of written) expect(left).toContain(name);
    // nothing comes after
    for (let i = 0; i < 50; i++) await nextTurn();
    expect(readdirSync(folder).sort()).toEqual(left.sort());
  },
);
