/** The quantized model made observable: every tensor an output, at the size of the pictures it is shown. */
import { type NetworkOutput, RapError } from "../../isa/index.ts";
import type { SimpleGraph } from "../passes/index.ts";
import type { QNode, QTensor, QuantizedModel } from "../quantized-model.ts";

/** Refuses a float network that is not the one the integers were made of. @throws RapError */
export function checkSameNetwork(graph: SimpleGraph, model: QuantizedModel): void {
  const { source, sourceSha256 } = model.provenance;
  if (graph.source.sha256 !== sourceSha256) {
    throw new RapError(
      `${graph.source.name}: is not the network that '${model.name}' was quantized from (${source}, SHA-256 ${sourceSha256.slice(0, 12)}); give that one`,
    );
  }
  const stepOf = ({ name, op, output }: { name: string; op: string; output: string }) => `${op} ${name} -> ${output}`;
  graph.nodes.forEach((node, i) => {
    const other = model.nodes.at(i);
    if (other !== undefined && stepOf(other) === stepOf(node)) return;
    throw new RapError(
      `${graph.source.name}: layer ${i} is '${stepOf(node)}', in '${model.name}' '${other && stepOf(other)}'; quantize it again with this version`,
    );
  });
}

/** Exponents of a tensor's channels: an output may have one for each, all others have one. */
export function channelExponents(model: QuantizedModel, { name, channels, exponent }: QTensor): readonly number[] {
  const output = model.host.outputs.find(({ tensor }) => tensor === name);
  return output?.exponents ?? new Array<number>(channels).fill(exponent);
}

/**
 * The model with the shapes of `graph`, which is the same network on another picture size, and with every tensor that a
 * node writes as an output: a program compiled from it hands out each layer's integers. Its integers are the model's own,
 * since tiling and fusing change no value.
 */
export function observedModel(model: QuantizedModel, graph: SimpleGraph): QuantizedModel {
  const tensors = model.tensors.map((tensor) => ({ ...tensor, ...graph.tensors.get(tensor.name)! }));
  const nodes = model.nodes.map((node, i): QNode => {
    const float = graph.nodes[i];
    if (node.op !== "pool" || float.op !== "pool" || !float.global) return node;
    const { height, width } = graph.tensors.get(node.inputs[0])!;
    return { ...node, kernel: [height, width] };
  });
  const outputs = tensors.slice(1).map((tensor): NetworkOutput => {
    const { name, height, width, channels, format } = tensor;
    return { tensor: name, height, width, channels, format, exponents: [...channelExponents(model, tensor)] };
  });
  const { height, width } = tensors[0];
  const input = { ...model.host.input, height, width };
  return { ...model, tensors, nodes, host: { ...model.host, input, outputs, head: null } };
}
