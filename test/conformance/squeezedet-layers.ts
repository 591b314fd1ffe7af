/** The 32 convolutions of SqueezeDet on 1248 x 384 pixels, from the published geometry (Wu et al. 2017), not from our builder. */
import type { ConvLayer } from "./one-conv.ts";

/** Fire modules: name, output extents, input channels, squeeze, expand (each of 1x1 and 3x3). */
const FIRES = [
  ["fire2", 96, 312, 64, 16, 64],
  ["fire3", 96, 312, 128, 16, 64],
  ["fire4", 48, 156, 128, 32, 128],
  ["fire5", 48, 156, 256, 32, 128],
  ["fire6", 24, 78, 256, 48, 192],
  ["fire7", 24, 78, 384, 48, 192],
  ["fire8", 24, 78, 384, 64, 256],
  ["fire9", 24, 78, 512, 64, 256],
  ["fire10", 24, 78, 512, 96, 384],
  ["fire11", 24, 78, 768, 96, 384],
] as const;

export const SQUEEZEDET_LAYERS: readonly ConvLayer[] = [
  { name: "conv1", outH: 192, outW: 624, kernel: 3, inChannels: 3, outChannels: 64, stride: 2 },
  ...FIRES.flatMap(([name, outH, outW, inChannels, squeeze, expand]): ConvLayer[] => [
    { name: `${name}_s1x1`, outH, outW, kernel: 1, inChannels, outChannels: squeeze, stride: 1 },
    { name: `${name}_e1x1`, outH, outW, kernel: 1, inChannels: squeeze, outChannels: expand, stride: 1 },
    { name: `${name}_e3x3`, outH, outW, kernel: 3, inChannels: squeeze, outChannels: expand, stride: 1 },
  ]),
  { name: "conv12", outH: 24, outW: 78, kernel: 3, inChannels: 768, outChannels: 72, stride: 1 },
];

export const macsOf = (layer: ConvLayer): number => layer.outH * layer.outW * weightsOf(layer);
export const weightsOf = (layer: ConvLayer): number => layer.kernel ** 2 * layer.inChannels * layer.outChannels;
