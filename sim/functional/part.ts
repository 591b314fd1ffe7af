/** What one thread holds of an execution: its agents' steps, in program order. */
import {
  agentWork,
  type CheckedProgram,
  HISTOGRAM_BINS,
  HISTOGRAM_REGISTERS,
  type Program,
  SCALAR_REGISTERS,
  unitKindOf,
} from "../../isa/index.ts";
import type { Kernels } from "../kernel-api.ts";
import type { Chip, Step } from "./chip.ts";
import { prepare } from "./execute.ts";
import { MEETING, threadOf } from "./meetings.ts";
import { mapMemory } from "./memory-map.ts";
import { Scratch } from "./scratch.ts";
import type { Member } from "./team.ts";
import { WeightCache } from "./weight-cache.ts";

/** A thread of several, and what `meetings` says. */
export interface Membership {
  readonly member: Member;
  readonly plan: Uint8Array;
}

export interface Part {
  readonly chip: Chip;
  readonly prologue: readonly Step[];
  readonly body: readonly Step[];
  /** Where its scratch ends. */
  readonly end: number;
}

/**
 * Resolves the steps of a thread's agents, of all when it is the only one.
 * @param scratch where its scratch begins. @throws RapError when the program's memories do not fit 4 GiB
 */
export function preparePart(
  checked: CheckedProgram,
  kernels: Kernels,
  scratch: number,
  membership: Membership | null,
): Part {
  const { program, bound } = checked;
  const chip = createChip(program, kernels, scratch);
  const { length } = program.prologue;
  const prologue = prepareStream(checked, chip, membership, 0, length);
  const body = prepareStream(checked, chip, membership, length, bound.length);
  const end = chip.scratch.commit(kernels.memory, `program '${program.name}'`);
  return { chip, prologue, body, end };
}

export function runSteps(steps: readonly Step[]): void {
  for (const step of steps) step();
}

function createChip(program: Program, kernels: Kernels, scratchStart: number): Chip {
  const { agents, "array.cols": cols } = program.machine.parameters;
  const map = mapMemory(program);
  const { buffer } = kernels.memory;
  const scratch = new Scratch(scratchStart);
  return {
    program,
    map,
    kernels,
    scratch,
    weights: new WeightCache(kernels, scratch, cols),
    scalars: new Int32Array(buffer, map.scalars, agents * SCALAR_REGISTERS),
    histograms: new Uint32Array(buffer, map.histograms, agents * HISTOGRAM_REGISTERS * HISTOGRAM_BINS),
    probe: { listener: null },
  };
}

function prepareStream(
  { program, bound }: CheckedProgram,
  chip: Chip,
  membership: Membership | null,
  from: number,
  to: number,
): Step[] {
  const { agents } = program.machine.parameters;
  const steps: Step[] = [];
  const meet = () => membership?.member.meet();
  /** The first thread works alone; of several instructions in a row it does all between two meetings. */
  let alone = false;
  for (let index = from; index < to; index++) {
    const { instruction } = bound[index];
    if (unitKindOf(instruction) === null) continue;
    const how = membership === null ? MEETING.none : membership.plan[index];
    if (how === MEETING.before || alone !== (how === MEETING.alone)) steps.push(meet);
    alone = how === MEETING.alone;
    for (let agent = 0; agent < agents; agent++) {
      if (membership !== null) {
        const { index: thread, threads } = membership.member;
        if ((alone ? 0 : threadOf(agent, threads)) !== thread) continue;
      }
      const work = agentWork(program, bound[index], agent);
      const step = prepare(instruction, chip, { index, agent, work });
      if (step !== null) steps.push(step);
    }
  }
  if (membership !== null) steps.push(meet);
  return steps;
}
