/** Exponents are chosen tensor by tensor; here they are made to fit the shifts between them. */
import { ADD_SHIFT_MAX, type Format, SHIFT_MAX, SHIFT_MIN } from "../../isa/index.ts";
import type { SimpleGraph } from "../passes/index.ts";
import { channelWeights } from "./conv.ts";
import { bestExponent } from "./exponents.ts";

/**
 * Lowers exponents (of classes, in place) until every shift is encodable: a convolution's output is at most 8 bits finer than its
 * accumulator, operands of an addition differ by at most 16 bits. Only lowers, so it ends; in ordinary networks nothing changes.
 */
export function fitShifts(
  graph: SimpleGraph,
  exponents: Map<string, number>,
  classOf: (name: string) => string,
  formats: ReadonlyMap<string, Format>,
): void {
  const get = (name: string) => exponents.get(classOf(name))!;
  let changed = true;
  const cap = (name: string, limit: number) => {
    if (get(name) <= limit) return;
    exponents.set(classOf(name), limit);
    changed = true;
  };
  const coarsestWeights = new Map(graph.nodes.map((node) => [node.name, node.op === "conv" ? coarsest(node) : 0]));
  while (changed) {
    changed = false;
    for (const { op, name, inputs, output } of graph.nodes) {
      if (op === "conv" && formats.get(output) !== "i32")
        cap(output, coarsestWeights.get(name)! + get(inputs[0]) - SHIFT_MIN);
      if (op !== "add") continue;
      const coarser = Math.min(get(inputs[0]), get(inputs[1]));
      for (const input of inputs) cap(input, Math.min(coarser + ADD_SHIFT_MAX, get(output) + SHIFT_MAX));
      cap(output, Math.max(get(inputs[0]), get(inputs[1])) - SHIFT_MIN);
    }
  }
}

/** The lowest weight exponent of a convolution's output channels. */
function coarsest(node: Parameters<typeof channelWeights>[0]): number {
  let least = Infinity;
  for (let k = 0; k < node.bias.length; k++) least = Math.min(least, bestExponent(channelWeights(node, k), "i8"));
  return least;
}
