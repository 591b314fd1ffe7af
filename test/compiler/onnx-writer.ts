// Small float ONNX models for tests, written with the importer's own descriptor; onnxruntime reads them too, so the
// descriptor's field numbers are checked on the way.
import * as ort from "onnxruntime-web";
import { ATTRIBUTE_TYPE, DATA_TYPES, FLOAT32, INT64, modelType } from "../../compiler/onnx/schema.ts";

ort.env.wasm.numThreads = 1;

export type Attribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly tensor: OnnxInitializer };

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  /** Default: "y". */
  readonly output?: string;
  readonly name?: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly domain?: string;
}

/** A constant: float32 values, or int64 ones. */
export interface OnnxInitializer {
  readonly dims: readonly number[];
  readonly values?: ArrayLike<number>;
  readonly int64?: readonly number[];
  /** Fields of TensorProto to set besides, or instead. */
  readonly fields?: object;
}

export interface OnnxModel {
  readonly input?: readonly (number | string)[];
  readonly inputType?: number;
  readonly nodes: readonly OnnxNode[];
  readonly initializers?: Readonly<Record<string, OnnxInitializer>>;
  /** Names; shapes are left to the reader. Default: "y". */
  readonly outputs?: readonly string[];
  readonly opset?: number;
}

export function writeOnnx(model: OnnxModel): Uint8Array {
  const { input = [1, 3, 5, 6], inputType = FLOAT32, nodes, initializers = {}, outputs = ["y"], opset = 13 } = model;
  const dim = input.map((extent) => (typeof extent === "string" ? { dimParam: extent } : { dimValue: extent }));
  const graph = {
    name: "test",
    node: nodes.map(({ op, inputs, output = "y", name = "", attributes = {}, domain = "" }) => ({
      opType: op,
      input: inputs,
      output: [output],
      name,
      domain,
      attribute: Object.entries(attributes).map(([key, value]) => ({ name: key, ...attribute(value) })),
    })),
    initializer: Object.entries(initializers).map(([name, initializer]) => ({ name, ...tensor(initializer) })),
    input: [{ name: "x", type: { tensorType: { elemType: inputType, shape: { dim } } } }],
    output: outputs.map((name) => ({ name, type: { tensorType: { elemType: FLOAT32 } } })),
  };
  return modelType.encode({ irVersion: 7, graph, opsetImport: [{ domain: "", version: opset }] }).finish();
}

function tensor({ dims, values, int64, fields }: OnnxInitializer): object {
  const data = int64 === undefined ? { rawData: bytesOf(values ?? []) } : { int64Data: int64 };
  return { dims, dataType: int64 === undefined ? FLOAT32 : INT64, ...data, ...fields };
}

function bytesOf(values: ArrayLike<number>): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

function attribute(value: Attribute): object {
  if (typeof value === "number") return { type: ATTRIBUTE_TYPE.INT, i: value };
  if (typeof value === "string") return { type: ATTRIBUTE_TYPE.STRING, s: Buffer.from(value) };
  if ("float" in value) return { type: ATTRIBUTE_TYPE.FLOAT, f: value.float };
  if ("floats" in value) return { type: ATTRIBUTE_TYPE.FLOATS, floats: value.floats };
  if ("tensor" in value) return { type: ATTRIBUTE_TYPE.TENSOR, t: tensor(value.tensor) };
  return { type: ATTRIBUTE_TYPE.INTS, ints: value };
}

export const FLOAT16 = DATA_TYPES.indexOf("float16");

/** Reproducible numbers in -1..1. */
export function numbers(count: number, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** A matrix [rows][columns] turned: [H * W][C] to [C][H * W] and, with the extents exchanged, back. */
export function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  return values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)]);
}

/** What onnxruntime computes for x [1, C, H, W]: y in its own layout. */
export async function runOnnxruntime(
  model: Uint8Array,
  x: Float32Array,
  dims: readonly number[],
): Promise<{ values: Float32Array; dims: readonly number[] }> {
  const session = await ort.InferenceSession.create(model, { logSeverityLevel: 3 });
  const { y } = await session.run({ x: new ort.Tensor("float32", x, dims) });
  await session.release();
  return { values: y.data as Float32Array, dims: y.dims };
}
