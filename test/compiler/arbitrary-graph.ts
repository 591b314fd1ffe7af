// Random float networks for fast-check, built from a plan of small numbers so that any plan is valid and shrinks well.
import fc from "fast-check";
import {
  type Activation,
  type ConvNode,
  type FloatGraph,
  type FNode,
  type FTensor,
  inferShape,
  LINEAR,
  makeGraph,
  RELU,
} from "../../compiler/graph.ts";
import { numbers } from "./onnx-writer.ts";

const ACTIVATIONS: readonly Activation[] = [
  LINEAR,
  RELU,
  { low: 0, high: 6, slope: 1 },
  { low: -1, high: 1, slope: 1 },
  { ...LINEAR, slope: 0.1 },
];

interface Step {
  readonly op: "conv" | "max" | "average" | "global" | "concat" | "add";
  /** Which earlier tensors are read, counted back from the latest. */
  readonly sources: readonly [number, number];
  readonly channels: number;
  readonly kernel: 1 | 3;
  readonly stride: 1 | 2;
  readonly depthwise: boolean;
  readonly activation: number;
  /** Weights and biases are about 2^ these. */
  readonly weightLog2: number;
  readonly biasLog2: number;
  readonly seed: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  op: fc.constantFrom("conv", "conv", "max", "average", "global", "concat", "add"),
  sources: fc.tuple(fc.nat(5), fc.nat(5)),
  channels: fc.integer({ min: 1, max: 5 }),
  kernel: fc.constantFrom(1, 3),
  stride: fc.constantFrom(1, 2),
  depthwise: fc.boolean(),
  activation: fc.nat(ACTIVATIONS.length - 1),
  weightLog2: fc.integer({ min: -12, max: 4 }),
  biasLog2: fc.integer({ min: -12, max: 12 }),
  seed: fc.nat(1000),
});

/** Networks of up to `maxSteps` nodes on 8 x 8 pictures; every tensor that nothing reads is an output. */
export function arbitraryGraph(maxSteps = 6): fc.Arbitrary<FloatGraph> {
  return fc.array(step, { minLength: 1, maxLength: maxSteps }).map(build);
}

function build(steps: readonly Step[]): FloatGraph {
  const preprocess = {
    height: 8,
    width: 8,
    channels: 3 as const,
    colorOrder: "RGB" as const,
    mean: [100, 110, 120],
    scale: 1,
  };
  const tensors: FTensor[] = [{ name: "x", height: 8, width: 8, channels: 3 }];
  const nodes = steps.map((plan, i) => {
    const node = makeNode(plan, `n${i}`, tensors);
    tensors.push(inferShape(node, new Map(tensors.map((tensor) => [tensor.name, tensor]))));
    return node;
  });
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  const outputs = nodes.map(({ output }) => output).filter((name) => !read.has(name));
  const source = { name: "random", sha256: "" };
  return makeGraph({ name: "random", input: "x", outputs, nodes, preprocess, head: null, trained: true, source });
}

function makeNode(plan: Step, name: string, tensors: readonly FTensor[]): FNode {
  const source = tensors[tensors.length - 1 - (plan.sources[0] % tensors.length)];
  const pads = plan.kernel === 3 ? ([1, 1, 1, 1] as const) : ([0, 0, 0, 0] as const);
  const window = { kernel: [plan.kernel, plan.kernel], stride: [plan.stride, plan.stride], pads } as const;
  const activation = ACTIVATIONS[plan.activation];
  const base = { name, inputs: [source.name], output: name };
  if (plan.op === "max" || plan.op === "average" || plan.op === "global") {
    const mode = plan.op === "max" ? "max" : "average";
    return { ...base, ...window, op: "pool", mode, countPadding: plan.depthwise, global: plan.op === "global" };
  }
  const partners = tensors.filter(({ height, width }) => height === source.height && width === source.width);
  const partner = partners[partners.length - 1 - (plan.sources[1] % partners.length)];
  if (plan.op === "concat") return { ...base, op: "concat", inputs: [source.name, partner.name] };
  if (plan.op === "add") {
    const same = partner.channels === source.channels ? partner : source;
    return {
      ...base,
      op: "add",
      inputs: [source.name, same.name],
      activation: activation.slope === 1 ? activation : RELU,
    };
  }
  const groups = plan.depthwise ? source.channels : 1;
  const outputs = groups * plan.channels;
  const weights = numbers((outputs * plan.kernel ** 2 * source.channels) / groups, plan.seed).map(
    (w) => w * 2 ** plan.weightLog2,
  );
  // every fifth output channel has no weights, every third no bias
  const perOutput = weights.length / outputs;
  const conv: ConvNode = {
    ...base,
    ...window,
    op: "conv",
    dilation: [1, 1],
    groups,
    weights: weights.map((weight, i) => (Math.floor(i / perOutput) % 5 === 4 ? 0 : weight)),
    bias: numbers(outputs, plan.seed + 1).map((bias, k) => (k % 3 === 2 ? 0 : bias * 2 ** plan.biasLog2)),
    activation,
  };
  return conv;
}
