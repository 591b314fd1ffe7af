/**
 * How the cost of a simulation grows with the network, the agents and the number of tiles: `npm run bench:scaling [-- --svg FILE --docs PAGE]`.
 * CPU times, since they stand on a busy machine as well.
 */
import { writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { compileModel, loadModel } from "../compiler/index.ts";
import { type CheckedProgram, checkProgram, loadMachine, type Program, withParameters } from "../isa/index.ts";
import { Execution } from "../sim/functional/index.ts";
import { prepareTiming } from "../sim/timing/index.ts";
import { medianTimes, timesOf } from "./measure.ts";
import { markdownTable, writeIntoPage } from "./page.ts";
import { logLogPlot, type Series } from "./plot.ts";

const { values: options } = parseArgs({ options: { svg: { type: "string" }, docs: { type: "string" } } });

/** The frame several times over, as one frame: a longer network of the same layers. */
function repeated(program: Program, times: number): Program {
  const { prologue, body, sourceMap } = program;
  const once = body.slice(0, -1);
  const map = sourceMap.slice(prologue.length, -1);
  const copies = Array.from({ length: times });
  return {
    ...program,
    body: [...copies.flatMap(() => once), body[body.length - 1]],
    sourceMap: [...sourceMap.slice(0, prologue.length), ...copies.flatMap(() => map), sourceMap[sourceMap.length - 1]],
  };
}

interface Row {
  readonly series: string;
  readonly at: string;
  readonly instructions: number;
  readonly events: number;
  readonly timingMs: number;
  readonly frameMs: number;
}

async function row(series: string, at: string, program: Program): Promise<Row> {
  const checked = checkProgram(program, at);
  const time = prepareTiming(checked);
  const { events } = time();
  const { cpuMs: timingMs } = medianTimes(await timesOf(9, 5, () => time()));
  return { series, at, instructions: checked.bound.length, events, timingMs, frameMs: await frameMs(checked) };
}

async function frameMs(checked: CheckedProgram): Promise<number> {
  const { height, width, channels } = checked.program.host.input;
  const input = new Int8Array(height * width * channels).map((_, i) => Math.imul(i, 2654435761) >> 24);
  const execution = new Execution(checked);
  return medianTimes(await timesOf(3, 1, () => execution.runFrame(input))).cpuMs;
}

const model = loadModel("squeezedet");
const machine = loadMachine("rap-e");
const compiled = (changes: Readonly<Record<string, unknown>>) =>
  compileModel(model, withParameters(machine, changes, "scaling"), { optimize: 0 });
const base = compiled({});

const rows: Row[] = [];
const add = async (series: string, at: string, program: Program) => {
  rows.push(await row(series, at, program));
  process.stderr.write(`${series}: ${at}\n`);
};
for (const times of [1, 2, 5, 10]) await add("network size", `${times} x SqueezeDet`, repeated(base, times));
for (const agents of [4, 8, 32, 64]) await add("agents", `${agents} agents`, compiled({ agents }));
for (const kib of [32, 64, 128, 512]) await add("tiles", `${kib} KiB of SRAM`, compiled({ "sram.bytes": 1024 * kib }));

const machineText = `${cpus()[0].model.trim()}, Node ${process.version}, load ${loadavg()[0].toFixed(1)}; CPU times.`;
const table = markdownTable(
  ["series", "at", "instructions", "events", "timing, ms", "million events/s", "functional frame, ms"],
  rows.map(({ series, at, instructions, events, timingMs, frameMs: frame }) => [
    series,
    at,
    instructions,
    events,
    timingMs.toFixed(1),
    (events / timingMs / 1000).toFixed(1),
    frame.toFixed(0),
  ]),
);
const page = `${machineText}\n\n${table}`;
console.log(page);
if (options.docs !== undefined) writeIntoPage(options.docs, "scaling", page);
if (options.svg !== undefined) {
  const names = [...new Set(rows.map(({ series }) => series))];
  const series = names.map(
    (name): Series => ({
      name,
      points: rows
        .filter((one) => one.series === name)
        .map(({ events, timingMs }) => ({ x: events, y: timingMs }))
        .sort((a, b) => a.x - b.x),
    }),
  );
  writeFileSync(options.svg, logLogPlot("Cost of timing a frame", "events", "CPU ms of one timed frame", series));
}
