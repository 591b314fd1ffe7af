/** An ONNX graph under construction: nodes, constants, unique names; encoded at the end. */
import { ATTRIBUTE_TYPE, DATA_TYPES, modelType } from "../onnx/schema.ts";

/** IR version 7 and opset 13 belong to ONNX 1.8: what every operator used here needs, and old enough to be read widely. */
const IR_VERSION = 7;
const OPSET = 13;

/** Element types of exported tensors. */
export type OnnxType = "int8" | "uint8" | "int32" | "int64" | "float32";

export interface OnnxTensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly dims: readonly number[];
}

export type Attributes = Readonly<Record<string, number | readonly number[]>>;

export class OnnxGraph {
  readonly #nodes: object[] = [];
  readonly #initializers: object[] = [];
  readonly #nodeNames = new Set<string>();
  readonly #tensorNames: Set<string>;
  readonly #scalars = new Map<string, string>();

  /** @param reserved names of tensors that are written later: nothing else gets them */
  constructor(reserved: Iterable<string>) {
    this.#tensorNames = new Set(reserved);
  }

  /** Appends a node. @param output name of its result; left out: made from the node's @returns the result's name */
  node(op: string, name: string, inputs: readonly string[], attributes: Attributes = {}, output?: string): string {
    const unique = claim(name, this.#nodeNames);
    const result = output ?? claim(unique, this.#tensorNames);
    const attribute = Object.entries(attributes).map(([key, value]) =>
      typeof value === "number"
        ? { name: key, type: ATTRIBUTE_TYPE.INT, i: value }
        : { name: key, type: ATTRIBUTE_TYPE.INTS, ints: value },
    );
    this.#nodes.push({ opType: op, name: unique, input: inputs, output: [result], attribute });
    return result;
  }

  cast(name: string, input: string, to: OnnxType, output?: string): string {
    return this.node("Cast", name, [input], { to: DATA_TYPES.indexOf(to) }, output);
  }

  /** A constant tensor. @returns its name */
  constant(name: string, type: OnnxType, dims: readonly number[], values: ArrayLike<number>): string {
    const unique = claim(name, this.#tensorNames);
    this.#initializers.push({ name: unique, dataType: DATA_TYPES.indexOf(type), dims, rawData: bytesOf(type, values) });
    return unique;
  }

  /** A constant of rank 0, made once. */
  scalar(type: OnnxType, value: number): string {
    const key = `${type}:${value}`;
    const known = this.#scalars.get(key);
    if (known !== undefined) return known;
    const made = this.constant(key, type, [], [value]);
    this.#scalars.set(key, made);
    return made;
  }

  /** The model file. @param metadata texts by key, which runtimes hand out beside the graph */
  encode(
    name: string,
    producerVersion: string,
    inputs: readonly OnnxTensor[],
    outputs: readonly OnnxTensor[],
    metadata: Readonly<Record<string, string>>,
  ): Uint8Array {
    const model = modelType.fromObject({
      irVersion: IR_VERSION,
      producerName: "rapsim",
      producerVersion,
      opsetImport: [{ domain: "", version: OPSET }],
      graph: {
        name,
        node: this.#nodes,
        initializer: this.#initializers,
        input: inputs.map(valueInfo),
        output: outputs.map(valueInfo),
      },
      metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    });
    return modelType.encode(model).finish();
  }
}

/** The name, with a number behind it where it is taken. */
function claim(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let i = 2; taken.has(name); i++) name = `${wanted}#${i}`;
  taken.add(name);
  return name;
}

function valueInfo({ name, type, dims }: OnnxTensor): object {
  const shape = { dim: dims.map((dimValue) => ({ dimValue })) };
  return { name, type: { tensorType: { elemType: DATA_TYPES.indexOf(type), shape } } };
}

/** Little-endian, as TensorProto.raw_data wants it on every machine. */
function bytesOf(type: OnnxType, values: ArrayLike<number>): Uint8Array {
  if (type === "int8" || type === "uint8") return Uint8Array.from(values, (value) => value & 255);
  const width = type === "int64" ? 8 : 4;
  const view = new DataView(new ArrayBuffer(width * values.length));
  for (let i = 0; i < values.length; i++) {
    if (type === "int32") view.setInt32(4 * i, values[i], true);
    else if (type === "float32") view.setFloat32(4 * i, values[i], true);
    else view.setBigInt64(8 * i, BigInt(values[i]), true);
  }
  return new Uint8Array(view.buffer);
}
