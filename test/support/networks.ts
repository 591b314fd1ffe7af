// ONNX files of published networks' shapes, with seeded weights: what they classify means nothing.
import { Random } from "../../compiler/random.ts";
import { type Attribute, type OnnxInitializer, type OnnxNode, writeOnnx } from "../compiler/onnx-writer.ts";

/** Adds nodes one behind another; each call returns the name of its output. */
class OnnxBuilder {
  private readonly nodes: OnnxNode[] = [];
  private readonly initializers: Record<string, OnnxInitializer> = {};
  private readonly random = new Random(1);
  private readonly channels = new Map<string, number>();

  constructor(private readonly size: number) {
    this.channels.set("x", 3);
  }

  node(op: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}): string {
    const output = `${op.toLowerCase()}${this.nodes.length}`;
    this.nodes.push({ op, inputs, output, name: output, attributes });
    this.channels.set(output, this.channels.get(inputs[0])!);
    return output;
  }

  /** He-normal weights, small biases; padding keeps the size at stride 1. */
  conv(input: string, channels: number, kernel: number, stride = 1, groups = 1): string {
    const groupIn = this.channels.get(input)! / groups;
    const deviation = Math.sqrt(2 / (groupIn * kernel * kernel));
    const constant = (name: string, dims: readonly number[], scale: number) => {
      const count = dims.reduce((product, extent) => product * extent, 1);
      const key = `${name}${this.nodes.length}`;
      this.initializers[key] = {
        dims,
        values: Float32Array.from({ length: count }, () => this.random.normal() * scale),
      };
      return key;
    };
    const weights = constant("w", [channels, groupIn, kernel, kernel], deviation);
    const bias = constant("b", [channels], 0.1);
    const pad = (kernel - 1) / 2;
    const output = this.node("Conv", [input, weights, bias], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      group: groups,
    });
    this.channels.set(output, channels);
    return output;
  }

  relu(input: string): string {
    return this.node("Relu", [input]);
  }

  relu6(input: string): string {
    this.initializers.zero = { dims: [], values: [0] };
    this.initializers.six = { dims: [], values: [6] };
    return this.node("Clip", [input, "zero", "six"]);
  }

  /** @param pads top, left, bottom, right */
  maxPool(input: string, kernel: number, stride: number, pads: readonly number[]): string {
    return this.node("MaxPool", [input], { kernel_shape: [kernel, kernel], strides: [stride, stride], pads });
  }

  finish(output: string): Uint8Array {
    const { nodes, initializers, size } = this;
    return writeOnnx({ input: [1, 3, size, size], nodes, initializers, outputs: [output] });
  }
}

/** He et al. 2016: 224 x 224, basic blocks, 1.81 GMAC. */
function resNet18(): Uint8Array {
  const net = new OnnxBuilder(224);
  let x = net.maxPool(net.relu(net.conv("x", 64, 7, 2)), 3, 2, [1, 1, 1, 1]);
  for (const [stage, channels] of [64, 128, 256, 512].entries())
    for (const block of [0, 1]) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const body = net.conv(net.relu(net.conv(x, channels, 3, stride)), channels, 3);
      const skip = stride === 2 ? net.conv(x, channels, 1, 2) : x;
      x = net.relu(net.node("Add", [body, skip]));
    }
  return net.finish(net.conv(net.node("GlobalAveragePool", [x]), 1000, 1));
}

/** Sandler et al. 2018: 224 x 224, inverted residuals with depthwise convolutions, 0.30 GMAC. */
function mobileNetV2(): Uint8Array {
  const net = new OnnxBuilder(224);
  let x = net.relu6(net.conv("x", 32, 3, 2));
  let from = 32;
  const stages = [
    { expand: 1, channels: 16, blocks: 1, stride: 1 },
    { expand: 6, channels: 24, blocks: 2, stride: 2 },
    { expand: 6, channels: 32, blocks: 3, stride: 2 },
    { expand: 6, channels: 64, blocks: 4, stride: 2 },
    { expand: 6, channels: 96, blocks: 3, stride: 1 },
    { expand: 6, channels: 160, blocks: 3, stride: 2 },
    { expand: 6, channels: 320, blocks: 1, stride: 1 },
  ];
  for (const { expand, channels, blocks, stride: first } of stages)
    for (let block = 0; block < blocks; block++) {
      const stride = block === 0 ? first : 1;
      const wide = from * expand;
      const expanded = expand > 1 ? net.relu6(net.conv(x, wide, 1)) : x;
      const body = net.conv(net.relu6(net.conv(expanded, wide, 3, stride, wide)), channels, 1);
      x = stride === 1 && from === channels ? net.node("Add", [x, body]) : body;
      from = channels;
    }
  x = net.relu6(net.conv(x, 1280, 1));
  return net.finish(net.conv(net.node("GlobalAveragePool", [x]), 1000, 1));
}

/** Redmon and Farhadi 2017, Tiny-YOLO v2 for VOC: 416 x 416, leaky ReLU, 3.49 GMAC. */
function tinyYolo(): Uint8Array {
  const net = new OnnxBuilder(416);
  const leaky = (input: string, channels: number) =>
    net.node("LeakyRelu", [net.conv(input, channels, 3)], { alpha: { float: 0.1 } });
  let x = "x";
  for (const channels of [16, 32, 64, 128, 256]) x = net.maxPool(leaky(x, channels), 2, 2, [0, 0, 0, 0]);
  x = net.maxPool(leaky(x, 512), 2, 1, [0, 0, 1, 1]);
  x = leaky(leaky(x, 1024), 1024);
  return net.finish(net.conv(x, 125, 1));
}

export const ONNX_NETWORKS: ReadonlyMap<string, () => Uint8Array> = new Map([
  ["ResNet-18", resNet18],
  ["MobileNetV2", mobileNetV2],
  ["Tiny-YOLO", tinyYolo],
]);
