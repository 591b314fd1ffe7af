/**
 * How fast rapsim is, and onnxruntime on the same network in the same run: `npm run bench [-- --rounds 3 --json FILE --docs
 * PAGE]`. Every measurement has a process of its own; rounds go over all of them in turn, and the medians count.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadModel } from "../compiler/index.ts";
import { writeQdq } from "../test/support/qdq-writer.ts";
import { floatOnnx } from "./float-onnx.ts";
import type { KernelSpeed } from "./kernels.ts";
import { median, medianTimes } from "./measure.ts";
import { markdownTable, writeIntoPage } from "./page.ts";
import type { Measured } from "./parts.ts";

const NETWORK = "squeezedet";

const { values: options } = parseArgs({
  options: { json: { type: "string" }, docs: { type: "string" }, rounds: { type: "string", default: "3" } },
});
const rounds = Number(options.rounds);

const pathOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "rapsim-bench-"));
const programPath = join(folder, "program.bin");

/** What a process prints; its errors end the bench. */
function output(script: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [pathOf(script), ...args], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`${script} ${args.join(" ")}: ${stderr}`);
  return stdout;
}

const part = <T>(name: string) => JSON.parse(output("./parts.js", name, folder)) as T;

function wallMs(...args: string[]): number {
  const start = performance.now();
  output("../bin/rapsim.js", ...args);
  return performance.now() - start;
}

const COMMANDS: Readonly<Record<string, { readonly args: readonly string[]; readonly barMs: number }>> = {
  "rapsim --version": { args: ["--version"], barMs: 150 },
  "rapsim --help": { args: ["--help"], barMs: 150 },
  "rapsim run --mode timing": { args: ["run", programPath, "--mode", "timing"], barMs: 400 },
  "rapsim run (full, one picture)": { args: ["run", programPath], barMs: 1000 },
  "rapsim compile": { args: ["compile", join(folder, "model.rapq"), "-o", programPath], barMs: 6000 },
};

const PARTS = [
  "functional",
  "onnxruntime-web INT8",
  "functional, 2 threads",
  "full",
  "timing",
  "retiming",
  "onnxruntime-web float32",
  "onnxruntime-node INT8",
  "onnxruntime-node float32",
] as const;
const BATCHES = ["batch of 80", "batch of 80, 2 threads"] as const;

const progress = (text: string) => process.stderr.write(`${text}\n`);

const loadBefore = loadavg()[0].toFixed(1);
progress(`${NETWORK} on rap-e; load ${loadBefore}`);
output("../bin/rapsim.js", "quantize", NETWORK, "-o", join(folder, "model.rapq"));
wallMs(...COMMANDS["rapsim compile"].args);
writeFileSync(join(folder, "int8.onnx"), writeQdq(loadModel(NETWORK, { activations: "u8", head: "i8" })));
writeFileSync(join(folder, "float32.onnx"), floatOnnx(loadModel(NETWORK)));

const commandTimes = new Map<string, number[]>();
const measured = new Map<string, Measured[]>();
const note = (name: string) => {
  const result = part<Measured | null>(name);
  if (result !== null) measured.set(name, [...(measured.get(name) ?? []), result]);
};
for (let round = 0; round < rounds; round++) {
  progress(`round ${round + 1} of ${rounds}`);
  for (const name of PARTS) note(name);
  for (const [name, { args }] of Object.entries(COMMANDS)) {
    commandTimes.set(name, [...(commandTimes.get(name) ?? []), wallMs(...args)]);
  }
}
for (const name of BATCHES) note(name);
const kernels = part<KernelSpeed[]>("kernels");
rmSync(folder, { recursive: true });

const commands = [...commandTimes].map(([name, times]) => ({
  name,
  wallMs: median(times),
  barMs: COMMANDS[name].barMs,
}));
const parts = [...measured].map(([name, results]) => ({
  name,
  ...medianTimes(results),
  peakMiB: median(results.map(({ peakMiB }) => peakMiB)),
  ...(results[0].events === undefined ? {} : { events: results[0].events }),
}));
const named = (name: string) => parts.find((one) => one.name === name);

/** One measurement by another: of wall times, and of CPU times where both have one thread. */
function ratio(what: string, over: string, bar: number | null) {
  const [a, b] = [named(what), named(over)];
  if (a === undefined || b === undefined) return [];
  const isThreaded = what.includes("threads");
  return [{ name: `${what} / ${over}`, wall: a.wallMs / b.wallMs, cpu: isThreaded ? null : a.cpuMs / b.cpuMs, bar }];
}
const ratios = [
  ...ratio("functional", "onnxruntime-web INT8", 1),
  ...ratio("functional, 2 threads", "functional", 0.6),
  ...ratio("full", "functional", 1.15),
  ...ratio("retiming", "timing", 1),
  ...ratio("batch of 80, 2 threads", "functional", 0.6),
  ...["onnxruntime-web float32", "onnxruntime-node INT8", "onnxruntime-node float32"].flatMap((other) =>
    ratio("functional", other, null),
  ),
];
const { events, wallMs: timingMs } = named("timing")!;
const eventsPerSecond = events! / (timingMs / 1000);

const fixed = (value: number, digits = 1) => value.toFixed(digits);
const machine = `${cpus()[0].model.trim()}, ${cpus().length} cores, Node ${process.version}, load ${loadBefore} before and ${loadavg()[0].toFixed(1)} after`;
const page = [
  `${NETWORK} on rap-e; ${machine}; medians of ${rounds} rounds.`,
  markdownTable(
    ["one frame, in process, warm", "wall, ms", "CPU, ms", "peak memory, MiB"],
    parts.map((one) => [one.name, fixed(one.wallMs), fixed(one.cpuMs), fixed(one.peakMiB, 0)]),
  ),
  `Timing handles ${events} events, ${fixed(eventsPerSecond / 1e6)} million per second.`,
  markdownTable(
    ["ratio", "of wall times", "of CPU times", "bar"],
    ratios.map(({ name, wall, cpu, bar }) => [
      name,
      fixed(wall, 2),
      cpu === null ? "" : fixed(cpu, 2),
      bar === null ? "" : `at most ${bar}`,
    ]),
  ),
  markdownTable(
    ["whole process", "wall, ms", "bar, ms"],
    commands.map(({ name, wallMs: ms, barMs }) => [`\`${name}\``, fixed(ms, 0), `at most ${barMs}`]),
  ),
  markdownTable(
    ["kernel, one thread", "speed"],
    kernels.map(({ name, value, unit }) => [name, `${fixed(value, unit === "GMAC/s" ? 1 : 3)} ${unit}`]),
  ),
  ...(named("onnxruntime-node INT8") === undefined
    ? ["onnxruntime-node was not installed (`npm install --no-save --ignore-scripts onnxruntime-node@1.30.0`)."]
    : []),
].join("\n\n");
console.log(page);
if (options.docs !== undefined) writeIntoPage(options.docs, "bench", page);
if (options.json !== undefined) {
  const ends = { schema: "rapsim.bench/1", machine, rounds, parts, ratios, eventsPerSecond, commands, kernels };
  writeFileSync(options.json, `${JSON.stringify(ends, null, 2)}\n`);
}
