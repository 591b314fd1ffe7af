/**
 * The machine's rounding, in operators of ONNX. ONNX shifts unsigned integers only and its integer division truncates, so
 * floor((a + 2^(s-1)) / 2^s) becomes a division of a number that is not negative: with B = 2^44, a multiple of every 2^s,
 *
 *     floor((a + 2^(s-1)) / 2^s) = (a + 2^(s-1) + B) / 2^s - B / 2^s
 *
 * in int64, exact at ties, for negative numbers and at the ends of int32.
 */
import { FORMAT_MAX, FORMAT_MIN, type Format } from "../../isa/index.ts";
import type { OnnxGraph, OnnxType } from "./onnx-graph.ts";

/** Above the magnitude of everything that is rounded: an int32 shifted left by 8, a pooled sum times a 16-bit factor. */
const LIFT_LOG2 = 44;

export const ONNX_TYPE: Readonly<Record<Format, OnnxType>> = { i8: "int8", u8: "uint8", i32: "int32" };

/** Numbers along some axes of [1, C, H, W], each broadcast over the rest. */
export interface Operand {
  readonly dims: readonly number[];
  readonly values: readonly number[];
}

/** One number where all are the same. */
export function perChannel(values: readonly number[]): Operand {
  return simplest({ dims: [1, values.length, 1, 1], values });
}

export function simplest(operand: Operand): Operand {
  const [first] = operand.values;
  return operand.values.every((value) => value === first) ? { dims: [], values: [first] } : operand;
}

/** An int64 operation with a constant. */
function withConstant(graph: OnnxGraph, op: string, name: string, input: string, { dims, values }: Operand): string {
  const constant =
    dims.length === 0 ? graph.scalar("int64", values[0]) : graph.constant(`${name}/constant`, "int64", dims, values);
  return graph.node(op, name, [input, constant]);
}

export function multiply(graph: OnnxGraph, name: string, input: string, factor: Operand): string {
  return factor.values.every((value) => value === 1) ? input : withConstant(graph, "Mul", name, input, factor);
}

/** roundShift of an int64 tensor of magnitude below 2^32 (2^43 if no shift is to the left). Negative shifts: to the left. */
export function roundShift(graph: OnnxGraph, name: string, input: string, shifts: Operand): string {
  const { dims, values } = simplest(shifts);
  const each = (of: (shift: number) => number): Operand => ({ dims, values: values.map(of) });
  const left = multiply(
    graph,
    `${name}/left`,
    input,
    each((s) => 2 ** Math.max(0, -s)),
  );
  if (values.every((s) => s <= 0)) return left;
  const lifted = withConstant(
    graph,
    "Add",
    `${name}/lift`,
    left,
    each((s) => 2 ** LIFT_LOG2 + (s > 0 ? 2 ** (s - 1) : 0)),
  );
  const divided = withConstant(
    graph,
    "Div",
    `${name}/divide`,
    lifted,
    each((s) => 2 ** Math.max(0, s)),
  );
  return withConstant(
    graph,
    "Sub",
    `${name}/lower`,
    divided,
    each((s) => 2 ** (LIFT_LOG2 - Math.max(0, s))),
  );
}

export function clip(graph: OnnxGraph, name: string, input: string, low: number, high: number): string {
  return graph.node("Clip", name, [input, graph.scalar("int64", low), graph.scalar("int64", high)]);
}

export function saturate32(graph: OnnxGraph, name: string, input: string): string {
  return clip(graph, name, input, FORMAT_MIN.i32, FORMAT_MAX.i32);
}
