/**
 * What each instruction reads and writes, agent by agent, byte by byte: the one source for bounds checks, race checks,
 * the compiler's dependencies and the memory counters.
 */
import { RapError } from "./errors.ts";
import {
  type Box,
  clipBox,
  copyTarget,
  dramRuns,
  gridPosition,
  hasBox,
  isInside,
  isInTensor,
  type OfRuns,
  type Region,
  region,
  resolveView,
  unclippedBox,
  type View,
  viewRuns,
} from "./geometry.ts";
import type { Machine } from "./machine.ts";
import { inDram, type ProgramTensor } from "./program.ts";
import { type Handlers, handlerOf, type Instruction, type InstructionOf, SCALAR_REGISTERS } from "./table.ts";

/** The memories of a chip. registers: scalar registers (bytes 0..31) and histogram registers (32..47) of an agent. */
export type MemorySpace = "dram" | "sram" | "accumulators" | "registers";

export interface Access {
  readonly space: MemorySpace;
  /** Agent the memory belongs to; 0 for DRAM. */
  readonly agent: number;
  /** Tensor processor, for accumulators; else 0. */
  readonly tp: number;
  readonly write: boolean;
  readonly region: Region;
}

export type BoundViews = { readonly [field: string]: InstructionOf<"view"> };

/** An instruction with the view registers it names already looked up. */
export interface BoundInstruction {
  readonly instruction: Instruction;
  readonly views: BoundViews;
}

/** Fields of an instruction that name view registers it reads. */
export const VIEW_FIELDS: Handlers<[], readonly string[]> = {
  halt: () => [],
  view: () => [],
  load: () => ["dst"],
  store: () => ["src"],
  conv: () => ["src", "weights"],
  shift: ({ source }) => (source === "view" ? ["src", "table", "dst"] : ["table", "dst"]),
  pool: () => ["src", "dst"],
  add: () => ["a", "b", "dst"],
  copy: () => ["src", "dst"],
  range: ({ source }) => (source === "view" ? ["src", "table"] : ["table"]),
  reduce: () => [],
  exponent: () => [],
  scalar: () => [],
  sync: () => [],
  fence: () => [],
};

/** Looks up the view registers of a stream; registers are unset at its start. @throws RapError naming the instruction */
export function bindViews(instructions: readonly Instruction[], nameOf: (index: number) => string): BoundInstruction[] {
  const registers: (InstructionOf<"view"> | undefined)[] = [];
  return instructions.map((instruction, index) => {
    const fields = handlerOf(VIEW_FIELDS, instruction)(instruction);
    const views: Record<string, InstructionOf<"view">> = {};
    for (const field of fields) {
      const number = (instruction as unknown as Record<string, number>)[field];
      const view = registers[number];
      if (view === undefined)
        throw new RapError(
          `${nameOf(index)}: ${field} = view register ${number}, which no earlier view instruction sets`,
        );
      views[field] = view;
    }
    if (instruction.op === "view") registers[instruction.view] = instruction;
    return { instruction, views };
  });
}

/** What `effects` and the simulator need to know of a program. */
export interface Context {
  readonly machine: Machine;
  readonly tensors: readonly ProgramTensor[];
}

/** One agent's share of an instruction with a box: the clipped box and the views as this agent sees them. */
export interface AgentWork {
  readonly box: Box;
  /** The box before clipping: addresses of accumulators follow from it. */
  readonly whole: Box;
  /** The view a field names, as this agent sees it, or as another one does. */
  readonly view: (field: string, agent?: number) => View;
}

/** Tensor that clips the instruction's box. */
export function clippingTensor(context: Context, bound: BoundInstruction): ProgramTensor {
  const { instruction, views } = bound;
  if ("tensor" in instruction) return context.tensors[instruction.tensor];
  const field = instruction.op === "load" ? "dst" : "src";
  return context.tensors[views[field].tensor];
}

/** The agent's share of an instruction, or null when it is clipped to nothing or the agent is outside the grid. */
export function agentWork(context: Context, bound: BoundInstruction, agent: number): AgentWork | null {
  const { instruction } = bound;
  if (!hasBox(instruction) || instruction.op === "view") return null;
  const at = gridPosition(instruction, agent);
  if (at === null) return null;
  const whole = unclippedBox(instruction, at);
  const box = clipBox(whole, clippingTensor(context, bound));
  return box === null ? null : shareOf(context, bound, agent, box, whole);
}

export function shareOf(context: Context, { views }: BoundInstruction, agent: number, box: Box, whole: Box): AgentWork {
  return { box, whole, view: (field, of = agent) => viewOf(context, views[field], of) };
}

/** A view as an agent sees it; outside the view's own grid, as the grid's last row continued. */
function viewOf(context: Context, view: InstructionOf<"view">, agent: number): View {
  const at = { iy: Math.floor(agent / view.gridX), ix: agent % view.gridX };
  return resolveView(view, context.tensors[view.tensor].format, at);
}

/** The window of input a convolution or pooling box reads, before clipping to the input tensor. */
export function inputWindow(
  op: {
    kernelY: number;
    kernelX: number;
    strideY: number;
    strideX: number;
    padTop: number;
    padLeft: number;
    dilationY?: number;
    dilationX?: number;
  },
  box: Box,
): { y0: number; y1: number; x0: number; x1: number } {
  const y0 = box.y0 * op.strideY - op.padTop;
  const x0 = box.x0 * op.strideX - op.padLeft;
  return {
    y0,
    y1: (box.y1 - 1) * op.strideY - op.padTop + (op.kernelY - 1) * (op.dilationY ?? 1) + 1,
    x0,
    x1: (box.x1 - 1) * op.strideX - op.padLeft + (op.kernelX - 1) * (op.dilationX ?? 1) + 1,
  };
}

/** Input channels, first to last needed, of a convolution's output channels c0..c1. */
export function inputChannels(conv: InstructionOf<"conv">, c0: number, c1: number): { c0: number; c1: number } {
  const first = Math.floor(c0 / conv.groupOut) * conv.groupIn + conv.cBegin;
  const last = Math.floor((c1 - 1) / conv.groupOut) * conv.groupIn + conv.cBegin;
  return { c0: first, c1: last + conv.cCount };
}

/** Where an instruction finds its accumulators: conv, shift and range have these fields, range all of them. */
interface AccumulatorOperand {
  readonly accRow: number;
  readonly accHeight?: number;
  readonly accWidth?: number;
}

/** Rows and columns of the accumulator tile an instruction's box lies in: its own, unless it says that it is a part. */
export function accumulatorTile(
  { whole }: AgentWork,
  { accHeight = 0, accWidth = 0 }: AccumulatorOperand,
): { height: number; width: number } {
  return { height: accHeight || whole.y1 - whole.y0, width: accWidth || whole.x1 - whole.x0 };
}

/** Accumulator bytes of a tile: [block][row][column][array.cols] int32. */
export function accumulatorRegion(context: Context, instruction: AccumulatorOperand, work: AgentWork): Region {
  return accumulatorRuns(context, instruction, work, region);
}

function accumulatorRuns<T>(context: Context, instruction: AccumulatorOperand, work: AgentWork, make: OfRuns<T>): T {
  const cols = context.machine.parameters["array.cols"];
  const rowBytes = cols * 4;
  const { box, whole } = work;
  const { accRow } = instruction;
  const { height, width } = accumulatorTile(work, instruction);
  const firstBlock = Math.floor((box.c0 - whole.c0) / cols);
  const blocks = Math.ceil((box.c1 - whole.c0) / cols) - firstBlock;
  const base = (accRow + (firstBlock * height + (box.y0 - whole.y0)) * width + (box.x0 - whole.x0)) * rowBytes;
  return make(base, blocks, height * width * rowBytes, box.y1 - box.y0, width * rowBytes, (box.x1 - box.x0) * rowBytes);
}

/** The part of an unclipped load box that gets the fill value: the box within the view's window. */
export function fillBox(work: AgentWork): Box {
  const { window } = work.view("dst");
  const { whole } = work;
  return {
    y0: Math.max(whole.y0, window.y0),
    y1: Math.min(whole.y1, window.y1),
    x0: Math.max(whole.x0, window.x0),
    x1: Math.min(whole.x1, window.x1),
    c0: Math.max(whole.c0, window.c0),
    c1: Math.min(whole.c1, window.c1),
  };
}

/** Box of the destination: channels moved by the instruction's channel offset. */
export function shiftChannels(box: Box, offset: number): Box {
  const { y0, y1, x0, x1 } = box;
  return { y0, y1, x0, x1, c0: box.c0 + offset, c1: box.c1 + offset };
}

/** Goes through an instruction's accesses for one agent. T: what is made of the bytes of each. */
export abstract class Accesses<T> {
  constructor(
    protected readonly context: Context,
    private readonly agent: number,
    private readonly tp: number,
  ) {}

  protected abstract readonly make: OfRuns<T>;
  protected abstract add(space: MemorySpace, agent: number, tp: number, write: boolean, made: T): void;

  /** A rule is broken. @throws RapError */
  refuse(message: string): void {
    throw new RapError(message);
  }

  sram(view: View, field: string, box: Box, write: boolean, agent = this.agent): void {
    const tensor = this.context.tensors[view.tensor];
    if (!isInside(box, view.window)) {
      throw new RapError(
        `${field}: box ${boxText(box)} of tensor '${tensor.name}' is outside its view ${boxText(view.window)}`,
      );
    }
    if (!isInTensor(box, tensor) && field !== "fill") {
      throw new RapError(
        `${field}: box ${boxText(box)} is outside tensor '${tensor.name}' [${tensor.height}, ${tensor.width}, ${tensor.channels}]`,
      );
    }
    this.add("sram", agent, 0, write, viewRuns(view, box, this.make));
  }

  dram(tensor: ProgramTensor, box: Box, write: boolean): void {
    this.add("dram", 0, 0, write, dramRuns(inDram(tensor), box, this.make));
  }

  accumulators(
    instruction: InstructionOf<"conv"> | InstructionOf<"shift"> | InstructionOf<"range">,
    work: AgentWork,
    write: boolean,
  ): void {
    const made = accumulatorRuns(this.context, instruction, work, this.make);
    this.add("accumulators", this.agent, this.tp, write, made);
  }

  scalarRegister(register: number, write: boolean): void {
    if (register !== 0) this.register(register, write);
  }

  histogram(register: number, write: boolean): void {
    this.register(SCALAR_REGISTERS + register, write);
  }

  private register(at: number, write: boolean): void {
    this.add("registers", this.agent, 0, write, this.make(at, 1, 0, 1, 0, 1));
  }

  /** The input tile of a convolution or pooling: the window clipped to the tensor. Nothing when all of it is padding. */
  input(
    view: View,
    field: string,
    window: { y0: number; y1: number; x0: number; x1: number },
    c0: number,
    c1: number,
  ): void {
    const tensor = this.context.tensors[view.tensor];
    if (c1 > tensor.channels) {
      throw new RapError(`${field}: channels ${c0}..${c1} of tensor '${tensor.name}', which has ${tensor.channels}`);
    }
    const box = clipBox({ y0: window.y0, y1: window.y1, x0: window.x0, x1: window.x1, c0, c1 }, tensor);
    if (box !== null) this.sram(view, field, box, false);
  }

  /** Weights, or a table: which of it follows from the channels of the instruction's box alone. */
  constant(view: View, field: string, box: Box): void {
    this.sram(view, field, box, false);
  }
}

/** All of them, for `effects`. */
class Collected extends Accesses<Region> {
  readonly list: Access[] = [];
  protected readonly make = region;

  protected add(space: MemorySpace, agent: number, tp: number, write: boolean, made: Region): void {
    this.list.push({ space, agent, tp, write, region: made });
  }
}

function boxText(box: Box): string {
  return `[${box.y0}:${box.y1}, ${box.x0}:${box.x1}, ${box.c0}:${box.c1}]`;
}

/** Where a shift or range instruction takes its int32 values. */
function int32Source(
  out: Accesses<unknown>,
  instruction: InstructionOf<"shift"> | InstructionOf<"range">,
  work: AgentWork,
): void {
  if (instruction.source === "accumulators") out.accumulators(instruction, work, false);
  else out.sram(work.view("src"), "src", work.box, false);
}

type BoxedOp = "load" | "store" | "conv" | "shift" | "pool" | "add" | "copy" | "range";
type BoxedHandlers = {
  readonly [O in BoxedOp]: (
    out: Accesses<unknown>,
    instruction: InstructionOf<O>,
    work: AgentWork,
    context: Context,
    agent: number,
  ) => void;
};

const BOXED: BoxedHandlers = {
  load: (out, instruction, work, context) => {
    const view = work.view("dst");
    out.dram(context.tensors[view.tensor], work.box, false);
    if (instruction.fill) out.sram(view, "fill", fillBox(work), true);
    out.sram(view, "dst", work.box, true);
  },
  store: (out, _, work, context) => {
    const view = work.view("src");
    out.sram(view, "src", work.box, false);
    out.dram(context.tensors[view.tensor], work.box, true);
  },
  conv: (out, instruction, work, context) => {
    const { box, whole } = work;
    const cols = context.machine.parameters["array.cols"];
    if (whole.c0 < 0 || whole.c0 % cols !== 0) {
      out.refuse(`c: the box starts at output channel ${whole.c0}, not a multiple of array.cols = ${cols}`);
    }
    const channels = inputChannels(instruction, box.c0, box.c1);
    out.input(work.view("src"), "src", inputWindow(instruction, box), channels.c0, channels.c1);
    out.constant(work.view("weights"), "weights", weightBox(instruction, box, cols));
    if (instruction.add) out.accumulators(instruction, work, false);
    out.accumulators(instruction, work, true);
  },
  shift: (out, instruction, work) => {
    int32Source(out, instruction, work);
    out.constant(work.view("table"), "table", tableBox(work.box));
    out.scalarRegister(instruction.exponentIn, false);
    out.scalarRegister(instruction.exponentOut, false);
    out.sram(work.view("dst"), "dst", shiftChannels(work.box, instruction.channelOffset), true);
  },
  pool: (out, instruction, work, context) => {
    const view = work.view("src");
    checkPoolWindows(out, instruction, work.box, context.tensors[view.tensor]);
    out.input(view, "src", inputWindow(instruction, work.box), work.box.c0, work.box.c1);
    out.sram(work.view("dst"), "dst", shiftChannels(work.box, instruction.channelOffset), true);
  },
  add: (out, instruction, work) => {
    out.sram(work.view("a"), "a", work.box, false);
    out.sram(work.view("b"), "b", work.box, false);
    for (const register of [instruction.registerA, instruction.registerB, instruction.registerOut])
      out.scalarRegister(register, false);
    out.sram(work.view("dst"), "dst", shiftChannels(work.box, instruction.channelOffset), true);
  },
  copy: (out, instruction, work, _, agent) => {
    const target = copyTarget(instruction, agent);
    if (target === null) return;
    out.sram(work.view("src"), "src", work.box, false);
    out.scalarRegister(instruction.exponentIn, false);
    out.scalarRegister(instruction.exponentOut, false);
    out.sram(work.view("dst", target), "dst", shiftChannels(work.box, instruction.channelOffset), true, target);
  },
  range: (out, instruction, work) => {
    int32Source(out, instruction, work);
    out.constant(work.view("table"), "table", tableBox(work.box));
    out.scalarRegister(instruction.exponentIn, false);
    out.histogram(instruction.histogram, true);
  },
};

/** Every pooling window must hold an element of the tensor; the first and the last decide. */
function checkPoolWindows(out: Accesses<unknown>, pool: InstructionOf<"pool">, box: Box, tensor: ProgramTensor): void {
  const first = inputWindow(pool, { ...box, y1: box.y0 + 1, x1: box.x0 + 1 });
  const last = inputWindow(pool, { ...box, y0: box.y1 - 1, x0: box.x1 - 1 });
  if (first.y1 <= 0 || first.x1 <= 0 || last.y0 >= tensor.height || last.x0 >= tensor.width) {
    out.refuse(
      `box ${boxText(box)}: a pooling window lies wholly outside tensor '${tensor.name}' [${tensor.height}, ${tensor.width}, ${tensor.channels}]`,
    );
  }
}

const boxed =
  <O extends BoxedOp>(op: O) =>
  (instruction: InstructionOf<O>, out: Accesses<unknown>, work: AgentWork | null, context: Context, agent: number) => {
    if (work !== null) BOXED[op](out, instruction, work, context, agent);
  };

const EFFECTS: Handlers<[Accesses<unknown>, AgentWork | null, Context, number], void> = {
  halt: () => {},
  view: () => {},
  sync: () => {},
  fence: () => {},
  load: boxed("load"),
  store: boxed("store"),
  conv: boxed("conv"),
  shift: boxed("shift"),
  pool: boxed("pool"),
  add: boxed("add"),
  copy: boxed("copy"),
  range: boxed("range"),
  reduce: (instruction, out) => out.histogram(instruction.histogram, true),
  exponent: (instruction, out, _work, _context, agent) => {
    if (gridPosition(instruction, agent) === null) return;
    out.histogram(instruction.histogram, true);
    out.scalarRegister(instruction.dst, true);
  },
  scalar: (instruction, out, _work, _context, agent) => {
    if (gridPosition(instruction, agent) === null) return;
    out.scalarRegister(instruction.a, false);
    out.scalarRegister(instruction.b, false);
    out.scalarRegister(instruction.dst, true);
  },
};

/** Entries of a shift table that a box's channels take: the box in the table's tensor [1, channels, 4]. */
const tableBox = ({ c0, c1 }: Box): Box => ({ y0: 0, y1: 1, x0: c0, x1: c1, c0: 0, c1: 4 });

/** Weight rows a convolution box reads: the box in the weight tensor [block, row, column in block]. */
export function weightBox(conv: InstructionOf<"conv">, box: Box, cols: number): Box {
  const rows = conv.kernelY * conv.kernelX * conv.cCount;
  return {
    y0: Math.floor(box.c0 / cols),
    y1: Math.ceil(box.c1 / cols),
    x0: conv.weightRow,
    x1: conv.weightRow + rows,
    c0: 0,
    c1: cols,
  };
}

/**
 * Everything one agent's share of an instruction reads and writes (a multicast load: what this agent receives).
 * @throws RapError when it leaves its view or its tensor; the caller names the instruction
 */
export function effects(context: Context, bound: BoundInstruction, agent: number): readonly Access[] {
  const out = new Collected(context, agent, bound.instruction.tp);
  visit(out, context, bound, agent);
  return out.list;
}

/** Tells `out` the accesses of one agent. @param work the agent's share */
export function visit(
  out: Accesses<unknown>,
  context: Context,
  bound: BoundInstruction,
  agent: number,
  work: AgentWork | null = agentWork(context, bound, agent),
): void {
  const { instruction } = bound;
  handlerOf(EFFECTS, instruction)(instruction, out, work, context, agent);
}
