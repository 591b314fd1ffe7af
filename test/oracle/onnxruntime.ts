/**
 * Convolution by onnxruntime, which we did not write: its plain WebAssembly build's ConvInteger takes int8 and uint8
 * activations with int8 weights and gives exact int32 sums. Its layout is [N, C, H, W], ours [H, W, C].
 */
import * as ort from "onnxruntime-web";
import type { ConvGeometry } from "../reference/index.ts";
import { convIntegerModel } from "./conv-integer-model.ts";

ort.env.wasm.numThreads = 1;

export interface InputShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/**
 * int32 accumulators [OH, OW, K] of x [H, W, C] and weights [K, R, S, C / groups].
 * @param unsigned x is u8; the bytes are read as such whatever array holds them
 */
export async function ortConvAccumulators(
  x: Int8Array | Uint8Array,
  unsigned: boolean,
  weights: Int8Array,
  geometry: ConvGeometry & InputShape,
): Promise<Int32Array> {
  const { height, width, channels, outChannels, kernel, groups } = geometry;
  const groupIn = channels / groups;
  const xType = unsigned ? "uint8" : "int8";
  const bytes = new Uint8Array(x.buffer, x.byteOffset, x.length);
  const planes = transpose(bytes, height * width, channels);
  const filters = new Int8Array(weights.length);
  const filterSize = kernel[0] * kernel[1] * groupIn;
  for (let k = 0; k < outChannels; k++) {
    filters.set(transpose(weights.subarray(k * filterSize, (k + 1) * filterSize), kernel[0] * kernel[1], groupIn), k * filterSize);
  }
  const session = await ort.InferenceSession.create(convIntegerModel(xType, geometry));
  try {
    const { y } = await session.run({
      x: new ort.Tensor(xType, unsigned ? planes : new Int8Array(planes.buffer), [1, channels, height, width]),
      w: new ort.Tensor("int8", filters, [outChannels, groupIn, ...kernel]),
    });
    const [, , outHeight, outWidth] = y.dims;
    return transpose(y.data as Int32Array, outChannels, outHeight * outWidth);
  } finally {
    await session.release();
  }
}

/** [rows, columns] -> [columns, rows] */
function transpose<T extends Int8Array | Uint8Array | Int32Array>(matrix: T, rows: number, columns: number): T {
  const result = matrix.slice() as T;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = matrix[row * columns + column];
  }
  return result;
}
