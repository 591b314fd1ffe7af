/** Passes that only take nodes away. */
import { RapError } from "../../isa/index.ts";
import { type FloatGraph, type FNode, withNodes } from "../graph.ts";

/** Drops nodes that no output depends on. */
export function removeUnused(graph: FloatGraph): FloatGraph {
  const needed = new Set(graph.outputs);
  const nodes = graph.nodes
    .toReversed()
    .filter((node) => {
      if (!needed.has(node.output)) return false;
      for (const name of node.inputs) needed.add(name);
      return true;
    })
    .reverse();
  return withNodes(graph, nodes);
}

export function removeIdentities(graph: FloatGraph): FloatGraph {
  return removeNodes(graph, (node) => node.op === "identity");
}

/** The head says softmax, so the host does it. @throws RapError for a softmax anywhere else */
export function removeSoftmax(graph: FloatGraph): FloatGraph {
  const read = new Set(graph.nodes.flatMap((node) => node.inputs));
  return removeNodes(graph, (node) => {
    if (node.op !== "softmax") return false;
    const { head } = graph;
    const atEnd = graph.outputs.includes(node.output) && !read.has(node.output);
    if (!atEnd || head?.kind !== "classes" || head.tensor !== node.output || !head.softmax) {
      throw new RapError(
        `${node.name}: softmax in the middle of the network; the accelerator has none, only the host applies it to class scores at the end`,
      );
    }
    return true;
  });
}

/** Removes one-input nodes; their input takes their place, and their name where they were an output of the network. */
export function removeNodes(graph: FloatGraph, goes: (node: FNode) => boolean): FloatGraph {
  const standsFor = new Map<string, string>();
  const resolve = (name: string) => standsFor.get(name) ?? name;
  const kept: FNode[] = [];
  for (const node of graph.nodes) {
    if (goes(node)) standsFor.set(node.output, resolve(node.inputs[0]));
    else kept.push(withInputs(node, resolve));
  }
  const outputName = new Map<string, string>();
  for (const output of graph.outputs) {
    const tensor = resolve(output);
    if (tensor === output) continue;
    if (tensor === graph.input || graph.outputs.includes(tensor) || outputName.has(tensor)) {
      throw new RapError(`output '${output}': a copy of '${tensor}'; an output must be computed, and only once`);
    }
    outputName.set(tensor, output);
  }
  const rename = (name: string) => outputName.get(name) ?? name;
  const nodes = kept.map((node) => ({ ...withInputs(node, rename), output: rename(node.output) }) as FNode);
  return withNodes(graph, nodes);
}

function withInputs(node: FNode, rename: (name: string) => string): FNode {
  return { ...node, inputs: node.inputs.map(rename) };
}
