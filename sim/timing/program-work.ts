/** Everything about a program that is the same for every run: its stream, the work of every agent, useful MACs. */
import {
  type BoundInstruction,
  type CheckedProgram,
  type Context,
  type InstructionOf,
  multicastGroup,
} from "../../isa/index.ts";
import { usefulMacs } from "./coverage.ts";
import { buildStream, type Stream } from "./stream.ts";
import { likeness, measure, type Work } from "./work.ts";

/** Agents that start an instruction together: a multicast load, a reduction. */
export interface Group {
  /** Lowest agent of each agent's group; -1: the agent has no part in it. */
  readonly leaders: Int32Array;
  /** Agents in the group, by leader. */
  readonly sizes: Int32Array;
}

export interface ProgramWork {
  readonly stream: Stream;
  /** [instruction][agent]; nothing for instructions done at issue. Neighbours that have the same to do share one object. */
  readonly work: readonly (readonly Work[])[];
  /** By instruction; null for those agents start on their own. */
  readonly groups: readonly (Group | null)[];
  /** MACs of outputs computed for the first time in the frame, by instruction, over all agents. */
  readonly usefulMacs: Float64Array;
}

function loadGroup(load: InstructionOf<"load">, work: readonly Work[]): Group {
  const leaders = new Int32Array(work.length).fill(-1);
  const sizes = new Int32Array(work.length);
  for (let agent = 0; agent < work.length; agent++) {
    if (work[agent].idle || leaders[agent] >= 0) continue;
    const group = multicastGroup(load, agent);
    for (const member of group) leaders[member] = agent;
    sizes[agent] = group.length;
  }
  return { leaders, sizes };
}

function chipGroup(agents: number): Group {
  return { leaders: new Int32Array(agents), sizes: new Int32Array(agents).fill(agents) };
}

/** Every agent's share of an instruction. */
function shares(context: Context, bound: BoundInstruction, agents: number): Work[] {
  const isLikeBefore = likeness(context, bound);
  const work: Work[] = [];
  for (let agent = 0; agent < agents; agent++) {
    work.push(agent > 0 && isLikeBefore(agent) ? work[agent - 1] : measure(context, bound, agent));
  }
  return work;
}

function build(checked: CheckedProgram): ProgramWork {
  const { program, bound } = checked;
  const stream = buildStream(checked);
  const { agents } = stream;
  const work = bound.map((item, i) => (stream.unitOf[i] < 0 ? [] : shares(program, item, agents)));
  const groups = bound.map(({ instruction }, i) => {
    if (instruction.op === "reduce") return chipGroup(agents);
    return instruction.op === "load" && instruction.multicast !== "none" ? loadGroup(instruction, work[i]) : null;
  });
  const useful = usefulMacs(program, bound, stream.prologueLength, bound.length);
  usefulMacs(program, bound, 0, stream.prologueLength).forEach((macs, i) => {
    useful[i] += macs;
  });
  return { stream, work, groups, usefulMacs: useful };
}

const known = new WeakMap<CheckedProgram, ProgramWork>();

/** The program's work; measured once, so that running it again at other rates is cheap. */
export function programWork(checked: CheckedProgram): ProgramWork {
  const work = known.get(checked) ?? build(checked);
  known.set(checked, work);
  return work;
}
