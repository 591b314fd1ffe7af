/** What a simulation tells while it runs: per instruction, stall, DRAM request or frame, never per cycle. */
import { EventEmitter } from "node:events";
import type TypedEmitter from "typed-emitter";
import type { StallCause } from "./result.ts";

/** One agent's share of an instruction, from start to end. */
export interface InstructionEvent {
  readonly agent: number;
  /** `load`, `mac`, or `mac0` when there are several tensor processors. */
  readonly unit: string;
  /** Index in the program, prologue first. */
  readonly index: number;
  readonly startCycle: number;
  readonly endCycle: number;
  /** Layer name, or `(start)`, `(end)`. */
  readonly layer: string;
}

/** A unit standing still for one cause. */
export interface StallEvent {
  readonly agent: number;
  readonly unit: string;
  readonly cause: StallCause;
  readonly startCycle: number;
  readonly endCycle: number;
}

/** One request on DRAM's data bus; bytes are rounded out to bursts. */
export interface DramEvent {
  readonly startCycle: number;
  readonly endCycle: number;
  readonly bytes: number;
  readonly write: boolean;
  /** Layer name; `(fetch)` for instruction fetch. */
  readonly layer: string;
}

/** A finished frame; the prologue is frame -1. */
export interface FrameEvent {
  readonly frame: number;
  readonly startCycle: number;
  readonly endCycle: number;
}

export type SimulationEvents = {
  instruction: (event: InstructionEvent) => void;
  stall: (event: StallEvent) => void;
  dram: (event: DramEvent) => void;
  frame: (event: FrameEvent) => void;
};

export type SimulationEmitter = TypedEmitter.default<SimulationEvents>;

/** An emitter to listen on and to hand to `simulateTiming`. Events are built only for names somebody listens to. */
export function createSimulationEmitter(): SimulationEmitter {
  return new EventEmitter() as SimulationEmitter;
}
