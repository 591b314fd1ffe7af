/** i8, u8 or i32 for every tensor. */
import { FORMAT_BYTES, type Format, MAX_DRAM_BYTES, RapError } from "../../isa/index.ts";
import { countWeights, elements, isLinear } from "../graph.ts";
import type { SimpleGraph } from "../passes/index.ts";
import { formatClasses } from "./classes.ts";

export interface FormatOptions {
  /** u8: tensors without negative values, as far as what shares their format has none either. */
  readonly activations: "i8" | "u8";
  /** i32: an output that a convolution writes keeps its accumulators. */
  readonly head: "i8" | "i32";
}

/** Outputs that a convolution writes and nothing reads: their channels may have exponents of their own. */
export function rawOutputs(graph: SimpleGraph): string[] {
  const read = new Set(graph.nodes.flatMap((node) => node.inputs));
  return graph.nodes
    .filter(({ op, output }) => op === "conv" && graph.outputs.includes(output) && !read.has(output))
    .map(({ output }) => output);
}

export function chooseFormats(graph: SimpleGraph, options: FormatOptions): Map<string, Format> {
  const classes = formatClasses(graph);
  const nonNegative = nonNegativeTensors(graph);
  const signed = new Set<string>();
  for (const name of graph.tensors.keys()) if (!nonNegative.has(name)) signed.add(classes.of(name));
  const formats = new Map<string, Format>();
  for (const name of graph.tensors.keys())
    formats.set(name, options.activations === "u8" && !signed.has(classes.of(name)) ? "u8" : "i8");
  if (options.head === "i8") return formats;
  for (const name of rawOutputs(graph)) {
    const writer = graph.nodes.find(({ output }) => output === name)!;
    // accumulators come before the activation, so there must be none
    if (writer.op === "conv" && isLinear(writer.activation)) formats.set(name, "i32");
  }
  return formats;
}

/**
 * What every program has in DRAM, whatever its schedule: the network's input, its weights and its outputs.
 * @throws RapError when these alone are more than is simulated
 */
export function checkDramBytes(graph: SimpleGraph, options: FormatOptions): void {
  const formats = chooseFormats(graph, options);
  const tensors = [graph.input, ...graph.outputs].map((name) => graph.tensors.get(name)!);
  const bytes = tensors.reduce((sum, tensor) => sum + elements(tensor) * FORMAT_BYTES[formats.get(tensor.name)!], 0);
  const total = bytes + countWeights(graph);
  if (total > MAX_DRAM_BYTES)
    throw new RapError(
      `${graph.source.name}: input, weights and outputs take ${total} B of DRAM; at most ${MAX_DRAM_BYTES} B are simulated; give the network a smaller picture`,
    );
}

function nonNegativeTensors(graph: SimpleGraph): Set<string> {
  const result = new Set<string>();
  if (graph.preprocess.mean.every((mean) => mean <= 0)) result.add(graph.input);
  for (const node of graph.nodes) {
    const clamped = (node.op === "conv" || node.op === "add") && node.activation.low >= 0;
    if (clamped || (node.op !== "conv" && node.inputs.every((input) => result.has(input)))) result.add(node.output);
  }
  return result;
}
