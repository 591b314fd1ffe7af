// Does rescaling channels leave the function as it is, and does rounding by moments beat rounding to nearest?
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildNetwork } from "../../compiler/builders.ts";
import { runFloat } from "../../compiler/float/executor.ts";
import type { ConvNode } from "../../compiler/graph.ts";
import { simplify } from "../../compiler/passes/index.ts";
import { bestCandidate } from "../../compiler/quantize/ensemble.ts";
import { describeWeights, MEASURES, type Measure, parseWeights } from "../../compiler/quantize/measure-weights.ts";
import { passedShare, propagateNoise } from "../../compiler/quantize/measures/index.ts";
import { outputGains } from "../../compiler/quantize/measures/noise.ts";
import { type Block, InputMoments } from "../../compiler/quantize/moments.ts";
import { observe } from "../../compiler/quantize/observe.ts";
import { rescale } from "../../compiler/quantize/rescale.ts";
import { MomentRounding, roundToNearest } from "../../compiler/quantize/round-weights.ts";
import { planScales } from "../../compiler/quantize/scales.ts";
import { stimulus } from "../../compiler/stimuli.ts";
import { arbitraryGraph } from "./arbitrary-graph.ts";

describe("tensors rescaled", () => {
  test("compute the same outputs, whatever the network", () => {
    fc.assert(
      fc.property(arbitraryGraph(), (graph) => {
        const plain = simplify(graph);
        const plan = planScales(plain, observe(plain, 1), { activations: "i8", head: "i32" });
        const wanted = runFloat(plain, stimulus(plain.preprocess, 7, 0));
        const actual = runFloat(plan.graph, stimulus(plan.graph.preprocess, 7, 0));
        for (const name of plain.outputs) {
          const peak = wanted.get(name)!.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
          actual.get(name)!.forEach((value, i) => {
            expect(Math.abs(value - wanted.get(name)![i])).toBeLessThanOrEqual(1e-4 * peak + 1e-6);
          });
        }
      }),
      { numRuns: 60 },
    );
  });

  test("the samples are those of the new network", () => {
    const graph = simplify(buildNetwork("tiny"));
    // a concatenation's parts and result, and what an addition takes and gives, go together
    const joined = /^(fire2|fire2_expand.*|conv3|add3|pool4)$/;
    const factors = new Map(
      [...graph.tensors.keys()].map((name, i) => [
        name,
        graph.outputs.includes(name) ? 1 : joined.test(name) ? 1.5 : 1 + (i >> 1),
      ]),
    );
    factors.set("pool1", factors.get("conv1")!);
    const scaled = rescale(graph, observe(graph, 1), factors);
    const again = observe(scaled.graph, 1);
    for (const [name, { values }] of scaled.samples) {
      const peak = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      again.get(name)!.values.forEach((value, i) => {
        expect(Math.abs(value - values[i])).toBeLessThan(1e-4 * peak);
      });
    }
  });
});

/** e^T H e of a block's weights. */
function squaredError({ columns, sums }: Block, float: Float32Array, exponent: number, integers: Int8Array): number {
  const errors = [...columns].map((column) => integers[column] * 2 ** -exponent - float[column]);
  return errors.reduce(
    (sum, a, i) => sum + errors.reduce((row, b, j) => row + a * b * sums[i * columns.length + j], 0),
    0,
  );
}

describe("rounding by moments", () => {
  test("by hand: two inputs that are always equal make good each other's errors", () => {
    const block = { group: 0, columns: Int32Array.of(0, 1), sums: Float32Array.of(1, 1, 1, 1) };
    const out = new Int8Array(2);
    // 0.4 and 0.4 round to 0 and 0, 0.8 short in the sum; one of them as 1 leaves 0.2 too much
    new MomentRounding([block]).round(Float32Array.of(0.4, 0.4), 0, 0, out);
    expect([...out].sort()).toEqual([0, 1]);
    roundToNearest(Float32Array.of(0.4, 0.4), 0, out);
    expect([...out]).toEqual([0, 0]);
  });

  test("never worse than to nearest in what it lowers, within int8; zero columns stay zero", () => {
    const graph = simplify(buildNetwork("tiny"));
    const moments = new InputMoments(graph);
    observe(
      graph,
      1,
      () => {},
      (tensor, values) => moments.add(tensor, values),
    );
    let [before, after] = [0, 0];
    for (const node of graph.nodes) {
      if (node.op !== "conv") continue;
      const perOutput = node.weights.length / node.bias.length;
      const blocks = moments.of(node.name);
      const rounding = new MomentRounding(blocks);
      for (let k = 0; k < node.bias.length; k++) {
        const float = node.weights.subarray(k * perOutput, (k + 1) * perOutput);
        const group = Math.floor((k * node.groups) / node.bias.length);
        const [nearest, lowered] = [new Int8Array(perOutput), new Int8Array(perOutput)];
        roundToNearest(float, 6, nearest);
        rounding.round(float, 6, group, lowered);
        for (const block of blocks) {
          if (block.group !== group) continue;
          before += squaredError(block, float, 6, nearest);
          after += squaredError(block, float, 6, lowered);
        }
      }
    }
    expect(after).toBeLessThan(0.5 * before);
    const conv = graph.nodes[0] as ConvNode;
    const perOutput = conv.weights.length / conv.bias.length;
    const weights = conv.weights.map((value, i) => (i % perOutput === 4 ? 0 : value));
    const changed = new InputMoments({ ...graph, nodes: [{ ...conv, weights }] });
    const [block] = changed.of(conv.name);
    expect(block.columns.includes(4)).toBe(false);
    expect(block.columns).toHaveLength(perOutput - 1);
  });
});

describe("the ensemble", () => {
  const table = (entries: Partial<Record<Measure, number[]>>) =>
    new Map(Object.entries(entries)) as Map<Measure, number[]>;

  test("weighs logarithms: a factor of 2 in one outweighs a factor of 1.5 in another, until weights say otherwise", () => {
    const losses = table({ sqnr: [2, 1], kl: [1, 1.5] });
    expect(bestCandidate(losses, { sqnr: 1, kl: 1 })).toBe(1);
    expect(bestCandidate(losses, { sqnr: 1, kl: 2 })).toBe(0);
    // in any unit
    expect(bestCandidate(table({ sqnr: [2e6, 1e6], kl: [1, 1.5] }), { sqnr: 1, kl: 1 })).toBe(1);
  });

  test("weights as text: read, written, refused", () => {
    expect(parseWeights("sqnr=1,kl=0.2")).toEqual({ sqnr: 1, kl: 0.2 });
    expect(describeWeights(parseWeights("sqnr=1,kl=0.2"))).toBe("sqnr=1,kl=0.2");
    expect(() => parseWeights("snr=1")).toThrow("measure 'snr' is not known; known: readers, noise, sqnr");
    for (const text of ["kl", "kl=", "kl=-1", "kl=x", "kl=1=2", "kl=1e9"])
      expect(() => parseWeights(text)).toThrow(`'${text}': a measure takes a weight from 0 to 1000, as kl=1`);
    expect(() => parseWeights("kl=0")).toThrow("at least one measure must have a weight above 0");
  });

  test("every measure chooses scales on its own", () => {
    const graph = simplify(buildNetwork("tiny"));
    const samples = observe(graph, 1);
    for (const measure of Object.keys(MEASURES)) {
      const { scales } = planScales(graph, samples, { activations: "i8", head: "i32", measures: { [measure]: 1 } });
      expect(Number.isInteger(scales.exponent("fire2")), measure).toBe(true);
    }
  });

  test("gains backwards are the model forwards", () => {
    const graph = simplify(buildNetwork("tiny"));
    const samples = observe(graph, 1);
    const passed = (tensor: string) => {
      const { channels, values } = samples.get(tensor)!;
      const writer = graph.nodes.find(({ output }) => output === tensor)!;
      return "activation" in writer
        ? passedShare(writer.activation, values, channels)
        : new Float64Array(channels).fill(1);
    };
    const [head] = graph.outputs;
    const gains = outputGains(graph, passed, (tensor) => new Float64Array(graph.tensors.get(tensor)!.channels).fill(1));
    for (const tensor of [graph.input, "pool1", "fire2", "fire2_squeeze1x1"]) {
      const values = Float64Array.from({ length: graph.tensors.get(tensor)!.channels }, (_, c) => c + 1);
      const forwards = propagateNoise(graph, new Map([[tensor, { values }]]), passed).get(head)!;
      const backwards = gains.get(tensor)!.reduce((sum, gain, c) => sum + gain * values[c], 0);
      expect(backwards / forwards.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
    }
  });
});
