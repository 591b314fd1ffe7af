/** The constants of quantized ONNX models: integers, scales, zero points, and what they stand for. */
import { RapError } from "../../isa/index.ts";
import { DATA_TYPES, FLOAT32, type TensorProto } from "../onnx/schema.ts";

/** Integer element types that are read: weights and activations have 8 bits, biases 32. */
const INTEGER_TYPES = ["int8", "uint8", "int32"] as const;
export type IntegerType = (typeof INTEGER_TYPES)[number];

export const TYPE_MIN: Readonly<Record<IntegerType, number>> = { int8: -128, uint8: 0, int32: -2147483648 };
export const TYPE_MAX: Readonly<Record<IntegerType, number>> = { int8: 127, uint8: 255, int32: 2147483647 };

export interface IntegerTensor {
  readonly type: IntegerType;
  readonly dims: readonly number[];
  readonly values: Int32Array;
}

export function integerType(dataType: number): IntegerType | null {
  return INTEGER_TYPES.find((type) => type === DATA_TYPES[dataType]) ?? null;
}

/** @throws RapError beginning with `place` */
export function readIntegers(tensor: TensorProto, place: string): IntegerTensor {
  const { dims, dataType, rawData, int32Data } = tensor;
  const type = integerType(dataType);
  if (type === null) {
    throw new RapError(
      `${place}: ${DATA_TYPES[dataType] ?? `type ${dataType}`} elements; int8, uint8 or int32 is needed`,
    );
  }
  if (dims.some((extent) => extent < 0)) throw new RapError(`${place}: extents [${dims}]; none may be negative`);
  const count = dims.reduce((product, extent) => product * extent, 1);
  const bytes = type === "int32" ? 4 : 1;
  const given = rawData.length > 0 ? rawData.length / bytes : int32Data.length;
  if (given !== count) {
    throw new RapError(
      `${place}: extents [${dims}] ask for ${count} values, the file holds ${given}; the file is damaged or its data is external`,
    );
  }
  const view = rawData.length > 0 ? new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength) : null;
  const read = (i: number): number => {
    if (view === null) return int32Data[i];
    if (type === "int32") return view.getInt32(4 * i, true);
    return type === "int8" ? view.getInt8(i) : view.getUint8(i);
  };
  const values = Int32Array.from({ length: count }, (_, i) => read(i));
  const wrong = values.find((value) => value < TYPE_MIN[type] || value > TYPE_MAX[type]);
  if (wrong !== undefined) throw new RapError(`${place}: value ${wrong} does not fit ${type}; the file is damaged`);
  return { type, dims, values };
}

/** A float32 initializer. */
export function floatTensor(name: string, dims: readonly number[], values: Float32Array): TensorProto {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  for (let i = 0; i < values.length; i++) view.setFloat32(4 * i, values[i], true);
  return {
    name,
    dims,
    dataType: FLOAT32,
    rawData: new Uint8Array(view.buffer),
    floatData: [],
    int32Data: [],
    int64Data: [],
    externalData: [],
    dataLocation: 0,
  };
}

/** f when a scale is 2^-f, else null. */
export function exactExponent(scale: number): number | null {
  const nearest = nearestExponent(scale);
  return 2 ** -nearest === scale ? nearest : null;
}

/** The f with 2^-f nearest to a scale, as a ratio. */
export function nearestExponent(scale: number): number {
  return 0 - Math.round(Math.log2(scale));
}
