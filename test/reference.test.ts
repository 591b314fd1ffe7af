/**
 * Is the reference right? Its scalars give the worked numbers of docs/arithmetic.md, its convolution and max pooling equal
 * onnxruntime's, the rest equals small tables worked by hand.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import type { QConv, QuantizedModel } from "../compiler/quantized-model.ts";
import { arbitraryModelWithInput, arbitraryQuantizedModel } from "./arbitrary/quantized-model.ts";
import { ortConvAccumulators, ortMaxPool } from "./oracle/onnxruntime.ts";
import * as reference from "./reference/index.ts";

const page = readFileSync(new URL("../docs/arithmetic.md", import.meta.url), "utf8");

/** What the page's blocks of worked numbers may call. */
const examples: Record<string, (...args: never[]) => unknown> = {
  quantize: reference.quantize,
  roundShift: reference.roundShift,
  alignBias: reference.alignBias,
  shiftUnit: reference.shiftUnit,
  shiftUnitWide: reference.shiftUnitWide,
  leaky: reference.leaky,
  reciprocal: reference.reciprocal,
  average: reference.average,
  add: reference.add,
  copy: reference.copy,
  leadingBit: reference.leadingBit,
  rangeBin: reference.rangeBin,
  chooseExponent: (pairs: [number, number][], bits: number, clipLog2: number) => {
    const bins = new Uint32Array(33);
    for (const [bin, count] of pairs) bins[bin] = count;
    return reference.chooseExponent(bins, bits, clipLog2);
  },
  maxPoolRow: (row: number[], kernel: number, left: number, right: number) =>
    poolRow(row, "max", kernel, left, right, false),
  averagePoolRow: (row: number[], kernel: number, left: number, right: number, countPadding: boolean) =>
    poolRow(row, "average", kernel, left, right, countPadding),
  convRow: (row: number[], weights: number[], left: number, right: number) => [
    ...reference.convAccumulators(rowMap(row), Int8Array.from(weights), {
      outChannels: 1,
      kernel: [1, weights.length],
      stride: [1, 1],
      dilation: [1, 1],
      pads: [0, left, 0, right],
      groups: 1,
    }),
  ],
};

const rowMap = (row: number[]) => ({ height: 1, width: row.length, channels: 1, data: Int8Array.from(row) });

function poolRow(
  row: number[],
  mode: "max" | "average",
  kernel: number,
  left: number,
  right: number,
  countPadding: boolean,
): number[] {
  const pads = [0, left, 0, right] as const;
  return [...reference.pool(rowMap(row), { mode, countPadding, kernel: [1, kernel], stride: [1, 1], pads }).data];
}

describe("worked numbers of docs/arithmetic.md", () => {
  const lines = [...page.matchAll(/```examples\n(.*?)```/gs)].flatMap(([, block]) => block.trim().split("\n"));
  test("are found on the page", () => expect(lines.length).toBeGreaterThan(60));
  test.each(lines)("%s", (line) => {
    const [, name, args, value] = /^(\w+)\((.*?)\) = ([^#]*)/.exec(line) ?? [];
    expect(examples, `no example function ${name}`).toHaveProperty(name);
    expect(examples[name](...(JSON.parse(`[${args}]`) as never[]))).toEqual(JSON.parse(value));
  });
});

/** -128..127 in a fixed disorder. */
function noise(length: number, seed: number): Int8Array {
  const data = new Int8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    data[i] = state >> 24;
  }
  return data;
}

/** Bytes compare fast where toEqual would take seconds. */
function sameBytes(a: ArrayBufferView, b: ArrayBufferView): boolean {
  const bytes = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  return Buffer.compare(bytes(a), bytes(b)) === 0;
}

test("convolution and max pooling equal onnxruntime's in random models", async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryModelWithInput(), async ({ model, input }) => {
      const { tensors, accumulators } = reference.runReference(model, input);
      const declared = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
      for (const node of model.nodes) {
        const source = declared.get(node.inputs[0])!;
        const x = tensors.get(source.name) as Int8Array | Uint8Array;
        const { height, width, channels, format } = source;
        const geometry = { ...node, height, width, channels };
        if (geometry.op === "conv") {
          const { channels: outChannels } = declared.get(node.output)!;
          const theirs = await ortConvAccumulators(x, format === "u8", geometry.weights, { ...geometry, outChannels });
          expect(sameBytes(accumulators.get(node.name)!, theirs)).toBe(true);
        } else if (geometry.op === "pool" && geometry.mode === "max") {
          const theirs = await ortMaxPool(x, format === "u8", geometry);
          expect(sameBytes(tensors.get(node.output)!, theirs)).toBe(true);
        }
      }
    }),
    { numRuns: 60 },
  );
});

describe("convolution equals onnxruntime's ConvInteger", () => {
  const base = {
    height: 9,
    width: 11,
    channels: 6,
    outChannels: 6,
    kernel: [3, 3],
    stride: [1, 1],
    dilation: [1, 1],
    pads: [0, 0, 0, 0],
    groups: 1,
  } as const;
  test.each([
    ["pads that differ on all four sides", { ...base, pads: [2, 0, 1, 2] }],
    ["a kernel larger than the input", { ...base, height: 1, width: 2, pads: [1, 1, 1, 1] }],
    ["dilation and stride", { ...base, kernel: [5, 2], stride: [3, 2], dilation: [2, 2], pads: [4, 1, 3, 0] }],
    ["depthwise", { ...base, groups: 6, pads: [1, 1, 1, 1] }],
    ["depthwise with two outputs per channel", { ...base, groups: 6, outChannels: 12 }],
    ["three groups", { ...base, groups: 3, outChannels: 15, pads: [0, 2, 2, 1] }],
    ["a fully connected layer", { ...base, kernel: [9, 11], outChannels: 70 }],
    ["a single column", { ...base, width: 1, kernel: [3, 1] }],
  ] as const)("%s", async (_, geometry) => {
    const data = noise(geometry.height * geometry.width * geometry.channels, 1);
    const [r, s] = geometry.kernel;
    const weights = noise((geometry.outChannels * r * s * geometry.channels) / geometry.groups, 2);
    for (const x of [data, new Uint8Array(data.buffer)]) {
      const ours = reference.convAccumulators({ ...geometry, data: x }, weights, geometry);
      expect(ours).toEqual(await ortConvAccumulators(x, x instanceof Uint8Array, weights, geometry));
    }
  });

  test.each([
    [-128, -128],
    [-128, 127],
    [255, 127],
    [255, -128],
  ])("every product %i x %i", async (x, w) => {
    const geometry = { ...base, channels: 64, outChannels: 5 };
    const length = geometry.height * geometry.width * geometry.channels;
    const data = x > 127 ? new Uint8Array(length).fill(x) : new Int8Array(length).fill(x);
    const weights = new Int8Array(5 * 9 * 64).fill(w);
    const ours = reference.convAccumulators({ ...geometry, data }, weights, geometry);
    expect(ours).toEqual(new Int32Array(7 * 9 * 5).fill(9 * 64 * x * w));
    expect(ours).toEqual(await ortConvAccumulators(data, x > 127, weights, geometry));
  });

  test("SqueezeDet's head, 24 x 78 x 768 -> 72, 3 x 3", async () => {
    const geometry = { ...base, height: 24, width: 78, channels: 768, outChannels: 72, pads: [1, 1, 1, 1] } as const;
    const data = noise(24 * 78 * 768, 3);
    const weights = noise(72 * 9 * 768, 4);
    const ours = reference.convAccumulators({ ...geometry, data }, weights, geometry);
    const theirs = await ortConvAccumulators(data, false, weights, geometry);
    expect(sameBytes(ours, theirs)).toBe(true);
  });
});

describe("other operators, by hand", () => {
  const map = (height: number, width: number, channels: number, values: number[]) => ({
    height,
    width,
    channels,
    data: Int8Array.from(values),
  });

  // 1 2 3
  // 4 5 6
  // 7 8 9, kernel 2, stride 2, a row and a column of padding on top and left: windows 1 | 2 3 | 4 7 | 5 6 8 9
  it.each([
    ["max", false, [1, 3, 7, 9]],
    ["average", false, [1, 3, 6, 7]], // 1, 2.5, 5.5, 7
    ["average", true, [0, 1, 3, 7]], // 0.25, 1.25, 2.75, 7
  ] as const)("pools: %s, padding counted: %s", (mode, countPadding, expected) => {
    const input = map(3, 3, 1, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const result = reference.pool(input, { mode, countPadding, kernel: [2, 2], stride: [2, 2], pads: [1, 1, 0, 0] });
    expect(result).toMatchObject({ height: 2, width: 2, channels: 1 });
    expect([...result.data]).toEqual(expected);
  });

  it("pools overlapping windows channel by channel", () => {
    const input = map(1, 4, 2, [-1, 8, -3, 2, -2, 9, -9, 1]);
    const geometry = { countPadding: false, kernel: [1, 3], stride: [1, 1], pads: [0, 0, 0, 0] } as const;
    expect([...reference.pool(input, { ...geometry, mode: "max" }).data]).toEqual([-1, 9, -2, 9]);
    // -6/3, 19/3 = 6.3; -14/3 = -4.7, 12/3
    expect([...reference.pool(input, { ...geometry, mode: "average" }).data]).toEqual([-2, 6, -5, 4]);
  });

  it("concatenates channels of each pixel, in order", () => {
    const parts = [map(1, 2, 1, [1, 2]), map(1, 2, 2, [10, 11, 20, 21]), map(1, 2, 1, [-1, -2])];
    expect([...reference.concat(parts).data]).toEqual([1, 10, 11, -1, 2, 20, 21, -2]);
  });

  it("averages every sum of small windows to within the reciprocal's error", () => {
    let worst = 0;
    for (let n = 1; n <= 49; n++) {
      for (let sum = -128 * n; sum <= 255 * n; sum++)
        worst = Math.max(worst, Math.abs(reference.average(sum, n) - sum / n));
    }
    // Half a unit of rounding, and 255 times the factor's relative error of at most 2^-15.
    expect(worst).toBeLessThanOrEqual(0.5 + 255 / 2 ** 15);
  });

  it("averages equal elements to themselves, for every count", () => {
    const wrong: [number, number][] = [];
    for (let n = 1; n <= 65025; n++) {
      for (const value of [-128, -1, 0, 1, 127, 255]) {
        if (reference.average(value * n, n) !== value) wrong.push([n, value]);
      }
    }
    expect(wrong).toEqual([]);
  });

  // 1 x 2 pixels, 2 channels, f = 4. conv: 1 x 1 to 2 channels, accumulators' exponents 7 and 9, output f = 3.
  it("runs a model", () => {
    const tensor = { height: 1, width: 2, channels: 2, format: "i8" } as const;
    const pointwise = {
      kernel: [1, 1],
      stride: [1, 1],
      dilation: [1, 1],
      pads: [0, 0, 0, 0],
      groups: 1,
      slope: null,
    } as const;
    const conv = {
      ...pointwise,
      weights: Int8Array.from([10, -4, 50, 25]),
      bias: Int8Array.from([3, -7]),
      biasShift: Int8Array.from([2, 5]),
      shift: Int8Array.from([4, 6]),
      low: 0,
      high: 127,
    };
    const head = {
      ...pointwise,
      weights: Int8Array.from([1, 2, 3, 4]),
      bias: Int8Array.from([-100]),
      biasShift: Int8Array.from([3]),
      shift: Int8Array.from([0]),
      low: 0,
      high: 0,
    };
    const pool = { mode: "average", countPadding: false, kernel: [1, 2], stride: [1, 1], pads: [0, 0, 0, 0] } as const;
    const model: reference.ReferenceModel = {
      tensors: [
        { ...tensor, name: "in", exponent: 4 },
        { ...tensor, name: "a", exponent: 3 },
        { ...tensor, name: "sum", exponent: 3 },
        { ...tensor, name: "sum2", exponent: 3 },
        { ...tensor, name: "both", channels: 4, exponent: 3 },
        { ...tensor, name: "pooled", channels: 4, width: 1, exponent: 3 },
        { ...tensor, name: "head", channels: 1, width: 1, exponent: 0, format: "i32" },
      ],
      nodes: [
        { op: "conv", name: "conv", inputs: ["in"], output: "a", ...conv },
        { op: "add", name: "add", inputs: ["in", "a"], output: "sum", low: -128, high: 127 },
        { op: "add", name: "add2", inputs: ["a", "in"], output: "sum2", low: 0, high: 20 },
        { op: "concat", name: "concat", inputs: ["sum", "sum2"], output: "both" },
        { op: "pool", name: "pool", inputs: ["both"], output: "pooled", ...pool },
        { op: "conv", name: "head", inputs: ["pooled"], output: "head", ...head },
      ],
    };
    const { tensors, accumulators } = reference.runReference(model, Int8Array.from([20, 8, -30, 5]));
    // 200 - 32, 1000 + 200; -300 - 20, -1500 + 125
    expect([...accumulators.get("conv")!]).toEqual([168, 1200, -320, -1375]);
    // (168 + 12) / 16 = 11.25, (1200 - 224) / 64 = 15.25; ReLU
    expect([...tensors.get("a")!]).toEqual([11, 15, 0, 0]);
    // (20 + 2 * 11) / 2, (8 + 2 * 15) / 2, -30 / 2, 5 / 2 = 2.5
    expect([...tensors.get("sum")!]).toEqual([21, 19, -15, 3]);
    expect([...tensors.get("both")!]).toEqual([21, 19, 20, 19, -15, 3, 0, 3]);
    expect([...tensors.get("pooled")!]).toEqual([3, 11, 10, 11]);
    // 3 + 22 + 30 + 44 = 99; 99 - 800
    expect([...accumulators.get("head")!]).toEqual([99]);
    expect([...tensors.get("head")!]).toEqual([-701]);
  });

  it("refuses a sum that can leave int32", () => {
    const taps = 65794; // 65794 * 128 * 255 > 2^31 - 1 > 65793 * 128 * 255
    const run = (length: number) =>
      reference.convAccumulators(
        { height: 1, width: 1, channels: length, data: new Uint8Array(length).fill(255) },
        new Int8Array(length).fill(-128),
        { outChannels: 1, kernel: [1, 1], stride: [1, 1], dilation: [1, 1], pads: [0, 0, 0, 0], groups: 1 },
      );
    expect([...run(taps - 1)]).toEqual([-128 * 255 * (taps - 1)]);
    expect(() => run(taps)).toThrow("can leave int32");
  });
});

describe("arbitrary models", () => {
  const inRange = (values: ArrayLike<number>, [low, high]: readonly [number, number]) =>
    expect(Array.from(values).every((value) => value >= low && value <= high)).toBe(true);

  function checkConv(node: QConv, model: QuantizedModel): void {
    const input = model.tensors.find(({ name }) => name === node.inputs[0])!;
    const output = model.tensors.find(({ name }) => name === node.output)!;
    const exponents = model.host.outputs.find(({ tensor }) => tensor === node.output)?.exponents;
    const taps = node.kernel[0] * node.kernel[1] * (input.channels / node.groups);
    const size = reference.outputSize(input, node.kernel, node.stride, node.dilation, node.pads);
    expect(output).toMatchObject(size);
    expect([input.channels % node.groups, output.channels % node.groups]).toEqual([0, 0]);
    expect(node.weights.length).toBe(output.channels * taps);
    for (const perChannel of [node.bias, node.biasShift, node.shift, node.accExponents]) {
      expect(perChannel.length).toBe(output.channels);
    }
    inRange(node.shift, [-8, 31]);
    inRange(node.biasShift, [-31, 23]);
    for (let k = 0; k < output.channels; k++) {
      if (output.format === "i32") expect(exponents![k]).toBe(node.accExponents[k]);
      else expect(node.shift[k]).toBe(node.accExponents[k] - (exponents?.[k] ?? output.exponent));
      const magnitude = node.weights.subarray(k * taps, (k + 1) * taps).reduce((sum, w) => sum + Math.abs(w), 0);
      const largest = magnitude * (input.format === "u8" ? 255 : 128);
      const addend = 2 ** Math.max(node.shift[k] - 1, 0);
      expect(largest + Math.abs(reference.alignBias(node.bias[k], node.biasShift[k])) + addend).toBeLessThan(2 ** 31);
    }
    if (output.format === "i32") expect(node.slope).toBeNull();
    else inRange([node.low, node.high], RANGE[output.format]);
    expect(node.low).toBeLessThanOrEqual(node.high);
    if (node.slope !== null) expect([output.format, node.low]).toEqual(["i8", -128]);
  }

  const RANGE = { i8: [-128, 127], u8: [0, 255] } as const;

  test("hold the invariants of quantized models", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(arbitraryQuantizedModel(), (model) => {
        const names = model.tensors.map(({ name }) => name);
        expect(new Set(names).size).toBe(names.length);
        expect(new Set(model.nodes.map(({ name }) => name)).size).toBe(model.nodes.length);
        const read = new Set(model.nodes.flatMap((node) => [...node.inputs]));
        const written = new Set(model.nodes.map(({ output }) => output));
        expect(names.slice(1).sort()).toEqual([...written].sort());
        expect(model.host.outputs.map(({ tensor }) => tensor).sort()).toEqual(
          names
            .slice(1)
            .filter((n) => !read.has(n))
            .sort(),
        );
        for (const output of model.host.outputs) expect(output.exponents.length).toBe(output.channels);
        for (const { format, name } of model.tensors) if (format === "i32") expect(read.has(name)).toBe(false);
        for (const node of model.nodes) {
          seen.add(node.op);
          if (node.op === "conv") {
            checkConv(node, model);
            if (node.groups > 1) seen.add(Number.isInteger(Math.log2(node.groups)) ? "groups 2^n" : "groups not 2^n");
            if (node.slope !== null) seen.add("leaky");
          }
          if (node.op === "pool") {
            seen.add(`${node.mode} ${node.countPadding}`);
            expect(Math.max(node.pads[0], node.pads[2])).toBeLessThan(node.kernel[0]);
            expect(Math.max(node.pads[1], node.pads[3])).toBeLessThan(node.kernel[1]);
          }
        }
        for (const { format, height, width, channels } of model.tensors) {
          expect(Math.min(height, width, channels)).toBeGreaterThan(0);
          seen.add(format);
        }
      }),
      { numRuns: 300 },
    );
    const expected = [
      "add",
      "average false",
      "average true",
      "concat",
      "conv",
      "groups 2^n",
      "groups not 2^n",
      "i32",
      "i8",
      "leaky",
      "max false",
      "pool",
      "u8",
    ];
    expect([...seen].sort()).toEqual(expected);
  });

  test("run, and give results that are neither constant nor saturated, mostly", () => {
    let lively = 0;
    let total = 0;
    fc.assert(
      fc.property(arbitraryModelWithInput(), ({ model, input }) => {
        const { tensors } = reference.runReference(model, input);
        expect([...tensors.keys()].sort()).toEqual(model.tensors.map(({ name }) => name).sort());
        for (const { tensor } of model.host.outputs) {
          const values = tensors.get(tensor)!;
          total++;
          if (values.length === 1 || new Set(values).size > 2) lively++;
        }
      }),
      { numRuns: 200 },
    );
    expect(lively / total).toBeGreaterThan(0.5);
  });
});
