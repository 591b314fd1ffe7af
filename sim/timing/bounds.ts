/** What bounds a frame from below, and what bounds a layer. */
import {
  type CheckedProgram,
  FORMAT_BYTES,
  type Machine,
  type ProgramTensor,
  peakMacsPerCycle,
} from "../../isa/index.ts";
import type { Bounds, Counters } from "../result.ts";
import { sramBytesPerCycle } from "./costs.ts";
import type { ProgramWork } from "./program-work.ts";
import { dramBytesOf } from "./slot-counters.ts";
import type { Transfers } from "./transfers.ts";

/** Bytes of the bursts that a whole tensor touches. */
function burstBytesOf(tensor: ProgramTensor, burstBytes: number): number {
  const end = tensor.address + tensor.height * tensor.width * tensor.channels * FORMAT_BYTES[tensor.format];
  return (Math.ceil(end / burstBytes) - Math.floor(tensor.address / burstBytes)) * burstBytes;
}

/**
 * Traffic no schedule avoids: each constant and input the frame reads and each output it writes, once, and no more of it than the
 * frame moves. Constants that stay resident from the prologue on are not read.
 */
function compulsoryBytes(checked: CheckedProgram, work: ProgramWork, transfers: Transfers, burstBytes: number): number {
  const { program, bound } = checked;
  const moved = new Map<number, number>();
  for (let i = work.stream.prologueLength; i < bound.length; i++) {
    const { instruction, views } = bound[i];
    if (instruction.op !== "load" && instruction.op !== "store") continue;
    const isLoad = instruction.op === "load";
    const { tensor } = isLoad ? views.dst : views.src;
    const { role } = program.tensors[tensor];
    if (isLoad ? role !== "constant" && role !== "input" : role !== "output") continue;
    moved.set(tensor, (moved.get(tensor) ?? 0) + dramBytesOf(transfers, i, work.stream.agents).rounded);
  }
  let bytes = 0;
  for (const [tensor, rounded] of moved) bytes += Math.min(rounded, burstBytesOf(program.tensors[tensor], burstBytes));
  return bytes;
}

/** Values through the units of one kind in a frame. */
function valuesThrough({ stream, work }: ProgramWork, kind: "shift" | "pool"): number {
  let values = 0;
  for (let i = stream.prologueLength; i < work.length; i++) {
    if (stream.unitKinds[stream.unitOf[i]] !== kind) continue;
    for (const share of work[i]) values += share.values;
  }
  return values;
}

/** Bounds of one frame. @param frame its counters */
export function boundsOf(
  checked: CheckedProgram,
  work: ProgramWork,
  transfers: Transfers,
  frame: Counters,
  machine: Machine,
): Bounds {
  const p = machine.parameters;
  const tensorProcessors = p.agents * p["agent.tensorProcessors"];
  return {
    computeCycles: frame.macs / peakMacsPerCycle(machine),
    dramCycles: compulsoryBytes(checked, work, transfers, p["dram.burstBytes"]) / p["dram.bytesPerCycle"],
    trafficCycles: (frame.dramReadBytes + frame.dramWriteBytes) / p["dram.bytesPerCycle"],
    shiftCycles: valuesThrough(work, "shift") / (tensorProcessors * p["shift.lanes"]),
    poolCycles: valuesThrough(work, "pool") / (tensorProcessors * p["pool.lanes"]),
    sramCycles: (frame.sramReadBytes + frame.sramWriteBytes) / (p.agents * sramBytesPerCycle(p)),
  };
}

const LATENCY_SHARE = 0.5;

/**
 * The resource with the largest need: cycles of the busiest unit for mac, shift, pool and link, of the transfers alone for load and
 * store, of the traffic alone for DRAM. `latency` when all of them take less than half of the layer's cycles.
 */
export function boundName(needs: Readonly<Record<string, number>>, attributedCycles: number): string {
  let [largest, name] = [0, "latency"];
  for (const [candidate, cycles] of Object.entries(needs)) if (cycles > largest) [largest, name] = [cycles, candidate];
  return largest < LATENCY_SHARE * attributedCycles ? "latency" : name;
}
