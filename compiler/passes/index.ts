/** The passes that turn a float graph into convolutions, pools, adds and concats. The graph is verified after each. */
import { RapError } from "../../isa/index.ts";
import { type AddNode, type ConcatNode, type ConvNode, type FloatGraph, type PoolNode, verifyGraph } from "../graph.ts";
import { foldBatchNorms } from "./fold-batch-norms.ts";
import { fuseActivations } from "./fuse-activations.ts";
import { gemmToConv } from "./gemm-to-conv.ts";
import { removeIdentities, removeSoftmax, removeUnused } from "./remove.ts";

export interface Pass {
  readonly name: string;
  readonly what: string;
  readonly run: (graph: FloatGraph) => FloatGraph;
}

export const PASSES: readonly Pass[] = [
  { name: "remove-unused", what: "nodes no output depends on go", run: removeUnused },
  { name: "remove-identities", what: "Identity, Dropout and reshapes that change nothing go", run: removeIdentities },
  { name: "remove-softmax", what: "the final Softmax becomes host work", run: removeSoftmax },
  {
    name: "gemm-to-conv",
    what: "Flatten and Gemm become a convolution with a kernel as large as its input",
    run: gemmToConv,
  },
  {
    name: "fold-batch-norms",
    what: "BatchNormalization goes into the convolution before it, or becomes a depthwise one",
    run: foldBatchNorms,
  },
  {
    name: "fuse-activations",
    what: "activations go into the convolution or addition before them",
    run: fuseActivations,
  },
];

export type SimpleNode = ConvNode | PoolNode | AddNode | ConcatNode;

/** A graph of the four operators the accelerator has. */
export interface SimpleGraph extends FloatGraph {
  readonly nodes: readonly SimpleNode[];
}

/** Runs all passes. @throws RapError naming graph and node where a pattern is not supported */
export function simplify(graph: FloatGraph): SimpleGraph {
  let current = graph;
  for (const pass of PASSES) {
    try {
      current = pass.run(current);
    } catch (error) {
      if (error instanceof RapError) throw new RapError(`${graph.source.name}: ${error.message}`, { cause: error });
      throw error;
    }
    verifyGraph(current);
  }
  const nodes = current.nodes.map((node) => {
    if (node.op === "conv" || node.op === "pool" || node.op === "add" || node.op === "concat") return node;
    throw new Error(`pass list incomplete: ${node.op} left`);
  });
  return { ...current, nodes };
}
