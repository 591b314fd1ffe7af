/** The SystemVerilog model as a program, built by Verilator. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TensorProcessor } from "./cases.ts";
import type { Fault } from "./faults.ts";
import { readResults, type TileResult, tileText, unitIndices } from "./tile-file.ts";
import type { TileProgram } from "./tiles.ts";

const SOURCES = ["tile", "mac_array", "mac_unit", "shift_unit", "pool_unit", "tensor_processor", "bench"];

const verilator = process.env.RAPSIM_VERILATOR ?? "verilator";

/** Why tests with it are skipped, or null. RAPSIM_VERILATOR set and no such program is an error. */
export const whySkipped =
  spawnSync(verilator, ["--version"]).status === 0
    ? null
    : `${verilator} does not run; install it (apt-get install verilator), or set RAPSIM_VERILATOR to where it is`;
if (whySkipped !== null && process.env.RAPSIM_VERILATOR !== undefined) throw new Error(whySkipped);

function replaceOnce(text: string, find: string, replacement: string): string {
  const pieces = text.split(find);
  if (pieces.length !== 2) throw new Error(`'${find}' stands there ${pieces.length - 1} times, not once`);
  return pieces.join(replacement);
}

/** The source, with its faults to be chosen by `+fault=N`, counted from 1. */
function sourceText(name: string, faults: readonly Fault[]): string {
  let text = readFileSync(fileURLToPath(new URL(`${name}.sv`, import.meta.url)), "utf8");
  if (faults.length === 0) return text;
  if (name === "tile") return replaceOnce(text, "package tile;", "package tile;\n  int fault;");
  if (name === "bench") {
    return replaceOnce(
      text,
      "initial begin",
      'initial begin\n    if ($value$plusargs("fault=%d", tile::fault) == 0) tile::fault = 0;',
    );
  }
  faults.forEach(({ source, find, replacement }, i) => {
    if (source === name) text = replaceOnce(text, find, `(tile::fault == ${i + 1} ? (${replacement}) : (${find}))`);
  });
  return text;
}

/** Builds the model in a folder of its own; returns the program's path. */
export function build(
  folder: string,
  { rows, cols, lanes, latency }: TensorProcessor,
  faults: readonly Fault[] = [],
): string {
  mkdirSync(folder, { recursive: true });
  const files = SOURCES.map((name) => {
    const path = join(folder, `${name}.sv`);
    writeFileSync(path, sourceText(name, faults));
    return path;
  });
  const parameters = [`-GROWS=${rows}`, `-GCOLS=${cols}`, `-GLANES=${lanes}`, `-GLATENCY=${latency}`];
  // compiling takes longer than running
  const speed = ["-O3", "-j", "2", "-MAKEFLAGS", "OPT_FAST=-O1", "-MAKEFLAGS", "OPT_GLOBAL=-O0"];
  const names = ["--Mdir", folder, "-o", "bench", "--top-module", "bench"];
  execFileSync(verilator, ["--binary", "--timing", ...speed, ...names, ...parameters, ...files], { stdio: "pipe" });
  return join(folder, "bench");
}

/** Runs tiles, one after the other. @param fault number of the planted one, 0: none */
export function runTiles(program: string, tiles: readonly TileProgram[], fault: number): TileResult[] {
  const [input, output] = [`${program}.in`, `${program}.out`];
  writeFileSync(input, `${tiles.length}\n${tiles.map(tileText).join("\n")}\n`);
  execFileSync(program, [`+in=${input}`, `+out=${output}`, `+fault=${fault}`], { stdio: "pipe" });
  return readResults(
    readFileSync(output, "utf8"),
    tiles.map((tile) => unitIndices(tile).length),
  );
}
