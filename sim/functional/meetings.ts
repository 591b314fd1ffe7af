/**
 * Where threads that each own some of the agents must meet, so that values are those of program order. Agents touch each
 * other's memory in three ways alone: through DRAM, by copies into another agent's SRAM, and in reductions.
 */
import { agentWork, type Box, type CheckedProgram, tensorBytes } from "../../isa/index.ts";

/** What threads do about an instruction: nothing, all meet before it, or the first thread does it for all agents, alone. */
export const MEETING = { none: 0, before: 1, alone: 2 } as const;

/** The thread that owns an agent. */
export function threadOf(agent: number, threads: number): number {
  return agent % threads;
}

/** One of MEETING for each instruction, prologue first. All threads meet at the end of prologue and frame as well. */
export function meetings({ program, bound }: CheckedProgram, threads: number): Uint8Array {
  const plan = new Uint8Array(bound.length);
  const { agents } = program.machine.parameters;
  let traffic = new Traffic(threads);
  const meet = (index: number, how: 1 | 2) => {
    plan[index] = how;
    traffic = new Traffic(threads);
  };
  bound.forEach((item, index) => {
    const { instruction, views } = item;
    if (index === program.prologue.length) traffic = new Traffic(threads);
    if (instruction.op === "reduce") meet(index, MEETING.alone);
    else if (instruction.op === "copy") {
      if (instruction.offsetY !== 0 || instruction.offsetX !== 0) meet(index, MEETING.alone);
    } else if (instruction.op === "load") {
      const tensor = program.tensors[views.dst.tensor];
      const range = { from: tensor.address, to: tensor.address + tensorBytes(tensor) };
      if (traffic.isWritten(range)) meet(index, MEETING.before);
      traffic.reads.push(range);
    } else if (instruction.op === "store") {
      const id = views.src.tensor;
      const tensor = program.tensors[id];
      const range = { from: tensor.address, to: tensor.address + tensorBytes(tensor) };
      const boxes = Array.from({ length: agents }, (_, agent) => agentWork(program, item, agent)?.box ?? null);
      const own = new Traffic(threads);
      // agents that write the same bytes do so in their order
      if (!own.addStore(id, range, boxes)) meet(index, MEETING.alone);
      else if (!traffic.addStore(id, range, boxes)) {
        meet(index, MEETING.before);
        traffic.addStore(id, range, boxes);
      }
    }
  });
  return plan;
}

/** Bytes of DRAM. */
interface Range {
  readonly from: number;
  readonly to: number;
}

const overlap = (a: Range, b: Range) => a.from < b.to && b.from < a.to;

const boxesMeet = (a: Box, b: Box) =>
  a.y0 < b.y1 && b.y0 < a.y1 && a.x0 < b.x1 && b.x0 < a.x1 && a.c0 < b.c1 && b.c0 < a.c1;

interface Stored extends Range {
  readonly tensor: number;
  /** By thread. */
  readonly boxes: readonly Box[][];
}

/** What has gone to and from DRAM since the threads last met. Whole tensors, but for what is stored to one tensor. */
class Traffic {
  readonly reads: Range[] = [];
  private readonly stores = new Map<number, Stored>();

  constructor(private readonly threads: number) {}

  isWritten(range: Range): boolean {
    return [...this.stores.values()].some((stored) => overlap(stored, range));
  }

  /** Adds what agents store to a tensor, unless that conflicts with other threads' traffic: then the answer is false. */
  addStore(tensor: number, range: Range, boxes: readonly (Box | null)[]): boolean {
    if (this.reads.some((read) => overlap(read, range))) return false;
    for (const other of this.stores.values()) if (other.tensor !== tensor && overlap(other, range)) return false;
    const stored = this.stores.get(tensor) ?? {
      tensor,
      ...range,
      boxes: Array.from({ length: this.threads }, (): Box[] => []),
    };
    for (const [agent, box] of boxes.entries()) {
      if (box === null) continue;
      const thread = threadOf(agent, this.threads);
      for (let t = 0; t < this.threads; t++) {
        if (t !== thread && stored.boxes[t].some((written) => boxesMeet(written, box))) return false;
      }
      stored.boxes[thread].push(box);
    }
    this.stores.set(tensor, stored);
    return true;
  }
}
