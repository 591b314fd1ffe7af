import { type CheckedProgram, nameInstruction, RapError } from "../../isa/index.ts";
import { Order, type OrderOptions, PROLOGUE } from "./order.ts";

/** One agent's share of an instruction. frame: 0 when left out, and -1 for the prologue, whose instructions need none. */
export interface EventPoint {
  readonly index: number;
  readonly agent: number;
  readonly frame?: number;
}

/** Which instruction certainly ends before which one starts, whatever the timing. */
export interface ProgramOrder {
  /** @throws RapError for instructions that run at issue, and for agents and frames that do not exist */
  readonly happensBefore: (a: EventPoint, b: EventPoint) => boolean;
}

/**
 * Happens-before between all instructions of a program, over one frame or several. Keeps a clock per instruction and
 * agent, so it is meant for tests and tools that ask about single pairs.
 */
export function analyseOrder(checked: CheckedProgram, options: OrderOptions = {}): ProgramOrder {
  const order = new Order(checked, options);
  const starts = new Map<string, { readonly thread: number; readonly epoch: number; readonly clock: Int32Array }>();
  order.walk(({ index, frame, agent, thread, epoch, clock }) => {
    starts.set(`${frame},${index},${agent}`, { thread, epoch, clock: clock.slice() });
  });
  const { program } = checked;
  const startOf = ({ index, agent, frame = 0 }: EventPoint) => {
    const inFrame = index < program.prologue.length ? PROLOGUE : frame;
    const start = starts.get(`${inFrame},${index},${agent}`);
    if (start === undefined) {
      throw new RapError(`${nameInstruction(program, index)}, agent ${agent}, frame ${inFrame}: runs in no unit there`);
    }
    return start;
  };
  return {
    happensBefore: (a, b) => {
      const { thread, epoch } = startOf(a);
      return startOf(b).clock[thread] >= epoch;
    },
  };
}
