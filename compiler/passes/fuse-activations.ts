/** The shift unit behind a convolution clamps and bends for free; an addition clamps. */
import { type Activation, type FloatGraph, isLinear, withNodes } from "../graph.ts";
import { depthwise } from "./fold-batch-norms.ts";
import { mergeIntoProducers } from "./producers.ts";

export function fuseActivations(graph: FloatGraph): FloatGraph {
  const nodes = mergeIntoProducers(graph, (node, producer) => {
    if (node.op !== "activation") return { kept: node };
    if (producer?.op === "conv" || producer?.op === "add") {
      const both = compose(producer.activation, node.activation);
      // an addition has no slope
      if (both !== null && (producer.op === "conv" || both.slope === 1))
        return { merged: { ...producer, output: node.output, activation: both } };
    }
    // nothing to fuse with: a convolution by 1, which is exact
    const { channels } = graph.tensors.get(node.output)!;
    const one = depthwise(
      node.name,
      node.inputs[0],
      node.output,
      new Float32Array(channels).fill(1),
      new Float32Array(channels),
    );
    return { kept: { ...one, activation: node.activation } };
  });
  return withNodes(graph, nodes);
}

/** One activation that does first `a`, then `b`; null when none does. */
export function compose(a: Activation, b: Activation): Activation | null {
  if (isLinear(a)) return b;
  // b's slope has nothing to bend where a leaves no negative value
  if (b.slope !== 1 && a.low < 0) return null;
  const clamp = (value: number) => Math.min(Math.max(value, b.low), b.high);
  return { low: clamp(a.low), high: clamp(a.high), slope: a.slope };
}
