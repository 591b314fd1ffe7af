/** Runs a quantized model, node by node, over whole tensors. The model's type is declared here, structurally. */
import { shiftUnit, shiftUnitWide } from "./arithmetic.ts";
import {
  addMaps,
  concat,
  convAccumulators,
  type Elements,
  type FeatureMap,
  type Pads,
  type Pair,
  pool,
} from "./operators.ts";

interface ReferenceTensor {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly format: "i8" | "u8" | "i32";
  readonly exponent: number;
}

interface ReferenceConv {
  readonly op: "conv";
  readonly name: string;
  readonly inputs: readonly [string];
  readonly output: string;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly pads: Pads;
  readonly groups: number;
  /** [K, kernelY, kernelX, C / groups] */
  readonly weights: Int8Array;
  readonly bias: Int8Array;
  readonly biasShift: Int8Array;
  readonly shift: Int8Array;
  readonly low: number;
  readonly high: number;
  readonly slope: { readonly a: number; readonly b: number } | null;
}

interface ReferencePool {
  readonly op: "pool";
  readonly name: string;
  readonly inputs: readonly [string];
  readonly output: string;
  readonly mode: "max" | "average";
  readonly countPadding: boolean;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly pads: Pads;
}

interface ReferenceAdd {
  readonly op: "add";
  readonly name: string;
  readonly inputs: readonly [string, string];
  readonly output: string;
  readonly low: number;
  readonly high: number;
}

interface ReferenceConcat {
  readonly op: "concat";
  readonly name: string;
  readonly inputs: readonly string[];
  readonly output: string;
}

export interface ReferenceModel {
  /** The network's input first. */
  readonly tensors: readonly ReferenceTensor[];
  /** In topological order. */
  readonly nodes: readonly (ReferenceConv | ReferencePool | ReferenceAdd | ReferenceConcat)[];
}

export interface ReferenceRun {
  /** Every tensor by name, [height, width, channels], in its format's array type. */
  readonly tensors: Map<string, Elements>;
  /** Every convolution's int32 accumulators by node name, [OH, OW, K], before the bias. */
  readonly accumulators: Map<string, Int32Array>;
}

/** @throws Error when the model contradicts itself: an unknown tensor, a wrong shape, format or exponent */
export function runReference(model: ReferenceModel, input: Elements): ReferenceRun {
  const tensors = new Map<string, Elements>();
  const accumulators = new Map<string, Int32Array>();
  const declared = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
  const tensorOf = (name: string): ReferenceTensor => declared.get(name) ?? fail(`tensor ${name} is not declared`);
  const mapOf = (name: string): FeatureMap => ({
    ...tensorOf(name),
    data: tensors.get(name) ?? fail(`tensor ${name} is used before it is made`),
  });
  const put = (tensor: ReferenceTensor, data: Elements) => {
    const expected = emptyElements(tensor);
    if (data.length !== expected.length)
      fail(`tensor ${tensor.name} has ${data.length} elements, expected ${expected.length}`);
    if (data.constructor !== expected.constructor) fail(`tensor ${tensor.name} is not ${tensor.format}`);
    tensors.set(tensor.name, data);
  };

  put(model.tensors[0], input);
  for (const node of model.nodes) {
    const out = tensorOf(node.output);
    switch (node.op) {
      case "conv": {
        const acc = convAccumulators(mapOf(node.inputs[0]), node.weights, { ...node, outChannels: out.channels });
        accumulators.set(node.name, acc);
        put(out, shiftAll(acc, node, out));
        break;
      }
      case "pool": {
        requireEqualScales([tensorOf(node.inputs[0]), out]);
        put(out, pool(mapOf(node.inputs[0]), node).data);
        break;
      }
      case "add": {
        const [a, b] = node.inputs.map(tensorOf);
        if (a.format !== b.format) fail(`${node.name} adds ${a.format} and ${b.format}`);
        if (Math.abs(a.exponent - b.exponent) > 16) fail(`${node.name}: exponents ${a.exponent} and ${b.exponent}`);
        const [mapA, mapB] = node.inputs.map(mapOf);
        put(
          out,
          addMaps(mapA, mapB, a.exponent, b.exponent, out.exponent, node.low, node.high, emptyElements(out)).data,
        );
        break;
      }
      case "concat": {
        requireEqualScales([...node.inputs.map(tensorOf), out]);
        put(out, concat(node.inputs.map(mapOf)).data);
        break;
      }
    }
  }
  return { tensors, accumulators };
}

/** The shift unit over a whole layer (section 4). */
function shiftAll(acc: Int32Array, node: ReferenceConv, out: ReferenceTensor): Elements {
  const { bias, biasShift, shift, low, high } = node;
  const data = emptyElements(out);
  const leakyA = node.slope?.a ?? 0;
  const leakyB = node.slope?.b ?? 0;
  for (let i = 0; i < data.length; i++) {
    const k = i % out.channels;
    data[i] =
      out.format === "i32"
        ? shiftUnitWide(acc[i], bias[k], biasShift[k])
        : shiftUnit(acc[i], bias[k], biasShift[k], shift[k], low, high, leakyA, leakyB);
  }
  return data;
}

function requireEqualScales(tensors: readonly ReferenceTensor[]): void {
  for (const { name, format, exponent } of tensors) {
    if (format !== tensors[0].format || exponent !== tensors[0].exponent) {
      fail(`${name} and ${tensors[0].name} need one format and one exponent`);
    }
  }
}

function emptyElements(tensor: ReferenceTensor): Elements {
  const length = tensor.height * tensor.width * tensor.channels;
  if (tensor.format === "i8") return new Int8Array(length);
  return tensor.format === "u8" ? new Uint8Array(length) : new Int32Array(length);
}

function fail(message: string): never {
  throw new Error(`reference: ${message}`);
}
