/** Runs a float graph in plain TypeScript: how the quantizer learns activation ranges, and what tests compare. */

import { type Activation, elements, type FloatGraph, type FNode, type FTensor, type PoolNode } from "../graph.ts";
import { convolve } from "./conv.ts";

/** Values of one tensor, [height][width][channels]. */
export type Values = Float32Array;

/** Called with every tensor as soon as it is known, the input first. The values may be kept. */
export type TensorObserver = (tensor: FTensor, values: Values) => void;

/**
 * Runs the graph on one input, already preprocessed: [height][width][channels].
 * @returns the outputs by name; other tensors are dropped after their last use
 */
export function runFloat(graph: FloatGraph, input: Values, observe: TensorObserver = () => {}): Map<string, Values> {
  const tensors = new Map<string, Values>([[graph.input, input]]);
  observe(graph.tensors.get(graph.input)!, input);
  const lastUse = new Map<string, number>();
  graph.nodes.forEach((node, i) => {
    for (const name of node.inputs) lastUse.set(name, i);
  });
  graph.nodes.forEach((node, i) => {
    const shapes = node.inputs.map((name) => graph.tensors.get(name)!);
    const output = graph.tensors.get(node.output)!;
    const values = runNode(
      node,
      node.inputs.map((name) => tensors.get(name)!),
      shapes,
      output,
    );
    tensors.set(node.output, values);
    observe(output, values);
    for (const name of node.inputs) {
      if (lastUse.get(name) === i && !graph.outputs.includes(name)) tensors.delete(name);
    }
  });
  return new Map(graph.outputs.map((name) => [name, tensors.get(name)!]));
}

/** One node's output. @param shapes of its inputs */
export function runNode(node: FNode, inputs: Values[], shapes: FTensor[], output: FTensor): Values {
  const [input] = inputs;
  const [shape] = shapes;
  switch (node.op) {
    case "conv":
      return convolve(node, input, shape, output);
    case "pool":
      return pool(node, input, shape, output);
    case "add":
      return activate(
        input.map((value, i) => value + inputs[1][i]),
        node.activation,
      );
    case "concat":
      return concat(inputs, shapes, output);
    case "activation":
      return activate(input.slice(), node.activation);
    case "batchnorm":
      return input.map((value, i) => value * node.scale[i % shape.channels] + node.shift[i % shape.channels]);
    case "gemm":
      return gemm(node.weights, node.bias, input);
    case "flatten":
      return flatten(input, shape);
    case "identity":
      return input;
    case "softmax":
      return softmax(input);
  }
}

function activate(values: Values, a: Activation): Values {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] < 0 ? values[i] * a.slope : values[i];
    values[i] = Math.min(Math.max(value, a.low), a.high);
  }
  return values;
}

function pool(node: PoolNode, input: Values, shape: FTensor, output: FTensor): Values {
  const { height, width, channels } = shape;
  const kernel = node.global ? [height, width] : node.kernel;
  const pads = node.global ? [0, 0, 0, 0] : node.pads;
  const out = new Float32Array(elements(output));
  const acc = new Float64Array(channels);
  for (let oy = 0; oy < output.height; oy++) {
    for (let ox = 0; ox < output.width; ox++) {
      const y0 = oy * node.stride[0] - pads[0];
      const x0 = ox * node.stride[1] - pads[1];
      // padding counts only as far as it was asked for: a window may end beyond it
      const countedY = Math.min(y0 + kernel[0], height + pads[2]) - y0;
      const countedX = Math.min(x0 + kernel[1], width + pads[3]) - x0;
      const yEnd = Math.min(y0 + kernel[0], height);
      const xEnd = Math.min(x0 + kernel[1], width);
      acc.fill(node.mode === "max" ? -Infinity : 0);
      let count = 0;
      for (let y = Math.max(y0, 0); y < yEnd; y++) {
        for (let x = Math.max(x0, 0); x < xEnd; x++, count++) {
          const at = (y * width + x) * channels;
          if (node.mode === "max")
            for (let c = 0; c < channels; c++) acc[c] = input[at + c] > acc[c] ? input[at + c] : acc[c];
          else for (let c = 0; c < channels; c++) acc[c] += input[at + c];
        }
      }
      const divisor = node.mode === "max" ? 1 : node.countPadding ? countedY * countedX : count;
      const at = (oy * output.width + ox) * channels;
      for (let c = 0; c < channels; c++) out[at + c] = acc[c] / divisor;
    }
  }
  return out;
}

function concat(inputs: Values[], shapes: FTensor[], output: FTensor): Values {
  const out = new Float32Array(elements(output));
  let offset = 0;
  inputs.forEach((part, i) => {
    const { channels } = shapes[i];
    for (let pixel = 0; pixel < output.height * output.width; pixel++) {
      out.set(part.subarray(pixel * channels, (pixel + 1) * channels), pixel * output.channels + offset);
    }
    offset += channels;
  });
  return out;
}

function gemm(weights: Float32Array, bias: Float32Array, input: Values): Values {
  return bias.map((start, k) => {
    let sum = start;
    for (let c = 0; c < input.length; c++) sum += weights[k * input.length + c] * input[c];
    return sum;
  });
}

function flatten(input: Values, { height, width, channels }: FTensor): Values {
  const out = new Float32Array(input.length);
  for (let c = 0, i = 0; c < channels; c++) {
    for (let pixel = 0; pixel < height * width; pixel++) out[i++] = input[pixel * channels + c];
  }
  return out;
}

function softmax(input: Values): Values {
  const top = input.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = input.map((value) => Math.exp(value - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((value) => value / sum);
}
