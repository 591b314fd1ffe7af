// Does importing the QDQ form give back the integers, and refuse by name what the machine does not have?
import { existsSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import * as ort from "onnxruntime-web";
import { afterAll, describe, expect, test } from "vitest";
import { loadModel } from "../compiler/index.ts";
import { DATA_TYPES, decodeModel } from "../compiler/onnx/schema.ts";
import { importQdq, isQuantized, type QdqOptions, type Rescaled } from "../compiler/qdq.ts";
import type { QConv, QNode, QuantizedModel } from "../compiler/quantized-model.ts";
import { parseSidecar } from "../compiler/sidecar.ts";
import { RapError } from "../isa/index.ts";
import { arbitraryModelWithInput, arbitraryQuantizedModel } from "./arbitrary/quantized-model.ts";
import { rapsim, temporaryFolder } from "./cli/harness.ts";
import { alignBias, runReference } from "./reference/index.ts";
import { type QdqStyle, QdqWriter, type Value, writeQdq } from "./support/qdq-writer.ts";

ort.env.wasm.numThreads = 1;

const PREPROCESSING = { input: { colorOrder: "BGR", mean: [0, 0, 0], scale: 1 } };

function importAgain(model: QuantizedModel, style: QdqStyle = {}, options: QdqOptions = {}): QuantizedModel {
  const mean = new Array<number>(model.host.input.channels).fill(0);
  const json = JSON.stringify({ input: { ...PREPROCESSING.input, mean } });
  const sidecar = parseSidecar(Buffer.from(json), "net.json");
  const file = writeQdq(model, style);
  return importQdq(decodeModel(file, "net.onnx"), file, "net.onnx", sidecar, options);
}

/** Slopes as the importer finds them in a sum: two terms in order, none twice. */
function plainSlopes(model: QuantizedModel): QuantizedModel {
  const plain = ({ a, b }: { a: number; b: number }) => {
    if (b === 0) return { a, b };
    return a === b ? { a: a + 1, b: a + 2 } : { a: Math.min(a, b), b: Math.max(a, b) };
  };
  const nodes = model.nodes.map((node) =>
    node.op === "conv" && node.slope !== null ? { ...node, slope: plain(node.slope) } : node,
  );
  return { ...model, nodes };
}

/** A Clip before several scales cannot be written in ONNX: the whole range instead. */
function plainClips(model: QuantizedModel): QuantizedModel {
  const several = new Map(
    model.host.outputs
      .filter(({ exponents }) => exponents.some((f) => f !== exponents[0]))
      .map(({ tensor, format }) => [tensor, format]),
  );
  const nodes = model.nodes.map((node) => {
    const format = node.op === "conv" ? several.get(node.output) : undefined;
    if (format === undefined) return node;
    const [low, high] = format === "u8" ? [0, 255] : [-128, 127];
    return { ...node, low, high };
  });
  return { ...model, nodes: nodes as QNode[] };
}

/** What must be equal: a bias may be another pair of integer and shift with the same value. */
function essence(model: QuantizedModel) {
  const format = new Map(model.tensors.map((tensor) => [tensor.name, tensor.format]));
  const nodes = model.nodes.map((node) => {
    if (node.op !== "conv") return node;
    const { bias, biasShift, low, high, ...rest } = node;
    const clamp = format.get(node.output) === "i32" ? null : { low, high };
    return { ...rest, clamp, aligned: Array.from(bias, (value, k) => alignBias(value, biasShift[k])) };
  });
  const { input, outputs } = model.host;
  return { tensors: model.tensors, nodes, input, outputs };
}

describe("random models, written and read, are the same integers", () => {
  test.each<[string, QdqStyle]>([
    ["int8", {}],
    ["uint8 around 128", { offset: true }],
    ["int32_data", { unpacked: true }],
    ["weights quantized in the graph", { floatWeights: true }],
  ])("%s", (_name, style) => {
    fc.assert(
      fc.property(arbitraryQuantizedModel(), (random) => {
        const model = plainClips(plainSlopes(random));
        expect(essence(importAgain(model, style))).toEqual(essence(model));
      }),
      { numRuns: 60 },
    );
  });
});

/** Whole float models in onnxruntime: y [H, W, C] from x [H, W, C]. */
async function runFloat(
  file: Uint8Array,
  x: Float32Array,
  shape: readonly number[],
  level: "basic" | "all" = "all",
): Promise<Map<string, Float32Array>> {
  const session = await ort.InferenceSession.create(file, { logSeverityLevel: 3, graphOptimizationLevel: level });
  try {
    const [height, width, channels] = shape;
    const planes = transpose(x, height * width, channels);
    const feed = new ort.Tensor("float32", planes, [1, channels, height, width]);
    const results = await session.run({ [session.inputNames[0]]: feed });
    return new Map(
      Object.entries(results).map(([name, { data, dims }]) => {
        const pixels = dims.slice(2).reduce((product, extent) => product * extent, 1);
        return [name, transpose(Float32Array.from(data as ArrayLike<number>), dims[1], pixels)];
      }),
    );
  } finally {
    await session.release();
  }
}

/** [rows, columns] -> [columns, rows] */
function transpose(matrix: Float32Array, rows: number, columns: number): Float32Array {
  return matrix.map((_, i) => matrix[(i % rows) * columns + Math.floor(i / rows)]);
}

const reals = (integers: ArrayLike<number>, exponents: readonly number[]) =>
  Float32Array.from(integers, (q, i) => q * 2 ** -exponents[i % exponents.length]);

function halfToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

test("onnxruntime, in float, gives the same integers but at ties, which it rounds to even", async () => {
  const seen = { values: 0, ties: 0, different: 0 };
  const levels = fc.constantFrom<"basic" | "all">("basic", "all");
  const small = { maxSteps: 1, maxMacs: 50_000, wholeKernels: false };
  await fc.assert(
    fc.asyncProperty(arbitraryModelWithInput(small), levels, async ({ model: random, input }, level) => {
      const model = plainClips(random);
      const node = model.nodes[0] as QConv;
      const output = model.host.outputs[0];
      const taps = node.op === "conv" ? node.weights.length / node.bias.length : 0;
      // QLinearConv, which "all" makes of it, does not take several scales for one output
      fc.pre(level === "basic" || output.exponents.every((f) => f === output.exponents[0]));
      // float32 adds exactly up to 2^24; LeakyReLU is rounded once in float and term by term here
      fc.pre(model.nodes.length === 1 && node.op === "conv" && node.slope === null && output.format !== "i32");
      fc.pre(node.bias.every((bias, k) => 2 ** 15 * taps + Math.abs(alignBias(bias, node.biasShift[k])) < 2 ** 24));
      const [{ height, width, channels, exponent }] = model.tensors;
      const results = await runFloat(writeQdq(model), reals(input, [exponent]), [height, width, channels], level);
      const theirs = results.get(output.tensor)!;
      const { tensors, accumulators } = runReference(model, input);
      const ours = tensors.get(output.tensor)!;
      accumulators.get(node.name)!.forEach((accumulator, i) => {
        const k = i % output.channels;
        const exact = (accumulator + alignBias(node.bias[k], node.biasShift[k])) * 2 ** -node.shift[k];
        // + 0: there is no -0 among integers
        const value = theirs[i] * 2 ** output.exponents[k] + 0;
        expect(value).toBe(Math.min(Math.max(halfToEven(exact), node.low), node.high) + 0);
        seen.values++;
        if (exact - Math.floor(exact) === 0.5) seen.ties++;
        else expect(value).toBe(ours[i]);
        if (value !== ours[i]) seen.different++;
      });
    }),
    { numRuns: 60 },
  );
  expect(seen.ties).toBeGreaterThan(0);
  expect(seen.different).toBeGreaterThan(0);
  expect(seen.different).toBeLessThan(seen.ties);
});

/** A network written by hand: x [1, 3, 4, 4] to y, weights even and biases odd so that nothing rounds at a tie. */
interface Pattern {
  readonly write: (writer: QdqWriter) => void;
  readonly input?: Value;
  readonly output?: Value;
  /** operators of the quantized model */
  readonly becomes: string;
  /** in units of the last place; default 0 */
  readonly tolerance?: number;
}

const INPUT: Value = { name: "x", shape: [1, 3, 4, 4] };

/** Numbers in a fixed disorder, low..high. */
function noise(count: number, low: number, high: number, seed = 1): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return low + ((state >>> 8) % (high - low + 1));
  });
}

const EVEN = (count: number, seed?: number) => noise(count, -60, 60, seed).map((value) => 2 * value);
const ODD = (count: number, seed?: number) => noise(count, -60, 60, seed).map((value) => 2 * value + 1);

/** Conv to 3 channels, weights at 2^-5, and its constants. */
function conv(writer: QdqWriter, from: string, to: string, channels: number, kernel = 1, inputExponent = 4): void {
  const weights = writer.integers(`${to}_w`, "int8", [3, channels, kernel, kernel], EVEN(3 * channels * kernel ** 2));
  writer.node("DequantizeLinear", [weights, ...writer.linear(`${to}_w`, [5], "int8", 0)], `${to}_weights`);
  const bias = writer.integers(`${to}_b`, "int32", [3], ODD(3));
  writer.node("DequantizeLinear", [bias, ...writer.linear(`${to}_b`, [5 + inputExponent], "int32", 0)], `${to}_bias`);
  const pad = (kernel - 1) / 2;
  const attributes = { kernel_shape: [kernel, kernel], pads: [pad, pad, pad, pad] };
  writer.node("Conv", [from, `${to}_weights`, `${to}_bias`], to, attributes, to);
}

function gemm(writer: QdqWriter, from: string, to: string, inputs: number, transB: 0 | 1): void {
  const dims = transB === 1 ? [5, inputs] : [inputs, 5];
  const weights = writer.integers(`${to}_w`, "int8", dims, EVEN(5 * inputs));
  const scale = writer.linear(`${to}_w`, [5, 6, 5, 4, 5], "int8", 0);
  writer.node("DequantizeLinear", [weights, ...scale], `${to}_weights`, { axis: transB === 1 ? 0 : 1 });
  writer.floats(
    `${to}_bias`,
    [5],
    ODD(5).map((value) => value * 2 ** -8),
  );
  writer.node("Gemm", [from, `${to}_weights`, `${to}_bias`], to, { transB }, to);
}

const PATTERNS: Record<string, Pattern> = {
  "ReLU between convolution and QuantizeLinear": {
    write: (w) => {
      w.quantize("x", "xd", "i8", [4]);
      conv(w, "xd", "c", 3, 3);
      w.node("Relu", ["c"], "r");
      w.quantize("r", "y", "i8", [2]);
    },
    becomes: "c:conv",
  },
  "ReLU behind DequantizeLinear, at the same scale: fused": {
    write: (w) => {
      w.quantize("x", "xd", "i8", [4]);
      conv(w, "xd", "c", 3);
      w.quantize("c", "cd", "i8", [2]);
      w.node("Relu", ["cd"], "r", {}, "relu");
      w.quantize("r", "y", "i8", [2]);
    },
    becomes: "c:conv",
  },
  "ReLU behind DequantizeLinear, nothing behind it but pooling": {
    write: (w) => {
      w.quantize("x", "xd", "i8", [4]);
      conv(w, "xd", "c", 3);
      w.quantize("c", "cd", "i8", [2]);
      w.node("Relu", ["cd"], "r", {}, "relu");
      w.node("MaxPool", ["r"], "y", { kernel_shape: [2, 2] }, "pool");
    },
    becomes: "c:conv pool:pool",
  },
  "ReLU between two scales: a convolution of its own": {
    write: (w) => {
      w.quantize("x", "xd", "i8", [4]);
      conv(w, "xd", "c", 3);
      w.quantize("c", "cd", "i8", [1]);
      w.node("Relu", ["cd"], "r", {}, "relu");
      w.quantize("r", "y", "u8", [4]);
    },
    becomes: "c:conv relu:conv",
  },
  "LeakyReLU between two scales": {
    write: (w) => {
      w.quantize("x", "xd", "i8", [4]);
      conv(w, "xd", "c", 3);
      w.quantize("c", "cd", "i8", [1]);
      w.node("LeakyRelu", ["cd"], "r", { alpha: { float: 0.25 } }, "leaky");
      w.quantize("r", "y", "i8", [3]);
    },
    becomes: "c:conv leaky:conv",
  },
  "max pooling before QuantizeLinear": {
    write: (w) => {
      w.quantize("x", "xd", "i8", [4]);
      conv(w, "xd", "c", 3);
      w.node("MaxPool", ["c"], "p", { kernel_shape: [2, 2], strides: [2, 2] }, "pool");
      w.quantize("p", "y", "i8", [2]);
    },
    becomes: "c:conv pool:pool",
  },
  "integers pooled between QuantizeLinear and DequantizeLinear": {
    write: (w) => {
      const scale = w.linear("x", [4], "int8", 0);
      w.node("QuantizeLinear", ["x", ...scale], "xq");
      w.node("MaxPool", ["xq"], "p", { kernel_shape: [2, 2] }, "pool");
      w.node("DequantizeLinear", ["p", ...scale], "pd");
      conv(w, "pd", "c", 3);
      w.quantize("c", "y", "i8", [2]);
    },
    becomes: "pool:pool c:conv",
  },
  "a residual addition": {
    write: (w) => {
      w.quantize("x", "xd", "i8", [4]);
      conv(w, "xd", "c", 3);
      w.quantize("c", "cd", "i8", [2]);
      conv(w, "cd", "d", 3, 3, 2);
      w.quantize("d", "dd", "i8", [0]);
      w.node("Add", ["cd", "dd"], "s", {}, "add");
      w.node("Relu", ["s"], "r");
      w.quantize("r", "y", "i8", [2]);
    },
    becomes: "c:conv d:conv add:add",
  },
  "concatenation of what one QuantizeLinear behind it quantizes": {
    write: (w) => {
      w.quantize("x", "xd", "i8", [4]);
      conv(w, "xd", "c", 3);
      conv(w, "xd", "d", 3, 3);
      w.node("Concat", ["c", "d"], "s", { axis: 1 }, "concat");
      w.quantize("s", "y", "i8", [2]);
    },
    becomes: "c:conv d:conv concat:concat",
  },
  GlobalAveragePool: {
    write: (w) => {
      w.quantize("x", "xd", "i8", [4]);
      w.node("GlobalAveragePool", ["xd"], "a", {}, "average");
      w.quantize("a", "y", "i8", [4]);
    },
    becomes: "average:pool",
    tolerance: 1,
  },
  "accumulators that leave the network": {
    write: (w) => {
      w.quantize("x", "xd", "i8", [4]);
      conv(w, "xd", "y", 3, 3);
    },
    becomes: "y:conv",
  },
  "Flatten and Gemm, weights turned": {
    write: (w) => {
      w.quantize("x", "xd", "i8", [4]);
      w.node("Flatten", ["xd"], "f");
      w.quantize("f", "fd", "i8", [4]);
      gemm(w, "fd", "g", 48, 1);
      w.quantize("g", "y", "i8", [0]);
    },
    becomes: "g:conv",
  },
  "Gemm, weights as they are, and accumulators": {
    write: (w) => {
      w.quantize("x", "xd", "i8", [4]);
      w.node("Flatten", ["xd"], "f");
      gemm(w, "f", "y", 48, 0);
    },
    becomes: "y:conv",
  },
  "BatchNormalization behind a convolution, by powers of two": {
    write: (w) => {
      w.quantize("x", "xd", "i8", [4]);
      conv(w, "xd", "c", 3);
      const parameters = [
        w.floats("gamma", [3], [2, 0.5, -1]),
        w.floats("beta", [3], [2 ** -7, 2 ** -9, 2 ** -8]),
        w.floats("mean", [3], [0, 0, 0]),
        w.floats("var", [3], [1, 1, 1]),
      ];
      w.node("BatchNormalization", ["c", ...parameters], "n", { epsilon: { float: 0 } }, "norm");
      w.quantize("n", "y", "i8", [2]);
    },
    becomes: "c:conv",
  },
  "BatchNormalization behind DequantizeLinear": {
    write: (w) => {
      w.quantize("x", "xd", "i8", [4]);
      const parameters = [
        w.floats("gamma", [3], [2, 0.5, -1]),
        w.floats("beta", [3], [0.25, -1 / 64, 1.5]),
        w.floats("mean", [3], [0, 0, 0]),
        w.floats("var", [3], [1, 1, 1]),
      ];
      w.node("BatchNormalization", ["xd", ...parameters], "n", { epsilon: { float: 0 } }, "norm");
      w.quantize("n", "y", "i8", [4]);
    },
    becomes: "norm:conv",
  },
  "weights quantized in the graph, at ties to even": {
    write: (w) => {
      w.quantize("x", "xd", "i8", [4]);
      const floats = w.floats(
        "w",
        [3, 3, 1, 1],
        [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5, 127.5, -128.5].map((value) => value / 16),
      );
      const scale = w.linear("w", [4], "int8", 0);
      w.node("QuantizeLinear", [floats, ...scale], "wq");
      w.node("DequantizeLinear", ["wq", ...scale], "weights");
      w.node("Conv", ["xd", "weights"], "y", {}, "y");
    },
    becomes: "y:conv",
  },
  "Dropout on the way": {
    write: (w) => {
      w.quantize("x", "xd", "i8", [4]);
      conv(w, "xd", "c", 3);
      w.node("Dropout", ["c"], "d");
      w.node("Clip", ["d", w.floats("low", [], [-2]), w.floats("high", [], [6])], "r");
      w.quantize("r", "y", "i8", [3]);
    },
    becomes: "c:conv",
  },
  "two QuantizeLinear of one scale behind one tensor": {
    write: (w) => {
      w.quantize("x", "xd", "i8", [4]);
      conv(w, "xd", "c", 3);
      w.quantize("c", "a", "i8", [2]);
      w.quantize("c", "b", "i8", [2]);
      w.node("Add", ["a", "b"], "s", {}, "add");
      w.quantize("s", "y", "i8", [1]);
    },
    becomes: "c:conv add:add",
  },
};

const importFile = (file: Uint8Array, options: QdqOptions = {}) => {
  const sidecar = parseSidecar(
    Buffer.from(JSON.stringify({ input: { colorOrder: "RGB", mean: [0, 0, 0], scale: 1 } })),
    "net.json",
  );
  return importQdq(decodeModel(file, "net.onnx"), file, "net.onnx", sidecar, options);
};

const file = ({ write, input = INPUT, output = { name: "y" } }: Pick<Pattern, "write" | "input" | "output">) => {
  const writer = new QdqWriter();
  write(writer);
  return writer.file(input, [output]);
};

describe("patterns of quantizing tools compute what onnxruntime computes", () => {
  test.each(Object.entries(PATTERNS))("%s", async (_name, pattern) => {
    const bytes = file(pattern);
    const model = importFile(bytes);
    expect(model.nodes.map(({ name, op }) => `${name}:${op}`).join(" ")).toBe(pattern.becomes);
    const input = Int8Array.from(noise(48, -128, 127, 5));
    const theirs = (await runFloat(bytes, reals(input, [4]), [4, 4, 3])).get("y")!;
    const [{ tensor, exponents }] = model.host.outputs;
    const ours = reals(runReference(model, input).tensors.get(tensor)!, exponents);
    expect(ours.length).toBe(theirs.length);
    expect(new Set(ours).size).toBeGreaterThan(2);
    ours.forEach((value, i) => {
      expect(Math.abs(value - theirs[i]) * 2 ** exponents[i % exponents.length]).toBeLessThanOrEqual(
        pattern.tolerance ?? 0,
      );
    });
  });

  test("an integer input and an integer output", () => {
    const bytes = file({
      input: { name: "x", shape: [1, 3, 4, 4], type: "uint8" },
      output: { name: "y", type: "int8" },
      write: (w) => {
        w.node("DequantizeLinear", ["x", ...w.linear("x", [3], "uint8", 0)], "xd");
        conv(w, "xd", "c", 3, 1, 3);
        w.node("QuantizeLinear", ["c", ...w.linear("c", [1], "int8", 0)], "y");
      },
    });
    const { tensors, host, nodes } = importFile(bytes);
    expect(tensors).toMatchObject([
      { name: "x", format: "u8", exponent: 3 },
      { name: "y", format: "i8", exponent: 1 },
    ]);
    expect(host.input).toMatchObject({ format: "u8", exponent: 3, colorOrder: "RGB" });
    expect([...(nodes[0] as QConv).shift]).toEqual([7, 7, 7]);
  });
});

describe("biases", () => {
  /** One output channel; weights at 2^-5, input at 2^-4. */
  const withBias = (bias: number) =>
    file({
      write: (w) => {
        w.quantize("x", "xd", "i8", [4]);
        const weights = w.integers("w", "int8", [1, 3, 1, 1], [1, 2, 3]);
        w.node("DequantizeLinear", [weights, ...w.linear("w", [5], "int8", 0)], "weights");
        const biases = w.integers("b", "int32", [1], [bias]);
        w.node("DequantizeLinear", [biases, ...w.linear("b", [9], "int32", 0)], "bias");
        w.node("Conv", ["xd", "weights", "bias"], "c", {}, "conv");
        w.quantize("c", "y", "i8", [2]);
      },
    });

  test.each([
    [0, 0, 0],
    [127, 127, 0],
    [-128, -128, 0],
    [128, 64, 1],
    [-256, -128, 1],
    [12800, 100, 7],
    [127 * 2 ** 23, 127, 23],
    [-(2 ** 30), -128, 23],
  ])("%i is %i and a shift of %i", (bias, integer, shift) => {
    const node = importFile(withBias(bias)).nodes[0] as QConv;
    expect([node.bias[0], node.biasShift[0]]).toEqual([integer, shift]);
  });

  test("of more than eight bits are refused, or rounded", () => {
    expect(() => importFile(withBias(12801))).toThrow(
      "net.onnx: conv: bias 25.001953125 of output channel 0 is 12801 accumulator units, which is not 8 bits and a shift; round such biases: rapsim quantize --rescale",
    );
    const moved: Rescaled[] = [];
    const node = importFile(withBias(12801), { rescale: true, onRescale: (r) => moved.push(r) }).nodes[0] as QConv;
    expect([node.bias[0], node.biasShift[0]]).toEqual([100, 7]);
    expect(moved).toEqual([{ what: "biases", name: "conv", sqnrDb: expect.closeTo(20 * Math.log10(12801), 6) }]);
  });

  test("too large for their accumulators are refused", () => {
    expect(() => importFile(withBias(2 ** 31 - 1), { rescale: true })).toThrow(
      "net.onnx: conv: output channel 0: bias 4194303.998046875 is too large for its accumulators' scale 2^-9",
    );
  });
});

describe("refusals", () => {
  const start = (w: QdqWriter, scale: readonly string[] = w.linear("x", [4], "int8", 0)) => {
    w.node("QuantizeLinear", ["x", ...scale], "xq", {}, "q");
    w.node("DequantizeLinear", ["xq", ...scale], "xd", {}, "dq");
  };
  const scaleOf = (w: QdqWriter, scale: number, zeroPoint: number, type: "int8" | "uint8" = "int8") => [
    w.floats("scale", [], [scale]),
    w.integers("zero", type, [], [zeroPoint]),
  ];
  const cases: Record<string, [(w: QdqWriter) => void, string]> = {
    "a scale that is no power of two": [
      (w) => start(w, scaleOf(w, 0.1, 0)),
      "node q (QuantizeLinear): scale 0.1 is not a power of two (the nearest is 2^-3); the machine scales by shifts; quantize again with power-of-two scales, or move them to the nearest: rapsim quantize --rescale",
    ],
    "a zero point": [
      (w) => start(w, scaleOf(w, 0.5, 3, "uint8")),
      "node q (QuantizeLinear): zero point 3; the machine has none, so uint8 needs 0 or 128; quantize again with power-of-two scales, or move them to the nearest: rapsim quantize --rescale",
    ],
    "a scale that is not positive": [
      (w) => start(w, scaleOf(w, 0, 0)),
      "node q (QuantizeLinear): scale 0; scales are positive",
    ],
    "a scale for every channel of an activation": [
      (w) => {
        w.quantize("x", "xd", "i8", [4, 3, 5]);
        conv(w, "xd", "y", 3);
      },
      "'x' has 3 scales; only a convolution's output that leaves the network may have several",
    ],
    "16 bits": [
      (w) => start(w, [w.floats("scale", [], [0.5]), "z16"]),
      "node q (QuantizeLinear): zero point: int16 elements; int8, uint8 or int32 is needed",
    ],
    "blocked scales": [
      (w) => {
        const scale = scaleOf(w, 0.5, 0);
        w.node("QuantizeLinear", ["x", ...scale], "xq", { block_size: 4 }, "q");
      },
      "node q (QuantizeLinear): blocked scales are not supported; take one scale per tensor or per output channel",
    ],
    "a scale that is computed": [
      (w) => start(w, ["x", "x"]),
      "node q (QuantizeLinear): scale 'x' must be a constant stored in the file",
    ],
    "a convolution of what is not quantized": [
      (w) => {
        start(w);
        conv(w, "xd", "c", 3);
        conv(w, "c", "d", 3);
        w.quantize("d", "y", "i8", [2]);
      },
      "d: reads 'c', which is not quantized; put QuantizeLinear and DequantizeLinear behind what computes it",
    ],
    "an activation with a second reader": [
      (w) => {
        start(w);
        conv(w, "xd", "c", 3);
        w.node("Relu", ["c"], "r", {}, "relu");
        w.quantize("c", "cd", "i8", [2]);
        w.quantize("r", "rd", "i8", [2]);
        w.node("Add", ["cd", "rd"], "s", {}, "add");
        w.quantize("s", "y", "i8", [2]);
      },
      "relu: reads 'c', which is not quantized; put QuantizeLinear and DequantizeLinear behind what computes it",
    ],
    "an activation behind pooling, neither quantized": [
      (w) => {
        start(w);
        conv(w, "xd", "c", 3);
        w.node("MaxPool", ["c"], "p", { kernel_shape: [2, 2] }, "pool");
        w.node("LeakyRelu", ["p"], "r", { alpha: { float: 0.5 } }, "leaky");
        w.quantize("r", "y", "i8", [2]);
      },
      "leaky: reads 'p', which is not quantized; put QuantizeLinear and DequantizeLinear behind what computes it",
    ],
    "an average that is not quantized": [
      (w) => {
        start(w);
        w.node("AveragePool", ["xd"], "a", { kernel_shape: [2, 2] }, "average");
        conv(w, "a", "y", 3);
      },
      "y: reads 'a', which is not quantized; put QuantizeLinear and DequantizeLinear behind what computes it",
    ],
    "an output that is not quantized": [
      (w) => {
        start(w);
        conv(w, "xd", "c", 3);
        w.node("Relu", ["c"], "y");
      },
      "output 'y' is not quantized; put QuantizeLinear and DequantizeLinear before it (only a convolution or Gemm, read by nothing else, may leave its accumulators)",
    ],
    "pooling with another scale behind it": [
      (w) => {
        start(w);
        w.node("AveragePool", ["xd"], "a", { kernel_shape: [2, 2] }, "average");
        w.quantize("a", "y", "i8", [5]);
      },
      "node y_quantized (QuantizeLinear): i8 at 2^-4 meets i8 at 2^-5; what pooling, concatenation and requantization read and write has one scale; quantize again with power-of-two scales, or move them to the nearest: rapsim quantize --rescale",
    ],
    "an addition of two formats": [
      (w) => {
        start(w);
        conv(w, "xd", "c", 3);
        w.quantize("c", "cd", "u8", [2]);
        conv(w, "xd", "d", 3);
        w.quantize("d", "dd", "i8", [2]);
        w.node("Add", ["cd", "dd"], "s", {}, "add");
        w.quantize("s", "y", "i8", [2]);
      },
      "'add': operands have formats u8 and i8",
    ],
    "weights that are floats": [
      (w) => {
        start(w);
        w.floats("w", [1, 3, 1, 1], [0.1, 0.2, 0.3]);
        w.node("Conv", ["xd", "w"], "y", {}, "conv");
      },
      "conv: its weights are not int8 at power-of-two scales (output channel 0); quantize again with power-of-two scales, or move them to the nearest: rapsim quantize --rescale",
    ],
    "weights with scales along the input channels": [
      (w) => {
        start(w);
        const weights = w.integers("w", "int8", [1, 3, 1, 1], [1, 2, 3]);
        w.node("DequantizeLinear", [weights, ...w.linear("w", [5, 4, 5], "int8", 0)], "weights", { axis: 1 }, "wdq");
        w.node("Conv", ["xd", "weights"], "y", {}, "conv");
      },
      "node wdq (DequantizeLinear): scales along axis 1; weights have one scale, or one per output channel (axis 0)",
    ],
    "uint8 weights without the zero point": [
      (w) => {
        start(w);
        const weights = w.integers("w", "uint8", [1, 3, 1, 1], [1, 2, 3]);
        w.node("DequantizeLinear", [weights, ...w.linear("w", [5], "uint8", 0)], "weights", {}, "wdq");
        w.node("Conv", ["xd", "weights"], "y", {}, "conv");
      },
      "node wdq (DequantizeLinear): zero point 0; uint8 weights need 128; quantize again with power-of-two scales, or move them to the nearest: rapsim quantize --rescale",
    ],
    "weights that are not all there": [
      (w) => {
        start(w);
        const weights = w.integers("w", "int8", [2, 3, 1, 1], [1, 2, 3]);
        w.node("DequantizeLinear", [weights, ...w.linear("w", [5], "int8", 0)], "weights", {}, "wdq");
        w.node("Conv", ["xd", "weights"], "y", {}, "conv");
      },
      "node wdq (DequantizeLinear): 'w': extents [2,3,1,1] ask for 6 values, the file holds 3; the file is damaged or its data is external",
    ],
    "scales too far apart": [
      (w) => {
        start(w);
        conv(w, "xd", "c", 3);
        w.quantize("c", "y", "i8", [20]);
      },
      "c: output channel 0: shift -11 is not in -8..31; its scales lie too far apart",
    ],
    "a slope that two shifts do not make": [
      (w) => {
        start(w);
        conv(w, "xd", "c", 3);
        w.node("LeakyRelu", ["c"], "r", { alpha: { float: 0.1 } });
        w.quantize("r", "y", "i8", [2]);
      },
      "c: slope 0.1 is not 2^-a or 2^-a + 2^-b; take one of them, or the nearest: rapsim quantize --rescale",
    ],
    "integers read by a float operator": [
      (w) => {
        start(w);
        w.node("Relu", ["xq"], "y", {}, "relu");
      },
      "node relu (Relu): reads the integers of 'xq'; in the QDQ form only DequantizeLinear, Concat, Flatten, Identity, MaxPool, Reshape do",
    ],
  };
  test.each(Object.entries(cases))("%s", (_name, [write, message]) => {
    const bytes = file({
      write: (w) => {
        w.initializers.push({ name: "z16", dims: [], dataType: DATA_TYPES.indexOf("int16"), int32Data: [0] });
        write(w);
      },
    });
    expect(() => importFile(bytes)).toThrow(new RapError(`net.onnx: ${message}`));
  });

  test.each(["QLinearConv", "ConvInteger", "DynamicQuantizeLinear"])("the other form: %s", (op) => {
    const bytes = file({ write: (w) => w.node(op, ["x"], "y", {}, "n") });
    expect(() => isQuantized(decodeModel(bytes, "net.onnx"), "net.onnx")).toThrow(
      `net.onnx: node n (${op}): operators on integers are not read; quantize in the QDQ form`,
    );
  });

  test("is QDQ or is not", () => {
    const of = (write: (w: QdqWriter) => void) => isQuantized(decodeModel(file({ write }), "net.onnx"), "net.onnx");
    expect(of((w) => start(w))).toBe(true);
    expect(of((w) => w.node("Relu", ["x"], "y"))).toBe(false);
  });

  test("damaged files: one clear message, or a model, and nothing else", () => {
    const bytes = file(PATTERNS["a residual addition"]);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.boolean(), (at, value, cut) => {
        const damaged = cut ? bytes.slice(0, at) : bytes.slice();
        if (!cut) damaged[at] = value;
        try {
          importFile(damaged, { rescale: true });
        } catch (error) {
          expect(error).toBeInstanceOf(RapError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("rescaling", () => {
  test("any model at any scale is read, and every tensor that moved is named with its cost", () => {
    fc.assert(
      fc.property(
        arbitraryQuantizedModel({ maxSteps: 3 }),
        fc.double({ min: 0.75, max: 1.4, noNaN: true }),
        (random, factor) => {
          const model = plainClips(plainSlopes(random));
          const moved: Rescaled[] = [];
          let again: QuantizedModel;
          try {
            again = importAgain(model, { scaleFactor: factor }, { rescale: true, onRescale: (r) => moved.push(r) });
          } catch (error) {
            // at the ends of the shifts' ranges a moved exponent may not fit
            expect((error as Error).message).toMatch(/shift .* is not in|overflow|too large for its accumulators/);
            return;
          }
          expect(again.nodes.map(({ op }) => op)).toEqual(model.nodes.map(({ op }) => op));
          // 0 dB: a bias below the accumulators' resolution is gone
          for (const { sqnrDb } of moved) expect(sqnrDb).toBeGreaterThanOrEqual(0);
          const input = model.tensors[0].name;
          expect(moved.some(({ name }) => name === input)).toBe(Math.fround(factor) !== 1);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("power-of-two scales stay, whatever is allowed", () => {
    fc.assert(
      fc.property(arbitraryQuantizedModel({ maxSteps: 3 }), (random) => {
        const model = plainClips(plainSlopes(random));
        const onRescale = () => expect.fail("nothing had to move");
        expect(essence(importAgain(model, {}, { rescale: true, onRescale }))).toEqual(essence(model));
      }),
      { numRuns: 20 },
    );
  });

  test("what it costs is that of the numbers", () => {
    const moved: Rescaled[] = [];
    const bytes = file({
      write: (w) => {
        const scale = [w.floats("scale", [], [0.75]), w.integers("zero", "int8", [], [0])];
        w.node("QuantizeLinear", ["x", ...scale], "xq");
        w.node("DequantizeLinear", ["xq", ...scale], "xd");
        w.floats("w", [3, 1, 1, 1], [0.75, 0.5, 1 / 3]);
        w.node("Conv", ["xd", "w"], "y", { group: 3 }, "conv");
      },
    });
    const model = importFile(bytes, { rescale: true, onRescale: (r) => moved.push(r) });
    // 0.75 lies nearer to 1 than to 0.5 as a ratio: log2 is -0.415
    expect(model.tensors[0].exponent).toBe(0);
    let [signal, noise] = [0, 0];
    for (let q = -128; q <= 127; q++) {
      signal += (0.75 * q) ** 2;
      noise += (Math.floor(0.75 * q + 0.5) - 0.75 * q) ** 2;
    }
    // 0.75 = 96 / 128, 0.5 = 64 / 128, 1/3 = 85.33 / 256
    const error = 85 / 256 - Math.fround(1 / 3);
    const weights = 10 * Math.log10((0.75 ** 2 + 0.5 ** 2 + 1 / 9) / error ** 2);
    expect(moved).toEqual([
      { what: "activations", name: "x", sqnrDb: expect.closeTo(10 * Math.log10(signal / noise), 6) },
      { what: "weights", name: "conv", sqnrDb: expect.closeTo(weights, 3) },
    ]);
  });

  test("pools and concatenations get the coarsest of their scales, additions one format", () => {
    const bytes = file({
      write: (w) => {
        w.quantize("x", "xd", "i8", [4]);
        conv(w, "xd", "c", 3);
        w.quantize("c", "cd", "u8", [3]);
        conv(w, "xd", "d", 3);
        w.quantize("d", "dd", "u8", [1]);
        w.node("Concat", ["cd", "dd"], "s", { axis: 1 });
        w.quantize("s", "sd", "u8", [2]);
        conv(w, "sd", "e", 6);
        w.quantize("e", "ed", "i8", [2]);
        w.node("Add", ["ed", "dd"], "a", {}, "add");
        w.quantize("a", "y", "i8", [1]);
      },
    });
    const { tensors } = importFile(bytes, { rescale: true });
    expect(tensors.map(({ name, format, exponent }) => `${name} ${format} ${exponent}`)).toEqual([
      "x i8 4",
      "c i8 0",
      "d i8 0",
      "s i8 0",
      "e i8 2",
      "y i8 1",
    ]);
  });
});

describe("rapsim quantize", () => {
  const { path, remove } = temporaryFolder();
  afterAll(remove);
  /** A network at power-of-two scales times `scaleFactor`. */
  const network = (name: string, scaleFactor: number) => {
    const writer = new QdqWriter({ scaleFactor });
    PATTERNS["a residual addition"].write(writer);
    writeFileSync(path(name), writer.file(INPUT, [{ name: "y" }]));
    return path(name);
  };

  test("takes a QDQ file as it is", async () => {
    const from = network("exact.onnx", 1);
    expect(await rapsim(["quantize", from, "-o", path("exact.rapq")])).toMatchObject({ code: 0, stderr: "" });
    const model = loadModel(path("exact.rapq"));
    expect(model.nodes.map(({ name }) => name)).toEqual(["c", "d", "add"]);
    expect(model.provenance).toMatchObject({ source: "exact.onnx", options: { form: "QDQ", rescale: false } });
  });

  test("refuses unsupported scales, and moves them with --rescale, saying what it costs", async () => {
    const from = network("other.onnx", 1.25);
    const refused = await rapsim(["quantize", from, "-o", path("other.rapq")]);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(
      /^.*other\.onnx: node xd_quantized \(QuantizeLinear\): scale 0\.078125 is not a power of two \(the nearest is 2\^-4\).*rapsim quantize --rescale\n$/,
    );
    expect(existsSync(path("other.rapq"))).toBe(false);
    const moved = await rapsim(["quantize", from, "--rescale", "-o", path("other.rapq"), "--log-level", "info"]);
    expect(moved.code).toBe(0);
    expect(moved.stderr).toMatch(/INFO.*: rescaled \{"what":"activations","of":"x","sqnrDb":\d+/);
    expect(moved.stderr).toMatch(/WARN.*moved to power-of-two scales/);
    expect(loadModel(path("other.rapq")).provenance.options).toEqual({ form: "QDQ", rescale: true });
  });

  test("refuses options that belong to quantizing, and --rescale where there is nothing to rescale", async () => {
    const choice = await rapsim(["quantize", network("a.onnx", 1), "--head", "i8", "-o", path("a.rapq")]);
    expect(choice.stderr).toContain("is quantized already; head cannot be changed; quantize the float model again");
    const builtIn = await rapsim(["quantize", "tiny", "--rescale", "-o", path("a.rapq")]);
    expect(builtIn.stderr).toBe("tiny: is no ONNX file in QDQ form; rescaling is for the scales of one\n");
    expect([choice.code, builtIn.code]).toEqual([1, 1]);
  });
});
