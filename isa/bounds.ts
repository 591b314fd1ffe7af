/** Whether what an instruction reads and writes lies in its views, its tensors and the memories: all that is to be known of most programs. */
import {
  Accesses,
  type BoundInstruction,
  type Context,
  clippingTensor,
  type MemorySpace,
  shareOf,
  visit,
} from "./effects.ts";
import {
  type Box,
  type Extents,
  endOfRuns,
  hasBox,
  isInside,
  isInTensor,
  moves,
  unclippedBox,
  type View,
  viewRuns,
} from "./geometry.ts";
import { type ProgramTensor, tensorBytes } from "./program.ts";
import type { InstructionOf } from "./table.ts";

export type MemoryBytes = Readonly<Record<MemorySpace, number>>;

class Bounded extends Accesses<number> {
  isWithin = true;
  protected readonly make = endOfRuns;

  constructor(
    context: Context,
    agent: number,
    tp: number,
    protected readonly sizes: MemoryBytes,
  ) {
    super(context, agent, tp);
  }

  protected add(space: MemorySpace, _agent: number, _tp: number, _write: boolean, end: number): void {
    if (end > this.sizes[space]) this.isWithin = false;
  }
}

/** Whether all that `effects` tells lies within memories of these sizes. @throws RapError as `effects` does */
export function isWithinMemory(context: Context, bound: BoundInstruction, agent: number, sizes: MemoryBytes): boolean {
  const out = new Bounded(context, agent, bound.instruction.tp, sizes);
  visit(out, context, bound, agent);
  return out.isWithin;
}

/** The accesses of one corner of an instruction's grid, with rows and columns that are not clipped: clipped ones lie within them. */
class Unclipped extends Bounded {
  constructor(
    context: Context,
    agent: number,
    tp: number,
    sizes: MemoryBytes,
    private readonly clip: Extents,
  ) {
    super(context, agent, tp, sizes);
  }

  override refuse(): void {
    this.isWithin = false;
  }

  override sram(view: View, field: string, box: Box): void {
    const { height, width, channels } = this.context.tensors[view.tensor];
    const { clip } = this;
    const fits = clip.height <= height && clip.width <= width && box.c0 >= 0 && box.c1 <= channels;
    this.touch(view, box, fits || field === "fill");
  }

  override constant(view: View, _field: string, box: Box): void {
    this.touch(view, box, isInTensor(box, this.context.tensors[view.tensor]));
  }

  override input(
    view: View,
    _field: string,
    window: { y0: number; y1: number; x0: number; x1: number },
    c0: number,
    c1: number,
  ): void {
    const { y0, y1, x0, x1 } = window;
    this.touch(view, { y0, y1, x0, x1, c0, c1 }, c0 >= 0 && c1 <= this.context.tensors[view.tensor].channels);
  }

  override dram(tensor: ProgramTensor): void {
    if (tensor.address + tensorBytes(tensor) > this.sizes.dram) this.isWithin = false;
  }

  private touch(view: View, box: Box, fits: boolean): void {
    if (!fits || !isInside(box, view.window) || viewRuns(view, box, endOfRuns) > this.sizes.sram) this.isWithin = false;
  }
}

/**
 * Whether every agent's share of an instruction is seen to be within memory. Along rows and columns, boxes and windows lie where they
 * do by the agent's place in the grid, each step as long as the one before; so do the distances between them: what holds at the corners
 * of the grid holds everywhere. True is always right; false: ask agent by agent.
 */
export function isWithinMemoryEverywhere(context: Context, bound: BoundInstruction, sizes: MemoryBytes): boolean {
  const { instruction, views } = bound;
  // a copy may end outside the grid
  if (!hasBox(instruction) || instruction.op === "view" || instruction.op === "copy") return false;
  const { gridY, gridX, tp } = instruction;
  if (moves(instruction.c) || !Object.values(views).every((view) => isInStep(view, gridX))) return false;
  const clip = clippingTensor(context, bound);
  for (const iy of gridY === 1 ? [0] : [0, gridY - 1]) {
    for (const ix of gridX === 1 ? [0] : [0, gridX - 1]) {
      const whole = unclippedBox(instruction, { iy, ix });
      const box = { ...whole, c0: Math.max(whole.c0, 0), c1: Math.min(whole.c1, clip.channels) };
      if (box.c0 >= box.c1) return true;
      const agent = iy * gridX + ix;
      const out = new Unclipped(context, agent, tp, sizes, clip);
      visit(out, context, bound, agent, shareOf(context, bound, agent, box, whole));
      if (!out.isWithin) return false;
    }
  }
  return true;
}

/** Whether a view's window stands still, or goes from agent to agent as a box on a grid of so many columns does. */
function isInStep({ y, x, c, gridX }: InstructionOf<"view">, columns: number): boolean {
  return gridX === columns || ![y, x, c].some(moves);
}
