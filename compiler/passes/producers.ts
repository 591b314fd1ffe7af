/** Rewriting a producer together with its only consumer. */
import type { FloatGraph, FNode } from "../graph.ts";

/**
 * Goes over the nodes in order; `rewrite` sees each with the node that writes its first input, or undefined when
 * that tensor is also read elsewhere (or is an output), so that the producer must stay as it is.
 * It returns one node for both (`merged`: takes the producer's place), or a node instead of its own.
 */
export function mergeIntoProducers(
  graph: FloatGraph,
  rewrite: (node: FNode, producer: FNode | undefined) => { readonly merged: FNode } | { readonly kept: FNode },
): FNode[] {
  const uses = new Map<string, number>();
  for (const name of [...graph.outputs, ...graph.nodes.flatMap((node) => node.inputs)])
    uses.set(name, (uses.get(name) ?? 0) + 1);
  const nodes: FNode[] = [];
  const writtenAt = new Map<string, number>();
  for (const node of graph.nodes) {
    const at = writtenAt.get(node.inputs[0]);
    const result = rewrite(node, at !== undefined && uses.get(node.inputs[0]) === 1 ? nodes[at] : undefined);
    if ("merged" in result) {
      nodes[at!] = result.merged;
      writtenAt.set(result.merged.output, at!);
    } else {
      writtenAt.set(result.kept.output, nodes.length);
      nodes.push(result.kept);
    }
  }
  return nodes;
}
