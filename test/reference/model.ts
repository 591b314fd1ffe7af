/** Runs a quantized model, node by node, over whole tensors. The model's type is declared here, structurally. */
import { chooseExponent, rangeBin, shiftUnit, shiftUnitWide } from "./arithmetic.ts";
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

/** One exponent chosen at run time (section 8): a distance from the tensors' own, within low..high. */
interface ReferenceExponent {
  readonly tensors: readonly string[];
  readonly low: number;
  readonly high: number;
  /** null: an addition's result */
  readonly clipLog2: number | null;
}

export interface ReferenceModel {
  /** The network's input first. */
  readonly tensors: readonly ReferenceTensor[];
  /** In topological order. */
  readonly nodes: readonly (ReferenceConv | ReferencePool | ReferenceAdd | ReferenceConcat)[];
  readonly runtime?:
    | { readonly mode: "dynamic" | "delayed"; readonly exponents: readonly ReferenceExponent[] }
    | undefined;
}

export interface ReferenceRun {
  /** Every tensor by name, [height, width, channels], in its format's array type. */
  readonly tensors: Map<string, Elements>;
  /** Every convolution's int32 accumulators by node name, [OH, OW, K], before the bias. */
  readonly accumulators: Map<string, Int32Array>;
  /** Distance of each run-time exponent from the static one in this frame, in the model's order. */
  readonly distances: readonly number[];
  /** What they would be by this frame's values: in delayed mode those of the next frame. */
  readonly measured: readonly number[];
}

/** Run-time exponents of one frame. */
class Exponents {
  private readonly distance = new Map<ReferenceExponent, number>();
  private readonly bins = new Map<ReferenceExponent, number[]>();
  private readonly awaited = new Map<ReferenceExponent, number>();

  constructor(
    private readonly model: ReferenceModel,
    previous: readonly number[],
  ) {
    this.all.forEach((one, i) => {
      this.bins.set(one, new Array<number>(33).fill(0));
      const writers = model.nodes.filter(({ op, output }) => op === "conv" && one.tensors.includes(output));
      this.awaited.set(one, writers.length);
      if (model.runtime?.mode === "delayed" && one.clipLog2 !== null) this.distance.set(one, previous[i] ?? 0);
    });
  }

  private get all(): readonly ReferenceExponent[] {
    return this.model.runtime?.exponents ?? [];
  }

  private owner(tensor: string): ReferenceExponent | undefined {
    return this.all.find(({ tensors }) => tensors.includes(tensor));
  }

  /** undefined: not known yet */
  of(tensor: string): number | undefined {
    const owner = this.owner(tensor);
    return owner === undefined ? 0 : this.distance.get(owner);
  }

  /** Counts a convolution's accumulators; the last one of a dynamic exponent decides it. */
  count(acc: Int32Array, node: ReferenceConv, fIn: number): void {
    const owner = this.owner(node.output);
    if (owner === undefined) return;
    const bins = this.bins.get(owner)!;
    const channels = node.bias.length;
    for (let i = 0; i < acc.length; i++) {
      const k = i % channels;
      const biased = shiftUnitWide(acc[i], node.bias[k], node.biasShift[k], fIn);
      bins[rangeBin(node.low === 0 ? Math.max(0, biased) : biased, node.shift[k] + fIn)]++;
    }
    this.awaited.set(owner, this.awaited.get(owner)! - 1);
    if (this.awaited.get(owner) === 0 && this.model.runtime?.mode === "dynamic")
      this.distance.set(owner, this.measured(owner));
  }

  /** An addition's result moves with the operand that moved to the coarser side. */
  follow(node: ReferenceAdd): void {
    const owner = this.owner(node.output);
    if (owner === undefined) return;
    const [a, b] = node.inputs.map((input) => this.of(input)!);
    this.distance.set(owner, limited(Math.min(a, b), owner));
  }

  private measured(owner: ReferenceExponent): number {
    if (owner.clipLog2 === null) return this.distance.get(owner)!;
    const format = this.model.tensors.find(({ name }) => name === owner.tensors[0])!.format;
    return limited(chooseExponent(this.bins.get(owner)!, format === "u8" ? 8 : 7, owner.clipLog2), owner);
  }

  results(): Pick<ReferenceRun, "distances" | "measured"> {
    return {
      distances: this.all.map((one) => this.distance.get(one)!),
      measured: this.all.map((one) => this.measured(one)),
    };
  }
}

const limited = (distance: number, { low, high }: ReferenceExponent) => Math.max(low, Math.min(high, distance));

/**
 * @param previous `measured` of the frame before; only delayed exponents depend on it
 * @throws Error when the model contradicts itself: an unknown tensor, a wrong shape, format or exponent
 */
export function runReference(model: ReferenceModel, input: Elements, previous: readonly number[] = []): ReferenceRun {
  const tensors = new Map<string, Elements>();
  const accumulators = new Map<string, Int32Array>();
  const exponents = new Exponents(model, previous);
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

  /** False: the exponent of its output is not known yet. */
  const run = (node: ReferenceModel["nodes"][number]): boolean => {
    const out = tensorOf(node.output);
    switch (node.op) {
      case "conv": {
        const fIn = exponents.of(node.inputs[0])!;
        let acc = accumulators.get(node.name);
        if (acc === undefined) {
          acc = convAccumulators(mapOf(node.inputs[0]), node.weights, { ...node, outChannels: out.channels });
          accumulators.set(node.name, acc);
          exponents.count(acc, node, fIn);
        }
        const fOut = exponents.of(node.output);
        if (fOut === undefined) return false;
        put(out, shiftAll(acc, node, out, fIn, fOut));
        return true;
      }
      case "pool":
        requireEqualScales([tensorOf(node.inputs[0]), out]);
        put(out, pool(mapOf(node.inputs[0]), node).data);
        return true;
      case "add": {
        const [a, b] = node.inputs.map(tensorOf);
        if (a.format !== b.format) fail(`${node.name} adds ${a.format} and ${b.format}`);
        exponents.follow(node);
        const [fA, fB, fOut] = [a, b, out].map(({ name, exponent }) => exponent + exponents.of(name)!);
        if (Math.abs(fA - fB) > 16) fail(`${node.name}: exponents ${fA} and ${fB}`);
        const [mapA, mapB] = node.inputs.map(mapOf);
        put(out, addMaps(mapA, mapB, fA, fB, fOut, node.low, node.high, emptyElements(out)).data);
        return true;
      }
      case "concat":
        requireEqualScales([...node.inputs.map(tensorOf), out]);
        put(out, concat(node.inputs.map(mapOf)).data);
        return true;
    }
  };

  put(model.tensors[0], input);
  // in order, but a node whose exponent other nodes decide waits for them
  let waiting = [...model.nodes];
  while (waiting.length > 0) {
    const left = waiting.filter((node) => !(node.inputs.every((name) => tensors.has(name)) && run(node)));
    if (left.length === waiting.length) fail(`${left[0].name} waits for what is never made`);
    waiting = left;
  }
  return { tensors, accumulators, ...exponents.results() };
}

/** The shift unit over a whole layer (sections 4 and 8). */
function shiftAll(acc: Int32Array, node: ReferenceConv, out: ReferenceTensor, fIn: number, fOut: number): Elements {
  const { bias, biasShift, shift, low, high } = node;
  const data = emptyElements(out);
  const leakyA = node.slope?.a ?? 0;
  const leakyB = node.slope?.b ?? 0;
  for (let i = 0; i < data.length; i++) {
    const k = i % out.channels;
    data[i] =
      out.format === "i32"
        ? shiftUnitWide(acc[i], bias[k], biasShift[k], fIn)
        : shiftUnit(acc[i], bias[k], biasShift[k], shift[k], low, high, leakyA, leakyB, fIn, fOut);
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
