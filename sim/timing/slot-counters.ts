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
    for (let request = transfers.first[at]; request < transfers.end[at]; request++) {
      requested += transfers.requests.requested[request];
      rounded += transfers.requests.rounded[request];
    }
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

function countStream(
  { stream, work, usefulMacs }: ProgramWork,
  transfers: Transfers,
  from: number,
  to: number,
): Counters[] {
  const counters = Array.from({ length: stream.slots }, noCounters);
  for (let i = from; i < to; i++) {
    const instruction = stream.instructions[i];
    const sum = counters[stream.slotOf[i]];
    sum.instructions++;
    sum.macs += usefulMacs[i];
    for (const share of work[i]) countWork(sum, instruction, share);
    if (instruction.op !== "load" && instruction.op !== "store") continue;
    const { requested, rounded } = dramBytesOf(transfers, i, stream.agents);
    sum.dramRequestedBytes += requested;
    if (instruction.op === "load") sum.dramReadBytes += rounded;
    else sum.dramWriteBytes += rounded;
  }
  return counters;
}

/** Counters by slot, of the prologue and of one frame. */
export function countSlots(
  programWork: ProgramWork,
  transfers: Transfers,
  fetch: FetchPlan,
): { prologue: Counters[]; frame: Counters[] } {
  const { stream } = programWork;
  const prologue = countStream(programWork, transfers, 0, stream.prologueLength);
  const frame = countStream(programWork, transfers, stream.prologueLength, stream.instructions.length);
  countFetch(prologue, stream.slotOf, fetch, fetch.prologue);
  countFetch(frame, stream.slotOf, fetch, fetch.body);
  return { prologue, frame };
}
