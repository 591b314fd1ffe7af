// Is a graph that exists consistent, and do passes keep what a network computes?
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { convolve } from "../../compiler/float/conv.ts";
import { runFloat } from "../../compiler/float/executor.ts";
import {
  type Activation,
  type ConvNode,
  type FloatGraph,
  type FNode,
  type FTensor,
  LINEAR,
  makeGraph,
  RELU,
  verifyGraph,
  windowExtent,
  withNodes,
} from "../../compiler/graph.ts";
import { compose } from "../../compiler/passes/fuse-activations.ts";
import { PASSES, simplify } from "../../compiler/passes/index.ts";
import { numbers } from "./onnx-writer.ts";

const preprocess = { height: 4, width: 5, channels: 3, colorOrder: "RGB", mean: [0, 0, 0], scale: 1 } as const;

function graphOf(nodes: readonly FNode[], outputs: readonly string[] = [nodes.at(-1)!.output]): FloatGraph {
  const source = { name: "test", sha256: "" };
  return makeGraph({
    name: "test",
    input: "x",
    outputs,
    nodes,
    preprocess: { ...preprocess, mean: [...preprocess.mean] },
    head: null,
    trained: true,
    source,
  });
}

function conv(name: string, input: string, changes: Partial<ConvNode> = {}): ConvNode {
  return {
    op: "conv",
    name,
    inputs: [input],
    output: name,
    kernel: [1, 1],
    stride: [1, 1],
    dilation: [1, 1],
    pads: [0, 0, 0, 0],
    groups: 1,
    weights: numbers(6, 4),
    bias: numbers(2, 5),
    activation: LINEAR,
    ...changes,
  };
}

const relu = (name: string, input: string): FNode => ({
  op: "activation",
  name,
  inputs: [input],
  output: name,
  activation: RELU,
});

describe("a graph is refused when", () => {
  const cases: Record<string, [() => unknown, string]> = {
    "a node reads what is not there": [
      () => graphOf([relu("r", "z")]),
      "r: input 'z' is not written by an earlier node",
    ],
    "a tensor is written twice": [
      () => graphOf([relu("a", "x"), { ...relu("b", "x"), output: "a" }]),
      "b: tensor 'a' is written twice",
    ],
    "two nodes share a name": [
      () => graphOf([relu("a", "x"), { ...relu("a", "x"), output: "b" }]),
      "a: two nodes have this name",
    ],
    "an output is not written": [() => graphOf([relu("a", "x")], ["b"]), "output 'b': no node writes this tensor"],
    "an output stands twice": [() => graphOf([relu("a", "x")], ["a", "a"]), "one stands there twice"],
    "weights and shape disagree": [
      () => graphOf([conv("c", "x", { weights: numbers(5) })]),
      "c: 5 weights; the shapes ask for 6",
    ],
    "groups do not divide": [() => graphOf([conv("c", "x", { groups: 2 })]), "c: 2 groups must divide 3 input"],
    "the output is too large": [
      () => graphOf([conv("c", "x", { pads: [65535, 0, 65535, 0] })]),
      "tensor 'c' is 131074x5x2; every extent must be 1 to 65535",
    ],
    "a kernel is too large": [
      () => graphOf([conv("c", "x", { kernel: [256, 1] })]),
      "kernel 256x1; each value must be 1 to 255",
    ],
  };
  test.each(Object.keys(cases))("%s", (name) => expect(cases[name][0]).toThrow(cases[name][1]));

  test("its tensors were changed by hand", () => {
    const graph = graphOf([relu("a", "x")]);
    const wrong = new Map(graph.tensors).set("a", { name: "a", height: 1, width: 1, channels: 1 });
    expect(() => verifyGraph({ ...graph, tensors: wrong })).toThrow("tensor 'a': stored as 1x1x1, inferred 4x5x3");
  });
});

describe("passes", () => {
  test("have names and say what they do", () => {
    expect(new Set(PASSES.map(({ name }) => name)).size).toBe(PASSES.length);
    for (const { what } of PASSES) expect(what).toMatch(/^\S.{20,}/);
  });

  test("drop what no output needs, identities, and keep the output's name", () => {
    const graph = graphOf(
      [
        conv("unused", "x"),
        conv("c", "x"),
        { op: "identity", name: "i", inputs: ["c"], output: "i" },
        relu("r", "i"),
        { op: "identity", name: "j", inputs: ["r"], output: "y" },
      ],
      ["y"],
    );
    expect(simplify(graph).nodes).toMatchObject([
      { op: "conv", name: "c", inputs: ["x"], output: "y", activation: RELU },
    ]);
  });

  test("an activation of a tensor that others read stays on its own, as a depthwise convolution by 1", () => {
    const graph = graphOf([
      conv("c", "x"),
      relu("r", "c"),
      { op: "concat", name: "y", inputs: ["c", "r"], output: "y" },
    ]);
    const [, r] = simplify(graph).nodes as ConvNode[];
    expect(r).toMatchObject({ op: "conv", name: "r", groups: 2, kernel: [1, 1], activation: RELU });
    expect([...r.weights, ...r.bias]).toEqual([1, 1, 0, 0]);
  });

  test("a softmax is taken off only where the head does it", () => {
    const pool: FNode = {
      op: "pool",
      name: "p",
      inputs: ["x"],
      output: "p",
      mode: "average",
      countPadding: false,
      global: true,
      kernel: [1, 1],
      stride: [1, 1],
      pads: [0, 0, 0, 0],
    };
    const graph = graphOf([pool, { op: "softmax", name: "s", inputs: ["p"], output: "s" }]);
    expect(() => simplify(graph)).toThrow("test: s: softmax in the middle of the network");
    const head = { kind: "classes", tensor: "s", classes: ["a", "b", "c"], softmax: true, topK: 1 } as const;
    const nodes = simplify(withNodes(graph, graph.nodes, { head: { ...head, classes: [...head.classes] } })).nodes;
    expect(nodes).toMatchObject([{ op: "pool", output: "s" }]);
  });

  test("two activations become one that does both, or none", () => {
    const bound = fc.constantFrom(-Infinity, -2, -1, 0, 1, 2, Infinity);
    const activation: fc.Arbitrary<Activation> = fc
      .record({ a: bound, b: bound, slope: fc.constantFrom(1, 0.5, 0.1) })
      .filter(({ a, b }) => (a !== b && Math.abs(a + b) !== Infinity) || a === -b)
      .map(({ a, b, slope }) => ({ low: Math.min(a, b), high: Math.max(a, b), slope }));
    const apply = (a: Activation, x: number) => Math.min(Math.max(x < 0 ? x * a.slope : x, a.low), a.high);
    fc.assert(
      fc.property(activation, activation, fc.integer({ min: -9, max: 9 }), (a, b, x) => {
        const both = compose(a, b);
        if (both !== null) expect(apply(both, x)).toBeCloseTo(apply(b, apply(a, x)), 9);
      }),
    );
    expect(compose(RELU, { low: -Infinity, high: 6, slope: 1 })).toEqual({ low: 0, high: 6, slope: 1 });
    expect(compose({ ...LINEAR, slope: 0.5 }, { ...LINEAR, slope: 0.5 })).toBeNull();
  });
});

/** The definition, in loops. */
function plainConv(node: ConvNode, input: Float32Array, shape: FTensor, output: FTensor): Float32Array {
  const [perGroup, outPerGroup] = [shape.channels / node.groups, output.channels / node.groups];
  return new Float32Array(output.height * output.width * output.channels).map((_, i) => {
    const k = i % output.channels;
    const [oy, ox] = [Math.floor(i / output.channels / output.width), Math.floor(i / output.channels) % output.width];
    let sum = node.bias[k];
    for (let r = 0; r < node.kernel[0]; r++) {
      for (let s = 0; s < node.kernel[1]; s++) {
        const y = oy * node.stride[0] + r * node.dilation[0] - node.pads[0];
        const x = ox * node.stride[1] + s * node.dilation[1] - node.pads[1];
        if (y < 0 || y >= shape.height || x < 0 || x >= shape.width) continue;
        for (let c = 0; c < perGroup; c++) {
          const weight = node.weights[((k * node.kernel[0] + r) * node.kernel[1] + s) * perGroup + c];
          sum += weight * input[(y * shape.width + x) * shape.channels + Math.floor(k / outPerGroup) * perGroup + c];
        }
      }
    }
    return Math.max(sum, 0);
  });
}

test("the blocked convolution equals the plain one on any shape", () => {
  const small = fc.integer({ min: 1, max: 3 });
  const pad = fc.integer({ min: 0, max: 2 });
  const shape = fc.record({
    kernel: fc.tuple(small, small),
    stride: fc.tuple(small, small),
    dilation: fc.tuple(small, small),
    pads: fc.tuple(pad, pad, pad, pad),
    groups: small,
    perGroup: small,
    outPerGroup: fc.integer({ min: 1, max: 6 }),
    height: fc.integer({ min: 1, max: 8 }),
    width: fc.integer({ min: 1, max: 8 }),
  });
  fc.assert(
    fc.property(shape, ({ perGroup, outPerGroup, height, width, ...window }) => {
      const { kernel, stride, dilation, pads, groups } = window;
      const extents = [0, 1].map((axis) =>
        windowExtent([height, width][axis], kernel[axis], stride[axis], dilation[axis], pads[axis] + pads[axis + 2]),
      );
      fc.pre(extents[0] > 0 && extents[1] > 0);
      const input = { name: "x", height, width, channels: groups * perGroup };
      const output = { name: "y", height: extents[0], width: extents[1], channels: groups * outPerGroup };
      const weights = numbers(output.channels * kernel[0] * kernel[1] * perGroup, 2);
      const node = conv("y", "x", { ...window, weights, bias: numbers(output.channels, 3), activation: RELU });
      const x = numbers(height * width * input.channels, 1);
      const [actual, expected] = [convolve(node, x, input, output), plainConv(node, x, input, output)];
      expect(actual.length).toBe(expected.length);
      actual.forEach((value, i) => {
        expect(value).toBeCloseTo(expected[i], 4);
      });
    }),
    { numRuns: 300 },
  );
});

test("the float executor hands out every tensor once, the input first", () => {
  const graph = graphOf([conv("c", "x"), relu("r", "c")]);
  const seen: string[] = [];
  runFloat(graph, numbers(60), ({ name }, values) => seen.push(`${name} ${values.length}`));
  expect(seen).toEqual(["x 60", "c 40", "r 40"]);
});
