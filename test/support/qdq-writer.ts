/** A quantized model written as float ONNX with QuantizeLinear and DequantizeLinear, as quantizing tools do. */
import { ATTRIBUTE_TYPE, DATA_TYPES, FLOAT32, modelType } from "../../compiler/onnx/schema.ts";
import type { QConv, QNode, QTensor, QuantizedModel } from "../../compiler/quantized-model.ts";
import { alignBias } from "../reference/index.ts";

export interface QdqStyle {
  /** i8 as uint8 around 128 and u8 as int8 around -128; weights as uint8 around 128. */
  readonly offset?: boolean;
  /** Integers in int32_data, as onnx.helper writes them, instead of raw_data. */
  readonly unpacked?: boolean;
  /** All scales times this. */
  readonly scaleFactor?: number;
  /** Weights stored as floats, with a QuantizeLinear of their own. */
  readonly floatWeights?: boolean;
}

/** An input or output of a graph. */
export interface Value {
  readonly name: string;
  readonly shape?: readonly number[];
  readonly type?: "float32" | "int8" | "uint8";
}

type Attributes = Record<string, number | readonly number[] | { readonly float: number }>;

/** An ONNX graph with the usual patterns of quantizing tools. */
export class QdqWriter {
  readonly nodes: object[] = [];
  readonly initializers: object[] = [];
  private readonly style: QdqStyle;

  constructor(style: QdqStyle = {}) {
    this.style = style;
  }

  node(opType: string, input: readonly string[], output: string, attributes: Attributes = {}, name = ""): void {
    const attribute = Object.entries(attributes).map(([key, value]) => {
      if (typeof value === "number") return { name: key, type: ATTRIBUTE_TYPE.INT, i: value };
      if ("float" in value) return { name: key, type: ATTRIBUTE_TYPE.FLOAT, f: value.float };
      return { name: key, type: ATTRIBUTE_TYPE.INTS, ints: value };
    });
    this.nodes.push({ opType, input, output: [output], attribute, name });
  }

  floats(name: string, dims: readonly number[], values: ArrayLike<number>): string {
    this.initializers.push({ name, dims, dataType: FLOAT32, rawData: bytes(Float32Array.from(values)) });
    return name;
  }

  integers(name: string, type: "int8" | "uint8" | "int32", dims: readonly number[], values: ArrayLike<number>): string {
    const typed = type === "int32" ? Int32Array.from(values) : Uint8Array.from(values, (value) => value & 255);
    const data = this.style.unpacked ? { int32Data: Array.from(values) } : { rawData: bytes(typed) };
    this.initializers.push({ name, dims, dataType: DATA_TYPES.indexOf(type), ...data });
    return name;
  }

  /** Scale and zero point inputs. */
  linear(name: string, exponents: readonly number[], type: "int8" | "uint8" | "int32", zeroPoint: number): string[] {
    const dims = exponents.length === 1 ? [] : [exponents.length];
    const scales = exponents.map((f) => 2 ** -f * (this.style.scaleFactor ?? 1));
    const zeroPoints = exponents.map(() => zeroPoint);
    return [this.floats(`${name}_scale`, dims, scales), this.integers(`${name}_zero_point`, type, dims, zeroPoints)];
  }

  /** The file. Shapes are [1, C, H, W]; of outputs they may be left out. */
  file(input: Value, outputs: readonly Value[]): Uint8Array {
    const info = ({ name, shape, type = "float32" }: Value) => {
      const dims = shape && { shape: { dim: shape.map((dimValue) => ({ dimValue })) } };
      return { name, type: { tensorType: { elemType: DATA_TYPES.indexOf(type), ...dims } } };
    };
    const graph = { name: "qdq", node: this.nodes, initializer: this.initializers };
    const model = { irVersion: 7, opsetImport: [{ domain: "", version: 13 }] };
    const ends = { input: [info(input)], output: outputs.map(info) };
    return modelType.encode(modelType.fromObject({ ...model, graph: { ...graph, ...ends } })).finish();
  }

  /** The pair behind a float tensor. */
  quantize(from: string, to: string, format: "i8" | "u8", exponents: readonly number[]): void {
    const { offset = false } = this.style;
    const type = (format === "i8") === offset ? "uint8" : "int8";
    const parameters = this.linear(to, exponents, type, offset ? (format === "i8" ? 128 : -128) : 0);
    const axis: Attributes = exponents.length > 1 ? { axis: 1 } : {};
    this.node("QuantizeLinear", [from, ...parameters], `${to}_quantized`, axis);
    this.node("DequantizeLinear", [`${to}_quantized`, ...parameters], to, axis);
  }
}

/** Float tensors carry the model's names: outputs behind DequantizeLinear, others before QuantizeLinear. */
export function writeQdq(model: QuantizedModel, style: QdqStyle = {}): Uint8Array {
  const writer = new QdqWriter(style);
  const tensors = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
  const outputs = new Map(model.host.outputs.map((output) => [output.tensor, output]));
  const quantized = ({ name }: QTensor) => (outputs.has(name) ? name : `${name}_dequantized`);
  const plain = ({ name, format }: QTensor) => (outputs.has(name) && format !== "i32" ? `${name}_float` : name);
  const pair = (tensor: QTensor) => {
    if (tensor.format === "i32") return;
    const { exponents } = outputs.get(tensor.name) ?? { exponents: [tensor.exponent] };
    const one = exponents.every((f) => f === exponents[0]);
    writer.quantize(plain(tensor), quantized(tensor), tensor.format, one ? [exponents[0]] : exponents);
  };
  pair(model.tensors[0]);
  for (const node of model.nodes) {
    const inputs = node.inputs.map((name) => tensors.get(name)!);
    const output = tensors.get(node.output)!;
    write(writer, node, inputs, output, inputs.map(quantized), plain(output), style);
    pair(output);
  }
  const value = (tensor: Omit<QTensor, "name" | "exponent">, name: string): Value => ({
    name,
    shape: [1, tensor.channels, tensor.height, tensor.width],
  });
  const [input] = model.tensors;
  return writer.file(
    value(input, input.name),
    model.host.outputs.map((output) => value(output, output.tensor)),
  );
}

function write(
  writer: QdqWriter,
  node: QNode,
  inputs: readonly QTensor[],
  output: QTensor,
  read: readonly string[],
  written: string,
  style: QdqStyle,
): void {
  const { name } = node;
  switch (node.op) {
    case "conv": {
      const { kernel: kernel_shape, stride: strides, dilation: dilations, pads, groups: group } = node;
      const attributes = { kernel_shape, strides, dilations, pads, group };
      const operands = [read[0], ...writeConstants(writer, node, inputs[0], output, style)];
      writeActivated(writer, node, output, written, (to) => writer.node("Conv", operands, to, attributes, name));
      break;
    }
    case "pool": {
      const attributes = { kernel_shape: node.kernel, strides: node.stride, pads: node.pads };
      if (node.mode === "max") writer.node("MaxPool", read, written, attributes, name);
      else {
        const count = { count_include_pad: Number(node.countPadding) };
        writer.node("AveragePool", read, written, { ...attributes, ...count }, name);
      }
      break;
    }
    case "add":
      writeActivated(writer, node, output, written, (to) => writer.node("Add", read, to, {}, name));
      break;
    case "concat":
      writer.node("Concat", read, written, { axis: 1 }, name);
  }
}

/** The operator, and Relu, LeakyRelu or Clip behind it where the clamp is not the format's whole range. */
function writeActivated(
  writer: QdqWriter,
  node: { readonly low: number; readonly high: number; readonly slope?: QConv["slope"] },
  { format, exponent }: QTensor,
  written: string,
  operator: (to: string) => void,
): void {
  const [least, most] = format === "u8" ? [0, 255] : [-128, 127];
  const { low, high, slope = null } = node;
  const linear = `${written}_linear`;
  const plain = format === "i32" || (slope === null && low === least && high === most);
  operator(plain ? written : linear);
  if (plain) return;
  if (slope !== null) {
    const alpha = 2 ** -slope.a + (slope.b === 0 ? 0 : 2 ** -slope.b);
    writer.node("LeakyRelu", [linear], written, { alpha: { float: alpha } });
  } else if (low === 0 && high === most) writer.node("Relu", [linear], written);
  else {
    // the quarter keeps the bounds apart where both are one integer
    const bounds = [low, high + 0.25].map((bound, i) =>
      writer.floats(`${written}_${i === 0 ? "low" : "high"}`, [], [bound * 2 ** -exponent]),
    );
    writer.node("Clip", [linear, ...bounds], written);
  }
}

/** Weights and bias behind DequantizeLinear, scales per output channel. */
function writeConstants(writer: QdqWriter, node: QConv, input: QTensor, output: QTensor, style: QdqStyle): string[] {
  const { name, kernel, groups, weights, bias, biasShift, accExponents } = node;
  const { channels } = output;
  const perGroup = input.channels / groups;
  const taps = kernel[0] * kernel[1];
  const zeroPoint = style.offset ? 128 : 0;
  const type = style.offset ? "uint8" : "int8";
  const turned = new Array<number>(weights.length);
  for (let k = 0; k < channels; k++) {
    for (let c = 0; c < perGroup; c++) {
      for (let tap = 0; tap < taps; tap++)
        turned[(k * perGroup + c) * taps + tap] = weights[(k * taps + tap) * perGroup + c];
    }
  }
  const dims = [channels, perGroup, ...kernel];
  const exponents = Array.from(accExponents, (f) => f - input.exponent);
  const scale = writer.linear(`${name}_weights`, exponents, type, zeroPoint);
  let stored: string;
  if (style.floatWeights) {
    const reals = turned.map((value, i) => value * 2 ** -exponents[Math.floor(i / (perGroup * taps))]);
    stored = `${name}_weights_quantized`;
    writer.node("QuantizeLinear", [writer.floats(`${name}_floats`, dims, reals), ...scale], stored, { axis: 0 });
  } else {
    stored = writer.integers(
      `${name}_integers`,
      type,
      dims,
      turned.map((value) => value + zeroPoint),
    );
  }
  writer.node("DequantizeLinear", [stored, ...scale], `${name}_weights`, { axis: 0 });
  const aligned = Array.from(bias, (value, k) => alignBias(value, biasShift[k]));
  const biasScale = writer.linear(`${name}_bias`, [...accExponents], "int32", 0);
  const biases = writer.integers(`${name}_bias_integers`, "int32", [channels], aligned);
  writer.node("DequantizeLinear", [biases, ...biasScale], `${name}_bias`, { axis: 0 });
  return [`${name}_weights`, `${name}_bias`];
}

const bytes = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
