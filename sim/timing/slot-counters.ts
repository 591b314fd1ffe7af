/** Counters of every slot (layer) for the prologue and for one frame: none of them depends on time. */
import { INSTRUCTION_BYTES } from "../../isa/index.ts";
import { countWork, noCounters } from "../counters.ts";
import type { Counters } from "../result.ts";
import { blockBytes, type FetchBlock, type FetchPlan } from "./fetch.ts";
import type { ProgramWork } from "./program-work.ts";
import type { Transfers } from "./transfers.ts";

/** Burst-rounded DRAM bytes that the loads or stores of one instruction move. */
export function dramBytesOf(
  transfers: Transfers,
  instruction: number,
  agents: number,
): { requested: number; rounded: number } {
  let requested = 0;
  let rounded = 0;
  for (let at = instruction * agents; at < (instruction + 1) * agents; at++) {
    requested += transfers.requestedBytes[at];
    rounded += transfers.roundedBytes[at];
  }
  return { requested, rounded };
}

/** Instruction fetch: each layer reads its own instructions; the rounding of a block goes to its last instruction. */
function countFetch(counters: Counters[], slotOf: Int32Array, plan: FetchPlan, blocks: readonly FetchBlock[]): void {
  for (const block of blocks) {
    for (let i = block.first; i < block.end; i++) {
      counters[slotOf[i]].dramReadBytes += INSTRUCTION_BYTES;
      counters[slotOf[i]].dramRequestedBytes += INSTRUCTION_BYTES;
    }
    const rounding = blockBytes(plan, block) - (block.end - block.first) * INSTRUCTION_BYTES;
    counters[slotOf[block.end - 1]].dramReadBytes += rounding;
  }
}

/** What no rate of the machine changes. */
function countInstructions({ stream, work, usefulMacs }: ProgramWork, from: number, to: number): Counters[] {
  const counters = Array.from({ length: stream.slots }, noCounters);
  for (let i = from; i < to; i++) {
    const sum = counters[stream.slotOf[i]];
    sum.instructions++;
    sum.macs += usefulMacs[i];
    const shares = work[i];
    for (let agent = 0, end = 0; agent < shares.length; agent = end) {
      while (end < shares.length && shares[end] === shares[agent]) end++;
      countWork(sum, stream.instructions[i], shares[agent], end - agent);
    }
  }
  return counters;
}

function countTransfers(
  counters: Counters[],
  { stream }: ProgramWork,
  transfers: Transfers,
  from: number,
  to: number,
): void {
  for (let i = from; i < to; i++) {
    const { op } = stream.instructions[i];
    if (op !== "load" && op !== "store") continue;
    const sum = counters[stream.slotOf[i]];
    const { requested, rounded } = dramBytesOf(transfers, i, stream.agents);
    sum.dramRequestedBytes += requested;
    if (op === "load") sum.dramReadBytes += rounded;
    else sum.dramWriteBytes += rounded;
  }
}

interface SlotCounters {
  readonly prologue: Counters[];
  readonly frame: Counters[];
}

const known = new WeakMap<ProgramWork, SlotCounters>();

/** The program's instructions, counted once: of every slot, what no rate of the machine changes. */
function countedInstructions(programWork: ProgramWork): SlotCounters {
  const { prologueLength, instructions } = programWork.stream;
  const counted = known.get(programWork) ?? {
    prologue: countInstructions(programWork, 0, prologueLength),
    frame: countInstructions(programWork, prologueLength, instructions.length),
  };
  known.set(programWork, counted);
  return counted;
}

/** Counters by slot, of the prologue and of one frame. */
export function countSlots(programWork: ProgramWork, transfers: Transfers, fetch: FetchPlan): SlotCounters {
  const { stream } = programWork;
  const counted = countedInstructions(programWork);
  const [prologue, frame] = [counted.prologue, counted.frame].map((slots) => slots.map((slot) => ({ ...slot })));
  countTransfers(prologue, programWork, transfers, 0, stream.prologueLength);
  countTransfers(frame, programWork, transfers, stream.prologueLength, stream.instructions.length);
  countFetch(prologue, stream.slotOf, fetch, fetch.prologue);
  countFetch(frame, stream.slotOf, fetch, fetch.body);
  return { prologue, frame };
}
