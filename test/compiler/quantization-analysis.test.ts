// Are the numbers of the quantization report those of the network: its integers the machine's, its single layers the same arithmetic?
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildNetwork } from "../../compiler/builders.ts";
import { compileModel } from "../../compiler/index.ts";
import { simplify } from "../../compiler/passes/index.ts";
import { integerHistogram } from "../../compiler/quantization-analysis/compare.ts";
import { analyzeQuantization, type RunIntegers } from "../../compiler/quantization-analysis/index.ts";
import { loneLayer } from "../../compiler/quantization-analysis/layers.ts";
import { channelExponents, observedModel } from "../../compiler/quantization-analysis/observed-model.ts";
import { accumulatorBound } from "../../compiler/quantize/conv.ts";
import { shrink } from "../../compiler/quantize/observe.ts";
import { quantize } from "../../compiler/quantize.ts";
import type { QConv, QuantizedModel } from "../../compiler/quantized-model.ts";
import { frameExponents } from "../../host/index.ts";
import { checkProgram, loadPreset } from "../../isa/index.ts";
import { Execution } from "../../sim/index.ts";
import { runReference } from "../reference/index.ts";
import { arbitraryGraph } from "./arbitrary-graph.ts";

const arbitraryOptions = fc.record({
  activations: fc.constantFrom("i8" as const, "u8" as const),
  head: fc.constantFrom("i8" as const, "i32" as const),
});

function someInput({ tensors: [{ height, width, channels }], host }: QuantizedModel, seed: number) {
  const bytes = Int8Array.from({ length: height * width * channels }, (_, i) => Math.imul(i + seed, 2654435761) >>> 24);
  return host.input.format === "u8" ? new Uint8Array(bytes.buffer) : bytes;
}

const programOf = (model: QuantizedModel): RunIntegers => {
  const program = compileModel(model, loadPreset("rap-small"));
  const execution = new Execution(checkProgram(program, model.name));
  return (input) => {
    const tensors = execution.runFrame(input);
    return new Map(
      program.host.outputs.map((output) => [
        output.tensor,
        { integers: tensors.get(output.tensor)!, exponents: frameExponents(output, tensors) },
      ]),
    );
  };
};

/** Are all sums of a convolution exact in float32? */
function fitsFloat({ weights, bias, biasShift, shift }: QConv): boolean {
  const perOutput = weights.length / bias.length;
  return bias.every((value, k) => {
    const entry = { bias: value, biasShift: biasShift[k], shift: shift[k] };
    return accumulatorBound(weights.subarray(k * perOutput, (k + 1) * perOutput), 255, entry) < 2 ** 24;
  });
}

describe("on any network", () => {
  test("the observed program hands out every tensor of the reference", () => {
    fc.assert(
      fc.property(arbitraryGraph(), arbitraryOptions, fc.nat(1000), (graph, options, seed) => {
        const model = quantize(graph, options);
        const input = someInput(model, seed);
        const { tensors } = runReference(model, input);
        const outputs = programOf(observedModel(model, simplify(graph)))(input);
        expect([...outputs.keys()]).toEqual(model.nodes.map(({ output }) => output));
        for (const [name, { integers }] of outputs)
          expect(Array.from(integers), name).toEqual(Array.from(tensors.get(name)!));
      }),
      { numRuns: 40 },
    );
  });

  test("a layer alone, shown integers, makes the reference's integers of them", () => {
    fc.assert(
      fc.property(arbitraryGraph(), arbitraryOptions, fc.nat(1000), (graph, options, seed) => {
        const simple = simplify(graph);
        const model = quantize(graph, options);
        const { tensors } = runReference(model, someInput(model, seed));
        const scales = new Map(
          model.tensors.map((tensor) => [tensor.name, channelExponents(model, tensor).map((f) => 2 ** f)]),
        );
        const real = new Map(
          [...tensors].map(([name, values]) => {
            const factors = scales.get(name)!;
            return [name, Float32Array.from(values, (value, i) => value / factors[i % factors.length])];
          }),
        );
        for (const [index, node] of model.nodes.entries()) {
          const own = loneLayer(simple, model, index)?.(real);
          if (own === undefined) continue;
          const factors = scales.get(node.output)!;
          const integers = Array.from(own, (value, i) => value * factors[i % factors.length]);
          const wanted = tensors.get(node.output)!;
          // float32 has 24 bits
          const relative = 2 ** -23;
          // a leaky slope rounds each of its terms, before the shift; an average multiplies by a 16-bit reciprocal
          const isExact = node.op === "add" || (node.op === "conv" && node.slope === null && fitsFloat(node));
          const absolute = isExact ? 0 : node.op === "conv" ? 2 * 2 ** Math.max(0, ...node.shift.map((s) => -s)) : 2;
          for (let i = 0; i < wanted.length; i++) {
            const off = Math.abs(integers[i] - wanted[i]);
            expect(off, `${node.name}[${i}]`).toBeLessThanOrEqual(Math.max(absolute, Math.abs(wanted[i]) * relative));
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe("the analysis", () => {
  const graph = buildNetwork("tiny");
  const model = quantize(graph, { activations: "u8" });
  const { layers, head, pictures } = analyzeQuantization(graph, model, programOf);

  test("has the input and every layer, with what it is made of", () => {
    expect(layers.map(({ name }) => name)).toEqual(["image", ...model.nodes.map(({ name }) => name)]);
    expect(head).toBeNull();
    expect(pictures).toEqual({ count: 6, height: 32, width: 32, seed: 1 });
    const conv = model.nodes.find(({ op }) => op === "conv");
    if (conv?.op !== "conv") throw new Error("no convolution");
    const { exponents, shift, weights } = layers[1];
    expect(shift).toEqual({ min: Math.min(...conv.shift), max: Math.max(...conv.shift) });
    expect(exponents.accumulator).toEqual({ min: Math.min(...conv.accExponents), max: Math.max(...conv.accExponents) });
    expect(weights?.count).toBe(conv.weights.length);
    expect(weights?.sqnrDb).toBeGreaterThan(30);
  });

  test("a layer's error adds to what comes to it; what changes no integer has none of its own", () => {
    for (const { op, activations } of layers) {
      const { alone, cumulative } = activations;
      if (op !== "pool") expect(alone === null, op).toBe(op === "input" || op === "concat");
      if (alone !== null) expect(cumulative.sqnrDb!).toBeLessThan(alone.sqnrDb! + 0.5);
      expect(cumulative.worstChannels[0].sqnrDb!).toBeLessThan(cumulative.sqnrDb! + 0.01);
      expect(activations.histogram.after.reduce((a, b) => a + b)).toBe(activations.count);
    }
  });

  test.each(["dynamic", "delayed"] as const)("%s: exponents are those of the frames", (scaling) => {
    const moving = analyzeQuantization(graph, quantize(graph, { scaling }), programOf);
    const still = analyzeQuantization(graph, quantize(graph), programOf);
    const spans = moving.layers.map(({ exponents: { activation } }) => activation.max - activation.min);
    expect(Math.max(...spans)).toBeGreaterThan(0);
    for (const [i, { activations, name }] of moving.layers.entries()) {
      // exponents read wrongly would leave no signal at all
      expect(activations.cumulative.sqnrDb!, name).toBeGreaterThan(still.layers[i].activations.cumulative.sqnrDb! - 15);
    }
  });

  test("another network is refused by name", () => {
    expect(() => analyzeQuantization(buildNetwork("tiny", { seed: 2 }), model, programOf)).toThrow(
      /tiny.*is not the network that 'tiny' was quantized from/,
    );
  });
});

test("the model takes the shapes of a smaller picture, a global window included", () => {
  const graph = buildNetwork("squeezenet");
  const simple = simplify(graph);
  const model = quantize(graph);
  const small = shrink(simple, 0.05e9) as typeof simple;
  expect(small.preprocess.height).toBeLessThan(graph.preprocess.height);
  const input = someInput(observedModel(model, small), 3);
  const outputs = programOf(observedModel(model, small))(input);
  for (const [name, { integers }] of outputs) {
    const { height, width, channels } = small.tensors.get(name)!;
    expect(integers.length, name).toBe(height * width * channels);
  }
});

test("values beyond the integers are counted beside the histogram, by hand", () => {
  // at exponent 0: -200 and -128.6 lie below, 127.6 above; bins are four integers wide
  const exact = Float32Array.of(-200, -128.6, -128.4, -125, -124, 0, 127.4, 127.6);
  const integers = Int8Array.of(-128, -128, -128, -125, -124, 0, 127, 127);
  const { below, above, before, after, low, high } = integerHistogram(exact, integers, (value) => value, [-128, 127]);
  expect([low, high, below, above]).toEqual([-128.5, 127.5, 2, 1]);
  expect([before[0], before[1], before[32], before[63]]).toEqual([2, 1, 1, 1]);
  expect([after[0], after[1], after[32], after[63]]).toEqual([4, 1, 1, 2]);
});
