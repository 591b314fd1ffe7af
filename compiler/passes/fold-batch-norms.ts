/** y = (W x + b) * scale + shift = (scale W) x + (scale b + shift): batch normalization costs nothing behind a convolution. */
import { type BatchNormNode, type ConvNode, type FloatGraph, isLinear, LINEAR, withNodes } from "../graph.ts";
import { mergeIntoProducers } from "./producers.ts";

export function foldBatchNorms(graph: FloatGraph): FloatGraph {
  const nodes = mergeIntoProducers(graph, (node, producer) => {
    if (node.op !== "batchnorm") return { kept: node };
    if (producer?.op === "conv" && isLinear(producer.activation)) return { merged: fold(producer, node) };
    return { kept: depthwise(node.name, node.inputs[0], node.output, node.scale, node.shift) };
  });
  return withNodes(graph, nodes);
}

function fold(conv: ConvNode, norm: BatchNormNode): ConvNode {
  const perOutput = conv.weights.length / conv.bias.length;
  return {
    ...conv,
    output: norm.output,
    weights: conv.weights.map((weight, i) => weight * norm.scale[Math.floor(i / perOutput)]),
    bias: conv.bias.map((bias, k) => bias * norm.scale[k] + norm.shift[k]),
  };
}

/** A 1x1 depthwise convolution: one weight per channel. */
export function depthwise(
  name: string,
  input: string,
  output: string,
  weights: Float32Array,
  bias: Float32Array,
): ConvNode {
  return {
    op: "conv",
    name,
    inputs: [input],
    output,
    kernel: [1, 1],
    stride: [1, 1],
    dilation: [1, 1],
    pads: [0, 0, 0, 0],
    groups: weights.length,
    weights,
    bias,
    activation: LINEAR,
  };
}
