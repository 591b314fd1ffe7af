/**
 * Which format and exponent every tensor of a network in QDQ form has, and whether the machine, which quantizes every
 * tensor it stores, then computes what the model says: whatever computes with a tensor must read it quantized.
 */
import { RapError } from "../../isa/index.ts";
import { type Activation, type FloatGraph, type FNode, isLinear, LINEAR, withNodes } from "../graph.ts";
import { depthwise } from "../passes/fold-batch-norms.ts";
import { compose } from "../passes/fuse-activations.ts";
import { Classes } from "../quantize/classes.ts";
import { type ActivationScale, RESCALE_REMEDY } from "./linear.ts";

/** What tensors have whose integers pass from one to the other unchanged. */
export type TensorScale = Pick<ActivationScale, "format" | "exponents">;

export interface QdqPlan {
  /** The network, with convolutions by 1 for activations that stand between two scales. */
  readonly graph: FloatGraph;
  /** undefined: nothing quantizes it; the accumulators are an output. */
  scaleOf(tensor: string): TensorScale | undefined;
  /** Convolutions that take in a batch normalization, so that their weights are not the file's. */
  readonly folded: ReadonlySet<string>;
}

/** The convolution or addition whose result, not quantized yet, a tensor holds, and the activations since. */
interface Pending {
  readonly node: FNode;
  readonly activation: Activation;
}

/** @throws RapError naming the node that reads what is not quantized, or joins two scales */
export function planScales(
  graph: FloatGraph,
  scales: ReadonlyMap<string, ActivationScale>,
  place: string,
  rescale: boolean,
): QdqPlan {
  const classes = new ScaleClasses(rescale);
  const readers = new Map<string, FNode[]>();
  for (const node of graph.nodes)
    for (const input of node.inputs) readers.set(input, [...(readers.get(input) ?? []), node]);
  /** tensors whose values are integers of their scale */
  const quantized = new Set<string>();
  const pending = new Map<string, Pending>();
  const folded = new Set<string>();

  const quantize = (tensor: string): boolean => {
    const scale = scales.get(tensor);
    if (scale === undefined) return false;
    classes.give(tensor, scale, scale.written.place);
    quantized.add(tensor);
    return true;
  };
  /** The scale at which all readers take a tensor. */
  const quantizedAs = (tensor: string): TensorScale | undefined => {
    const taken = (readers.get(tensor) ?? []).map(({ output }) => scales.get(output));
    return taken.every((scale) => scale !== undefined && same(scale, taken[0]!)) ? taken[0] : undefined;
  };
  const readOnce = (tensor: string) => readers.get(tensor)?.length === 1 && !graph.outputs.includes(tensor);
  const pendingOf = (tensor: string) => (readOnce(tensor) ? pending.get(tensor) : undefined);
  const refuse = (node: FNode, input: string): never => {
    const remedy = "put QuantizeLinear and DequantizeLinear behind what computes it";
    throw new RapError(`${place}: ${node.name}: reads '${input}', which is not quantized; ${remedy}`);
  };
  /** What a node leaves for the next to be fused with. @throws RapError for a node that has to read quantized values */
  const leaves = (node: FNode): Pending | undefined => {
    const before = pendingOf(node.inputs[0]);
    const missing = node.inputs.find((input) => !quantized.has(input));
    if (passesValues(node)) return node.op === "pool" || node.op === "concat" ? undefined : before;
    if (missing === undefined) {
      if (node.op === "conv") return { node, activation: node.activation };
      return node.op === "gemm" || node.op === "add" ? { node, activation: LINEAR } : undefined;
    }
    if (node.op === "batchnorm" && before !== undefined && before.node.op !== "add" && isLinear(before.activation)) {
      folded.add(before.node.name);
      return before;
    }
    if (node.op === "activation" && before !== undefined) {
      const activation = compose(before.activation, node.activation);
      // an addition has no slope
      if (activation !== null && (before.node.op !== "add" || activation.slope === 1)) return { ...before, activation };
    }
    return refuse(node, missing);
  };

  quantize(graph.input);
  const nodes = graph.nodes.map((given) => {
    const node = quantized.has(given.inputs[0]) ? alone(given, place, classes, quantizedAs, graph) : given;
    if (keepsScale(node)) for (const input of node.inputs) classes.join(input, node.output, `${place}: ${node.name}`);
    const left = leaves(node);
    if (left !== undefined) pending.set(node.output, left);
    const inherits =
      (passesValues(node) || node.op === "activation") && node.inputs.every((input) => quantized.has(input));
    if (!quantize(node.output) && inherits) quantized.add(node.output);
    return node;
  });
  for (const output of graph.outputs) {
    if (quantized.has(output)) continue;
    const raw = pending.get(output);
    if (
      raw === undefined ||
      raw.node.op === "add" ||
      !isLinear(raw.activation) ||
      classes.scaleOf(output) !== undefined
    ) {
      throw new RapError(
        `${place}: output '${output}' is not quantized; put QuantizeLinear and DequantizeLinear before it (only a convolution or Gemm, read by nothing else, may leave its accumulators)`,
      );
    }
  }
  if (rescale) classes.shareFormats(nodes);
  return { graph: withNodes(graph, nodes), scaleOf: (tensor) => classes.scaleOf(tensor), folded };
}

/** Input and output have one scale on the machine. */
function keepsScale({ op }: FNode): boolean {
  return op === "identity" || op === "flatten" || op === "softmax" || op === "pool" || op === "concat";
}

/** Every value of the output is one of the inputs' (softmax is the host's). */
function passesValues(node: FNode): boolean {
  return keepsScale(node) && !(node.op === "pool" && node.mode === "average");
}

/**
 * A node behind a quantized tensor that must not be fused into what makes the tensor, which would take the quantization
 * between them away, becomes a convolution of its own. ReLU and Clip at an unchanged scale may be fused: bounds that are
 * integers there give the same integers before and after.
 */
function alone(
  node: FNode,
  place: string,
  classes: ScaleClasses,
  quantizedAs: (tensor: string) => TensorScale | undefined,
  graph: FloatGraph,
): FNode {
  if (node.op === "batchnorm") return depthwise(node.name, node.inputs[0], node.output, node.scale, node.shift);
  if (node.op !== "activation") return node;
  const before = classes.scaleOf(node.inputs[0])!;
  const after = quantizedAs(node.output);
  if ((after === undefined || same(before, after)) && isExact(node.activation, before)) {
    classes.join(node.inputs[0], node.output, `${place}: ${node.name}`);
    return node;
  }
  const { channels } = graph.tensors.get(node.output)!;
  const one = depthwise(
    node.name,
    node.inputs[0],
    node.output,
    new Float32Array(channels).fill(1),
    new Float32Array(channels),
  );
  return { ...one, activation: node.activation };
}

/** Bounds that are integers at the scale. */
function isExact({ low, high, slope }: Activation, { exponents }: TensorScale): boolean {
  const onGrid = (bound: number) => !Number.isFinite(bound) || exponents.every((f) => Number.isInteger(bound * 2 ** f));
  return slope === 1 && onGrid(low) && onGrid(high);
}

function same(a: TensorScale, b: TensorScale): boolean {
  return a.format === b.format && a.exponents.join() === b.exponents.join();
}

/** Classes of tensors that share a scale, with the scale. */
class ScaleClasses {
  private readonly classes = new Classes();
  private readonly scales = new Map<string, TensorScale>();

  constructor(private readonly rescale: boolean) {}

  scaleOf(tensor: string): TensorScale | undefined {
    return this.scales.get(this.classes.of(tensor));
  }

  give(tensor: string, scale: TensorScale, place: string): void {
    const known = this.scaleOf(tensor);
    this.scales.set(this.classes.of(tensor), known === undefined ? scale : this.merge(known, scale, place));
  }

  join(a: string, b: string, place: string): void {
    const [scaleA, scaleB] = [this.scaleOf(a), this.scaleOf(b)];
    const merged =
      scaleA !== undefined && scaleB !== undefined ? this.merge(scaleA, scaleB, place) : (scaleA ?? scaleB);
    this.classes.join(a, b);
    if (merged !== undefined) this.scales.set(this.classes.of(a), merged);
  }

  private merge(a: TensorScale, b: TensorScale, place: string): TensorScale {
    if (same(a, b)) return a;
    if (!this.rescale || a.exponents.length !== b.exponents.length) {
      throw new RapError(
        `${place}: ${text(a)} meets ${text(b)}; what pooling, concatenation and requantization read and write has one scale; ${RESCALE_REMEDY}`,
      );
    }
    const [wideA, wideB] = a.format === b.format ? [a, b] : [signed(a), signed(b)];
    return { ...wideA, exponents: wideA.exponents.map((f, i) => Math.min(f, wideB.exponents[i])) };
  }

  /** Both operands of an addition get one format. */
  shareFormats(nodes: readonly FNode[]): void {
    for (let changed = true; changed; ) {
      changed = false;
      for (const node of nodes) {
        if (node.op !== "add") continue;
        const formats = new Set(node.inputs.map((input) => this.scaleOf(input)?.format));
        if (formats.size < 2) continue;
        for (const input of node.inputs) {
          const scale = this.scaleOf(input);
          if (scale?.format !== "u8") continue;
          this.scales.set(this.classes.of(input), signed(scale));
          changed = true;
        }
      }
    }
  }
}

/** The same range with a sign: one bit less. */
function signed({ format, exponents }: TensorScale): TensorScale {
  return { format: "i8", exponents: format === "u8" ? exponents.map((f) => f - 1) : exponents };
}

function text({ format, exponents }: TensorScale): string {
  return exponents.length === 1 ? `${format} at 2^${0 - exponents[0]}` : `${format} at ${exponents.length} scales`;
}
