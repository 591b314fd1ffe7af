import { type AgentWork, type Box, type Program, type View, viewAddress } from "../../isa/index.ts";
import type { Kernels } from "../kernel-api.ts";
import { type MemoryMap, scalarAt } from "./memory-map.ts";
import type { ProbeListener } from "./probes.ts";
import type { Scratch } from "./scratch.ts";
import type { WeightCache } from "./weight-cache.ts";

/** One agent's share of one instruction, resolved to addresses and ready to run any number of times. */
export type Step = () => void;

/** Where an instruction is, and for which agent. work: null when it is clipped to nothing. */
export interface Site {
  /** Index into all instructions, prologue first. */
  readonly index: number;
  readonly agent: number;
  readonly work: AgentWork | null;
}

/** A site with work to do. */
export interface WorkSite extends Site {
  readonly work: AgentWork;
}

export function hasWork(site: Site): site is WorkSite {
  return site.work !== null;
}

/** What steps act on. */
export interface Chip {
  readonly program: Program;
  readonly map: MemoryMap;
  readonly kernels: Kernels;
  readonly scratch: Scratch;
  readonly weights: WeightCache;
  /** Scalar registers and histogram bins of all agents (memory-map.ts). */
  readonly scalars: Int32Array;
  readonly histograms: Uint32Array;
  /** Called at every shift when set. */
  readonly probe: { listener: ProbeListener | null };
}

/** A strided operand in the linear memory: address of its first element, bytes from row to row and pixel to pixel. */
export interface Plane {
  readonly at: number;
  readonly row: number;
  readonly pixel: number;
}

/** An agent's view as a plane that begins at element (y, x, c). */
export function planeAt(chip: Chip, agent: number, view: View, y: number, x: number, c: number): Plane {
  return {
    at: chip.map.sram(agent) + viewAddress(view, y, x, c),
    row: view.rowPitch,
    pixel: view.pixelPitch,
  };
}

export function boxExtents(box: Box): { height: number; width: number; channels: number } {
  return { height: box.y1 - box.y0, width: box.x1 - box.x0, channels: box.c1 - box.c0 };
}

/** A scalar register's value; register 0 is never written and stays 0. */
export function readScalar(chip: Chip, agent: number, register: number): number {
  return chip.scalars[scalarAt(agent, register)];
}

/** 8-bit formats alone reach the pool unit; checkProgram has seen to it. */
export function isUnsigned(view: View): 0 | 1 {
  return view.format === "u8" ? 1 : 0;
}
