/**
 * The machine's rounding, in operators of ONNX on int32. ONNX shifts unsigned integers only and its integer division
 * truncates, so what is exact for every int32 is put together of
 *
 *     floorDivide(a, d) = (a - Mod(a, d)) / d          Mod has the divisor's sign, so the division leaves no remainder
 *     roundShift(a, s)  = floor((floorDivide(a, 2^(s-1)) + 1) / 2)          s > 0; nothing can overflow
 *
 * int64 would be simpler to read, but Clip, Min and Max of int64 are wrong for some values in onnxruntime on x86
 * (onnxruntime pull request 25280; seen in 1.30) and other runtimes keep 32 bits of it.
 */
import { FORMAT_MAX, FORMAT_MIN, type Format } from "../../isa/index.ts";
import type { OnnxGraph, OnnxType } from "./onnx-graph.ts";

export const ONNX_TYPE: Readonly<Record<Format, OnnxType>> = { i8: "int8", u8: "uint8", i32: "int32" };

/** Numbers along some axes of [1, C, H, W], each broadcast over the rest. */
export interface Numbers {
  readonly dims: readonly number[];
  readonly values: readonly number[];
}

/** Types that are computed in. */
type Wide = "int32" | "int64";

/** One number for all. */
export const everywhere = (value: number): Numbers => ({ dims: [], values: [value] });

export function perChannel(values: readonly number[]): Numbers {
  return { dims: [1, values.length, 1, 1], values };
}

export function map({ dims, values }: Numbers, change: (value: number) => number): Numbers {
  return { dims, values: values.map(change) };
}

/** An operation with a constant. */
export function withConstant(
  graph: OnnxGraph,
  op: "Add" | "Sub" | "Mul" | "Div" | "Mod" | "Min" | "Max",
  name: string,
  input: string,
  numbers: Numbers,
  type: Wide = "int32",
): string {
  return graph.node(op, name, [input, constantOf(graph, name, numbers, type)]);
}

function constantOf(graph: OnnxGraph, name: string, { dims, values }: Numbers, type: Wide): string {
  const same = values.every((value) => value === values[0]);
  return same ? graph.scalar(type, values[0]) : graph.constant(`${name}/constant`, type, dims, values);
}

export function multiply(graph: OnnxGraph, name: string, input: string, factor: Numbers, type: Wide = "int32"): string {
  return factor.values.every((value) => value === 1) ? input : withConstant(graph, "Mul", name, input, factor, type);
}

/** Rounded towards minus infinity, for positive divisors. */
export function floorDivide(
  graph: OnnxGraph,
  name: string,
  input: string,
  divisor: Numbers,
  type: Wide = "int32",
): string {
  if (divisor.values.every((value) => value === 1)) return input;
  const rest = withConstant(graph, "Mod", `${name}/rest`, input, divisor, type);
  const multiple = graph.node("Sub", `${name}/multiple`, [input, rest]);
  return withConstant(graph, "Div", name, multiple, divisor, type);
}

/** roundShift(a, s) for any a <= 0 and one s > 0. */
export function roundShiftNegative(graph: OnnxGraph, name: string, input: string, shift: number): string {
  const twice = floorDivide(graph, `${name}/twice`, input, everywhere(2 ** (shift - 1)));
  return floorDivide(graph, name, withConstant(graph, "Add", `${name}/up`, twice, everywhere(1)), everywhere(2));
}

/** Above the magnitude of every 8-bit value. */
const OUT_OF_RANGE = 256;

/** clamp(roundShift(a, s), low, high) for any int32 a and shifts in -8..31; low and high fit an 8-bit format. */
export function roundShiftClamped(
  graph: OnnxGraph,
  name: string,
  input: string,
  shifts: Numbers,
  low: number,
  high: number,
): string {
  let twice = floorDivide(
    graph,
    `${name}/twice`,
    input,
    map(shifts, (s) => 2 ** Math.max(0, s - 1)),
  );
  if (shifts.values.some((s) => s < 1)) {
    // what is out of range stays so, and then the left shift cannot overflow
    const limited = clip(graph, `${name}/limit`, twice, -2 * OUT_OF_RANGE, 2 * OUT_OF_RANGE);
    twice = multiply(
      graph,
      `${name}/left`,
      limited,
      map(shifts, (s) => 2 ** Math.max(0, 1 - s)),
    );
  }
  // floor((t + 1) / 2) is low at 2 low and high at 2 high
  const clamped = clip(graph, `${name}/clamp`, twice, 2 * low, 2 * high);
  const raised = withConstant(graph, "Add", `${name}/up`, clamped, everywhere(2 * OUT_OF_RANGE + 1));
  const halved = withConstant(graph, "Div", `${name}/half`, raised, everywhere(2));
  return withConstant(graph, "Sub", name, halved, everywhere(OUT_OF_RANGE));
}

function clip(graph: OnnxGraph, name: string, input: string, low: number, high: number): string {
  return graph.node("Clip", name, [input, graph.scalar("int32", low), graph.scalar("int32", high)]);
}

/** saturate32(accumulator + bias). `fits`: no sum can leave int32. */
export function addSaturating(
  graph: OnnxGraph,
  name: string,
  { accumulators, bias, fits }: { readonly accumulators: string; readonly bias: Numbers; readonly fits: boolean },
  output?: string,
): string {
  let limited = accumulators;
  if (!fits) {
    const most = map(bias, (value) => Math.min(FORMAT_MAX.i32, FORMAT_MAX.i32 - value));
    const least = map(bias, (value) => Math.max(FORMAT_MIN.i32, FORMAT_MIN.i32 - value));
    limited = withConstant(graph, "Min", `${name}/most`, limited, most);
    limited = withConstant(graph, "Max", `${name}/least`, limited, least);
  }
  return graph.node("Add", name, [limited, constantOf(graph, name, bias, "int32")], {}, output);
}
