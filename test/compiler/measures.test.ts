// Do the measures of quantization error mean what they say?
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildNetwork } from "../../compiler/builders.ts";
import { runFloat } from "../../compiler/float/executor.ts";
import type { ConvNode } from "../../compiler/graph.ts";
import { type SimpleGraph, simplify } from "../../compiler/passes/index.ts";
import { magnitudeSpectrum } from "../../compiler/quantize/measures/fft.ts";
import {
  channelPowers,
  channelRows,
  cosineSimilarity,
  decibels,
  type InjectedNoise,
  klDivergence,
  passedShare,
  propagateNoise,
  rmse,
  spectralDistance,
  sqnrDb,
  weightNoise,
} from "../../compiler/quantize/measures/index.ts";
import { Random } from "../../compiler/random.ts";
import { stimulus } from "../../compiler/stimuli.ts";

const values = fc.float32Array({ minLength: 1, maxLength: 40, noNaN: true, min: -1000, max: 1000 });
const pairs = values.chain((reference) =>
  fc.tuple(
    fc.constant(reference),
    fc.float32Array({ minLength: reference.length, maxLength: reference.length, noNaN: true, min: -1000, max: 1000 }),
  ),
);
const of = (...numbers: number[]) => Float32Array.from(numbers);
const noise = (length: number, seed: number) => {
  const random = new Random(seed);
  return Float32Array.from({ length }, () => random.normal());
};

describe("element by element", () => {
  test("by hand: 3, 4 against 4, 3", () => {
    expect(cosineSimilarity(of(3, 4), of(4, 3))).toBeCloseTo(24 / 25, 12);
    expect(rmse(of(3, 4), of(4, 3))).toBe(1);
    expect(sqnrDb(of(3, 4), of(4, 3))).toBeCloseTo(10 * Math.log10(25 / 2), 12);
  });

  test("equal values are equal to every measure, also when all are zero", () => {
    fc.assert(
      fc.property(values, (own) => {
        expect(cosineSimilarity(own, own)).toBeCloseTo(1, 12);
        expect(rmse(own, own)).toBe(0);
        expect(sqnrDb(own, own)).toBe(Infinity);
        expect(spectralDistance(own, own, own.length)).toBe(0);
        expect(klDivergence(own, own)).toBe(0);
      }),
    );
    expect([cosineSimilarity(of(0), of(1)), sqnrDb(of(0), of(1))]).toEqual([0, -Infinity]);
  });

  test("the cosine does not see a factor; SQNR sees it alike in all units; RMSE is in the unit of the values", () => {
    fc.assert(
      fc.property(pairs, ([reference, actual]) => {
        fc.pre(
          rmse(reference, actual) > 1e-3 &&
            rmse(
              reference,
              reference.map(() => 0),
            ) > 1e-3,
        );
        const twice = actual.map((value) => 2 * value);
        expect(cosineSimilarity(reference, twice)).toBeCloseTo(cosineSimilarity(reference, actual), 9);
        const scaled = reference.map((value) => 2 * value);
        expect(sqnrDb(scaled, twice)).toBeCloseTo(sqnrDb(reference, actual), 9);
        expect(rmse(scaled, twice)).toBeCloseTo(2 * rmse(reference, actual), 6);
      }),
    );
  });

  test("rounding to steps of 1 makes an error of 1 / sqrt(12)", () => {
    const wide = noise(20_000, 1).map((value) => value * 50);
    expect(rmse(wide, wide.map(Math.round))).toBeCloseTo(Math.sqrt(1 / 12), 2);
  });
});

describe("spectra", () => {
  test("the transform is the sum it stands for", () => {
    fc.assert(
      fc.property(values, (own) => {
        const spectrum = magnitudeSpectrum(own);
        const size = spectrum.length;
        expect(size).toBeGreaterThanOrEqual(own.length);
        expect(size).toBeLessThan(2 * own.length + 1);
        for (let bin = 0; bin < size; bin++) {
          let [re, im] = [0, 0];
          own.forEach((value, i) => {
            re += value * Math.cos((2 * Math.PI * bin * i) / size);
            im -= value * Math.sin((2 * Math.PI * bin * i) / size);
          });
          expect(spectrum[bin]).toBeCloseTo(Math.hypot(re, im), 6);
        }
      }),
    );
  });

  test("a turned signal has the same spectrum; the distance is at most the relative error", () => {
    expect(spectralDistance(of(1, 2, 3, 4), of(4, 1, 2, 3), 4)).toBeCloseTo(0, 12);
    fc.assert(
      fc.property(pairs, ([reference, actual]) => {
        const relative = 10 ** (-sqnrDb(reference, actual) / 20);
        expect(spectralDistance(reference, actual, reference.length)).toBeLessThanOrEqual(relative * (1 + 1e-9) + 1e-9);
      }),
    );
  });

  test("by hand: an impulse of 2 against one of 3 differs by 1 in every bin", () => {
    expect(spectralDistance(of(2, 0, 0, 0), of(0, 3, 0, 0), 4)).toBeCloseTo(1 / 2, 12);
    // two signals: only the second differs
    expect(spectralDistance(of(2, 0, 2, 0), of(2, 0, 3, 0), 2)).toBeCloseTo(Math.sqrt(1 / 8), 12);
  });

  test("rows of a feature map are those of its channels", () => {
    expect(channelRows(of(1, 10, 2, 20, 3, 30), 2)).toEqual(of(1, 2, 3, 10, 20, 30));
  });
});

describe("histograms", () => {
  test("never below 0, blind to order, the same in all units", () => {
    fc.assert(
      fc.property(pairs, ([reference, actual]) => {
        const divergence = klDivergence(reference, actual);
        expect(divergence).toBeGreaterThanOrEqual(0);
        expect(klDivergence(reference, actual.toReversed())).toBe(divergence);
        const twice = (own: Float32Array) => own.map((value) => 2 * value);
        expect(klDivergence(twice(reference), twice(actual))).toBeCloseTo(divergence, 9);
      }),
    );
  });

  test("by hand: two values, one of them moved to the other end", () => {
    // bins hold 1.5 0.5.. 1.5 against 0.5 0.5.. 2.5, each of 2 + 32: (1.5 ln 3 + 1.5 ln (1.5 / 2.5)) / 34
    expect(klDivergence(of(0, 1), of(1, 1))).toBeCloseTo((1.5 * Math.log(3) + 1.5 * Math.log(0.6)) / 34, 12);
  });

  test("clipping costs more than rounding to 8 bits", () => {
    const own = noise(20_000, 2);
    const rounded = own.map((value) => Math.round(value * 32) / 32);
    const clipped = own.map((value) => Math.max(-1, Math.min(1, value)));
    expect(klDivergence(own, clipped)).toBeGreaterThan(20 * klDivergence(own, rounded));
  });
});

describe("additive noise", () => {
  const graph = simplify(buildNetwork("tiny"));
  const picture = stimulus(graph.preprocess, 1, 0);
  const samples = new Map<string, Float32Array>();
  runFloat(graph, picture, ({ name }, own) => samples.set(name, own));
  const run = (changed: SimpleGraph, input: Float32Array) => {
    let found = input;
    runFloat(changed, input, ({ name }, own) => {
      if (name === watched) found = own;
    });
    return found;
  };
  const passed = (tensor: string) => {
    const writer = graph.nodes.find(({ output }) => output === tensor)!;
    const { channels } = graph.tensors.get(tensor)!;
    if (writer.op !== "conv" && writer.op !== "add") return new Float64Array(channels).fill(1);
    return passedShare(writer.activation, samples.get(tensor)!, channels);
  };
  // the last tensor before the average pooling
  const watched = "add3";
  const one = (power: number): InjectedNoise => ({ values: new Float64Array(3).fill(power) });
  const predicted = (injected: Map<string, InjectedNoise>) => {
    const power = propagateNoise(graph, injected, passed).get(watched)!;
    const signal = channelPowers(samples.get(watched)!, power.length);
    const sum = (own: Float64Array) => own.reduce((a, b) => a + b, 0);
    return decibels(sum(signal), sum(power));
  };

  test("the SQNR it predicts is that measured when the input is noisy, to 3 dB", () => {
    const deviation = 0.01;
    const clean = samples.get(watched)!;
    const measured = [1, 2, 3, 4].map((seed) => {
      const disturbed = noise(picture.length, seed).map((value, i) => picture[i] + deviation * value);
      return rmse(clean, run(graph, disturbed)) ** 2;
    });
    const db = decibels(rmse(clean, new Float32Array(clean.length)) ** 2, measured.reduce((a, b) => a + b, 0) / 4);
    expect(Math.abs(predicted(new Map([[graph.input, one(deviation ** 2)]])) - db)).toBeLessThan(3);
  });

  test("and when the weights of all layers are", () => {
    const convs = graph.nodes.filter((node): node is ConvNode => node.op === "conv");
    const noisy = convs.map((conv): ConvNode => {
      const peak = conv.weights.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      return {
        ...conv,
        weights: noise(conv.weights.length, 3).map((value, i) => conv.weights[i] + value * peak * 0.01),
      };
    });
    const changed: SimpleGraph = {
      ...graph,
      nodes: graph.nodes.map((node) => noisy.find(({ name }) => name === node.name) ?? node),
    };
    const db = sqnrDb(samples.get(watched)!, run(changed, picture));
    const injected = convs.map((conv, i): [string, InjectedNoise] => {
      const [input] = conv.inputs;
      const power = channelPowers(samples.get(input)!, graph.tensors.get(input)!.channels);
      return [conv.output, { sums: weightNoise(conv, noisy[i].weights, power) }];
    });
    expect(Math.abs(predicted(new Map(injected)) - db)).toBeLessThan(3);
  });

  test("noise of two sources adds up, half goes through half-open channels", () => {
    const db = (power: number) => predicted(new Map([[graph.input, one(power)]]));
    expect(db(1) - db(4)).toBeCloseTo(10 * Math.log10(4), 9);
    expect([...passedShare({ low: 0, high: 6, slope: 1 }, of(0, 1, 2, 6, 3, 0, 4, 5), 2)]).toEqual([0.75, 0.5]);
    expect([...passedShare({ low: -Infinity, high: Infinity, slope: 0.5 }, of(-1, 1), 1)]).toEqual([0.625]);
  });
});
