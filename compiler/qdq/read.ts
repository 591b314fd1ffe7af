/**
 * QuantizeLinear and DequantizeLinear taken out of an ONNX model. What is left is the float model: behind constants they
 * are worked out, elsewhere they become Identity, and what they said of scales is kept beside.
 */
import { listNames, RapError } from "../../isa/index.ts";
import {
  ATTRIBUTE_TYPE,
  type decodeModel,
  FLOAT32,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "../onnx/schema.ts";
import { readConstant } from "../onnx/tensor.ts";
import {
  exactExponent,
  floatTensor,
  type IntegerTensor,
  type IntegerType,
  integerType,
  readIntegers,
  TYPE_MAX,
  TYPE_MIN,
} from "./constants.ts";
import {
  type ActivationScale,
  activationScale,
  type Linear,
  QDQ_OPERATORS,
  RESCALE_REMEDY,
  readLinear,
  whyNot,
} from "./linear.ts";

type Model = ReturnType<typeof decodeModel>;

/** A constant behind DequantizeLinear. */
export interface DequantizedConstant {
  /** of messages */
  readonly place: string;
  readonly dims: readonly number[];
  readonly values: Float64Array;
  /** For 8-bit integers at power-of-two scales: one exponent, or one for each index along `axis`. */
  readonly exponents: readonly number[] | null;
  readonly axis: number;
}

export interface QdqModel {
  /** The float model. */
  readonly model: Model;
  /** What tensors of it are quantized to: outputs of the new Identity nodes, and the input. */
  readonly scales: ReadonlyMap<string, ActivationScale>;
  /** Constants of it by name. */
  readonly constants: ReadonlyMap<string, DequantizedConstant>;
}

/** Operators that only pass integers on, so they may stand between QuantizeLinear and DequantizeLinear. */
const PASSING = ["Concat", "Flatten", "Identity", "MaxPool", "Reshape"];

/** @throws RapError naming the node whose scale the machine does not have, unless it may be moved */
export function takeOutQdq(model: Model, path: string, rescale: boolean): QdqModel {
  const { graph } = model;
  const stored = new Map<string, TensorProto>(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const quantized = new Map<string, IntegerTensor>();
  /** 8-bit tensors computed at run time */
  const integers = new Map<string, IntegerType>();
  const scales = new Map<string, ActivationScale>();
  const constants = new Map<string, DequantizedConstant>();
  const worked: TensorProto[] = [];
  const nodes: NodeProto[] = [];

  for (const input of graph.input) {
    const type = integerType(input.type?.tensorType?.elemType ?? 0);
    if (type !== null && !stored.has(input.name)) integers.set(input.name, type);
  }
  graph.node.forEach((node, index) => {
    const place = `${path}: node ${node.name || node.output[0] || index} (${node.opType})`;
    const [output] = node.output;
    if (!isQdq(node)) {
      const constant = node.attribute.find(({ name, type }) => name === "value" && type === ATTRIBUTE_TYPE.TENSOR);
      if (node.opType === "Constant" && constant?.t) stored.set(output, constant.t);
      passIntegers(node, integers, place);
      nodes.push(node);
      return;
    }
    const linear = readLinear(node, place, (name) => stored.get(name));
    const [input] = node.input;
    const constant = stored.get(input);
    if (node.opType === "QuantizeLinear" && constant !== undefined) {
      quantized.set(output, quantizeConstant(constant, linear));
    } else if (constant !== undefined || quantized.has(input)) {
      const tensor = quantized.get(input) ?? readIntegers(constant!, `${place}: '${input}'`);
      const result = dequantizeConstant(tensor, linear, rescale);
      constants.set(output, result);
      worked.push(floatTensor(output, result.dims, Float32Array.from(result.values)));
    } else {
      const type = linear.type ?? integers.get(input);
      if (type === undefined) throw new RapError(`${place}: '${input}' is not a quantized tensor`);
      if (node.opType === "QuantizeLinear") integers.set(output, type);
      scales.set(output, activationScale(input, linear, type, rescale));
      nodes.push({ ...node, opType: "Identity", domain: "", input: [input], attribute: [] });
    }
  });
  return { model: { ...model, graph: floatGraph(model.graph, nodes, worked, integers) }, scales, constants };
}

export function isQdq({ opType, domain }: NodeProto): boolean {
  // older exporters wrote them under Microsoft's name, with the same meaning
  return ["", "ai.onnx", "com.microsoft"].includes(domain) && QDQ_OPERATORS.some((name) => name === opType);
}

function passIntegers({ opType, input, output }: NodeProto, integers: Map<string, IntegerType>, place: string): void {
  const read = input.find((name) => integers.has(name));
  if (read === undefined) return;
  if (!PASSING.includes(opType)) {
    throw new RapError(
      `${place}: reads the integers of '${read}'; in the QDQ form only ${listNames(["DequantizeLinear", ...PASSING])} do`,
    );
  }
  integers.set(output[0], integers.get(read)!);
}

/** The graph with the new nodes; constants that only QuantizeLinear and DequantizeLinear read are gone. */
function floatGraph(
  graph: Model["graph"],
  nodes: readonly NodeProto[],
  worked: readonly TensorProto[],
  integers: ReadonlyMap<string, IntegerType>,
): Model["graph"] {
  const read = new Set([...nodes.flatMap(({ input }) => input), ...graph.output.map(({ name }) => name)]);
  const initializers = new Set(graph.initializer.map(({ name }) => name));
  const asFloat = (info: ValueInfoProto): ValueInfoProto =>
    integers.has(info.name) && info.type?.tensorType
      ? { ...info, type: { tensorType: { ...info.type.tensorType, elemType: FLOAT32 } } }
      : info;
  return {
    ...graph,
    node: nodes.filter(({ opType, output }) => opType !== "Constant" || read.has(output[0])),
    initializer: [...graph.initializer.filter(({ name }) => read.has(name)), ...worked],
    input: graph.input.filter(({ name }) => !initializers.has(name)).map(asFloat),
    output: graph.output.map(asFloat),
  };
}

/** For each element the index into the scales. */
function alongAxis({ scales, axis, place }: Linear, dims: readonly number[]): (element: number) => number {
  if (scales.length === 1) return () => 0;
  const at = axis < 0 ? axis + dims.length : axis;
  if (dims[at] !== scales.length) {
    throw new RapError(`${place}: ${scales.length} scales along axis ${axis} of a constant with extents [${dims}]`);
  }
  const inner = dims.slice(at + 1).reduce((product, extent) => product * extent, 1);
  return (element) => Math.floor(element / inner) % scales.length;
}

/** Weights that are stored as floats and quantized in the graph. ONNX rounds half to even. */
function quantizeConstant(tensor: TensorProto, linear: Linear): IntegerTensor {
  const { values, dims } = readConstant(tensor, linear.place);
  const type = linear.type ?? "uint8";
  const indexOf = alongAxis(linear, dims);
  const integers = Int32Array.from(values, (value, i) => {
    const index = indexOf(i);
    const rounded = roundHalfEven(value / linear.scales[index]) + linear.zeroPoints[index];
    return Math.min(Math.max(rounded, TYPE_MIN[type]), TYPE_MAX[type]);
  });
  return { type, dims, values: integers };
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function dequantizeConstant(
  { type, dims, values }: IntegerTensor,
  linear: Linear,
  rescale: boolean,
): DequantizedConstant {
  const { scales, zeroPoints, axis, place } = linear;
  const indexOf = alongAxis(linear, dims);
  const centre = type === "uint8" ? 128 : 0;
  const exact = scales.map(exactExponent);
  const exponents =
    exact.every((exponent) => exponent !== null) && zeroPoints.every((point) => point === centre) ? exact : null;
  if (exponents === null && !rescale) {
    const why =
      type === "uint8" && exact.every((exponent) => exponent !== null)
        ? `zero point ${zeroPoints[0]}; uint8 weights need 128`
        : whyNot(linear, type);
    throw new RapError(`${place}: ${why}; ${RESCALE_REMEDY}`);
  }
  const reals = Float64Array.from(values, (value, i) => (value - zeroPoints[indexOf(i)]) * scales[indexOf(i)]);
  return {
    place,
    dims,
    values: reals,
    exponents: type === "int32" ? null : exponents,
    axis: axis < 0 ? axis + dims.length : axis,
  };
}
