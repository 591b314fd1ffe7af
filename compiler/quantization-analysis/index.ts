/**
 * What quantization does to a network, layer by layer: the float network and the integers side by side on the synthetic
 * photographs that scales are chosen by.
 *
 * The integers come from the caller, who runs a program: the compiler executes nothing in integers itself, and a second copy
 * of the arithmetic could differ from the machine's. `observedModel` makes a program that hands out every tensor.
 */
import { type ConvDetHead, clamp, FORMAT_MAX, FORMAT_MIN, type NetworkInput } from "../../isa/index.ts";
import { runFloat, type Values } from "../float/executor.ts";
import type { FloatGraph } from "../graph.ts";
import { simplify } from "../passes/index.ts";
import { sqnrDb } from "../quantize/measures/index.ts";
import { MACS_PER_STIMULUS, STIMULI, shrink } from "../quantize/observe.ts";
import { rescaleGraph } from "../quantize/rescale.ts";
import type { QTensor, QuantizedModel } from "../quantized-model.ts";
import { stimulus } from "../stimuli.ts";
import { compare, type ErrorMeasures, finite, type Histogram, integerHistogram, valueHistogram } from "./compare.ts";
import { type LayerFacts, layerFacts, loneLayer, tensorOf } from "./layers.ts";
import { checkSameNetwork, observedModel } from "./observed-model.ts";

type Integers = Int8Array | Uint8Array | Int32Array;

/** A tensor of one frame. */
export interface FrameTensor {
  readonly integers: Integers;
  /** Per channel; one serves all. */
  readonly exponents: readonly number[];
}

/** Runs a model's program on one input; returns its outputs by tensor name. */
export type RunIntegers = (input: Int8Array | Uint8Array) => ReadonlyMap<string, FrameTensor>;

export interface ActivationAnalysis {
  /** Values compared; of large tensors rows at even distances. */
  readonly count: number;
  /** Share of the exact values that the tensor's format at its exponent clips, 0..1. */
  readonly saturated: number;
  /** The layer with its integer weights and rounding on exact inputs; null: it passes integers on unchanged. */
  readonly alone: ErrorMeasures | null;
  /** The integer network from its input to here. */
  readonly cumulative: ErrorMeasures;
  /** Exact values and the integer network's. */
  readonly histogram: Histogram;
}

export interface LayerAnalysis extends LayerFacts {
  readonly activations: ActivationAnalysis;
}

export interface QuantizationAnalysis {
  readonly pictures: { readonly count: number; readonly height: number; readonly width: number; readonly seed: number };
  /** The network's input first, then every node in order. */
  readonly layers: readonly LayerAnalysis[];
  /** Signal to noise of the detection head's parts, from input to head, dB; null: no error. */
  readonly head: { readonly [Part in keyof ConvDetHead["channels"]]: number | null } | null;
}

export interface AnalysisOptions {
  /** Of the synthetic photographs. */
  readonly seed?: number;
  readonly onProgress?: (fraction: number) => void;
}

/**
 * @param graph the float network that the model was quantized from
 * @param load makes a model ready to run; called once, with a model whose tensors are all outputs
 * @throws RapError when the model was quantized from another network
 */
export function analyzeQuantization(
  graph: FloatGraph,
  model: QuantizedModel,
  load: (observed: QuantizedModel) => RunIntegers,
  { seed = 1, onProgress = () => {} }: AnalysisOptions = {},
): QuantizationAnalysis {
  const plain = simplify(graph);
  checkSameNetwork(plain, model);
  // the network that the integers stand for: the same function, its tensors and weights times their factors
  const full = rescaleGraph(plain, new Map(model.tensors.map(({ name, factor = 1 }) => [name, factor])));
  const small = shrink(full, MACS_PER_STIMULUS) as typeof full;
  const observed = observedModel(model, small);
  const run = load(observed);
  const written = observed.nodes.map(({ output }) => tensorOf(observed, output));
  const layers = [observed.tensors[0], ...written].map((tensor, i) => new TensorSamples(tensor, i - 1));
  const lone = layers.map(({ index }) => (index < 0 ? null : loneLayer(small, observed, index)));
  for (let picture = 0; picture < STIMULI; picture++) {
    const input = stimulus(small.preprocess, seed, picture);
    const exact = new Map<string, Values>();
    runFloat(small, input, (tensor, values) => exact.set(tensor.name, values));
    const quantized = inputIntegers(input, observed.host.input);
    const frame = new Map([
      ...run(quantized),
      [observed.host.input.tensor, { integers: quantized, exponents: [observed.host.input.exponent] }],
    ]);
    for (const [i, layer] of layers.entries()) {
      const { name } = layer.tensor;
      layer.add(exact.get(name)!, frame.get(name)!, lone[i]?.(exact) ?? null);
    }
    onProgress((picture + 1) / STIMULI);
  }
  const { height, width } = small.preprocess;
  return {
    pictures: { count: STIMULI, height, width, seed },
    layers: layers.map((layer) => ({
      ...layerFacts(full, model, tensorOf(model, layer.tensor.name), layer.index, layer.exponents()),
      activations: layer.analysis(),
    })),
    head: headParts(model, layers),
  };
}

function headParts({ host: { head } }: QuantizedModel, layers: readonly TensorSamples[]): QuantizationAnalysis["head"] {
  const layer = layers.find(({ tensor }) => tensor.name === head?.tensor);
  if (head?.kind !== "convdet" || layer === undefined) return null;
  const { classScores, confidence, boxDeltas } = head.channels;
  return {
    classScores: layer.sqnrDb(classScores),
    confidence: layer.sqnrDb(confidence),
    boxDeltas: layer.sqnrDb(boxDeltas),
  };
}

function inputIntegers(real: Values, { format, exponent }: NetworkInput): Int8Array | Uint8Array {
  const integer = (value: number) =>
    clamp(Math.floor(value * 2 ** exponent + 0.5), FORMAT_MIN[format], FORMAT_MAX[format]);
  return format === "u8" ? Uint8Array.from(real, integer) : Int8Array.from(real, integer);
}

/** Values compared per tensor and photograph, about; whole rows are kept, since spectra are taken of rows. */
const VALUES_PER_PICTURE = 1 << 15;

/** One tensor's values over all photographs. */
class TensorSamples {
  private readonly exact: Float32Array[] = [];
  private readonly frames: FrameTensor[] = [];
  private readonly alone: Float32Array[] = [];

  /** @param index of the node that writes it; -1: the network's input */
  constructor(
    readonly tensor: QTensor,
    readonly index: number,
  ) {}

  add(exact: Values, { integers, exponents }: FrameTensor, own: Values | null): void {
    this.exact.push(this.sampled(exact));
    this.frames.push({ integers: this.sampled(integers), exponents });
    if (own !== null) this.alone.push(this.sampled(own));
  }

  /** Signal to noise of the channels from..to, from the network's input to here. */
  sqnrDb([from, to]: readonly [number, number]): number | null {
    const { channels } = this.tensor;
    const part = (values: Float32Array) => values.filter((_, i) => i % channels >= from && i % channels < to);
    return finite(sqnrDb(part(joined(this.exact)), part(this.actual())));
  }

  /** Of all frames and channels. */
  exponents(): readonly number[] {
    return this.frames.flatMap(({ exponents }) => exponents);
  }

  /** A real value in steps of the integer it becomes: exponents may differ from frame to frame. */
  private scaled(): (value: number, i: number) => number {
    const perFrame = this.exact[0].length;
    const scales = this.frames.map(({ exponents }) => exponents.map((exponent) => 2 ** exponent));
    return (value, i) => {
      const own = scales[Math.floor(i / perFrame)];
      return value * own[i % own.length];
    };
  }

  private actual(): Float32Array {
    const scaled = this.scaled();
    return joined(this.frames.map(({ integers }) => integers)).map((integer, i) => integer / scaled(1, i));
  }

  analysis(): ActivationAnalysis {
    const { channels, width, format } = this.tensor;
    const exact = joined(this.exact);
    const integers = joined(this.frames.map((frame) => frame.integers));
    const actual = this.actual();
    const against = (values: Float32Array) => compare(exact, values, channels, "pixels", width);
    const histogram =
      format === "i32"
        ? valueHistogram(exact, actual)
        : integerHistogram(exact, integers, this.scaled(), format === "u8" ? [0, 255] : [-128, 127]);
    return {
      count: exact.length,
      saturated: (histogram.below + histogram.above) / exact.length,
      alone: this.alone.length === 0 ? null : against(joined(this.alone)),
      cumulative: against(actual),
      histogram,
    };
  }

  private sampled<T extends Values | Integers>(values: T): T {
    const { height, width, channels } = this.tensor;
    const row = width * channels;
    const rows = Math.min(height, Math.max(1, Math.floor(VALUES_PER_PICTURE / row)));
    const parts = Array.from({ length: rows }, (_, i) => {
      const y = Math.floor(((i + 0.5) * height) / rows);
      return values.subarray(y * row, (y + 1) * row);
    });
    return joinedAs(values, parts) as T;
  }
}

function joined(parts: readonly (Float32Array | Integers)[]): Float32Array {
  return joinedAs(new Float32Array(), parts);
}

/** The parts one behind the other, in an array of the type of `like`. */
function joinedAs<T extends Values | Integers>(like: T, parts: readonly (Values | Integers)[]): T {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = new (like.constructor as new (length: number) => T)(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
