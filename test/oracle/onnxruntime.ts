/**
 * Convolution and max pooling by onnxruntime, which we did not write. Its plain WebAssembly build has ConvInteger for int8
 * and uint8 activations with int8 weights, in exact int32 sums, and MaxPool for both types. Its layout is [N, C, H, W],
 * ours [H, W, C].
 */
import * as ort from "onnxruntime-web";
import type { ConvGeometry, PoolGeometry } from "../reference/index.ts";
import { type OneNode, oneNodeModel } from "./one-node-model.ts";

ort.env.wasm.numThreads = 1;

export interface InputShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/**
 * int32 accumulators [OH, OW, K] of x [H, W, C] and weights [K, R, S, C / groups].
 * @param unsigned x holds u8: its bytes are read as such, whatever the array's type
 */
export async function ortConvAccumulators(
  x: Int8Array | Uint8Array,
  unsigned: boolean,
  weights: Int8Array,
  geometry: ConvGeometry & InputShape,
): Promise<Int32Array> {
  const { outChannels, kernel, stride, dilation, pads, groups } = geometry;
  const xType = unsigned ? "uint8" : "int8";
  const groupIn = geometry.channels / groups;
  const taps = kernel[0] * kernel[1];
  const filters = new Int8Array(weights.length);
  for (let start = 0; start < weights.length; start += taps * groupIn) {
    filters.set(transpose(weights.subarray(start, start + taps * groupIn), taps, groupIn), start);
  }
  const y = await runNode(
    {
      op: "ConvInteger",
      inputs: { x: xType, w: "int8" },
      output: "int32",
      attributes: { kernel_shape: kernel, strides: stride, dilations: dilation, pads, group: groups },
    },
    { x: planesOf(x, xType, geometry), w: new ort.Tensor("int8", filters, [outChannels, groupIn, ...kernel]) },
  );
  return pixelsOf(y) as Int32Array;
}

/** Max pooling of x [H, W, C] to [OH, OW, C]. */
export async function ortMaxPool(
  x: Int8Array | Uint8Array,
  unsigned: boolean,
  geometry: Pick<PoolGeometry, "kernel" | "stride" | "pads"> & InputShape,
): Promise<Int8Array | Uint8Array> {
  const { kernel, stride, pads } = geometry;
  const type = unsigned ? "uint8" : "int8";
  const attributes = { kernel_shape: kernel, strides: stride, pads };
  const y = await runNode(
    { op: "MaxPool", inputs: { x: type }, output: type, attributes },
    { x: planesOf(x, type, geometry) },
  );
  return pixelsOf(y) as Int8Array | Uint8Array;
}

async function runNode(node: OneNode, inputs: Record<string, ort.Tensor>): Promise<ort.Tensor> {
  const session = await ort.InferenceSession.create(oneNodeModel(node));
  try {
    return (await session.run(inputs)).y;
  } finally {
    await session.release();
  }
}

function planesOf(
  x: Int8Array | Uint8Array,
  type: "int8" | "uint8",
  { height, width, channels }: InputShape,
): ort.Tensor {
  const bytes = new Uint8Array(x.buffer, x.byteOffset, x.length);
  const planes = transpose(bytes, height * width, channels);
  return new ort.Tensor(type, type === "uint8" ? planes : new Int8Array(planes.buffer), [1, channels, height, width]);
}

function pixelsOf(y: ort.Tensor): Int8Array | Uint8Array | Int32Array {
  const [, channels, height, width] = y.dims;
  return transpose(y.data as Int8Array | Uint8Array | Int32Array, channels, height * width);
}

/** [rows, columns] -> [columns, rows] */
function transpose<T extends Int8Array | Uint8Array | Int32Array>(matrix: T, rows: number, columns: number): T {
  const result = matrix.slice() as T;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = matrix[row * columns + column];
  }
  return result;
}
