// Run-time exponents before lowering: which tensors get one, how far it may move, how much may saturate; what a file may not say.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildNetwork } from "../../compiler/builders.ts";
import { decodeRapq, encodeRapq, exportOnnx, quantize } from "../../compiler/index.ts";
import { clipLog2Of } from "../../compiler/quantize/clip-fraction.ts";
import type { QConv, QuantizedModel, RuntimeExponent } from "../../compiler/quantized-model.ts";
import { limitFaults, RUNTIME_LIMIT, withRuntimeExponents } from "../../compiler/runtime-exponents.ts";
import { alignBias, RapError, SHIFT_MAX, SHIFT_MIN } from "../../isa/index.ts";
import { arbitraryQuantizedModel } from "../arbitrary/quantized-model.ts";

const MODES = fc.constantFrom("dynamic" as const, "delayed" as const);

describe("limits", () => {
  test("no shift is too far left and no sum leaves int32, at any exponents within them", () => {
    fc.assert(
      fc.property(arbitraryQuantizedModel(), MODES, fc.infiniteStream(fc.nat(99)), (plain, mode, random) => {
        const model = withRuntimeExponents(plain, mode, () => 10);
        const { exponents } = model.runtime!;
        const distances = exponents.map(({ low, high }) => low + (random.next().value % (high - low + 1)));
        const of = (name: string) => {
          const i = exponents.findIndex(({ tensors }) => tensors.includes(name));
          return i < 0 ? { distance: 0, isMoving: false } : { distance: distances[i], isMoving: true };
        };
        for (const node of model.nodes) {
          if (node.op !== "conv") continue;
          const [from, to] = [of(node.inputs[0]), of(node.output)];
          if (!from.isMoving && !to.isMoving) continue;
          const format = (name: string) => model.tensors.find((tensor) => tensor.name === name)!.format;
          const taps = node.weights.length / node.bias.length;
          node.bias.forEach((bias, k) => {
            const isShifted = format(node.output) !== "i32";
            const shift = isShifted ? node.shift[k] + from.distance - to.distance : 0;
            if (from.distance !== 0 || to.distance !== 0) {
              expect(shift).toBeGreaterThanOrEqual(SHIFT_MIN);
              const weights = node.weights.subarray(k * taps, (k + 1) * taps).reduce((sum, w) => sum + Math.abs(w), 0);
              const aligned = alignBias({ bias, biasShift: node.biasShift[k], shift: 0 }, from.distance);
              const rounding = shift > 0 ? 2 ** (Math.min(shift, SHIFT_MAX) - 1) : 0;
              const magnitude = format(node.inputs[0]) === "u8" ? 255 : 128;
              expect(weights * magnitude + Math.abs(aligned) + rounding).toBeLessThan(2 ** 31);
            }
          });
        }
      }),
      { numRuns: 200 },
    );
  });

  test("are as wide as they may be where nothing is near a limit", () => {
    const { exponents } = quantize(buildNetwork("tiny"), { scaling: "dynamic" }).runtime!;
    expect(exponents.length).toBeGreaterThan(1);
    for (const { low, high } of exponents) expect([low, high]).toEqual([-RUNTIME_LIMIT, RUNTIME_LIMIT]);
  });

  test("the integers are those of the static model", () => {
    const { runtime, provenance, ...dynamic } = quantize(buildNetwork("tiny"), { scaling: "dynamic" });
    const { provenance: _, ...fixed } = quantize(buildNetwork("tiny"));
    expect(runtime?.mode).toBe("dynamic");
    expect(provenance.options.scaling).toBe("dynamic");
    expect(dynamic).toEqual(fixed);
  });
});

/** A chain input -> a -> b, with the concatenation of a and b behind it, which a 1 x 1 convolution makes the output. */
function denseModel(): QuantizedModel {
  const tensor = (name: string, channels: number, format: "i8" | "i32" = "i8") => ({
    name,
    height: 4,
    width: 4,
    channels,
    format,
    exponent: format === "i32" ? 0 : 3,
  });
  const conv = (name: string, input: string, inputs: number, outputs: number): QConv => ({
    op: "conv",
    name,
    inputs: [input],
    output: name,
    kernel: [1, 1],
    stride: [1, 1],
    dilation: [1, 1],
    pads: [0, 0, 0, 0],
    groups: 1,
    weights: new Int8Array(inputs * outputs).fill(3),
    bias: new Int8Array(outputs),
    biasShift: new Int8Array(outputs),
    shift: new Int8Array(outputs).fill(4),
    accExponents: new Int8Array(outputs).fill(7),
    low: 0,
    high: 127,
    slope: null,
  });
  return {
    name: "dense",
    tensors: [tensor("input", 3), tensor("a", 4), tensor("b", 4), tensor("both", 8), tensor("out", 2, "i32")],
    nodes: [
      conv("a", "input", 3, 4),
      conv("b", "a", 4, 4),
      { op: "concat", name: "both", inputs: ["a", "b"], output: "both" },
      conv("out", "both", 8, 2),
    ],
    host: {
      input: {
        tensor: "input",
        height: 4,
        width: 4,
        channels: 3,
        format: "i8",
        exponent: 3,
        colorOrder: "RGB",
        mean: [0],
        scale: 1,
      },
      outputs: [{ tensor: "out", height: 4, width: 4, channels: 2, format: "i32", exponents: [7, 7] }],
      head: null,
      trained: false,
    },
    provenance: { source: "test", sourceSha256: "0".repeat(64), rapsim: "0", options: {} },
  };
}

describe("which tensors", () => {
  const tensorsOf = (mode: "dynamic" | "delayed", model = denseModel()) =>
    withRuntimeExponents(model, mode, () => 10).runtime!.exponents.map(({ tensors }) => tensors.join(" "));

  test("parts of a concatenation share an exponent; the input and int32 outputs have none", () => {
    expect(tensorsOf("delayed")).toEqual(["a b both"]);
  });

  test("an exponent that its own values would have to wait for stays static in dynamic mode", () => {
    expect(tensorsOf("dynamic")).toEqual([]);
  });

  test("the bounds of a Clip hold at one exponent, so it keeps it", () => {
    const model = denseModel();
    const nodes = model.nodes.map((node) => (node.op === "conv" && node.name === "b" ? { ...node, high: 48 } : node));
    expect(tensorsOf("delayed", { ...model, nodes })).toEqual([]);
  });
});

describe("how many values may saturate", () => {
  const model = denseModel();
  const [a] = model.nodes as QConv[];
  /** f = 3: 128 / 8 = 16 is the first magnitude that needs an eighth bit, 8 at f = 4. */
  const samplesOf = (values: number[]) => new Map([["a", { channels: 4, values: Float32Array.from(values) }]]);
  const filled = (total: number, ...parts: [count: number, value: number][]) => {
    const values = parts.flatMap(([count, value]) => new Array<number>(count).fill(value));
    return [...values, ...new Array<number>(total - values.length).fill(1)];
  };

  test.each<[string, number[], number]>([
    // 1 in 1024 at f = 3, 1 in 64 at f = 4: half-way between 2^-10 and 2^-6
    ["the middle of what f and f + 1 clip", filled(1024, [1, 20], [15, 9]), 8],
    // nothing seen in 1024 values counts as half a value: between 2^-11 and 2^-5
    ["less than was seen where nothing was clipped", filled(1024, [32, 9]), 8],
    ["as good as none where f + 1 clips nothing either", filled(1024), 11],
  ])("%s", (_, values, expected) => {
    expect(clipLog2Of(model, samplesOf(values), [a])).toBe(expected);
  });

  test("negative values count as they are before LeakyReLU", () => {
    const values = filled(1024, [1, -20 / 8], [15, -9 / 8]);
    expect(clipLog2Of(model, samplesOf(values), [{ ...a, low: -128, slope: { a: 3, b: 0 } }])).toBe(8);
  });
});

describe("a .rapq file", () => {
  const model = withRuntimeExponents(denseModel(), "delayed", () => 10);
  const [exponent] = model.runtime!.exponents;
  const forged = (change: Partial<RuntimeExponent>, mode: "dynamic" | "delayed" = "delayed"): Uint8Array =>
    encodeRapq({ ...model, runtime: { mode, exponents: [{ ...exponent, ...change }] } });

  test("comes back as it was", () => {
    expect(decodeRapq(encodeRapq(model), "x").runtime).toEqual(model.runtime);
  });

  test.each<[string, () => Uint8Array, string]>([
    ["the input", () => forged({ tensors: ["input"] }), "runtime: 'input' cannot have an exponent of its own"],
    ["an unknown tensor", () => forged({ tensors: ["z"] }), "runtime: 'z' cannot have an exponent of its own"],
    ["half a concatenation", () => forged({ tensors: ["a", "both"] }), "shares its exponent with other tensors"],
    ["no rule", () => forged({ clipLog2: null }), "runtime: 'a': clipLog2 is missing"],
    ["a mode it cannot have", () => forged({}, "dynamic"), "'a' is needed before its exponent is known"],
    [
      "limits too wide",
      () => forged({ high: 14, low: -14 }),
      "runtime: 'a': output channel 0 is shifted by -10; at least -8 is possible",
    ],
  ])("%s is refused", (_, file, message) => {
    expect(() => decodeRapq(file(), "x")).toThrow(RapError);
    expect(() => decodeRapq(file(), "x")).toThrow(message);
  });

  test("does not become ONNX", () => {
    expect(() => exportOnnx(model)).toThrow("chosen at run time (delayed scaling)");
  });

  test("whose limits hold has no faults", () => {
    expect(limitFaults(model, model.runtime!.exponents)).toEqual([]);
  });
});
