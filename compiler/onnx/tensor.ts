/** Initializers and Constant values. Every length is checked against the extents before anything is allocated. */
import { RapError } from "../../isa/index.ts";
import { DATA_TYPES, FLOAT32, INT64, type TensorProto } from "./schema.ts";

export interface OnnxConstant {
  readonly dims: readonly number[];
  /** float32 weights, or the small integers of a Reshape's shape */
  readonly values: Float32Array | Int32Array;
}

const EXTERNAL = 1;

/** @throws RapError beginning with `place` */
export function readConstant(tensor: TensorProto, place: string): OnnxConstant {
  const fail = (message: string): never => {
    throw new RapError(`${place}: ${message}`);
  };
  if (tensor.dataLocation === EXTERNAL || tensor.externalData.length > 0) {
    fail(
      "its data lies in another file; save the model with the weights inside (onnx.save_model(..., save_as_external_data=False))",
    );
  }
  const { dims, dataType, rawData } = tensor;
  if (dataType !== FLOAT32 && dataType !== INT64) {
    fail(`${DATA_TYPES[dataType] ?? `type ${dataType}`} elements; float32 is needed; export the float network`);
  }
  if (dims.some((extent) => extent < 0)) fail(`extents [${dims}]; none may be negative`);
  const count = dims.reduce((product, extent) => product * extent, 1);
  const numbers = dataType === FLOAT32 ? tensor.floatData : tensor.int64Data;
  const bytes = dataType === FLOAT32 ? 4 : 8;
  const given = rawData.length > 0 ? rawData.length / bytes : numbers.length;
  if (given !== count)
    fail(
      `extents [${dims}] ask for ${count} values, the file holds ${given}; the file is damaged or its data is external`,
    );
  // an absent field is an empty list, which has no buffer
  const view = rawData.length > 0 ? new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength) : null;
  if (dataType === INT64) {
    const values =
      view !== null
        ? Int32Array.from({ length: count }, (_, i) => view.getInt32(8 * i, true))
        : Int32Array.from(numbers);
    return { dims, values };
  }
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    values[i] = view?.getFloat32(4 * i, true) ?? numbers[i];
    if (!Number.isFinite(values[i])) fail(`value ${i} is ${values[i]}; weights must be finite`);
  }
  return { dims, values };
}
