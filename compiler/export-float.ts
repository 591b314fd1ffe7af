/** A float network as an ONNX model: how a built-in one reaches other runtimes. */
import { RapError } from "../isa/index.ts";
import { OnnxGraph, type OnnxTensor } from "./export/onnx-graph.ts";
import { type ConvNode, type FloatGraph, type FNode, isLinear } from "./graph.ts";
import { simplify } from "./passes/index.ts";
import { RAPSIM_VERSION } from "./version.ts";

/** @throws RapError for an operator or activation that no built-in network with a head has */
export function exportFloatOnnx(network: FloatGraph): Uint8Array {
  const { name, input, outputs, nodes, tensors } = simplify(network);
  const graph = new OnnxGraph(tensors.keys());
  for (const node of nodes) exportNode(graph, node, name);
  const described = (tensor: string): OnnxTensor => {
    const { height, width, channels } = tensors.get(tensor)!;
    return { name: tensor, type: "float32", dims: [1, channels, height, width] };
  };
  return graph.encode(name, RAPSIM_VERSION, [described(input)], outputs.map(described), {});
}

function exportNode(graph: OnnxGraph, node: FNode, place: string): void {
  const { name, inputs, output } = node;
  if (node.op === "concat") graph.node("Concat", name, inputs, { axis: 1 }, output);
  else if (node.op === "conv") exportConv(graph, node, place);
  else if (node.op === "pool" && node.mode === "max") {
    const { kernel, stride: strides, pads } = node;
    graph.node("MaxPool", name, inputs, { kernel_shape: kernel, strides, pads }, output);
  } else throw new RapError(`${place}: '${name}': ${node.op} is not written to float ONNX models`);
}

function exportConv(graph: OnnxGraph, node: ConvNode, place: string): void {
  const { name, inputs, output, kernel, stride, dilation, pads, groups, weights, bias, activation } = node;
  const isRelu = activation.low === 0 && activation.high === Infinity;
  if (!isRelu && !isLinear(activation))
    throw new RapError(`${place}: '${name}': only ReLU is written to float ONNX models`);
  const [taps, outputs] = [kernel[0] * kernel[1], bias.length];
  const perGroup = weights.length / outputs / taps;
  // [K][R][S][C] here, [K][C][R][S] there
  const turned = new Float32Array(weights.length);
  for (let k = 0; k < outputs; k++) {
    for (let tap = 0; tap < taps; tap++) {
      for (let c = 0; c < perGroup; c++)
        turned[(k * perGroup + c) * taps + tap] = weights[(k * taps + tap) * perGroup + c];
    }
  }
  const operands = [
    graph.constant(`${name}/weights`, "float32", [outputs, perGroup, ...kernel], turned),
    graph.constant(`${name}/bias`, "float32", [outputs], bias),
  ];
  const geometry = { kernel_shape: kernel, strides: stride, dilations: dilation, pads, group: groups };
  const sum = graph.node("Conv", name, [...inputs, ...operands], geometry, isRelu ? undefined : output);
  if (isRelu) graph.node("Relu", `${name}/relu`, [sum], {}, output);
}
