/** Which convolution outputs a frame has computed already: recomputed halos are executed, but not useful. */
import { agentWork, type BoundInstruction, type Box, type Context } from "../../isa/index.ts";

interface Rectangle {
  readonly y0: number;
  readonly y1: number;
  readonly x0: number;
  readonly x1: number;
}

/** What is left of `area` without `hole`, which it meets, as rectangles that do not overlap. */
function without({ y0, y1, x0, x1 }: Rectangle, hole: Rectangle): Rectangle[] {
  const rest: Rectangle[] = [];
  if (y0 < hole.y0) rest.push({ y0, y1: hole.y0, x0, x1 });
  if (y1 > hole.y1) rest.push({ y0: hole.y1, y1, x0, x1 });
  const [top, bottom] = [Math.max(y0, hole.y0), Math.min(y1, hole.y1)];
  if (x0 < hole.x0) rest.push({ y0: top, y1: bottom, x0, x1: hole.x0 });
  if (x1 > hole.x1) rest.push({ y0: top, y1: bottom, x0: hole.x1, x1 });
  return rest;
}

function meet(a: Rectangle, b: Rectangle): boolean {
  return a.y0 < b.y1 && b.y0 < a.y1 && a.x0 < b.x1 && b.x0 < a.x1;
}

/** Pixels covered so far, as rectangles that do not overlap. */
class Pixels {
  private readonly covered: Rectangle[] = [];

  /** Covers a rectangle; returns how many of its pixels are new. */
  add(area: Rectangle): number {
    let rest = [area];
    for (const known of this.covered) {
      if (!meet(known, area)) continue;
      rest = rest.flatMap((part) => (meet(known, part) ? without(part, known) : [part]));
      if (rest.length === 0) return 0;
    }
    this.covered.push(...rest);
    return rest.reduce((sum, { y0, y1, x0, x1 }) => sum + (y1 - y0) * (x1 - x0), 0);
  }
}

/** One agent's share of a convolution. */
interface Part {
  readonly index: number;
  /**
   * What is summed into the outputs: output tensor, weights, and the rows of weights. A convolution cut into chunks of input
   * channels or of kernel rows computes every output once per chunk.
   */
  readonly sum: string;
  readonly box: Box;
  readonly macsPerOutput: number;
}

function partsOf(context: Context, bound: readonly BoundInstruction[], from: number, to: number): Part[] {
  const parts: Part[] = [];
  for (let index = from; index < to; index++) {
    const { instruction, views } = bound[index];
    if (instruction.op !== "conv") continue;
    const sum = `${instruction.tensor} ${views.weights.tensor} ${instruction.weightRow} ${instruction.cBegin}`;
    const macsPerOutput = instruction.kernelY * instruction.kernelX * instruction.cCount;
    for (let agent = 0; agent < context.machine.parameters.agents; agent++) {
      const share = agentWork(context, bound[index], agent);
      if (share !== null) parts.push({ index, sum, box: share.box, macsPerOutput });
    }
  }
  return parts;
}

/** Channels at which boxes of a sum begin or end: between two of them all outputs are covered alike. */
function channelCuts(parts: readonly Part[]): Map<string, number[]> {
  const cuts = new Map<string, Set<number>>();
  for (const { sum, box } of parts) {
    const at = cuts.get(sum) ?? new Set();
    cuts.set(sum, at.add(box.c0).add(box.c1));
  }
  return new Map([...cuts].map(([sum, at]) => [sum, [...at].sort((a, b) => a - b)]));
}

/**
 * MACs of outputs computed for the first time, by instruction, over all agents, in the order of the stream and of the agents.
 * The stream is `bound` from `from` up to `to`.
 */
export function usefulMacs(
  context: Context,
  bound: readonly BoundInstruction[],
  from: number,
  to: number,
): Float64Array {
  const macs = new Float64Array(bound.length);
  const parts = partsOf(context, bound, from, to);
  const cuts = channelCuts(parts);
  const sets = new Map<string, Pixels>();
  for (const { index, sum, box, macsPerOutput } of parts) {
    const at = cuts.get(sum)!;
    for (let k = at.indexOf(box.c0); at[k] < box.c1; k++) {
      const key = `${sum} ${at[k]}`;
      const set = sets.get(key) ?? new Pixels();
      sets.set(key, set);
      macs[index] += macsPerOutput * (at[k + 1] - at[k]) * set.add(box);
    }
  }
  return macs;
}
