/** The time of a program on a machine. */
import {
  type CheckedProgram,
  checkProgram,
  type Machine,
  type Program,
  RapError,
  structureDifferences,
} from "../../isa/index.ts";
import type { SimulationEmitter } from "../events.ts";
import type { TimingResult } from "../result.ts";
import { type CreateDram, Engine, type Listeners } from "./engine.ts";
import { slotNames, unitPlaces } from "./names.ts";
import { type ProgramWork, programWork } from "./program-work.ts";
import { resultOf } from "./results.ts";

export interface TimingOptions {
  /** Other rates than the program's machine has; the structure must be the same. */
  readonly machine?: Machine;
  /** Frames after the prologue; default 1. */
  readonly frames?: number;
  /** Frames follow each other without a barrier between them; default false. */
  readonly overlapFrames?: boolean;
  readonly events?: SimulationEmitter;
  /** Another model of DRAM; default: `MemoryController`. */
  readonly createDram?: CreateDram;
}

const MAX_FRAMES = 100_000;

/**
 * Makes a program ready to be timed again and again. What no rate changes (clipping, work of each agent, useful MACs) is
 * measured here, once; each call of the function returned simulates one machine: other bandwidths, latencies, clocks or
 * energies need no other program. Calls do not influence each other.
 * @returns times the program; it throws RapError for a machine of another structure, or an impossible number of frames
 */
export function prepareTiming(checked: CheckedProgram): (options?: TimingOptions) => TimingResult {
  const work = programWork(checked);
  return (options = {}) => timeProgram(checked, work, options);
}

/**
 * Simulates the time of a checked program: cycles, traffic and energy. Values play no part in it.
 * @throws RapError for a machine of another structure, or an impossible number of frames
 */
export function simulateTiming(checked: CheckedProgram, options: TimingOptions = {}): TimingResult {
  return prepareTiming(checked)(options);
}

/** Cycles from a frame's input to its output: what the compiler compares its candidates by. @throws RapError for a wrong program */
export function latencyOf(program: Program): number {
  return simulateTiming(checkProgram(program, program.name)).totals.latencyCycles;
}

function timeProgram(checked: CheckedProgram, work: ProgramWork, options: TimingOptions): TimingResult {
  const { program } = checked;
  const { machine = program.machine, frames = 1, overlapFrames = false, createDram } = options;
  const differences = structureDifferences(program.machine, machine);
  if (differences.length > 0) {
    throw new RapError(
      `machine '${machine.name}': program '${program.name}' is compiled for another structure: ${differences.join("; ")}. Compile it for this machine`,
    );
  }
  if (!Number.isInteger(frames) || frames < 1 || frames > MAX_FRAMES) {
    throw new RapError(`frames = ${frames}: must be a whole number 1..${MAX_FRAMES}`);
  }
  const listeners = listenersOf(checked, work, options.events);
  const engine = new Engine(program, work, machine.parameters, { frames, overlapFrames, createDram }, listeners);
  engine.run();
  return resultOf(checked, work, engine, machine);
}

function listenersOf(checked: CheckedProgram, { stream }: ProgramWork, events?: SimulationEmitter): Listeners {
  const wants = (name: "instruction" | "stall" | "dram" | "frame") => (events?.listenerCount(name) ?? 0) > 0;
  const names = slotNames(checked);
  const place = unitPlaces(checked);
  return {
    onInstruction: wants("instruction")
      ? (unit, index, startCycle, endCycle) =>
          events!.emit("instruction", {
            ...place(unit),
            index,
            startCycle,
            endCycle,
            layer: names[stream.slotOf[index]],
          })
      : null,
    onStall: wants("stall")
      ? (unit, cause, startCycle, endCycle) => events!.emit("stall", { ...place(unit), cause, startCycle, endCycle })
      : null,
    onDram: wants("dram")
      ? (startCycle, endCycle, bytes, write, slot) =>
          events!.emit("dram", { startCycle, endCycle, bytes, write, layer: slot < 0 ? "(fetch)" : names[slot] })
      : null,
    onFrame: wants("frame")
      ? (frame, startCycle, endCycle) => events!.emit("frame", { frame, startCycle, endCycle })
      : null,
  };
}
