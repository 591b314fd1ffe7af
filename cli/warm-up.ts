/** The last step of the build: runs what most commands run, and keeps what V8 has made of it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { Bundle } from "./bundle.ts";

const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });

async function warmUp(folder: string): Promise<void> {
  const program = join(folder, "tiny.bin");
  const bundle = new Bundle(import.meta.dirname);
  const { run } = bundle.load("main.js") as typeof import("./main.ts");
  // what ran long ago is kept as well; but V8 refuses what was made under other flags than its own
  setFlagsFromString("--no-flush-bytecode");
  for (const argv of [
    ["--version"],
    ["--help"],
    ["compile", "tiny", "-o", program],
    ["info", program],
    ["run", program],
    ["run", program, "--mode", "timing"],
  ]) {
    await run(argv, nowhere);
    if (process.exitCode !== 0) throw new Error(`rapsim ${argv.join(" ")}: exit code ${process.exitCode}`);
  }
  setFlagsFromString("--flush-bytecode");
  bundle.writeCaches();
}

const folder = mkdtempSync(join(tmpdir(), "rapsim-"));
void warmUp(folder).finally(() => rmSync(folder, { recursive: true }));
