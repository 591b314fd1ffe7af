/**
 * The quantized model: a graph of integer operators whose integers do not depend on any machine.
 * What quantizing produces, what a `.rapq` file holds, and what lowering reads.
 */
import type { Format, HostSection, LeakySlope } from "../isa/index.ts";

/** A tensor [height, width, channels]; real * factor = integer * 2^-exponent. An i32 output has per-channel exponents in `host`. */
export interface QTensor {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly format: Format;
  readonly exponent: number;
  /** What the float network's values were multiplied by, for scales between powers of two. Left out: 1, as in every output. */
  readonly factor?: number | undefined;
}

export type Pair = readonly [y: number, x: number];
/** top, left, bottom, right */
export type Pads = readonly [number, number, number, number];

/** int8 convolution with the shift unit behind it. Also Gemm: a kernel as large as its input. */
export interface QConv {
  readonly op: "conv";
  readonly name: string;
  readonly inputs: readonly [string];
  readonly output: string;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly pads: Pads;
  readonly groups: number;
  /** [outChannels][kernelY][kernelX][inChannels / groups] */
  readonly weights: Int8Array;
  /** per output channel */
  readonly bias: Int8Array;
  readonly biasShift: Int8Array;
  readonly shift: Int8Array;
  /** exponent of the int32 accumulator, per output channel: f(weights) + f(input) */
  readonly accExponents: Int8Array;
  /** clamp of the shift unit: ReLU has low 0, Clip(0, 6) has high round(6 * 2^f); ignored for an i32 output */
  readonly low: number;
  readonly high: number;
  readonly slope: LeakySlope | null;
}

export interface QPool {
  readonly op: "pool";
  readonly name: string;
  readonly inputs: readonly [string];
  readonly output: string;
  readonly mode: "max" | "average";
  /** average only: padding counts as zeros in the average */
  readonly countPadding: boolean;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly pads: Pads;
}

/** saturate(roundShift((a << sa) + (b << sb), s)), shifts from the tensors' exponents; clamp for a fused ReLU. */
export interface QAdd {
  readonly op: "add";
  readonly name: string;
  readonly inputs: readonly [string, string];
  readonly output: string;
  readonly low: number;
  readonly high: number;
}

/** Channel concatenation; all parts and the result share format and exponent, so it costs nothing. */
export interface QConcat {
  readonly op: "concat";
  readonly name: string;
  readonly inputs: readonly string[];
  readonly output: string;
}

export type QNode = QConv | QPool | QAdd | QConcat;

/** One exponent chosen while the network runs (docs/arithmetic.md, section 8). */
export interface RuntimeExponent {
  /** The tensors that share it: all that pooling and concatenation join. */
  readonly tensors: readonly string[];
  /** How far it may lie below and above the tensors' own exponent. */
  readonly low: number;
  readonly high: number;
  /** At most one value in 2^clipLog2 may saturate; null: an addition's result, which follows its operands. */
  readonly clipLog2: number | null;
}

export interface RuntimeScaling {
  /** dynamic: from this frame's values; delayed: from those of the frame before. */
  readonly mode: "dynamic" | "delayed";
  readonly exponents: readonly RuntimeExponent[];
}

export interface QuantizedModel {
  readonly name: string;
  /** All tensors, the network's input first. */
  readonly tensors: readonly QTensor[];
  /** In topological order. */
  readonly nodes: readonly QNode[];
  readonly host: HostSection;
  /** Left out: all exponents are constants. */
  readonly runtime?: RuntimeScaling | undefined;
  readonly provenance: {
    /** SHA-256 of the float model's bytes, or of the built-in's name and seed. */
    readonly source: string;
    readonly sourceSha256: string;
    readonly rapsim: string;
    readonly options: Readonly<Record<string, string | number | boolean>>;
  };
}
