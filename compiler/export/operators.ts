/** Each operator of a quantized model as standard ONNX operators on integers (docs/interchange.md). */
import {
  addShifts,
  alignBias,
  FORMAT_MAX,
  FORMAT_MIN,
  type LeakySlope,
  RapError,
  reciprocal,
} from "../../isa/index.ts";
import type { QAdd, QConcat, QConv, QNode, QPool, QTensor } from "../quantized-model.ts";
import {
  addSaturating,
  everywhere,
  floorDivide,
  map,
  multiply,
  type Numbers,
  ONNX_TYPE,
  perChannel,
  roundShiftClamped,
  roundShiftNegative,
  withConstant,
} from "./arithmetic.ts";
import type { OnnxGraph } from "./onnx-graph.ts";

interface Surroundings {
  readonly graph: OnnxGraph;
  readonly tensor: (name: string) => QTensor;
  readonly place: string;
}

type Exporter<Op extends QNode["op"]> = (node: Extract<QNode, { op: Op }>, surroundings: Surroundings) => void;

const EXPORTERS: { readonly [Op in QNode["op"]]: Exporter<Op> } = { conv, pool, add, concat };

/** @throws RapError naming the node where its integers could leave int32 */
export function exportNode(node: QNode, surroundings: Surroundings): void {
  (EXPORTERS[node.op] as Exporter<QNode["op"]>)(node, surroundings);
}

function conv(node: QConv, { graph, tensor, place }: Surroundings): void {
  const { name, kernel, groups, low, high, slope } = node;
  const input = tensor(node.inputs[0]);
  const output = tensor(node.output);
  const channels = output.channels;
  if (slope !== null && slope.a < 1) throw new RapError(`${place}: '${name}': slope shift ${slope.a} is not in 1..31`);
  const aligned = Array.from({ length: channels }, (_, k) =>
    alignBias({ bias: node.bias[k], biasShift: node.biasShift[k], shift: 0 }),
  );
  const largest = largestAccumulators(node, input, channels);
  if (largest.some((sum) => sum > FORMAT_MAX.i32)) {
    throw new RapError(
      `${place}: '${name}': its sums could leave int32; no model that rapsim quantize makes has such weights`,
    );
  }
  const accumulators = graph.node(
    "ConvInteger",
    name,
    [input.name, ...weights(graph, node, input, channels)],
    geometry(node, { dilations: node.dilation, group: groups, kernel_shape: kernel }),
  );
  const fits = largest.every((sum, k) => sum + Math.abs(aligned[k]) <= FORMAT_MAX.i32);
  const unbiased = { accumulators, bias: perChannel(aligned), fits };
  if (output.format === "i32") {
    addSaturating(graph, `${name}/bias`, unbiased, output.name);
    return;
  }
  const biased = addSaturating(graph, `${name}/bias`, unbiased);
  const activated = slope === null ? biased : leaky(graph, `${name}/leaky`, biased, slope);
  const shifted = roundShiftClamped(graph, `${name}/shift`, activated, perChannel([...node.shift]), low, high);
  graph.cast(`${name}/narrow`, shifted, ONNX_TYPE[output.format], output.name);
}

/** The sum of |weight| times the largest input, per output channel: no partial sum is larger. */
function largestAccumulators({ weights }: QConv, { format }: QTensor, channels: number): number[] {
  const perOutput = weights.length / channels;
  const magnitude = format === "u8" ? FORMAT_MAX.u8 : -FORMAT_MIN.i8;
  return Array.from({ length: channels }, (_, k) => {
    let sum = 0;
    for (let i = k * perOutput; i < (k + 1) * perOutput; i++) sum += Math.abs(weights[i]);
    return sum * magnitude;
  });
}

/**
 * The inputs of ConvInteger behind the activations: weights as [K][C][R][S] and, for uint8 activations, zero points.
 * onnxruntime multiplies uint8 by int8 with an instruction that saturates pairs of products to 16 bits on x86 processors
 * without VNNI (onnxruntime pull request 12088); uint8 by uint8 it multiplies exactly everywhere. So there the weights
 * are stored with 128 added, and 128 as their zero point takes it away again.
 */
function weights(graph: OnnxGraph, node: QConv, { format, channels: inputs }: QTensor, channels: number): string[] {
  const [rows, columns] = node.kernel;
  const perGroup = inputs / node.groups;
  const taps = rows * columns;
  const offset = format === "u8" ? 128 : 0;
  const values = new Int16Array(node.weights.length);
  for (let k = 0; k < channels; k++) {
    for (let tap = 0; tap < taps; tap++) {
      for (let c = 0; c < perGroup; c++) {
        values[(k * perGroup + c) * taps + tap] = node.weights[(k * taps + tap) * perGroup + c] + offset;
      }
    }
  }
  const dims = [channels, perGroup, rows, columns];
  if (format !== "u8") return [graph.constant(`${node.name}/weights`, "int8", dims, values)];
  const stored = graph.constant(`${node.name}/weights`, "uint8", dims, values);
  return [stored, graph.scalar("uint8", 0), graph.scalar("uint8", offset)];
}

function geometry(node: QConv | QPool, more: Record<string, number | readonly number[]>) {
  return { strides: node.stride, pads: node.pads, ...more };
}

/** Each term rounded: max(v, 0) + roundShift(min(v, 0), a) + roundShift(min(v, 0), b). */
function leaky(graph: OnnxGraph, name: string, value: string, { a, b }: LeakySlope): string {
  const positive = withConstant(graph, "Max", `${name}/positive`, value, everywhere(0));
  const negative = withConstant(graph, "Min", `${name}/negative`, value, everywhere(0));
  return (b === 0 ? [a] : [a, b]).reduce((sum, shift, i) => {
    const term = roundShiftNegative(graph, `${name}/term${i}`, negative, shift);
    return graph.node("Add", `${name}/sum${i}`, [sum, term]);
  }, positive);
}

function pool(node: QPool, surroundings: Surroundings): void {
  const { graph, place } = surroundings;
  const { name, inputs, output, mode, kernel, pads } = node;
  if (pads.some((pad, i) => pad >= kernel[i % 2])) {
    throw new RapError(
      `${place}: '${name}': padding ${pads} of a ${kernel.join("x")} window; padding must be smaller than the window`,
    );
  }
  if (mode === "average") averagePool(node, surroundings);
  else graph.node("MaxPool", name, inputs, geometry(node, { kernel_shape: kernel }), output);
}

/**
 * A window's sum is a depthwise convolution by 1 (AveragePool has no integers); then the 16-bit reciprocal of the number
 * of elements averaged, which is a constant of each output position.
 */
function averagePool(node: QPool, { graph, tensor }: Surroundings): void {
  const { name, kernel } = node;
  const input = tensor(node.inputs[0]);
  const output = tensor(node.output);
  const ones = graph.constant(
    `${name}/ones`,
    "int8",
    [input.channels, 1, ...kernel],
    new Int8Array(input.channels * kernel[0] * kernel[1]).fill(1),
  );
  const sums = graph.node(
    "ConvInteger",
    name,
    [input.name, ones],
    geometry(node, { group: input.channels, kernel_shape: kernel }),
  );
  const averaged = counts(node, input, output);
  const reciprocals = averaged.map(reciprocal);
  const each = (values: number[]): Numbers => ({ dims: [1, 1, output.height, output.width], values });
  const shifts = each(reciprocals.map(({ shift }) => shift));
  // 255 * 2^23, the largest product of up to 511 elements, and the addend fit int32
  const type = Math.max(...averaged) < 512 ? "int32" : "int64";
  const wide = type === "int32" ? sums : graph.cast(`${name}/wide`, sums, type);
  const factors = each(reciprocals.map(({ factor }) => factor));
  const scaled = multiply(graph, `${name}/factor`, wide, factors, type);
  const half = map(shifts, (shift) => 2 ** (shift - 1));
  const raised = withConstant(graph, "Add", `${name}/up`, scaled, half, type);
  const divisor = map(shifts, (shift) => 2 ** shift);
  const shifted = floorDivide(graph, `${name}/shift`, raised, divisor, type);
  graph.cast(`${name}/narrow`, shifted, ONNX_TYPE[output.format], output.name);
}

/** Elements averaged at each output position, row by row. */
function counts({ kernel, stride, pads, countPadding }: QPool, input: QTensor, output: QTensor): number[] {
  const along = (axis: 0 | 1, size: number, positions: number) =>
    Array.from({ length: positions }, (_, i) => {
      if (countPadding) return kernel[axis];
      const start = i * stride[axis] - pads[axis];
      return Math.min(start + kernel[axis], size) - Math.max(start, 0);
    });
  const columns = along(1, input.width, output.width);
  return along(0, input.height, output.height).flatMap((rows) => columns.map((count) => rows * count));
}

function add(node: QAdd, { graph, tensor }: Surroundings): void {
  const { name, low, high } = node;
  const [a, b] = node.inputs.map(tensor);
  const output = tensor(node.output);
  const shifts = addShifts(a.exponent, b.exponent, output.exponent);
  const operand = ({ name: source }: QTensor, which: "a" | "b") => {
    const wide = graph.cast(`${name}/${which}/wide`, source, "int32");
    return multiply(graph, `${name}/${which}`, wide, everywhere(2 ** shifts[which]));
  };
  const sum = graph.node("Add", name, [operand(a, "a"), operand(b, "b")]);
  const shifted = roundShiftClamped(graph, `${name}/shift`, sum, everywhere(shifts.out), low, high);
  graph.cast(`${name}/narrow`, shifted, ONNX_TYPE[output.format], output.name);
}

function concat(node: QConcat, { graph }: Surroundings): void {
  graph.node("Concat", node.name, node.inputs, { axis: 1 }, node.output);
}
