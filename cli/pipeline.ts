/** The stages behind the commands, in one place: files to networks, programs, values, time. Each loads what it needs. */
import { basename, extname } from "node:path";
import type { Rescaled } from "../compiler/index.ts";
import type { QuantizedModel } from "../compiler/quantized-model.ts";
import { RapError, UsageError } from "../isa/errors.ts";
import type { CheckedProgram, Machine, Program } from "../isa/index.ts";
import type { Recording, TimelineRow } from "../report/recording.ts";
import type { DramEvent, StallEvent } from "../sim/events.ts";
import type { TimingResult } from "../sim/result.ts";
import type { Context } from "./command.ts";
import { checkKind } from "./file-kind.ts";
import { fileExists, readInput, readStart, shown } from "./files.ts";
import type { LoweringChoices, QuantizeChoices } from "./model-options.ts";
import { keepsRecord, type RunOptions } from "./run-options.ts";

/** A program with the bytes of its file. */
export interface ProgramFile {
  readonly program: Program;
  readonly file: Uint8Array;
}

/** What `rapsim run` and `rapsim eval` take when they are given nothing. */
export const DEFAULT_NETWORK = "squeezedet";

/** A network by file or built-in name, as integers. A .rapq file is taken as it is. */
export async function quantizeModel(
  model: string,
  { calibration: folder, ...choices }: QuantizeChoices,
  context: Context,
): Promise<QuantizedModel> {
  const { log, progress } = context;
  await checkKind(model, "network");
  const { loadModel } = await import("../compiler/index.ts");
  const calibration =
    folder === undefined
      ? {}
      : { calibration: await (await import("./calibration.ts")).readCalibration(folder, context) };
  const start = performance.now();
  const moved: Rescaled[] = [];
  const onRescale = (rescaled: Rescaled) => moved.push(rescaled);
  const quantized = await loadModel(model, {
    ...choices,
    ...calibration,
    onRescale,
    onProgress: progress.stage("quantize"),
  });
  for (const { what, name, sqnrDb } of moved) log.info({ what, of: name, sqnrDb: rounded(sqnrDb) }, "rescaled");
  if (moved.length > 0) {
    const worst = moved.reduce((a, b) => (b.sqnrDb < a.sqnrDb ? b : a));
    log.warn(
      { rescaled: moved.length, worst: `${worst.name} (${worst.what})`, sqnrDb: rounded(worst.sqnrDb) },
      "moved to power-of-two scales; every one with --log-level info",
    );
  }
  log.info({ network: quantized.name, milliseconds: elapsed(start) }, "network loaded");
  return quantized;
}

export async function rapqFile(model: QuantizedModel): Promise<Uint8Array> {
  const { encodeRapq } = await import("../compiler/index.ts");
  return encodeRapq(model);
}

export interface CompileChoices extends QuantizeChoices, LoweringChoices {
  readonly machine: Machine;
}

export async function compileProgram(model: string, choices: CompileChoices, context: Context): Promise<ProgramFile> {
  const { machine, packing, optimize, ...quantizeChoices } = choices;
  const quantized = await quantizeModel(model, quantizeChoices, context);
  const { compileModel } = await import("../compiler/index.ts");
  const { encodeProgram } = await import("../isa/index.ts");
  const { latencyOf } = await import("../sim/index.ts");
  const start = performance.now();
  const report = context.progress.stage("compile");
  const program = compileModel(quantized, machine, {
    ...(packing === undefined ? {} : { packing }),
    ...(optimize === undefined ? {} : { optimize }),
    latencyOf,
    onProgress: (_stage, fraction) => report(fraction),
  });
  context.log.info({ program: program.name, machine: machine.name, milliseconds: elapsed(start) }, "compiled");
  return { program, file: encodeProgram(program) };
}

const rounded = (db: number) => Math.round(10 * db) / 10;

function elapsed(start: number): number {
  return Math.round(performance.now() - start);
}

export async function disassembly(file: Uint8Array, path: string): Promise<string> {
  const { decodeProgram, disassemble } = await import("../isa/index.ts");
  return disassemble(decodeProgram(file, path));
}

export async function assembled(source: Uint8Array, path: string): Promise<ProgramFile> {
  const { assemble, checkProgram, encodeProgram } = await import("../isa/index.ts");
  const program = assemble(Buffer.from(source).toString("utf8"), path);
  checkProgram(program, path);
  return { program, file: encodeProgram(program) };
}

export type DecodedFile =
  | { readonly kind: "program"; readonly program: Program }
  | { readonly kind: "model"; readonly model: QuantizedModel }
  | { readonly kind: "unknown" };

/** What the first bytes announce, decoded. */
export async function decodedFile(file: Uint8Array, path: string): Promise<DecodedFile> {
  const { decodeProgram, hasMagic, PROGRAM_KIND } = await import("../isa/index.ts");
  if (hasMagic(PROGRAM_KIND, file)) return { kind: "program", program: decodeProgram(file, path) };
  const { decodeRapq, RAPQ_KIND } = await import("../compiler/rapq.ts");
  if (hasMagic(RAPQ_KIND, file)) return { kind: "model", model: decodeRapq(file, path) };
  return { kind: "unknown" };
}

/** The program that `rapsim run` names: a program file, or a model that is compiled on the way; nothing: the default network. */
export async function openProgram(
  place: string | undefined,
  context: Context,
  choices: QuantizeChoices = {},
): Promise<ProgramFile> {
  if (place === undefined || !(await needsNoCompiling(place))) {
    const { DEFAULT_MACHINE, loadMachine } = await import("../isa/index.ts");
    return compileProgram(place ?? DEFAULT_NETWORK, { machine: loadMachine(DEFAULT_MACHINE), ...choices }, context);
  }
  const [given] = Object.keys(choices);
  if (given !== undefined) {
    throw new UsageError(`--${given} is for a network; ${shown(place)} is a program, whose integers are fixed`);
  }
  const { decodeProgram } = await import("../isa/index.ts");
  const file = await readInput(place, "a program");
  return { program: decodeProgram(file, place), file };
}

const PROGRAM_EXTENSION = ".bin";

/** A file that begins like a program, or is at least called like one: then the refusal speaks of programs. */
async function needsNoCompiling(place: string): Promise<boolean> {
  const looksLikeProgram = extname(place).toLowerCase() === PROGRAM_EXTENSION;
  if (!(await fileExists(place))) {
    if (!looksLikeProgram) return false;
    throw new RapError(
      `${shown(place)}: no such file; make one: rapsim compile ${basename(place, extname(place))} -o ${shown(place)}`,
    );
  }
  if (looksLikeProgram) {
    await checkKind(place, "program");
    return true;
  }
  await checkKind(place, "network");
  const { hasMagic, PROGRAM_KIND } = await import("../isa/index.ts");
  return hasMagic(PROGRAM_KIND, await readStart(place));
}

/** Checks everything about a program before it runs. */
export async function checked(program: Program, place: string): Promise<CheckedProgram> {
  const { checkProgram } = await import("../isa/index.ts");
  return checkProgram(program, place);
}

export interface Timed {
  readonly timing: TimingResult;
  readonly notModelled: readonly string[];
  /** Empty unless it was asked for. */
  readonly recording: Recording;
}

export async function simulateTime(
  program: CheckedProgram,
  machine: Machine,
  options: RunOptions,
  context: Context,
): Promise<Timed> {
  const { frames, overlapFrames, timeline, trace } = options;
  const { createSimulationEmitter } = await import("../sim/events.ts");
  const { NOT_MODELLED, simulateTiming } = await import("../sim/timing/index.ts");
  const events = createSimulationEmitter();
  const recording = { instructions: [] as TimelineRow[], stalls: [] as StallEvent[], dram: [] as DramEvent[] };
  const everything = trace !== undefined || keepsRecord(options);
  if (everything || timeline !== undefined) {
    const { sourceMap } = program.program;
    events.on("instruction", (event) => {
      const { op } = program.bound[event.index].instruction;
      recording.instructions.push({ ...event, op, tile: sourceMap[event.index].tile });
    });
  }
  if (everything) {
    events.on("stall", (event) => recording.stalls.push(event));
    events.on("dram", (event) => recording.dram.push(event));
  }
  const start = performance.now();
  context.progress.stage("time");
  const timing = simulateTiming(program, { machine, frames, overlapFrames, events });
  context.log.info({ cycles: timing.totals.cycles, milliseconds: elapsed(start) }, "timed");
  const { sramMapOf } = await import("../report/sram-map.ts");
  const sram = everything ? sramMapOf(program, recording.instructions, 0) : null;
  return { timing, notModelled: NOT_MODELLED, recording: { ...recording, sram } };
}

/** One line for each pair of accesses that nothing orders, within a frame and from one to the next. */
export async function raceLines(
  program: CheckedProgram,
  { overlapFrames }: RunOptions,
  context: Context,
): Promise<string[]> {
  const { findRaces } = await import("../sim/races/index.ts");
  const start = performance.now();
  context.progress.stage("races");
  const races = findRaces(program, { overlapFrames });
  context.log.info({ races: races.length, milliseconds: elapsed(start) }, "looked for races");
  return races.map(String);
}
