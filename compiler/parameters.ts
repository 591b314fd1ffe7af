/** Where the weights of a built-in network come from: seeded random numbers, or a file of trained ones. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Random } from "./random.ts";

/** Hands out the parameters of one convolution after the other, in the order in which the network is built. */
export interface Parameters {
  readonly trained: boolean;
  /** Of everything that is handed out. */
  readonly sha256: string;
  /** count weights [outputs, rows, columns, inputs] of about this deviation */
  weights(count: number, deviation: number): Float32Array;
  bias(count: number): Float32Array;
}

/** He-normal weights and small biases, the same on every machine. */
export function randomParameters(name: string, seed: number): Parameters {
  const random = new Random(seed);
  const normal = (count: number, deviation: number) =>
    Float32Array.from({ length: count }, () => random.normal() * deviation);
  return {
    trained: false,
    sha256: createHash("sha256").update(`${name} seed ${seed}`).digest("hex"),
    weights: normal,
    bias: (count) => normal(count, BIAS_DEVIATION),
  };
}

const BIAS_DEVIATION = 0.1;

/** Trained parameters: float16 numbers, of each convolution its weights, then its bias (docs/training). */
export function storedParameters(file: URL): Parameters {
  const bytes = readFileSync(file);
  const values = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  let next = 0;
  const take = (count: number) => {
    if (next + count > values.length) throw new Error(`${file}: ${values.length} numbers; the network takes more`);
    next += count;
    return Float32Array.from(values.subarray(next - count, next), halfToNumber);
  };
  return {
    trained: true,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    weights: take,
    bias: take,
  };
}

/** The value of a float16 (IEEE 754 binary16); infinities and NaN do not occur. */
export function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
