/** The operators of docs/arithmetic.md on whole tensors [height, width, channels], in plain loops. */
import { add, average } from "./arithmetic.ts";

export type Elements = Int8Array | Uint8Array | Int32Array;

export interface FeatureMap {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: Elements;
}

export type Pair = readonly [y: number, x: number];
export type Pads = readonly [top: number, left: number, bottom: number, right: number];

export interface ConvGeometry {
  readonly outChannels: number;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly pads: Pads;
  readonly groups: number;
}

export interface PoolGeometry {
  readonly mode: "max" | "average";
  readonly countPadding: boolean;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly pads: Pads;
}

/** Output height and width (section 3). */
export function outputSize(
  input: { readonly height: number; readonly width: number },
  kernel: Pair,
  stride: Pair,
  dilation: Pair,
  [top, left, bottom, right]: Pads,
): { height: number; width: number } {
  return {
    height: Math.floor((input.height + top + bottom - ((kernel[0] - 1) * dilation[0] + 1)) / stride[0]) + 1,
    width: Math.floor((input.width + left + right - ((kernel[1] - 1) * dilation[1] + 1)) / stride[1]) + 1,
  };
}

/**
 * Convolution to int32 accumulators [OH, OW, K], without the bias (section 3). weights: [K, kernelY, kernelX, C / groups].
 * @throws Error when a sum could leave int32
 */
export function convAccumulators(input: FeatureMap, weights: Int8Array, geometry: ConvGeometry): Int32Array {
  const { outChannels, kernel, stride, dilation, pads, groups } = geometry;
  const { height, width, channels } = input;
  const out = outputSize(input, kernel, stride, dilation, pads);
  const groupIn = channels / groups;
  const groupOut = outChannels / groups;
  const taps = kernel[0] * kernel[1] * groupIn;
  if (weights.length !== outChannels * taps)
    throw new Error(`${weights.length} weights, expected ${outChannels * taps}`);
  refuseOverflow(input, weights, taps);
  // One element type for both operands keeps the inner loop fast.
  const x = new Int16Array(input.data);
  const w = new Int16Array(weights);
  const acc = new Int32Array(out.height * out.width * outChannels);
  for (let oy = 0; oy < out.height; oy++) {
    for (let ox = 0; ox < out.width; ox++) {
      const pixelOut = (oy * out.width + ox) * outChannels;
      for (let r = 0; r < kernel[0]; r++) {
        const iy = oy * stride[0] + r * dilation[0] - pads[0];
        if (iy < 0 || iy >= height) continue;
        for (let s = 0; s < kernel[1]; s++) {
          const ix = ox * stride[1] + s * dilation[1] - pads[1];
          if (ix < 0 || ix >= width) continue;
          const pixelIn = (iy * width + ix) * channels;
          for (let group = 0; group < groups; group++) {
            const from = pixelIn + group * groupIn;
            const end = (group + 1) * groupOut;
            let k = group * groupOut;
            // Four output channels share each input element: three times as fast, which whole networks need.
            for (; k + 4 <= end; k += 4) {
              const tap0 = ((k * kernel[0] + r) * kernel[1] + s) * groupIn;
              const tap1 = tap0 + taps;
              const tap2 = tap1 + taps;
              const tap3 = tap2 + taps;
              let sum0 = 0;
              let sum1 = 0;
              let sum2 = 0;
              let sum3 = 0;
              for (let c = 0; c < groupIn; c++) {
                const value = x[from + c];
                sum0 = (sum0 + Math.imul(value, w[tap0 + c])) | 0;
                sum1 = (sum1 + Math.imul(value, w[tap1 + c])) | 0;
                sum2 = (sum2 + Math.imul(value, w[tap2 + c])) | 0;
                sum3 = (sum3 + Math.imul(value, w[tap3 + c])) | 0;
              }
              acc[pixelOut + k] += sum0;
              acc[pixelOut + k + 1] += sum1;
              acc[pixelOut + k + 2] += sum2;
              acc[pixelOut + k + 3] += sum3;
            }
            for (; k < end; k++) {
              const tap = ((k * kernel[0] + r) * kernel[1] + s) * groupIn;
              let sum = 0;
              for (let c = 0; c < groupIn; c++) sum = (sum + Math.imul(x[from + c], w[tap + c])) | 0;
              acc[pixelOut + k] += sum;
            }
          }
        }
      }
    }
  }
  return acc;
}

function refuseOverflow(input: FeatureMap, weights: Int8Array, taps: number): void {
  const largest = input.data instanceof Uint8Array ? 255 : 128;
  for (let first = 0; first < weights.length; first += taps) {
    let magnitude = 0;
    for (let i = first; i < first + taps; i++) magnitude += Math.abs(weights[i]);
    if (magnitude * largest > 2147483647) throw new Error(`output channel ${first / taps} can leave int32`);
  }
}

/** Max or average pooling (section 6). */
export function pool(input: FeatureMap, geometry: PoolGeometry): FeatureMap {
  const { mode, countPadding, kernel, stride, pads } = geometry;
  const { height, width, channels } = input;
  const out = outputSize(input, kernel, stride, [1, 1], pads);
  const data = likeElements(input.data, out.height * out.width * channels);
  for (let oy = 0; oy < out.height; oy++) {
    for (let ox = 0; ox < out.width; ox++) {
      for (let c = 0; c < channels; c++) {
        let largest = -Infinity;
        let sum = 0;
        let inside = 0;
        for (let r = 0; r < kernel[0]; r++) {
          const iy = oy * stride[0] + r - pads[0];
          if (iy < 0 || iy >= height) continue;
          for (let s = 0; s < kernel[1]; s++) {
            const ix = ox * stride[1] + s - pads[1];
            if (ix < 0 || ix >= width) continue;
            const value = input.data[(iy * width + ix) * channels + c];
            largest = Math.max(largest, value);
            sum += value;
            inside++;
          }
        }
        const counted = countPadding ? kernel[0] * kernel[1] : inside;
        data[(oy * out.width + ox) * channels + c] = mode === "max" ? largest : average(sum, counted);
      }
    }
  }
  return { ...out, channels, data };
}

/** Addition of two tensors of equal shape into `data` (section 6). */
export function addMaps(
  a: FeatureMap,
  b: FeatureMap,
  fA: number,
  fB: number,
  fOut: number,
  low: number,
  high: number,
  data: Elements,
): FeatureMap {
  for (let i = 0; i < data.length; i++) data[i] = add(a.data[i], b.data[i], fA, fB, fOut, low, high);
  return { height: a.height, width: a.width, channels: a.channels, data };
}

/** Channel concatenation (section 6). */
export function concat(parts: readonly FeatureMap[]): FeatureMap {
  const { height, width } = parts[0];
  const channels = parts.reduce((sum, part) => sum + part.channels, 0);
  const data = likeElements(parts[0].data, height * width * channels);
  for (let pixel = 0; pixel < height * width; pixel++) {
    let to = pixel * channels;
    for (const part of parts) {
      for (let c = 0; c < part.channels; c++) data[to++] = part.data[pixel * part.channels + c];
    }
  }
  return { height, width, channels, data };
}

function likeElements(data: Elements, length: number): Elements {
  if (data instanceof Int8Array) return new Int8Array(length);
  return data instanceof Uint8Array ? new Uint8Array(length) : new Int32Array(length);
}
