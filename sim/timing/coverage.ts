/** Which convolution outputs a frame has computed already: recomputed halos are executed, but not useful. */
import { agentWork, type BoundInstruction, type Box, type Context } from "../../isa/index.ts";

/** Pixels covered so far: by row, the ends of intervals of columns that do not touch, in ascending order. */
class Pixels {
  private readonly rows = new Map<number, number[]>();

  /** Covers a rectangle; returns how many of its pixels are new. */
  add({ y0, y1, x0, x1 }: Box): number {
    let added = 0;
    for (let y = y0; y < y1; y++) {
      const row = this.rows.get(y);
      if (row !== undefined) added += cover(row, x0, x1);
      else {
        this.rows.set(y, [x0, x1]);
        added += x1 - x0;
      }
    }
    return added;
  }
}

/** Adds x0..x1 to a row's intervals; returns how many of its columns are new. */
function cover(row: number[], x0: number, x1: number): number {
  let first = 0;
  while (first < row.length && row[first + 1] < x0) first += 2;
  if (row[first] <= x0 && x1 <= row[first + 1]) return 0;
  let end = first;
  let from = x0;
  let to = x1;
  let known = 0;
  for (; end < row.length && row[end] <= x1; end += 2) {
    known += Math.max(0, Math.min(row[end + 1], x1) - Math.max(row[end], x0));
    from = Math.min(from, row[end]);
    to = Math.max(to, row[end + 1]);
  }
  if (end === first + 2) {
    row[first] = from;
    row[first + 1] = to;
  } else row.splice(first, end - first, from, to);
  return x1 - x0 - known;
}

/**
 * What is summed into outputs: output tensor, weights, and the rows of weights. A convolution cut into chunks of input
 * channels or of kernel rows computes every output once per chunk.
 */
interface Sum {
  /** Channels at which boxes begin or end: between two of them all outputs are covered alike. */
  readonly cuts: Set<number>;
  /** What is covered between each of the cuts, in ascending order, and the next. */
  readonly covered: Pixels[];
}

/** One agent's share of a convolution. */
interface Part {
  readonly index: number;
  readonly sum: Sum;
  readonly box: Box;
  readonly macsPerOutput: number;
}

function partsOf(context: Context, bound: readonly BoundInstruction[], from: number, to: number): Part[] {
  const sums = new Map<string, Sum>();
  const parts: Part[] = [];
  for (let index = from; index < to; index++) {
    const { instruction, views } = bound[index];
    if (instruction.op !== "conv") continue;
    const key = `${instruction.tensor} ${views.weights.tensor} ${instruction.weightRow} ${instruction.cBegin}`;
    const sum = sums.get(key) ?? { cuts: new Set(), covered: [] };
    sums.set(key, sum);
    const macsPerOutput = instruction.kernelY * instruction.kernelX * instruction.cCount;
    for (let agent = 0; agent < context.machine.parameters.agents; agent++) {
      const share = agentWork(context, bound[index], agent);
      if (share === null) continue;
      sum.cuts.add(share.box.c0).add(share.box.c1);
      parts.push({ index, sum, box: share.box, macsPerOutput });
    }
  }
  return parts;
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
  const cuts = new Map<Sum, number[]>();
  for (const { index, sum, box, macsPerOutput } of parts) {
    let at = cuts.get(sum);
    if (at === undefined) {
      at = [...sum.cuts].sort((a, b) => a - b);
      cuts.set(sum, at);
    }
    for (let k = at.indexOf(box.c0); at[k] < box.c1; k++) {
      sum.covered[k] ??= new Pixels();
      macs[index] += macsPerOutput * (at[k + 1] - at[k]) * sum.covered[k].add(box);
    }
  }
  return macs;
}
