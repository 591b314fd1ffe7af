/** One QuantizeLinear or DequantizeLinear: its constants, checked, and the machine's format and exponents for them. */
import { FORMAT_MAX, FORMAT_MIN, RapError } from "../../isa/index.ts";
import { ATTRIBUTE_TYPE, DATA_TYPES, type NodeProto, type TensorProto } from "../onnx/schema.ts";
import { readConstant } from "../onnx/tensor.ts";
import { exactExponent, type IntegerType, nearestExponent, readIntegers, TYPE_MAX, TYPE_MIN } from "./constants.ts";

export const QDQ_OPERATORS = ["QuantizeLinear", "DequantizeLinear"] as const;

/** real = (integer - zeroPoint) * scale, for each index along `axis`, or one pair for all. */
export interface Linear {
  /** of messages: file, node, operator */
  readonly place: string;
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  /** null: not said here (DequantizeLinear without a zero point) */
  readonly type: IntegerType | null;
  readonly axis: number;
}

/** An activation's numbers on the machine. */
export interface ActivationScale {
  /** the tensor that the operator reads */
  readonly of: string;
  readonly written: Linear;
  readonly format: "i8" | "u8";
  /** one, or one per channel */
  readonly exponents: readonly number[];
}

export const RESCALE_REMEDY =
  "quantize again with power-of-two scales, or move them to the nearest: rapsim quantize --rescale";

/** @throws RapError */
export function readLinear(
  node: NodeProto,
  place: string,
  constantOf: (name: string) => TensorProto | undefined,
): Linear {
  const fail = (message: string): never => {
    throw new RapError(`${place}: ${message}`);
  };
  const attribute = (name: string, standard: number): number => {
    const found = node.attribute.find((candidate) => candidate.name === name);
    if (found !== undefined && found.type !== 0 && found.type !== ATTRIBUTE_TYPE.INT)
      fail(`attribute '${name}' is not an integer`);
    return found?.i ?? standard;
  };
  for (const { name } of node.attribute) {
    if (!["axis", "block_size", "output_dtype", "saturate"].includes(name))
      fail(`attribute '${name}' is not supported`);
  }
  if (attribute("block_size", 0) !== 0)
    fail("blocked scales are not supported; take one scale per tensor or per output channel");
  const constant = (index: number, what: string): TensorProto =>
    constantOf(node.input[index] ?? "") ??
    fail(`${what} '${node.input[index] ?? ""}' must be a constant stored in the file`);
  const scale = constant(1, "scale");
  if (DATA_TYPES[scale.dataType] !== "float32")
    fail(`scale has ${DATA_TYPES[scale.dataType] ?? `type ${scale.dataType}`} elements; float32 is needed`);
  const { values, dims } = readConstant(scale, `${place}: scale`);
  if (dims.length > 1 || values.length === 0)
    fail(`scale has extents [${dims}]; one scale, or one per channel, is needed`);
  const scales = [...values];
  const wrong = scales.find((value) => value <= 0);
  if (wrong !== undefined) fail(`scale ${shortest(wrong)}; scales are positive`);
  const given = node.input[2] ? readIntegers(constant(2, "zero point"), `${place}: zero point`) : null;
  if (given !== null && given.values.length !== scales.length)
    fail(`${given.values.length} zero points for ${scales.length} scales`);
  const asked = attribute("output_dtype", 0);
  const askedName = DATA_TYPES[asked];
  if (given === null && asked !== 0 && askedName !== "int8" && askedName !== "uint8")
    fail(`output_dtype ${askedName ?? asked}; int8 or uint8 is needed`);
  const standard = node.opType === "QuantizeLinear" ? "uint8" : null;
  const type = given?.type ?? (askedName === "int8" || askedName === "uint8" ? askedName : standard);
  const zeroPoints = given === null ? scales.map(() => 0) : [...given.values];
  return { place, scales, zeroPoints, type, axis: attribute("axis", 1) };
}

/**
 * The format that holds the same integers without a zero point: uint8 around 128 is i8, int8 around -128 is u8.
 * null: there is none.
 */
function formatOf(type: IntegerType, zeroPoints: readonly number[]): "i8" | "u8" | null {
  const all = (zeroPoint: number) => zeroPoints.every((value) => value === zeroPoint);
  if (type === "int8") return all(0) ? "i8" : all(-128) ? "u8" : null;
  return all(0) ? "u8" : all(128) ? "i8" : null;
}

/** @throws RapError for zero points and scales that the machine does not have, unless they may be moved */
export function activationScale(of: string, written: Linear, type: IntegerType, rescale: boolean): ActivationScale {
  const { place, scales, zeroPoints } = written;
  const known = { ...written, type };
  if (type === "int32") throw new RapError(`${place}: int32 activations; int8 or uint8 is needed`);
  const format = formatOf(type, zeroPoints);
  const exact = scales.map(exactExponent);
  if (format !== null && exact.every((exponent) => exponent !== null))
    return { of, written: known, format, exponents: exact };
  if (!rescale) throw new RapError(`${place}: ${whyNot(written, type)}; ${RESCALE_REMEDY}`);
  if (format !== null) return { of, written: known, format, exponents: scales.map(nearestExponent) };
  // the range that the integers cover, at the format that has its sign
  const lows = scales.map((scale, i) => (TYPE_MIN[type] - zeroPoints[i]) * scale);
  const highs = scales.map((scale, i) => (TYPE_MAX[type] - zeroPoints[i]) * scale);
  const wide = lows.every((low) => low >= 0) ? "u8" : "i8";
  const step = (i: number) => Math.max(highs[i] / FORMAT_MAX[wide], wide === "u8" ? 0 : lows[i] / FORMAT_MIN.i8);
  return { of, written: known, format: wide, exponents: scales.map((_, i) => nearestExponent(step(i))) };
}

/** A float32 without the digits that its type does not have. */
export const shortest = (value: number) => Number(value.toPrecision(7));

/** The rule that a scale or zero point breaks. */
export function whyNot({ scales, zeroPoints }: Linear, type: IntegerType): string {
  const at = scales.findIndex((scale) => exactExponent(scale) === null);
  if (at >= 0) {
    const channel = scales.length > 1 ? ` of channel ${at}` : "";
    return `scale ${shortest(scales[at])}${channel} is not a power of two (the nearest is 2^${0 - nearestExponent(scales[at])}); the machine scales by shifts`;
  }
  const none = type === "uint8" ? "0 or 128" : type === "int8" ? "0 or -128" : "0";
  const wrong = zeroPoints.find((zeroPoint) => zeroPoint !== zeroPoints[0]) ?? zeroPoints[0];
  return `zero point ${wrong}; the machine has none, so ${type} needs ${none}`;
}
