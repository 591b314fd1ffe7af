/** Gemm over a flattened tensor is a convolution whose kernel covers the whole tensor. */
import { RapError } from "../../isa/index.ts";
import {
  type ConvNode,
  elements,
  type FloatGraph,
  type FNode,
  type FTensor,
  type GemmNode,
  LINEAR,
  withNodes,
} from "../graph.ts";
import { removeNodes } from "./remove.ts";

export function gemmToConv(graph: FloatGraph): FloatGraph {
  return convertGemms(
    removeNodes(graph, (node) => node.op === "flatten" && isVector(graph.tensors.get(node.inputs[0])!)),
  );
}

function isVector({ height, width }: FTensor): boolean {
  return height * width === 1;
}

function convertGemms(graph: FloatGraph): FloatGraph {
  /** flattened tensor -> the tensor in image form that stands for it now */
  const images = new Map<string, { name: string; shape: FTensor }>();
  const nodes: FNode[] = [];
  for (const node of graph.nodes) {
    const [name] = node.inputs;
    const image = images.get(name);
    if (node.op === "flatten") {
      images.set(node.output, image ?? { name, shape: graph.tensors.get(name)! });
    } else if (node.op === "gemm") {
      nodes.push(asConv(node, image?.name ?? name, image?.shape ?? graph.tensors.get(name)!));
    } else if (node.op === "activation" && image !== undefined) {
      // elementwise: it may as well work on the image
      nodes.push({ ...node, inputs: [image.name] });
      images.set(node.output, { name: node.output, shape: image.shape });
    } else {
      for (const input of node.inputs)
        if (images.has(input)) throw flattened(node.name, node.op, images.get(input)!.shape);
      nodes.push(node);
    }
  }
  for (const output of graph.outputs)
    if (images.has(output)) throw flattened(`output '${output}'`, "an output", images.get(output)!.shape);
  return withNodes(graph, nodes);
}

function flattened(place: string, what: string, shape: FTensor): RapError {
  return new RapError(
    `${place}: ${what} made of a flattened ${shape.height}x${shape.width}x${shape.channels} tensor; only Gemm may read one`,
  );
}

function asConv(node: GemmNode, input: string, { height, width, channels }: FTensor): ConvNode {
  const perOutput = elements({ name: input, height, width, channels });
  const pixels = height * width;
  const weights = new Float32Array(node.weights.length);
  // Gemm counts [channel][row][column] (ONNX), a convolution's weights are [row][column][channel]
  for (let k = 0; k < node.bias.length; k++) {
    for (let c = 0; c < channels; c++) {
      for (let pixel = 0; pixel < pixels; pixel++) {
        weights[k * perOutput + pixel * channels + c] = node.weights[k * perOutput + c * pixels + pixel];
      }
    }
  }
  return {
    op: "conv",
    name: node.name,
    inputs: [input],
    output: node.output,
    kernel: [height, width],
    stride: [1, 1],
    dilation: [1, 1],
    pads: [0, 0, 0, 0],
    groups: 1,
    weights,
    bias: node.bias,
    activation: LINEAR,
  };
}
