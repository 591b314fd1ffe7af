/**
 * Float convolution without im2col: a padded copy of the input, weights packed in blocks of four output channels, and
 * an inner loop of two pixels by four channels, which keeps eight sums in registers. About 2 GMAC/s in plain TypeScript.
 */
import type { ConvNode, FTensor } from "./graph.ts";

const BLOCK = 4;

/** input [H][W][C] of `shape` -> [OH][OW][K] of `output`, bias added and activation applied. Sums are doubles. */
export function convolve(node: ConvNode, input: Float32Array, shape: FTensor, output: FTensor): Float32Array {
  const { kernel, stride, dilation, pads, groups, bias, activation } = node;
  const { channels } = shape;
  const perGroup = channels / groups;
  const outPerGroup = bias.length / groups;
  const width = shape.width + pads[1] + pads[3];
  const padded = pads.some((pad) => pad > 0) ? pad(input, shape, pads) : input;
  // the taps of one kernel row are contiguous unless dilated or grouped
  const joined = dilation[1] === 1 && groups === 1;
  const length = joined ? kernel[1] * channels : perGroup;
  const segments: number[] = [];
  for (let r = 0; r < kernel[0]; r++) {
    for (let s = 0; s < (joined ? 1 : kernel[1]); s++)
      segments.push((r * dilation[0] * width + s * dilation[1]) * channels);
  }
  const packed = packWeights(node, perGroup);
  const blocksPerGroup = Math.ceil(outPerGroup / BLOCK);
  const blockWeights = segments.length * length * BLOCK;
  const out = new Float32Array(output.height * output.width * output.channels);
  const sums = new Float64Array(2 * BLOCK);
  for (let oy = 0; oy < output.height; oy++) {
    for (let block = 0; block < blocksPerGroup * groups; block++) {
      const group = Math.floor(block / blocksPerGroup);
      const k0 = group * outPerGroup + (block % blocksPerGroup) * BLOCK;
      const kCount = Math.min(BLOCK, (group + 1) * outPerGroup - k0);
      for (let ox = 0; ox < output.width; ox += 2) {
        const from = (oy * stride[0] * width + ox * stride[1]) * channels + group * perGroup;
        // an odd last pixel is computed twice, so that the inner loop has one form
        const pixels = ox + 1 < output.width ? 2 : 1;
        dotPair(
          padded,
          from,
          pixels === 2 ? from + stride[1] * channels : from,
          segments,
          length,
          packed,
          block * blockWeights,
          sums,
        );
        for (let p = 0; p < pixels; p++) {
          const at = (oy * output.width + ox + p) * output.channels + k0;
          for (let k = 0; k < kCount; k++) {
            const sum = sums[p * BLOCK + k] + bias[k0 + k];
            const value = sum < 0 ? sum * activation.slope : sum;
            out[at + k] = value < activation.low ? activation.low : value > activation.high ? activation.high : value;
          }
        }
      }
    }
  }
  return out;
}

/** Eight dot products: pixels at p0 and p1 with the four output channels of the block at w. */
function dotPair(
  input: Float32Array,
  p0: number,
  p1: number,
  segments: number[],
  length: number,
  weights: Float64Array,
  w: number,
  sums: Float64Array,
): void {
  let a0 = 0;
  let a1 = 0;
  let a2 = 0;
  let a3 = 0;
  let b0 = 0;
  let b1 = 0;
  let b2 = 0;
  let b3 = 0;
  let at = w;
  for (let segment = 0; segment < segments.length; segment++) {
    const offset = segments[segment];
    const end = p0 + offset + length;
    for (let i = p0 + offset, j = p1 + offset; i < end; i++, j++, at += 4) {
      const a = input[i];
      const b = input[j];
      const w0 = weights[at];
      const w1 = weights[at + 1];
      const w2 = weights[at + 2];
      const w3 = weights[at + 3];
      a0 += a * w0;
      a1 += a * w1;
      a2 += a * w2;
      a3 += a * w3;
      b0 += b * w0;
      b1 += b * w1;
      b2 += b * w2;
      b3 += b * w3;
    }
  }
  sums[0] = a0;
  sums[1] = a1;
  sums[2] = a2;
  sums[3] = a3;
  sums[4] = b0;
  sums[5] = b1;
  sums[6] = b2;
  sums[7] = b3;
}

/** [K][R][S][C/g] -> [group][K/g/4][R][S][C/g][4]; missing channels of a group's last block are zero. */
function packWeights(node: ConvNode, perGroup: number): Float64Array {
  const { kernel, groups, bias, weights } = node;
  const taps = kernel[0] * kernel[1] * perGroup;
  const outPerGroup = bias.length / groups;
  const blocksPerGroup = Math.ceil(outPerGroup / BLOCK);
  const packed = new Float64Array(blocksPerGroup * groups * BLOCK * taps);
  for (let k = 0; k < bias.length; k++) {
    const inGroup = k % outPerGroup;
    const block = Math.floor(k / outPerGroup) * blocksPerGroup + Math.floor(inGroup / BLOCK);
    for (let tap = 0; tap < taps; tap++)
      packed[(block * taps + tap) * BLOCK + (inGroup % BLOCK)] = weights[k * taps + tap];
  }
  return packed;
}

function pad(input: Float32Array, { height, width, channels }: FTensor, pads: ConvNode["pads"]): Float32Array {
  const rowLength = (width + pads[1] + pads[3]) * channels;
  const out = new Float32Array((height + pads[0] + pads[2]) * rowLength);
  for (let y = 0; y < height; y++) {
    out.set(
      input.subarray(y * width * channels, (y + 1) * width * channels),
      (y + pads[0]) * rowLength + pads[1] * channels,
    );
  }
  return out;
}
