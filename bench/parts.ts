/**
 * What is measured, each in a process of its own: `node dist/bench/parts.js NAME FOLDER` prints JSON. FOLDER holds the
 * program and the ONNX files that bench/main.ts makes.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type CheckedProgram, checkProgram, decodeProgram, withParameters } from "../isa/index.ts";
import { Execution } from "../sim/functional/index.ts";
import { prepareTiming, simulateTiming } from "../sim/timing/index.ts";
import { kernelSpeeds } from "./kernels.ts";
import { medianTimes, type Times, timesOf } from "./measure.ts";

const FRAMES = 9;
const WARM_UPS = 3;

export interface Measured extends Times {
  /** Peak memory of the process. */
  readonly peakMiB: number;
  /** Simulator events of one run, where time is simulated. */
  readonly events?: number;
}

function loaded(folder: string): CheckedProgram {
  const path = join(folder, "program.bin");
  return checkProgram(decodeProgram(readFileSync(path), path), path);
}

function picture({ program }: CheckedProgram, seed = 0): Int8Array {
  const { height, width, channels } = program.host.input;
  return Int8Array.from({ length: height * width * channels }, (_, i) => Math.imul(i + seed, 2654435761) >> 24);
}

async function measured(call: () => unknown, calls = FRAMES, warmUps = WARM_UPS): Promise<Measured> {
  const times = medianTimes(await timesOf(calls, warmUps, call));
  return { ...times, peakMiB: process.resourceUsage().maxRSS / 1024 };
}

async function functional(folder: string, threads: number): Promise<Measured> {
  const checked = loaded(folder);
  const input = picture(checked);
  const execution = new Execution(checked, { threads });
  const result = await measured(() => execution.runFrame(input));
  execution.close();
  return result;
}

async function timing(folder: string): Promise<Measured> {
  const checked = loaded(folder);
  const time = prepareTiming(checked);
  const { events } = time();
  return { ...(await measured(() => time(), 3 * FRAMES, 3 * WARM_UPS)), events };
}

async function retiming(folder: string): Promise<Measured> {
  const checked = loaded(folder);
  const time = prepareTiming(checked);
  // around the machine's own, so that as much happens
  let bandwidth = 11;
  const next = () => {
    bandwidth += 0.1;
    return time({ machine: withParameters(checked.program.machine, { "dram.bytesPerCycle": bandwidth }, "bench") });
  };
  return measured(next, 3 * FRAMES, 3 * WARM_UPS);
}

async function full(folder: string): Promise<Measured> {
  const checked = loaded(folder);
  const input = picture(checked);
  const execution = new Execution(checked);
  const both = () => {
    execution.runFrame(input);
    simulateTiming(checked);
  };
  // the code of timing takes some runs to be compiled
  return measured(both, FRAMES, 3 * WARM_UPS);
}

/** A batch, per picture: pictures differ, results are looked at. */
async function batch(folder: string, threads: number): Promise<Measured> {
  const checked = loaded(folder);
  const inputs = [1, 2, 3].map((seed) => picture(checked, seed));
  const execution = new Execution(checked, { threads });
  let i = 0;
  const result = await measured(() => execution.runFrame(inputs[i++ % inputs.length]), 80, WARM_UPS);
  execution.close();
  return result;
}

/** A frame in onnxruntime, on one thread. Null: that build is not installed. */
async function onnxruntime(folder: string, name: "onnxruntime-web" | "onnxruntime-node", file: string) {
  const ort = (await import(name).catch(() => null)) as typeof import("onnxruntime-web") | null;
  if (ort === null) return null;
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  const session = await ort.InferenceSession.create(readFileSync(join(folder, file)), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: "all",
  });
  const { height, width, channels } = loaded(folder).program.host.input;
  const values = Float32Array.from(
    { length: height * width * channels },
    (_, i) => (Math.imul(i, 2654435761) >> 24) / 2,
  );
  const feeds = { [session.inputNames[0]]: new ort.Tensor("float32", values, [1, channels, height, width]) };
  return measured(() => session.run(feeds));
}

const PARTS = {
  functional: (folder: string) => functional(folder, 1),
  "functional, 2 threads": (folder: string) => functional(folder, 2),
  full,
  timing,
  retiming,
  "batch of 80": (folder: string) => batch(folder, 1),
  "batch of 80, 2 threads": (folder: string) => batch(folder, 2),
  "onnxruntime-web INT8": (folder: string) => onnxruntime(folder, "onnxruntime-web", "int8.onnx"),
  "onnxruntime-web float32": (folder: string) => onnxruntime(folder, "onnxruntime-web", "float32.onnx"),
  "onnxruntime-node INT8": (folder: string) => onnxruntime(folder, "onnxruntime-node", "int8.onnx"),
  "onnxruntime-node float32": (folder: string) => onnxruntime(folder, "onnxruntime-node", "float32.onnx"),
  kernels: async () => kernelSpeeds(),
};

const [name, folder] = process.argv.slice(2);
console.log(JSON.stringify(await PARTS[name as keyof typeof PARTS](folder)));
