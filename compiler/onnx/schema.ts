/**
 * The part of onnx.proto (ONNX 1.x, field numbers are frozen) that is read and written, as a protobufjs descriptor.
 * int64 fields are declared int32: extents and attributes fit, and no `Long` object is made per number.
 */
import protobuf from "protobufjs/light.js";
import { RapError } from "../../isa/index.ts";

/** AttributeProto.AttributeType values used here. */
export const ATTRIBUTE_TYPE = { FLOAT: 1, INT: 2, STRING: 3, TENSOR: 4, FLOATS: 6, INTS: 7 } as const;

/** TensorProto.DataType: names for messages; the index is the number in the file. */
export const DATA_TYPES = [
  "undefined", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16", "float64",
  "uint32", "uint64", "complex64", "complex128", "bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4", "int4",
] as const; // biome-ignore format: a table of names
export const FLOAT32 = DATA_TYPES.indexOf("float32");
export const INT64 = DATA_TYPES.indexOf("int64");

export interface TensorProto {
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly floatData: readonly number[];
  readonly int32Data: readonly number[];
  readonly int64Data: readonly number[];
  readonly name: string;
  readonly rawData: Uint8Array;
  readonly externalData: readonly unknown[];
  readonly dataLocation: number;
}

export interface AttributeProto {
  readonly name: string;
  readonly type: number;
  readonly f: number;
  readonly i: number;
  readonly s: Uint8Array;
  readonly t: TensorProto | null;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
}

export interface NodeProto {
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  readonly attribute: readonly AttributeProto[];
}

export interface ValueInfoProto {
  readonly name: string;
  readonly type: {
    readonly tensorType: {
      readonly elemType: number;
      readonly shape: { readonly dim: readonly DimensionProto[] } | null;
    } | null;
  } | null;
}

export interface DimensionProto {
  /** Which of the two is set; neither: unknown. */
  readonly value?: "dimValue" | "dimParam";
  readonly dimValue: number;
  readonly dimParam: string;
}

export interface GraphProto {
  readonly node: readonly NodeProto[];
  readonly name: string;
  readonly initializer: readonly TensorProto[];
  readonly input: readonly ValueInfoProto[];
  readonly output: readonly ValueInfoProto[];
}

export interface ModelProto {
  readonly irVersion: number;
  readonly graph: GraphProto | null;
  readonly opsetImport: readonly { readonly domain: string; readonly version: number }[];
}

type Field = [id: number, type: string, rule?: "repeated"];

const message = (fields: Record<string, Field>, extra = {}) => ({
  fields: Object.fromEntries(
    Object.entries(fields).map(([name, [id, type, rule]]) => [
      name,
      rule === undefined ? { id, type } : { id, type, rule },
    ]),
  ),
  ...extra,
});

const root = protobuf.Root.fromJSON({
  nested: {
    ModelProto: message({
      irVersion: [1, "int32"],
      producerName: [2, "string"],
      producerVersion: [3, "string"],
      graph: [7, "GraphProto"],
      opsetImport: [8, "OperatorSetId", "repeated"],
      metadataProps: [14, "StringStringEntry", "repeated"],
    }),
    OperatorSetId: message({ domain: [1, "string"], version: [2, "int32"] }),
    GraphProto: message({
      node: [1, "NodeProto", "repeated"],
      name: [2, "string"],
      initializer: [5, "TensorProto", "repeated"],
      input: [11, "ValueInfoProto", "repeated"],
      output: [12, "ValueInfoProto", "repeated"],
    }),
    NodeProto: message({
      input: [1, "string", "repeated"],
      output: [2, "string", "repeated"],
      name: [3, "string"],
      opType: [4, "string"],
      attribute: [5, "AttributeProto", "repeated"],
      domain: [7, "string"],
    }),
    AttributeProto: message({
      name: [1, "string"],
      f: [2, "float"],
      i: [3, "int32"],
      s: [4, "bytes"],
      t: [5, "TensorProto"],
      floats: [7, "float", "repeated"],
      ints: [8, "int32", "repeated"],
      type: [20, "int32"],
    }),
    TensorProto: message({
      dims: [1, "int32", "repeated"],
      dataType: [2, "int32"],
      floatData: [4, "float", "repeated"],
      int32Data: [5, "int32", "repeated"],
      int64Data: [7, "int32", "repeated"],
      name: [8, "string"],
      rawData: [9, "bytes"],
      externalData: [13, "StringStringEntry", "repeated"],
      dataLocation: [14, "int32"],
    }),
    StringStringEntry: message({ key: [1, "string"], value: [2, "string"] }),
    ValueInfoProto: message({ name: [1, "string"], type: [2, "TypeProto"] }),
    TypeProto: message({ tensorType: [1, "TensorTypeProto"] }),
    TensorTypeProto: message({ elemType: [1, "int32"], shape: [2, "TensorShapeProto"] }),
    TensorShapeProto: message({ dim: [1, "Dimension", "repeated"] }),
    Dimension: message(
      { dimValue: [1, "int32"], dimParam: [2, "string"] },
      { oneofs: { value: { oneof: ["dimValue", "dimParam"] } } },
    ),
  },
});

/** The protobufjs type; `encode` serves the export, and tests that write models. */
export const modelType: protobuf.Type = root.lookupType("ModelProto");

/** Decodes the bytes of an ONNX file. @throws RapError when they are not one */
export function decodeModel(bytes: Uint8Array, path: string): ModelProto & { readonly graph: GraphProto } {
  const remedy = "export the network again as an ONNX file with float32 weights inside";
  if (bytes.length === 0) throw new RapError(`${path}: the file is empty; ${remedy}`);
  let model: ModelProto;
  try {
    model = modelType.decode(bytes) as unknown as ModelProto;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new RapError(`${path}: not an ONNX file, or a truncated or damaged one (protobuf: ${reason}); ${remedy}`, {
      cause,
    });
  }
  const { graph } = model;
  if (!graph || graph.node.length === 0)
    throw new RapError(`${path}: no graph with nodes in it; not an ONNX model; ${remedy}`);
  return model as ModelProto & { readonly graph: GraphProto };
}
