/** Which convolution outputs a frame has computed already: recomputed halos are executed, but not useful. */
import {
  agentWork,
  type BoundInstruction,
  type Box,
  boxVolume,
  type Context,
  type InstructionOf,
} from "../../isa/index.ts";

/** What is left of `box` without `hole`, which it meets, as boxes that do not overlap. */
function without(box: Box, hole: Box): Box[] {
  const rest: Box[] = [];
  let { y0, y1, x0, x1, c0, c1 } = box;
  if (y0 < hole.y0) rest.push({ ...box, y1: hole.y0 });
  if (y1 > hole.y1) rest.push({ ...box, y0: hole.y1 });
  y0 = Math.max(y0, hole.y0);
  y1 = Math.min(y1, hole.y1);
  if (x0 < hole.x0) rest.push({ y0, y1, x0, x1: hole.x0, c0, c1 });
  if (x1 > hole.x1) rest.push({ y0, y1, x0: hole.x1, x1, c0, c1 });
  x0 = Math.max(x0, hole.x0);
  x1 = Math.min(x1, hole.x1);
  if (c0 < hole.c0) rest.push({ y0, y1, x0, x1, c0, c1: hole.c0 });
  if (c1 > hole.c1) rest.push({ y0, y1, x0, x1, c0: hole.c1, c1 });
  return rest;
}

function meet(a: Box, b: Box): boolean {
  return a.y0 < b.y1 && b.y0 < a.y1 && a.x0 < b.x1 && b.x0 < a.x1 && a.c0 < b.c1 && b.c0 < a.c1;
}

/** Boxes that do not overlap. */
class BoxSet {
  private readonly boxes: Box[] = [];

  /** Adds a box; returns how many of its elements are new. */
  add(box: Box): number {
    let rest = [box];
    for (const covered of this.boxes) {
      if (!meet(covered, box)) continue;
      rest = rest.flatMap((part) => (meet(covered, part) ? without(part, covered) : [part]));
      if (rest.length === 0) return 0;
    }
    this.boxes.push(...rest);
    return rest.reduce((sum, part) => sum + boxVolume(part), 0);
  }
}

/**
 * Outputs by what is summed into them: output tensor, weights, and the rows of weights. A convolution cut into chunks of input
 * channels or of kernel rows computes every output once per chunk.
 */
export class Coverage {
  private readonly sets = new Map<string, BoxSet>();

  constructor(private readonly context: Context) {}

  /** Adds an agent's share; returns the MACs of its outputs that are new. */
  add(bound: BoundInstruction, conv: InstructionOf<"conv">, agent: number): number {
    const share = agentWork(this.context, bound, agent);
    if (share === null) return 0;
    const cols = this.context.machine.parameters["array.cols"];
    const { box } = share;
    const sum = `${conv.tensor} ${bound.views.weights.tensor} ${conv.weightRow} ${conv.cBegin}`;
    let outputs = 0;
    // one set per block of output channels keeps the sets small
    for (let c0 = box.c0; c0 < box.c1; c0 += cols) {
      const key = `${sum} ${c0}`;
      const set = this.sets.get(key) ?? new BoxSet();
      this.sets.set(key, set);
      outputs += set.add({ ...box, c0, c1: Math.min(c0 + cols, box.c1) });
    }
    return outputs * conv.kernelY * conv.kernelX * conv.cCount;
  }
}
