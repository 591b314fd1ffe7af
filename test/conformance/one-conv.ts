/** Networks of one convolution, for checks of time: their weights are zeros. */
import type { QuantizedModel } from "../../compiler/quantized-model.ts";
import { RAPSIM_VERSION } from "../../compiler/version.ts";

/** A convolution as peers list them: extents of the output, a square kernel, padding that keeps the picture's size. */
export interface ConvLayer {
  readonly name: string;
  readonly outH: number;
  readonly outW: number;
  readonly kernel: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly stride: number;
}

/** @returns a network whose only layer is the convolution */
export function oneConvModel(layer: ConvLayer): QuantizedModel {
  const { name, outH, outW, kernel, inChannels, outChannels, stride } = layer;
  // an input that needs no padding behind the picture
  const before = kernel >> 1;
  const [height, width] = [outH, outW].map((out) => (out - 1) * stride + kernel - 2 * before);
  const input = { name: "input", height, width, channels: inChannels, format: "i8", exponent: 0 } as const;
  const output = {
    name: "output",
    height: outH,
    width: outW,
    channels: outChannels,
    format: "i8",
    exponent: 0,
  } as const;
  const perChannel = () => new Int8Array(outChannels);
  return {
    name,
    tensors: [input, output],
    nodes: [
      {
        op: "conv",
        name,
        inputs: ["input"],
        output: "output",
        kernel: [kernel, kernel],
        stride: [stride, stride],
        dilation: [1, 1],
        pads: [before, before, before, before],
        groups: 1,
        weights: new Int8Array(outChannels * kernel * kernel * inChannels),
        bias: perChannel(),
        biasShift: perChannel(),
        shift: perChannel(),
        accExponents: perChannel(),
        low: -128,
        high: 127,
        slope: null,
      },
    ],
    host: {
      input: {
        tensor: "input",
        height,
        width,
        // pictures have one or three channels; nothing looks at a picture here
        channels: inChannels as 3,
        colorOrder: "RGB",
        mean: [0],
        scale: 1,
        format: "i8",
        exponent: 0,
      },
      outputs: [
        {
          tensor: "output",
          height: outH,
          width: outW,
          channels: outChannels,
          format: "i8",
          exponents: Array.from({ length: outChannels }, () => 0),
        },
      ],
      head: null,
      trained: false,
    },
    provenance: { source: name, sourceSha256: "", rapsim: RAPSIM_VERSION, options: {} },
  };
}
