/** ONNX to a float graph: one row per operator; what is not known is refused by name. Weights become [K][R][S][C]. */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { listNames, RapError } from "../isa/index.ts";
import { elements, type FloatGraph, type FNode, type FTensor, inferShape, makeGraph, shapeText } from "./graph.ts";
import { NodeReader, type OnnxValue } from "./onnx/node.ts";
import { OPERATORS } from "./onnx/operators.ts";
import {
  DATA_TYPES,
  decodeModel,
  FLOAT32,
  type GraphProto,
  type ModelProto,
  type ValueInfoProto,
} from "./onnx/schema.ts";
import { readConstant } from "./onnx/tensor.ts";
import { headOf, preprocessOf, type Sidecar } from "./sidecar.ts";

/** The first opset whose operators mean what this importer takes them to mean (Add without axis broadcasting). */
const OLDEST_OPSET = 7;

/**
 * Reads a float network.
 * @param path named in messages and in the graph's provenance
 * @throws RapError: the file, the node, the rule, the remedy
 */
export function importOnnx(bytes: Uint8Array, path: string, sidecar?: Sidecar): FloatGraph {
  return importModel(decodeModel(bytes, path), bytes, path, sidecar);
}

/** The same for a decoded model. @param bytes the file's, for the provenance */
export function importModel(
  model: ReturnType<typeof decodeModel>,
  bytes: Uint8Array,
  path: string,
  sidecar?: Sidecar,
): FloatGraph {
  const { graph } = model;
  const opset = readOpset(model, path);
  const values = new Map<string, OnnxValue>();
  for (const initializer of graph.initializer) {
    values.set(initializer.name, {
      kind: "constant",
      constant: readConstant(initializer, `${path}: initializer '${initializer.name}'`),
    });
  }
  const input = readInput(graph, values, path);
  const tensors = new Map<string, FTensor>([[input.name, input]]);
  values.set(input.name, { kind: "tensor", rank: 4 });
  const nodes: FNode[] = [];
  const names = new Set<string>();
  graph.node.forEach((proto, index) => {
    const reader = new NodeReader(proto, index, { path, opset, values, tensors });
    const operator = reader.domain === "" ? OPERATORS.get(proto.opType) : undefined;
    if (operator === undefined) {
      const called = reader.domain === "" ? proto.opType : `${reader.domain}.${proto.opType}`;
      throw new RapError(
        `${reader.place}: operator '${called}' is not supported; known: ${listNames([...OPERATORS.keys()].sort())}`,
      );
    }
    const result = operator(reader);
    reader.finish();
    if (values.has(reader.output)) reader.fail(`writes '${reader.output}', which exists already`);
    if ("kind" in result) {
      values.set(reader.output, result);
      return;
    }
    const node = {
      ...result.node,
      name: uniqueName(proto.name || reader.output, names),
      output: reader.output,
    } as FNode;
    tensors.set(
      reader.output,
      reader.explain(() => inferShape(node, tensors)),
    );
    values.set(reader.output, { kind: "tensor", rank: result.rank });
    nodes.push(node);
  });
  const outputs = readOutputs(graph, tensors, values, path);
  const softmaxOf = new Set(nodes.filter((node) => node.op === "softmax").map((node) => node.output));
  const described = outputs.map((name) => ({ ...tensors.get(name)!, tensor: name }));
  const fields = {
    name: basename(path).replace(/\.onnx$/i, ""),
    input: input.name,
    outputs,
    nodes,
    preprocess: preprocessOf(input, path, sidecar),
    head: headOf(described, softmaxOf, sidecar),
    trained: true,
    source: { name: basename(path), sha256: createHash("sha256").update(bytes).digest("hex") },
  };
  try {
    return makeGraph(fields);
  } catch (error) {
    if (error instanceof RapError) throw new RapError(`${path}: ${error.message}`, { cause: error });
    throw error;
  }
}

function uniqueName(wanted: string, names: Set<string>): string {
  let name = wanted;
  for (let i = 2; names.has(name); i++) name = `${wanted}#${i}`;
  names.add(name);
  return name;
}

function readOpset(model: ModelProto, path: string): number {
  const opset = model.opsetImport.find(({ domain }) => domain === "" || domain === "ai.onnx")?.version ?? 0;
  if (opset < OLDEST_OPSET)
    throw new RapError(
      `${path}: opset ${opset}; ${OLDEST_OPSET} or newer is read; convert the model (onnx.version_converter)`,
    );
  return opset;
}

function readInput(graph: GraphProto, values: ReadonlyMap<string, OnnxValue>, path: string): FTensor {
  // before IR version 4 initializers stand among the inputs too
  const inputs = graph.input.filter(({ name }) => !values.has(name));
  if (inputs.length !== 1) {
    throw new RapError(
      `${path}: ${inputs.length} inputs (${listNames(inputs.map(({ name }) => name))}); a network takes one image`,
    );
  }
  const [info] = inputs;
  const place = `${path}: input '${info.name}'`;
  const dims = readShape(info, place);
  if (dims === null || dims.length !== 4) {
    throw new RapError(
      `${place}: shape [${dims ?? "unknown"}]; a fixed [1, channels, height, width] is needed; export with fixed shapes`,
    );
  }
  if (dims[0] !== 1)
    throw new RapError(`${place}: batch ${dims[0]}; the accelerator runs one frame at a time; export with batch 1`);
  const [, channels, height, width] = dims;
  return { name: info.name, height, width, channels };
}

/** The declared extents; null when no shape is declared. @throws RapError for symbolic ones and other types than float32 */
function readShape(info: ValueInfoProto, place: string): number[] | null {
  const type = info.type?.tensorType;
  if (!type) throw new RapError(`${place}: not a tensor; a float32 tensor is needed`);
  if (type.elemType !== FLOAT32) {
    throw new RapError(
      `${place}: ${DATA_TYPES[type.elemType] ?? `type ${type.elemType}`} elements; float32 is needed; export the float network`,
    );
  }
  if (!type.shape) return null;
  return type.shape.dim.map((dim) => {
    if (dim.value !== "dimValue") {
      throw new RapError(
        `${place}: dynamic extent '${dim.dimParam || "?"}'; shapes must be fixed, batch 1; export again without dynamic axes`,
      );
    }
    return dim.dimValue;
  });
}

function readOutputs(
  graph: GraphProto,
  tensors: ReadonlyMap<string, FTensor>,
  values: ReadonlyMap<string, OnnxValue>,
  path: string,
): string[] {
  if (graph.output.length === 0) throw new RapError(`${path}: the graph has no output`);
  return graph.output.map((info) => {
    const place = `${path}: output '${info.name}'`;
    const tensor = tensors.get(info.name);
    const value = values.get(info.name);
    if (tensor === undefined || value?.kind !== "tensor") throw new RapError(`${place}: no node computes it`);
    const dims = info.type?.tensorType?.shape ? readShape(info, place) : null;
    if (dims === null) return info.name;
    const inferred = value.rank === 4 ? [1, tensor.channels, tensor.height, tensor.width] : [1, elements(tensor)];
    if (dims.join() !== inferred.join()) {
      throw new RapError(
        `${place}: declared [${dims}], computed [${inferred}] (${shapeText(tensor)} height x width x channels); the file contradicts itself`,
      );
    }
    return info.name;
  });
}
