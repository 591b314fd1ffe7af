/** A picture becomes the network's input: bilinear resize, colour order, mean, scale, rounding to 8 bits. */
import { clamp, FORMAT_MAX, FORMAT_MIN, type NetworkInput, type Preprocess, RapError } from "../isa/index.ts";
import type { Image } from "./image.ts";

/** Luminance of R, G, B for a network with one input channel (ITU-R BT.601, as JPEG and OpenCV weigh them). */
const LUMINANCE = [0.299, 0.587, 0.114] as const;

/** One axis of a bilinear resize: output i is source `low[i]` * (1 - part[i]) + source `high[i]` * part[i]. */
interface Axis {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly part: Float64Array;
}

/** Half-pixel centres: output i looks at source position (i + 0.5) * from / to - 0.5; the edge pixel continues outside. */
function resizeAxis(from: number, to: number): Axis {
  const low = new Int32Array(to);
  const high = new Int32Array(to);
  const part = new Float64Array(to);
  for (let i = 0; i < to; i++) {
    const position = (i + 0.5) * (from / to) - 0.5;
    const floor = Math.floor(position);
    low[i] = clamp(floor, 0, from - 1);
    high[i] = clamp(floor + 1, 0, from - 1);
    part[i] = position - floor;
  }
  return { low, high, part };
}

/** Resizes one source row along x into [width * channels], with the channels in the network's order. */
function resizeRow(image: Image, y: number, x: Axis, preprocess: Preprocess, row: Float64Array): void {
  const { rgb } = image;
  const { width, channels } = preprocess;
  const line = y * image.width * 3;
  const first = preprocess.colorOrder === "BGR" ? 2 : 0;
  const last = 2 - first;
  for (let i = 0, k = 0; i < width; i++) {
    const a = line + x.low[i] * 3;
    const b = line + x.high[i] * 3;
    const part = x.part[i];
    const red = rgb[a + first] + (rgb[b + first] - rgb[a + first]) * part;
    const green = rgb[a + 1] + (rgb[b + 1] - rgb[a + 1]) * part;
    const blue = rgb[a + last] + (rgb[b + last] - rgb[a + last]) * part;
    if (channels === 1) {
      row[k++] = LUMINANCE[first] * red + LUMINANCE[1] * green + LUMINANCE[last] * blue;
    } else {
      row[k++] = red;
      row[k++] = green;
      row[k++] = blue;
    }
  }
}

/** The mean of each element of a row: one for all channels, or one per channel in the network's order. */
function meanRow({ width, channels, mean }: Preprocess): Float64Array {
  if (mean.length !== 1 && mean.length !== channels) {
    throw new RapError(
      `input.mean: ${mean.length} values; ${channels} channels take 1 or ${channels}. Mend the input's description`,
    );
  }
  return Float64Array.from({ length: width * channels }, (_, i) => mean[mean.length === 1 ? 0 : i % channels]);
}

/** The network's real-valued input [H, W, C]: (pixel - mean) * scale of the resized picture. @throws RapError */
export function imageToFloat(image: Image, preprocess: Preprocess): Float32Array {
  const { width, height, channels, scale } = preprocess;
  if (image.rgb.length !== image.width * image.height * 3 || image.rgb.length === 0) {
    throw new RapError(
      `image.rgb: ${image.rgb.length} bytes; ${image.width} x ${image.height} pixels take three bytes each, and at least one pixel. Give the whole picture`,
    );
  }
  const xAxis = resizeAxis(image.width, width);
  const yAxis = resizeAxis(image.height, height);
  const mean = meanRow(preprocess);
  const rowLength = width * channels;
  const output = new Float32Array(height * rowLength);
  // The two source rows in use, resized along x; going up in scale, most output rows find both here.
  let top = new Float64Array(rowLength);
  let bottom = new Float64Array(rowLength);
  let topY = -1;
  let bottomY = -1;
  for (let y = 0; y < height; y++) {
    const low = yAxis.low[y];
    const high = yAxis.high[y];
    if (low === bottomY) {
      [top, bottom] = [bottom, top];
      [topY, bottomY] = [bottomY, topY];
    }
    if (low !== topY) {
      resizeRow(image, low, xAxis, preprocess, top);
      topY = low;
    }
    if (high !== bottomY) {
      resizeRow(image, high, xAxis, preprocess, bottom);
      bottomY = high;
    }
    const part = yAxis.part[y];
    const line = y * rowLength;
    for (let k = 0; k < rowLength; k++) {
      output[line + k] = (top[k] + (bottom[k] - top[k]) * part - mean[k]) * scale;
    }
  }
  return output;
}

/** The input tensor's integers [H, W, C]: floor(real * 2^exponent + 0.5), clamped to the format. @throws RapError */
export function imageToTensor(image: Image, input: NetworkInput): Int8Array | Uint8Array {
  const real = imageToFloat(image, input);
  const tensor = input.format === "u8" ? new Uint8Array(real.length) : new Int8Array(real.length);
  const factor = 2 ** input.exponent;
  const low = FORMAT_MIN[input.format];
  const high = FORMAT_MAX[input.format];
  for (let i = 0; i < real.length; i++) {
    const integer = Math.floor(real[i] * factor + 0.5);
    tensor[i] = clamp(integer, low, high);
  }
  return tensor;
}
