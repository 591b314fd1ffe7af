// Does the quantizer keep its promises on any network, choose the best exponents, and lose little accuracy?
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildNetwork } from "../../compiler/builders.ts";
import { runFloat } from "../../compiler/float/executor.ts";
import { type ConvNode, countMacs, type FloatGraph, LINEAR, makeGraph, RELU } from "../../compiler/graph.ts";
import { simplify } from "../../compiler/passes/index.ts";
import { accumulatorBound, nearestSlope, quantizeConv } from "../../compiler/quantize/conv.ts";
import { damage, readersOf } from "../../compiler/quantize/damage.ts";
import { bestExponent } from "../../compiler/quantize/exponents.ts";
import { fitShifts } from "../../compiler/quantize/fit-shifts.ts";
import { observe, shrink } from "../../compiler/quantize/observe.ts";
import { type QuantizeOptions, quantize } from "../../compiler/quantize.ts";
import type { QuantizedModel } from "../../compiler/quantized-model.ts";
import { stimulus } from "../../compiler/stimuli.ts";
import { verifyQuantizedModel } from "../../compiler/verify-quantized-model.ts";
import { runReference } from "../reference/index.ts";
import { arbitraryGraph } from "./arbitrary-graph.ts";
import { numbers } from "./onnx-writer.ts";

const arbitraryOptions: fc.Arbitrary<QuantizeOptions> = fc.record({
  activations: fc.constantFrom("i8", "u8"),
  head: fc.constantFrom("i8", "i32"),
});

/** The network's integers for synthetic photograph `index`, and its outputs as real numbers. */
function runIntegers(model: QuantizedModel, real: Float32Array): Map<string, Float64Array> {
  const { input, outputs } = model.host;
  const [low, high] = input.format === "u8" ? [0, 255] : [-128, 127];
  const integers = Array.from(real, (value) =>
    Math.min(high, Math.max(low, Math.floor(value * 2 ** input.exponent + 0.5))),
  );
  const { tensors } = runReference(model, input.format === "u8" ? Uint8Array.from(integers) : Int8Array.from(integers));
  return new Map(
    outputs.map(({ tensor, channels, exponents }) => [
      tensor,
      Float64Array.from(tensors.get(tensor)!, (value, i) => value * 2 ** -exponents[i % channels]),
    ]),
  );
}

function sqnr(actual: ArrayLike<number>, wanted: Float32Array): number {
  let [signal, noise] = [0, 0];
  wanted.forEach((value, i) => {
    signal += value ** 2;
    noise += (actual[i] - value) ** 2;
  });
  return 10 * Math.log10(signal / noise);
}

describe("on any network", () => {
  test("shifts are encodable, accumulators cannot overflow, shared exponents are shared, the reference runs it", () => {
    fc.assert(
      fc.property(arbitraryGraph(), arbitraryOptions, (graph, options) => {
        const model = quantize(graph, options);
        // shift and bias shift ranges, shared exponents and formats, clamps, shapes
        verifyQuantizedModel(model, "random");
        const tensors = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
        for (const node of model.nodes) {
          if (node.op !== "conv") continue;
          const output = tensors.get(node.output)!;
          const head = model.host.outputs.find(({ tensor }) => tensor === node.output);
          const magnitude = tensors.get(node.inputs[0])!.format === "u8" ? 255 : 128;
          const perOutput = node.weights.length / node.bias.length;
          for (let k = 0; k < node.bias.length; k++) {
            const weights = node.weights.subarray(k * perOutput, (k + 1) * perOutput);
            const entry = { bias: node.bias[k], biasShift: node.biasShift[k], shift: node.shift[k] };
            expect(accumulatorBound(weights, magnitude, entry)).toBeLessThan(2 ** 31);
            const target = output.format === "i32" ? node.accExponents[k] : (head?.exponents[k] ?? output.exponent);
            expect(node.shift[k]).toBe(node.accExponents[k] - target);
            if (head !== undefined) expect(head.exponents[k]).toBe(target);
          }
        }
        runIntegers(model, stimulus(model.host.input, 5, 0));
      }),
      { numRuns: 150 },
    );
  });

  test("the options are kept: u8 only where nothing negative can be, i32 only at the end and if wanted", () => {
    fc.assert(
      fc.property(arbitraryGraph(), arbitraryOptions, (graph, options) => {
        const model = quantize(graph, options);
        const values = new Map<string, Float32Array>();
        runFloat(simplify(graph), stimulus(graph.preprocess, 5, 0), ({ name }, own) => values.set(name, own));
        for (const { name, format } of model.tensors) {
          if (options.activations === "i8") expect(format).not.toBe("u8");
          if (format === "u8") expect(values.get(name)!.every((value) => value >= 0)).toBe(true);
          if (format === "i32") expect([options.head, graph.outputs.includes(name)]).toEqual(["i32", true]);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("the same network and seed give the same integers", () => {
    const [a, b] = [quantize(buildNetwork("tiny")), quantize(buildNetwork("tiny"))];
    expect(a).toEqual(b);
  });
});

describe("accuracy of the tiny network on pictures it has not seen", () => {
  const graph = buildNetwork("tiny");
  test.each([
    [{ activations: "i8", head: "i32" }, 25],
    [{ activations: "i8", head: "i8" }, 25],
    [{ activations: "u8", head: "i32" }, 26],
  ] as const)("%o: at least %i dB", (options, least) => {
    const model = quantize(graph, options);
    const ratios = [100, 101, 102, 103].map((index) => {
      // the input's scale is the quantizer's choice
      const integers = runIntegers(model, stimulus(model.host.input, 1, index));
      return sqnr(
        integers.get("classifier")!,
        runFloat(graph, stimulus(graph.preprocess, 1, index)).get("classifier")!,
      );
    });
    expect(Math.min(...ratios)).toBeGreaterThan(least);
  });
});

describe("exponents", () => {
  test("the best one has the least squared error of all", () => {
    const values = fc.float32Array({ minLength: 1, maxLength: 30, noNaN: true, min: -1000, max: 1000 });
    const error = (own: Float32Array, f: number) =>
      own.reduce((sum, value) => {
        const q = Math.min(127, Math.max(-128, Math.floor(value * 2 ** f + 0.5)));
        return sum + (q * 2 ** -f - value) ** 2;
      }, 0);
    fc.assert(
      fc.property(values, (own) => {
        fc.pre(own.some((value) => Math.abs(value) > 1e-6));
        const chosen = error(own, bestExponent(own, "i8"));
        for (let f = -20; f <= 32; f++) expect(chosen).toBeLessThanOrEqual(error(own, f) * (1 + 1e-9));
      }),
    );
  });

  test("a few outliers are clipped when that serves the rest", () => {
    // 1000 values from 0 to 1 and an outlier. Rounding them costs 1000 * (1/64)^2 / 12 = 0.020 at f = 6, 0.005 at f = 7.
    // Clipping 1.1 to 127/128 costs 0.012 more, clipping 1.3 costs 0.095.
    const values = (outlier: number) =>
      Float32Array.from({ length: 1001 }, (_, i) => (i === 1000 ? outlier : i / 1000));
    expect([1.1, 1.3].map((outlier) => bestExponent(values(outlier), "i8"))).toEqual([7, 6]);
  });

  test("pixels minus their mean, -124..151, are scaled to fill -128..127, and the weights that read them divided", () => {
    const mean = [103.939, 116.779, 123.68];
    const graph = oneConv(
      { kernel: [3, 3], weights: numbers(4 * 27), bias: new Float32Array(4), activation: RELU },
      mean,
    );
    const { input } = quantize(graph).host;
    expect(input).toMatchObject({ exponent: 0, format: "i8", mean });
    expect(input.scale).toBeCloseTo(127.49 / (255 - 103.939), 6);
  });
});

test("exponents are lowered until every shift between them is encodable", () => {
  const { nodes, ...rest } = oneConv({ weights: new Float32Array(9).fill(0.5), bias: new Float32Array(3) });
  const add = { op: "add", name: "add", inputs: ["x", "y"], output: "z", activation: LINEAR } as const;
  const graph = simplify(makeGraph({ ...rest, nodes: [...nodes, add], outputs: ["z"] }));
  const fitted = (x: number, y: number, z: number) => {
    const exponents = new Map([
      ["x", x],
      ["y", y],
      ["z", z],
    ]);
    fitShifts(graph, exponents, (name) => name, new Map());
    return [...exponents.values()];
  };
  expect(fitted(0, 1, 2)).toEqual([0, 1, 2]);
  // weights are 0.5 = 64 * 2^-7: the output of the convolution is at most 7 + 0 + 8
  expect(fitted(0, 20, 20)).toEqual([0, 15, 20]);
  // operands at most 16 apart, the sum at most 8 finer than the finer operand
  expect(fitted(20, 0, 40)).toEqual([16, 0, 24]);
  // and at most 31 coarser
  expect(fitted(20, 20, -20)).toEqual([11, 11, -20]);
});

describe("damage done to the layers that read a tensor", () => {
  const reader = (weights: number[]) => ({
    groups: 1,
    outChannels: 1,
    squares: Float64Array.from(weights, (weight) => weight ** 2),
    sums: Float64Array.from(weights),
    power: 1,
  });

  test("clipping adds up in the sum: 2 + 3 behind weights 1 and 1, 2 - 3 behind 1 and -1", () => {
    // at f = 0 the largest is 127
    const pixel = { channels: 2, values: Float32Array.of(129, 130) };
    expect(damage(pixel, [reader([1, 1])], 0, "i8")).toBe(25);
    expect(damage(pixel, [reader([1, -1])], 0, "i8")).toBe(1);
    expect(damage(pixel, [reader([1, 1]), reader([1, -1])], 0, "i8")).toBe(26);
  });

  test("rounding does not: 0.25^2 + 0.25^2 either way, in proportion to the layer's power", () => {
    const pixel = { channels: 2, values: Float32Array.of(1.25, 2.25) };
    expect(damage(pixel, [reader([1, -1])], 0, "i8")).toBe(0.125);
    expect(damage(pixel, [{ ...reader([2, 2]), power: 16 }], 0, "i8")).toBe((4 * 0.125) / 16);
  });

  test("the reader of a pooled or concatenated tensor is found behind it, an addition weighs 1", () => {
    const graph = simplify(buildNetwork("tiny"));
    const samples = observe(graph, 1);
    const shapes = (tensor: string) =>
      readersOf(graph, samples, tensor).map(({ groups, outChannels }) => [groups, outChannels]);
    expect(shapes("conv1")).toEqual([]);
    expect(shapes("pool1")).toEqual([[1, 8]]);
    expect(shapes("fire2_squeeze1x1")).toEqual([
      [1, 16],
      [1, 16],
    ]);
    expect(shapes("fire2")).toEqual([
      [1, 32],
      [32, 32],
    ]);
  });
});

/** One convolution on 32 x 32 pixels. */
function oneConv(changes: Partial<ConvNode>, mean = [100, 110, 120]): FloatGraph {
  const conv: ConvNode = {
    op: "conv",
    name: "conv",
    inputs: ["x"],
    output: "y",
    kernel: [1, 1],
    stride: [1, 1],
    dilation: [1, 1],
    pads: [0, 0, 0, 0],
    groups: 1,
    weights: Float32Array.of(0.5, 0.25, -0.125),
    bias: Float32Array.of(3),
    activation: LINEAR,
    ...changes,
  };
  const preprocess = { height: 32, width: 32, channels: 3 as const, colorOrder: "RGB" as const, mean, scale: 1 };
  const source = { name: "one", sha256: "" };
  return makeGraph({
    name: "one",
    input: "x",
    outputs: ["y"],
    nodes: [conv],
    preprocess,
    head: null,
    trained: true,
    source,
  });
}

describe("one convolution, by hand", () => {
  const { nodes } = oneConv({});
  const conv = nodes[0] as ConvNode;

  test("weights 0.5, 0.25, -0.125 at f = 7; input f = -1: accumulator f = 6", () => {
    // 0.5 * 2^7 = 64; at f = 8 it would be 128, clipped to 127, so f = 7 has no error and is coarsest
    // bias 3 = 96 * 2^-5, and 5 = 6 - 1; shift 6 - (-1) = 7
    expect(quantizeConv(conv, -1, 128, () => -1)).toEqual({
      weights: Int8Array.of(64, 32, -16),
      bias: Int8Array.of(96),
      biasShift: Int8Array.of(1),
      shift: Int8Array.of(7),
      accExponents: Int8Array.of(6),
    });
  });

  test("an output that is int32 is not shifted", () => {
    expect(quantizeConv(conv, -1, 128, null)).toMatchObject({ shift: Int8Array.of(0), accExponents: Int8Array.of(6) });
  });

  test("a bias too large for the accumulator at the best weight exponent lowers that exponent", () => {
    const bias = Float32Array.of(2 ** 26);
    const { weights, accExponents } = quantizeConv({ ...conv, bias }, -1, 128, () => -20);
    // 2^26 at f = 4 is 128 * 2^23: one more than int8 holds, and 23 is the largest shift; so f = 3, and weights at 3 + 1
    expect([accExponents[0], ...weights]).toEqual([3, 8, 4, -2]);
  });

  test("so many weights that their sum of products would overflow take a coarser exponent", () => {
    // 255 x 255 x 3 weights of 127 * 2^-7: 195,075 * 127 * 128 = 3.2e9 > 2^31; with 63 * 2^-6 it is 1.6e9
    const weights = new Float32Array(195_075).fill(0.992);
    const quantized = quantizeConv({ ...conv, kernel: [255, 255], weights }, -1, 128, null);
    expect([quantized.accExponents[0], quantized.weights[0]]).toEqual([5, 63]);
  });

  test("a bias half way between the largest integer and the next has an exponent", () => {
    const { bias, biasShift, accExponents } = quantizeConv({ ...conv, bias: Float32Array.of(127.5) }, -1, 128, () => 0);
    expect(bias[0] * 2 ** (biasShift[0] - accExponents[0])).toBe(128);
  });

  test("a bias beyond all reach is refused", () => {
    expect(() => quantizeConv({ ...conv, bias: Float32Array.of(2 ** 40) }, -1, 128, () => 0)).toThrow(
      "conv: output channel 0 overflows a 32-bit accumulator at every weight exponent",
    );
  });

  test("ReLU, Clip and LeakyReLU become the shift unit's clamp and slope", () => {
    const clampOf = (activation: ConvNode["activation"], head: "i8" | "i32" = "i8") => {
      const { nodes, tensors } = quantize(oneConv({ activation }), { head });
      const [node] = nodes;
      if (node.op !== "conv") throw new Error("no convolution");
      return { low: node.low, high: node.high, slope: node.slope, f: tensors[1].exponent };
    };
    expect(clampOf(RELU)).toMatchObject({ low: 0, high: 127, slope: null });
    expect(clampOf({ low: 0, high: 6, slope: 1 })).toEqual({ low: 0, high: 96, slope: null, f: 4 });
    expect(clampOf({ low: -1, high: 1, slope: 1 })).toEqual({ low: -64, high: 64, slope: null, f: 6 });
    expect(clampOf({ ...LINEAR, slope: 0.25 })).toMatchObject({ low: -128, high: 127, slope: { a: 2, b: 0 } });
    expect(clampOf(LINEAR, "i32")).toEqual({ low: -(2 ** 31), high: 2 ** 31 - 1, slope: null, f: 0 });
    // accumulators come before the activation: an output with one is rescaled
    expect(clampOf(RELU, "i32")).toMatchObject({ low: 0, high: 127 });
  });

  test.each([
    [0.5, { a: 1, b: 0 }],
    [0.1, { a: 4, b: 5 }], // 0.0625 + 0.03125 = 0.09375
    [0.01, { a: 7, b: 9 }], // 0.0078125 + 0.001953125 = 0.009765625
    [0.75, { a: 1, b: 2 }],
    [0.99, { a: 1, b: 1 }],
  ])("slope %d is %o", (slope, shifts) => expect(nearestSlope(slope)).toEqual(shifts));
});

test("channel groups of a detection head get exponents of their own", () => {
  const squeezeDet = buildNetwork("squeezedet");
  const conv12 = squeezeDet.nodes.at(-1) as ConvNode;
  // the last layer alone, its class scores 64 times as large as its box deltas
  const gains = (k: number) => (k < 27 ? 4 : k < 36 ? 1 : 1 / 16);
  const perOutput = conv12.weights.length / 72;
  const node: ConvNode = {
    ...conv12,
    inputs: ["x"],
    kernel: [1, 1],
    pads: [0, 0, 0, 0],
    weights: Float32Array.from({ length: 72 * 3 }, (_, i) => [0.1, 0.2, -0.1][i % 3] * gains(Math.floor(i / 3))),
    bias: new Float32Array(72),
  };
  expect(perOutput).toBe(9 * 768);
  const { preprocess, head, ...rest } = squeezeDet;
  const graph = makeGraph({
    ...rest,
    input: "x",
    nodes: [node],
    head,
    preprocess: { ...preprocess, height: 24, width: 78 },
  });
  const { exponents } = quantize(graph, { head: "i8" }).host.outputs[0];
  const [scores, confidence, boxes] = [exponents[0], exponents[27], exponents[36]];
  expect(exponents).toEqual([...Array(27).fill(scores), ...Array(9).fill(confidence), ...Array(36).fill(boxes)]);
  expect(boxes - scores).toBe(6);
});

describe("synthetic photographs", () => {
  const preprocess = {
    height: 48,
    width: 64,
    channels: 3 as const,
    colorOrder: "BGR" as const,
    mean: [0, 0, 0],
    scale: 1,
  };

  test("hold pixels: whole numbers from 0 to 255, bright and dark ones", () => {
    const values = [0, 1, 2, 3].flatMap((index) => [...stimulus(preprocess, 1, index)]);
    expect(values.every((value) => Number.isInteger(value) && value >= 0 && value <= 255)).toBe(true);
    expect(Math.min(...values)).toBeLessThan(20);
    expect(Math.max(...values)).toBeGreaterThan(235);
  });

  test("have a photograph's statistics: neighbours alike, channels alike, differences rare and large", () => {
    const picture = stimulus(preprocess, 1, 0);
    const [columns, blueRed, steps]: [number, number][][] = [[], [], []];
    for (let i = 0; i + 3 < picture.length; i += 3) {
      columns.push([picture[i], picture[i + 3]]);
      blueRed.push([picture[i], picture[i + 2]]);
      steps.push([picture[i + 3] - picture[i], 0]);
    }
    expect(correlation(columns)).toBeGreaterThan(0.85);
    expect(correlation(blueRed)).toBeGreaterThan(0.7);
    const power = (exponent: number) => steps.reduce((sum, [step]) => sum + step ** exponent, 0) / steps.length;
    // kurtosis: 3 for a Gaussian, far more for edges between smooth areas
    expect(power(4) / power(2) ** 2).toBeGreaterThan(6);
  });

  test("differ from one to the next and between seeds, and are the same every time", () => {
    const [a, b, c] = [stimulus(preprocess, 1, 0), stimulus(preprocess, 1, 1), stimulus(preprocess, 2, 0)];
    expect(stimulus(preprocess, 1, 0)).toEqual(a);
    expect(correlation([...a].map((value, i) => [value, b[i]]))).toBeLessThan(0.8);
    expect(correlation([...a].map((value, i) => [value, c[i]]))).toBeLessThan(0.8);
  });

  test("gray ones have one channel", () => {
    expect(stimulus({ ...preprocess, channels: 1, mean: [0] }, 1, 0)).toHaveLength(48 * 64);
  });
});

function correlation(pairs: readonly (readonly [number, number])[]): number {
  const mean = [0, 1].map((side) => pairs.reduce((sum, pair) => sum + pair[side], 0) / pairs.length);
  let [ab, aa, bb] = [0, 0, 0];
  for (const [a, b] of pairs) {
    ab += (a - mean[0]) * (b - mean[1]);
    aa += (a - mean[0]) ** 2;
    bb += (b - mean[1]) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

test("a large network is watched on a smaller picture; one that cannot take another size keeps its own", () => {
  const { nodes, preprocess, ...rest } = oneConv({});
  const large = { ...preprocess, height: 256, width: 1024 };
  const graph = makeGraph({ ...rest, nodes, preprocess: large });
  expect(countMacs(graph)).toBe(3 * 256 * 1024);
  expect(shrink(graph, 3 * 256 * 1024).preprocess).toEqual(large);
  // a quarter of the work: half of each side
  expect(shrink(graph, (3 * 256 * 1024) / 4).preprocess).toMatchObject({ height: 128, width: 512 });
  // never below 64 pixels, where padding would be most of what is seen
  expect(shrink(graph, 1).preprocess).toMatchObject({ height: 64, width: 64 });
  // drawing a picture costs, too, however little the network does
  const huge = { ...preprocess, height: 4096, width: 4096 };
  expect(shrink(makeGraph({ ...rest, nodes, preprocess: huge }), 1e12).preprocess).toMatchObject({
    height: 1024,
    width: 1024,
  });
  const whole: ConvNode = { ...(nodes[0] as ConvNode), kernel: [255, 255], weights: numbers(3 * 255 * 255) };
  expect(shrink(makeGraph({ ...rest, nodes: [whole], preprocess: large }), 1).preprocess).toEqual(large);
});

test("a network that no program can hold is refused before any work, by its shapes", () => {
  const { nodes, preprocess, ...rest } = oneConv({ weights: numbers(15), bias: numbers(5) });
  const side = 7000;
  const graph = makeGraph({ ...rest, nodes, preprocess: { ...preprocess, height: side, width: side } });
  const bytes = side * side * (3 + 4 * 5) + 15;
  expect(() => quantize(graph, { onProgress: () => expect.unreachable() })).toThrow(
    `input, weights and outputs take ${bytes} B of DRAM; at most ${2 ** 30} B are simulated`,
  );
});

test("samples are whole pixels of every tensor", () => {
  const samples = observe(oneConv({}), 1);
  expect([...samples.keys()]).toEqual(["x", "y"]);
  for (const { channels, values } of samples.values()) expect(values.length % channels).toBe(0);
  const [x, y] = [samples.get("x")!.values, samples.get("y")!.values];
  for (let i = 0; i < 50; i++)
    expect(y[i]).toBeCloseTo(0.5 * x[3 * i] + 0.25 * x[3 * i + 1] - 0.125 * x[3 * i + 2] + 3, 3);
});
