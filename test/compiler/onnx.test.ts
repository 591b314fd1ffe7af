// Does importing mean what ONNX means? Every operator against onnxruntime, before and after the passes; every refusal by
// its message; no file, however damaged, does more than one clear error.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runFloat } from "../../compiler/float/executor.ts";
import { countMacs, countWeights, elements, shapeText } from "../../compiler/graph.ts";
import { OPERATORS } from "../../compiler/onnx/operators.ts";
import { importOnnx } from "../../compiler/onnx.ts";
import { simplify } from "../../compiler/passes/index.ts";
import { parseSidecar } from "../../compiler/sidecar.ts";
import { RapError } from "../../isa/index.ts";
import { shared, whySkipped } from "../support/shared-data.ts";
import {
  FLOAT16,
  numbers,
  type OnnxInitializer,
  type OnnxModel,
  type OnnxNode,
  runOnnxruntime,
  transpose,
  writeOnnx,
} from "./onnx-writer.ts";

const weights = (dims: number[], seed = 7): OnnxInitializer => ({
  dims,
  values: numbers(
    dims.reduce((a, b) => a * b, 1),
    seed,
  ),
});
const positive = (length: number): OnnxInitializer => ({ dims: [length], values: numbers(length, 5).map(Math.abs) });
const conv = (attributes: OnnxNode["attributes"] = {}, output = "y"): OnnxNode => ({
  op: "Conv",
  inputs: ["x", "w", "b"],
  output,
  attributes: { kernel_shape: [3, 3], ...attributes },
});
const W = { w: weights([4, 3, 3, 3]), b: weights([4], 9) };
const one = (op: string, attributes: OnnxNode["attributes"] = {}): OnnxModel => ({
  nodes: [{ op, inputs: ["x"], attributes }],
});
const norm = (input: string, output: string): OnnxNode => ({
  op: "BatchNormalization",
  inputs: [input, "gamma", "beta", "mean", "var"],
  output,
  attributes: { epsilon: { float: 1e-3 } },
});
const N = (length: number) => ({
  gamma: weights([length], 2),
  beta: weights([length], 3),
  mean: weights([length], 4),
  var: positive(length),
});

/** The input is [1, 3, 5, 6]. */
const SUPPORTED: Record<string, OnnxModel> = {
  "Conv without padding": { nodes: [conv()], initializers: W },
  "Conv with explicit, asymmetric padding and stride": {
    nodes: [conv({ pads: [0, 1, 2, 0], strides: [2, 1] })],
    initializers: W,
  },
  "Conv, auto_pad SAME_UPPER, even extent": {
    nodes: [conv({ auto_pad: "SAME_UPPER", strides: [2, 2] })],
    initializers: W,
  },
  "Conv, auto_pad SAME_LOWER": { nodes: [conv({ auto_pad: "SAME_LOWER", strides: [2, 2] })], initializers: W },
  "Conv, auto_pad VALID, no bias": {
    nodes: [{ op: "Conv", inputs: ["x", "w"], attributes: { auto_pad: "VALID" } }],
    initializers: W,
  },
  "Conv with dilation": { nodes: [conv({ dilations: [2, 2], pads: [1, 1, 1, 1] })], initializers: W },
  "Conv in groups": {
    nodes: [
      { op: "Conv", inputs: ["x", "first"], output: "four" },
      { op: "Conv", inputs: ["four", "w", "b"], attributes: { group: 2 } },
    ],
    initializers: { first: weights([4, 3, 1, 1]), w: weights([6, 2, 3, 3]), b: weights([6]) },
  },
  "Conv, depthwise": {
    nodes: [conv({ group: 3, pads: [1, 1, 1, 1] })],
    initializers: { w: weights([3, 1, 3, 3]), b: weights([3]) },
  },
  "Conv with its weights in a Constant": {
    nodes: [
      { op: "Identity", inputs: ["w"], output: "w2" },
      { op: "Conv", inputs: ["x", "w2"] },
    ],
    initializers: W,
  },
  Relu: one("Relu"),
  "Conv and Relu": { nodes: [conv({}, "c"), { op: "Relu", inputs: ["c"] }], initializers: W },
  "Conv and LeakyRelu": {
    nodes: [conv({}, "c"), { op: "LeakyRelu", inputs: ["c"], attributes: { alpha: { float: 0.1 } } }],
    initializers: W,
  },
  "Clip with attributes (opset 10)": {
    opset: 10,
    nodes: [{ op: "Clip", inputs: ["x"], attributes: { min: { float: -0.5 }, max: { float: 0.25 } } }],
  },
  "Clip with inputs, Conv before it": {
    nodes: [conv({}, "c"), { op: "Clip", inputs: ["c", "low", "high"] }],
    initializers: { ...W, low: { dims: [], values: [0] }, high: { dims: [], values: [0.75] } },
  },
  "Clip with only a maximum": {
    nodes: [{ op: "Clip", inputs: ["x", "", "high"] }],
    initializers: { high: { dims: [], values: [0.1] } },
  },
  "MaxPool with padding": one("MaxPool", { kernel_shape: [3, 3], strides: [2, 2], pads: [0, 0, 1, 1] }),
  "MaxPool, ceil_mode": one("MaxPool", { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
  "MaxPool, ceil_mode, a last window behind the picture": one("MaxPool", {
    kernel_shape: [1, 1],
    strides: [3, 4],
    ceil_mode: 1,
  }),
  "MaxPool, auto_pad": one("MaxPool", { kernel_shape: [2, 2], strides: [2, 2], auto_pad: "SAME_UPPER" }),
  "AveragePool, padding left out": one("AveragePool", { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
  "AveragePool, padding counted": one("AveragePool", {
    kernel_shape: [3, 2],
    pads: [1, 0, 1, 1],
    count_include_pad: 1,
  }),
  "AveragePool, ceil_mode": one("AveragePool", { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }),
  GlobalAveragePool: one("GlobalAveragePool"),
  Concat: {
    nodes: [
      { op: "Relu", inputs: ["x"], output: "r" },
      { op: "Concat", inputs: ["x", "r", "x"], attributes: { axis: -3 } },
    ],
  },
  "Add and Relu": {
    nodes: [
      conv({ pads: [1, 1, 1, 1] }, "c"),
      { op: "Add", inputs: ["c", "x"], output: "a" },
      { op: "Relu", inputs: ["a"] },
    ],
    initializers: { w: weights([3, 3, 3, 3]), b: weights([3]) },
  },
  "Add and LeakyRelu": {
    nodes: [
      { op: "Add", inputs: ["x", "x"], output: "a" },
      { op: "LeakyRelu", inputs: ["a"], attributes: { alpha: { float: 0.25 } } },
    ],
  },
  "Flatten, Relu and Gemm": {
    nodes: [
      { op: "Flatten", inputs: ["x"], output: "f" },
      { op: "Relu", inputs: ["f"], output: "r" },
      { op: "Gemm", inputs: ["r", "w", "b"], attributes: { transB: 1 } },
    ],
    initializers: { w: weights([4, 90]), b: weights([4]) },
  },
  "Reshape and Gemm, weights not transposed, then another": {
    nodes: [
      { op: "Reshape", inputs: ["x", "shape"], output: "f" },
      { op: "Gemm", inputs: ["f", "w", "b"], output: "g" },
      { op: "Dropout", inputs: ["g"], output: "d" },
      { op: "Relu", inputs: ["d"], output: "r" },
      { op: "Gemm", inputs: ["r", "v"] },
    ],
    initializers: {
      w: weights([90, 4]),
      b: weights([4]),
      v: weights([4, 3]),
      shape: { dims: [2], int64: [0, -1] },
    },
  },
  "BatchNormalization behind Conv": { nodes: [conv({}, "c"), norm("c", "y")], initializers: { ...W, ...N(4) } },
  "BatchNormalization of a tensor that is read elsewhere too": {
    nodes: [conv({}, "c"), norm("c", "n"), { op: "Add", inputs: ["c", "n"] }],
    initializers: { ...W, ...N(4) },
  },
  "BatchNormalization and Relu alone": {
    nodes: [norm("x", "n"), { op: "Relu", inputs: ["n"] }],
    initializers: N(3),
  },
  "Gemm, BatchNormalization and Softmax": {
    nodes: [
      { op: "Flatten", inputs: ["x"], output: "f" },
      { op: "Gemm", inputs: ["f", "w"], output: "g" },
      norm("g", "n"),
      { op: "Softmax", inputs: ["n"] },
    ],
    initializers: { w: weights([90, 4]), ...N(4) },
  },
  "Relu, then Clip": {
    nodes: [conv({}, "c"), { op: "Relu", inputs: ["c"], output: "r" }, { op: "Clip", inputs: ["r", "", "high"] }],
    initializers: { ...W, high: { dims: [], values: [1] } },
  },
  "Identity at the end, and an initializer among the inputs": {
    nodes: [conv({}, "c"), { op: "Identity", inputs: ["c"] }],
    initializers: W,
  },
};

function largest(values: Float32Array): number {
  return values.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
}

describe("operators equal onnxruntime's", () => {
  test.each(Object.keys(SUPPORTED))("%s", async (name) => {
    const [, channels, height, width] = [1, 3, 5, 6];
    const x = numbers(channels * height * width, 3);
    const bytes = writeOnnx(SUPPORTED[name]);
    const expected = await runOnnxruntime(bytes, transpose(x, height * width, channels), [1, channels, height, width]);
    const graph = importOnnx(bytes, "test.onnx");
    const withoutSoftmax = SUPPORTED[name].nodes.filter(({ op }) => op !== "Softmax");
    for (const form of [graph, simplify(graph)]) {
      const { height, width, channels } = form.tensors.get("y")!;
      const wanted = transpose(expected.values, channels, height * width);
      let actual = runFloat(form, x).get("y")!;
      if (form !== graph && withoutSoftmax.length < SUPPORTED[name].nodes.length) actual = softmax(actual);
      expect(actual.length).toBe(wanted.length);
      expect(largest(actual.map((value, i) => value - wanted[i]))).toBeLessThanOrEqual(
        1e-4 * Math.max(1, largest(wanted)),
      );
    }
  });

  test("every supported operator stands in the table above, but Constant, which the next test has", () => {
    const used = new Set(Object.values(SUPPORTED).flatMap(({ nodes }) => nodes.map(({ op }) => op)));
    expect([...OPERATORS.keys()].filter((op) => !used.has(op))).toEqual(["Constant"]);
  });

  test("Constant: a scalar float, a list, a tensor", () => {
    const clip = (constant: OnnxNode["attributes"]): OnnxModel => ({
      nodes: [
        { op: "Constant", inputs: [], output: "high", attributes: constant! },
        { op: "Clip", inputs: ["x", "", "high"] },
      ],
    });
    for (const constant of [
      { value_float: { float: 0.5 } },
      { value_floats: { floats: [0.5] } },
      { value: { tensor: { dims: [], values: [0.5] } } },
    ]) {
      const graph = importOnnx(writeOnnx(clip(constant)), "test.onnx");
      expect(graph.nodes).toMatchObject([{ op: "activation", activation: { low: -Infinity, high: 0.5, slope: 1 } }]);
    }
  });
});

function softmax(values: Float32Array): Float32Array {
  const powers = values.map(Math.exp);
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

describe("what a file without a sidecar means", () => {
  test("a picture-shaped output has no head, ImageNet's preprocessing is taken", () => {
    const graph = importOnnx(writeOnnx({ nodes: [conv()], initializers: W }), "dir/net.onnx");
    expect(graph).toMatchObject({ name: "net", head: null, trained: true, source: { name: "net.onnx" } });
    expect(graph.preprocess).toMatchObject({
      height: 5,
      width: 6,
      channels: 3,
      colorOrder: "RGB",
      mean: [123.675, 116.28, 103.53],
    });
  });

  test("a vector becomes a classifier's head, with softmax where the network ends in one", () => {
    for (const [op, softmax] of [
      ["Softmax", true],
      ["Identity", false],
    ] as const) {
      const nodes: OnnxNode[] = [
        { op: "GlobalAveragePool", inputs: ["x"], output: "p" },
        { op: "Flatten", inputs: ["p"], output: "f" },
        { op, inputs: ["f"] },
      ];
      const { head } = importOnnx(writeOnnx({ nodes }), "net.onnx");
      expect(head).toEqual({
        kind: "classes",
        tensor: "y",
        classes: ["class 0", "class 1", "class 2"],
        softmax,
        topK: 3,
      });
    }
  });
});

describe("refusals name file, node, value and rule", () => {
  const withConv = (attributes: OnnxNode["attributes"], initializers: OnnxModel["initializers"] = W): OnnxModel => ({
    nodes: [conv(attributes)],
    initializers,
  });
  const cases: Record<string, [OnnxModel, string]> = {
    "an unknown operator": [
      one("LSTM"),
      "test.onnx: node y (LSTM): operator 'LSTM' is not supported; known: Add, AveragePool, BatchNormalization",
    ],
    "another domain's operator": [
      { nodes: [{ op: "Conv", inputs: ["x"], domain: "com.microsoft" }] },
      "operator 'com.microsoft.Conv' is not supported",
    ],
    "a dynamic batch": [
      { ...one("Relu"), input: ["N", 3, 5, 6] },
      "test.onnx: input 'x': dynamic extent 'N'; shapes must be fixed, batch 1",
    ],
    "batch 2": [{ ...one("Relu"), input: [2, 3, 5, 6] }, "batch 2; the accelerator runs one frame at a time"],
    "a vector as input": [
      { ...one("Relu"), input: [1, 3] },
      "shape [1,3]; a fixed [1, channels, height, width] is needed",
    ],
    "five channels": [
      { ...one("Relu"), input: [1, 5, 5, 6] },
      "test.onnx: the input has 5 channels; photographs have 1 or 3",
    ],
    "an empty picture": [{ ...one("Relu"), input: [1, 3, 0, 6] }, "every extent must be 1 to 65535"],
    "a huge picture": [{ ...one("Relu"), input: [1, 3, 65535, 65535] }, "at most 268435456 elements"],
    float16: [{ ...one("Relu"), inputType: FLOAT16 }, "input 'x': float16 elements; float32 is needed"],
    "an old opset": [{ ...one("Relu"), opset: 6 }, "opset 6; 7 or newer is read"],
    "a missing tensor": [
      { nodes: [{ op: "Relu", inputs: ["z"] }] },
      "node y (Relu): input 'z' (a tensor) is not computed by an earlier node",
    ],
    "an output nobody computes": [{ ...one("Relu"), outputs: ["z"] }, "output 'z': no node computes it"],
    "the input as output": [{ ...one("Relu"), outputs: ["x"] }, "output 'x': no node writes this tensor"],
    "external data": [
      { nodes: [conv()], initializers: { ...W, w: { ...W.w, fields: { dataLocation: 1 } } } },
      "initializer 'w': its data lies in another file; save the model with the weights inside",
    ],
    "float16 weights": [
      { nodes: [conv()], initializers: { ...W, w: { ...W.w, fields: { dataType: FLOAT16 } } } },
      "initializer 'w': float16 elements; float32 is needed",
    ],
    "too few weights": [
      withConv({}, { ...W, w: { dims: [4, 3, 3, 3], values: [1] } }),
      "initializer 'w': extents [4,3,3,3] ask for 108 values, the file holds 1",
    ],
    "extents that ask for 2^120 bytes": [
      withConv({}, { ...W, w: { dims: [2 ** 30, 2 ** 30, 2 ** 30, 2 ** 30], values: [1] } }),
      "the file holds 1",
    ],
    "negative extents": [withConv({}, { ...W, w: { dims: [-1], values: [1] } }), "extents [-1]; none may be negative"],
    "weights that are not finite": [
      withConv({}, { ...W, b: { dims: [4], values: [0, 0, Number.NaN, 0] } }),
      "initializer 'b': value 2 is NaN",
    ],
    "weights for other channels": [
      withConv({}, { ...W, w: weights([4, 2, 3, 3]) }),
      "weights for 2 x 1 groups = 2 input channels; 'x' has 3",
    ],
    "groups that do not divide": [withConv({ group: 0 }), "weights for 3 x 0 groups"],
    "a bias of another length": [withConv({}, { ...W, b: weights([3]) }), "bias has extents [3]; [4] is needed"],
    "weights computed at run time": [
      { nodes: [{ op: "Conv", inputs: ["x", "x"] }] },
      "input 'x' (weights) must be a constant stored in the file",
    ],
    "a kernel_shape against the weights": [
      withConv({ kernel_shape: [5, 5] }),
      "kernel_shape [5,5], but the weights are 3x3",
    ],
    "a kernel in one dimension": [
      withConv({ kernel_shape: [3] }),
      "attribute 'kernel_shape' is [3]; 2 values are needed",
    ],
    "stride 0": [withConv({ strides: [0, 1] }), "node y (Conv): stride 0x1; each value must be 1 to 255"],
    "negative padding": [withConv({ pads: [-1, 0, 0, 0] }), "pads [-1,0,0,0]; each must be 0 to 65535"],
    "a window larger than the picture": [withConv({ dilations: [3, 3] }), "a 3x3 window does not fit the input 5x6x3"],
    "padding and auto_pad": [
      withConv({ auto_pad: "SAME_UPPER", pads: [1, 1, 1, 1] }),
      "both pads [1,1,1,1] and auto_pad SAME_UPPER",
    ],
    "an unknown auto_pad": [
      withConv({ auto_pad: "SAME" }),
      "auto_pad 'SAME'; known: NOTSET, SAME_LOWER, SAME_UPPER, VALID",
    ],
    "an unknown attribute": [withConv({ fused: 1 }), "attribute 'fused' is not supported; known: kernel_shape"],
    "an attribute of another type": [withConv({ group: "two" }), "attribute 'group' has type 3; INT (2) is needed"],
    "a dilated pool": [
      one("MaxPool", { kernel_shape: [2, 2], dilations: [2, 2] }),
      "dilations [2,2]; pooling windows are not dilated",
    ],
    "a pool without a window": [one("MaxPool"), "kernel_shape is missing"],
    "padding as large as the pool's window": [
      one("MaxPool", { kernel_shape: [2, 2], pads: [2, 0, 0, 0] }),
      "padding 2 of a 2x2 pooling window",
    ],
    "ceil_mode that counts padding": [
      one("AveragePool", { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1, count_include_pad: 1 }),
      "ceil_mode = 1 with count_include_pad = 1",
    ],
    "Add of a constant": [
      { nodes: [{ op: "Add", inputs: ["x", "b"] }], initializers: W },
      "input 'b' is a constant; only the sum of two computed tensors",
    ],
    "Add of two shapes": [
      { nodes: [conv({}, "c"), { op: "Add", inputs: ["x", "c"] }], initializers: W },
      "adds 5x6x3 to 3x4x4; the shapes must be equal",
    ],
    "Concat of rows": [
      { nodes: [{ op: "Concat", inputs: ["x", "x"], attributes: { axis: 2 } }] },
      "axis = 2; only channels (axis 1) can be concatenated",
    ],
    "Gemm of a picture": [
      { nodes: [{ op: "Gemm", inputs: ["x", "w"] }], initializers: { w: weights([3, 3]) } },
      "input 'x' has rank 4; Gemm reads a vector",
    ],
    "Gemm with alpha": [
      {
        nodes: [
          { op: "Flatten", inputs: ["x"], output: "f" },
          { op: "Gemm", inputs: ["f", "w"], attributes: { alpha: { float: 2 } } },
        ],
        initializers: { w: weights([90, 4]) },
      },
      "alpha = 2; only 1 is supported",
    ],
    "a Reshape that is no flattening": [
      { nodes: [{ op: "Reshape", inputs: ["x", "shape"] }], initializers: { shape: { dims: [2], int64: [3, 30] } } },
      "reshapes [1,3,5,6] to [3,30]; only flattening to [1, 90] is supported",
    ],
    "a Clip that leaves nothing": [
      { nodes: [{ op: "Clip", inputs: ["x", "m", "m"] }], initializers: { m: { dims: [], values: [1] } } },
      "min = 1, max = 1; min must be below max",
    ],
    "a LeakyRelu that grows": [
      one("LeakyRelu", { alpha: { float: 2 } }),
      "alpha = 2; a slope from 0 to 1 is supported",
    ],
    "a softmax over columns": [one("Softmax"), "axis = -1; only a softmax over the classes"],
    "batch normalization in training": [
      { nodes: [{ ...norm("x", "y"), attributes: { training_mode: 1 } }], initializers: N(3) },
      "training_mode = 1; only 0 is supported",
    ],
    "a tensor written twice": [
      {
        nodes: [
          { op: "Relu", inputs: ["x"] },
          { op: "Relu", inputs: ["x"] },
        ],
      },
      "writes 'y', which exists already",
    ],
  };
  test.each(Object.keys(cases))("%s", (name) => {
    const [model, message] = cases[name];
    expect(refusal(() => importOnnx(writeOnnx(model), "test.onnx"))).toContain(message);
  });

  const passCases: Record<string, [OnnxModel, string]> = {
    "softmax in the middle": [
      {
        nodes: [
          { op: "GlobalAveragePool", inputs: ["x"], output: "p" },
          { op: "Softmax", inputs: ["p"], output: "s", name: "soft", attributes: { axis: 1 } },
          { op: "Relu", inputs: ["s"] },
        ],
      },
      "test.onnx: soft: softmax in the middle of the network",
    ],
    "a flattened picture as output": [
      { nodes: [{ op: "Flatten", inputs: ["x"] }] },
      "output 'y': an output made of a flattened 5x6x3 tensor; only Gemm may read one",
    ],
    "a flattened picture in a Concat": [
      {
        nodes: [
          { op: "Flatten", inputs: ["x"], output: "f" },
          { op: "Concat", inputs: ["f", "f"], attributes: { axis: 1 } },
        ],
      },
      "y: concat made of a flattened 5x6x3 tensor",
    ],
    "a copy of the input as output": [
      { nodes: [{ op: "Identity", inputs: ["x"] }] },
      "output 'y': a copy of 'x'; an output must be computed",
    ],
  };
  test.each(Object.keys(passCases))("%s (found by the passes)", (name) => {
    const [model, message] = passCases[name];
    expect(refusal(() => simplify(importOnnx(writeOnnx(model), "test.onnx")))).toContain(message);
  });
});

/** The message of the RapError that `body` throws: one line. */
function refusal(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    if (!(error instanceof RapError)) throw error;
    expect(error.message).not.toContain("\n");
    return error.message;
  }
  throw new Error("nothing was refused");
}

describe("damaged files give one clear error", () => {
  const whole = writeOnnx({
    nodes: [conv({ auto_pad: "SAME_UPPER" }, "c"), { op: "Relu", inputs: ["c"] }],
    initializers: W,
  });
  const importsOrRefuses = (bytes: Uint8Array) => {
    try {
      simplify(importOnnx(bytes, "test.onnx"));
    } catch (error) {
      if (!(error instanceof RapError)) throw error;
      expect(error.message).toMatch(/^test\.onnx: [^\n]+$/);
    }
  };

  test("cut off at every byte", () => {
    for (let length = 0; length < whole.length; length++) importsOrRefuses(whole.subarray(0, length));
    expect(refusal(() => importOnnx(whole.subarray(0, 0), "test.onnx"))).toBe(
      "test.onnx: the file is empty; export the network again as an ONNX file with float32 weights inside",
    );
  });

  test("with any byte changed", () => {
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = whole.slice();
        bytes[at] ^= change;
        importsOrRefuses(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  test("that are no ONNX at all", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), importsOrRefuses), { numRuns: 1000 });
    expect(refusal(() => importOnnx(Buffer.from("<html>not found</html>"), "test.onnx"))).toContain("not an ONNX file");
  });
});

describe.skipIf(whySkipped !== null)(
  `the trained SqueezeDet${whySkipped === null ? "" : ` (skipped: ${whySkipped})`}`,
  () => {
    test("has the published geometry, preprocessing and head", () => {
      const sidecar = parseSidecar(readFileSync(shared.sidecar), shared.sidecar);
      const graph = simplify(importOnnx(readFileSync(shared.model), shared.model, sidecar));
      expect(countMacs(graph)).toBe(5_283_053_568);
      expect(countWeights(graph)).toBe(2_077_376);
      expect(graph.nodes.filter(({ op }) => op === "conv")).toHaveLength(32);
      expect(graph.preprocess).toEqual({
        height: 384,
        width: 1248,
        channels: 3,
        colorOrder: "BGR",
        mean: [103.939, 116.779, 123.68],
        scale: 1,
      });
      expect(graph.head).toMatchObject({
        kind: "convdet",
        tensor: "conv12",
        grid: [24, 78],
        topBoxes: 64,
        nmsIou: 0.4,
      });
      expect(shapeText(graph.tensors.get("conv12")!)).toBe("24x78x72");
      expect(elements(graph.tensors.get("conv1")!)).toBe(192 * 624 * 64);
    });
  },
);
