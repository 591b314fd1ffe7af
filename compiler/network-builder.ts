/** A small language for built-in networks: each call adds a node and returns the name of its output. */
import type { Head, Preprocess } from "../isa/index.ts";
import {
  type Activation,
  type FloatGraph,
  type FNode,
  type FTensor,
  inferShape,
  LINEAR,
  makeGraph,
  RELU,
} from "./graph.ts";
import type { Parameters } from "./parameters.ts";
import type { Pads, Pair } from "./quantized-model.ts";

const NO_PADS: Pads = [0, 0, 0, 0];

interface ConvOptions {
  readonly stride?: number;
  readonly pads?: Pads;
  readonly activation?: Activation;
}

export class NetworkBuilder {
  private readonly nodes: FNode[] = [];
  private readonly tensors = new Map<string, FTensor>();
  private readonly parameters: Parameters;
  private readonly name: string;
  private readonly preprocess: Preprocess;
  readonly input: string;

  constructor(name: string, parameters: Parameters, input: string, preprocess: Preprocess) {
    this.name = name;
    this.parameters = parameters;
    this.preprocess = preprocess;
    this.input = input;
    const { height, width, channels } = preprocess;
    this.tensors.set(input, { name: input, height, width, channels });
  }

  private push(node: FNode): string {
    this.tensors.set(node.output, inferShape(node, this.tensors));
    this.nodes.push(node);
    return node.output;
  }

  /** Square convolution with weights of the deviation sqrt(2 / fan-in) if they are random, and a ReLU unless told otherwise. */
  conv(name: string, input: string, channels: number, kernel: number, options: ConvOptions = {}): string {
    const { stride = 1, pads = NO_PADS, activation = RELU } = options;
    const taps = kernel * kernel * this.tensors.get(input)!.channels;
    const deviation = Math.sqrt(2 / taps);
    const weights = this.parameters.weights(channels * taps, deviation);
    const bias = this.parameters.bias(channels);
    const window = { kernel: [kernel, kernel], stride: [stride, stride], dilation: [1, 1], pads } as const;
    return this.push({
      op: "conv",
      name,
      inputs: [input],
      output: name,
      ...window,
      groups: 1,
      weights,
      bias,
      activation,
    });
  }

  pool(name: string, input: string, mode: "max" | "average", kernel: number, stride: number, pads = NO_PADS): string {
    const window = { kernel: [kernel, kernel] as Pair, stride: [stride, stride] as Pair, pads };
    return this.push({
      op: "pool",
      name,
      inputs: [input],
      output: name,
      mode,
      countPadding: false,
      global: false,
      ...window,
    });
  }

  globalAverage(name: string, input: string): string {
    const window = { kernel: [1, 1] as Pair, stride: [1, 1] as Pair, pads: NO_PADS };
    return this.push({
      op: "pool",
      name,
      inputs: [input],
      output: name,
      mode: "average",
      countPadding: false,
      global: true,
      ...window,
    });
  }

  add(name: string, a: string, b: string, activation: Activation = LINEAR): string {
    return this.push({ op: "add", name, inputs: [a, b], output: name, activation });
  }

  concat(name: string, inputs: readonly string[]): string {
    return this.push({ op: "concat", name, inputs, output: name });
  }

  softmax(name: string, input: string): string {
    return this.push({ op: "softmax", name, inputs: [input], output: name });
  }

  /** SqueezeNet's fire module: squeeze 1x1, then expand 1x1 and 3x3, concatenated. */
  fire(name: string, input: string, squeeze: number, expand: number): string {
    const squeezed = this.conv(`${name}_squeeze1x1`, input, squeeze, 1);
    const one = this.conv(`${name}_expand1x1`, squeezed, expand, 1);
    const three = this.conv(`${name}_expand3x3`, squeezed, expand, 3, { pads: [1, 1, 1, 1] });
    return this.concat(name, [one, three]);
  }

  finish(output: string, head: Head | null): FloatGraph {
    const { name, parameters, input, preprocess, nodes } = this;
    const { trained, sha256 } = parameters;
    return makeGraph({ name, input, outputs: [output], nodes, preprocess, head, trained, source: { name, sha256 } });
  }
}
