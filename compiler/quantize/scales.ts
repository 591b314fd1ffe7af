/** Which format and exponent every tensor gets, and how tensors are rescaled to fit, from samples. */
import type { Format } from "../../isa/index.ts";
import type { SimpleGraph } from "../passes/index.ts";
import { exponentClasses } from "./classes.ts";
import { readersOf } from "./damage.ts";
import { bestShared, type Watched } from "./ensemble.ts";
import { bestExponent, candidates } from "./exponents.ts";
import { fitShifts } from "./fit-shifts.ts";
import { chooseFormats, type FormatOptions, rawOutputs } from "./formats.ts";
import { DEFAULT_WEIGHTS, type MeasureWeights } from "./measure-weights.ts";
import { channelPowers, outputGains, passedShare } from "./measures/index.ts";
import type { Samples } from "./observe.ts";
import { type Factors, inputFactor, isScalable, type Rescaled, rescale, times } from "./rescale.ts";

export interface Scales {
  format(tensor: string): Format;
  /** Of an output whose channels have exponents of their own: of the first group, and 0 for i32. */
  exponent(tensor: string): number;
  /** As `exponent`, but of one channel. */
  channelExponent(tensor: string, channel: number): number;
}

export interface PlanOptions extends FormatOptions {
  readonly measures?: MeasureWeights;
}

/** A network whose tensors were rescaled to fit the exponents. */
export interface Plan extends Rescaled {
  readonly factors: Factors;
  readonly scales: Scales;
}

export function planScales(
  plain: SimpleGraph,
  observed: ReadonlyMap<string, Samples>,
  { measures = DEFAULT_WEIGHTS, ...options }: PlanOptions,
): Plan {
  const formats = chooseFormats(plain, options);
  const classes = exponentClasses(plain);
  const classOf = (tensor: string) => classes.of(tensor);
  const factors = new Map<string, number>();
  const exponents = new Map<string, number>();
  const watch = watcher({ graph: plain, samples: observed });
  for (const [name, tensors] of classes.members(plain.tensors.keys())) {
    const format = formats.get(name)!;
    const fine = tensors.every((tensor) => isScalable(plain, tensor));
    const first = tensors.includes(plain.input) ? inputFactor(plain, format) : 1;
    const watched = tensors.flatMap(watch).map((own) => ({ ...own, own: times(own.own, first) }));
    const scale = format === "i32" ? 0 : classScale(watched, format, fine, measures);
    exponents.set(name, Math.floor(scale));
    for (const tensor of tensors) factors.set(tensor, first * 2 ** (scale - Math.floor(scale)));
  }
  const { graph, samples } = rescale(plain, observed, factors);
  fitShifts(graph, exponents, classOf, formats);
  const groups = options.head === "i8" ? groupExponents(graph, samples) : new Map<string, number[]>();
  const exponent = (tensor: string) => groups.get(tensor)?.[0] ?? exponents.get(classOf(tensor))!;
  return {
    graph,
    samples,
    factors,
    scales: {
      format: (tensor) => formats.get(tensor)!,
      exponent,
      channelExponent: (tensor, channel) => groups.get(tensor)?.[channel] ?? exponent(tensor),
    },
  };
}

/** Gives what the measures need of a tensor, when a layer computes with it. */
function watcher({ graph, samples }: Rescaled): (tensor: string) => Watched[] {
  const passed = (tensor: string) => {
    const { channels, values } = samples.get(tensor)!;
    const writer = graph.nodes.find(({ output }) => output === tensor)!;
    return "activation" in writer
      ? passedShare(writer.activation, values, channels)
      : new Float64Array(channels).fill(1);
  };
  const gains = outputGains(graph, passed, (tensor) => {
    const { channels, values } = samples.get(tensor)!;
    return channelPowers(values, channels).map((power) => 1 / (power || 1));
  });
  return (tensor) => {
    const readers = readersOf(graph, samples, tensor);
    return readers.length === 0 ? [] : [{ own: samples.get(tensor)!, readers, gains: gains.get(tensor)! }];
  };
}

/** Steps per octave when a tensor may be multiplied by any factor. */
const FINE = 4;
/** Photographs excite some channels more than synthetic ones do, and a scale too fine costs far more than one too coarse. */
const HEADROOM = 2 / FINE;

/**
 * Where integers per unit are best, as a power of two, for tensors that share a scale: a whole number, or with `fine` in steps of
 * a quarter and with headroom; the tensors are then multiplied by what is beyond the whole number.
 */
function classScale(watched: readonly Watched[], format: Format, fine: boolean, measures: MeasureWeights): number {
  const best = (exponents: readonly number[]) => bestShared(watched, exponents, format, measures);
  const values = watched.map(({ own }) => own.values);
  const whole = best(candidates(values, format));
  if (!fine) return whole;
  return best([-3, -2, -1, 0, 1, 2, 3].map((step) => whole + step / FINE)) - HEADROOM;
}

/** i8 outputs written by a convolution: class scores, confidences and box deltas have different ranges, so each an exponent. */
function groupExponents(graph: SimpleGraph, samples: ReadonlyMap<string, Samples>): Map<string, number[]> {
  const result = new Map<string, number[]>();
  for (const name of rawOutputs(graph)) {
    const { channels, values } = samples.get(name)!;
    const { head } = graph;
    const ranges: (readonly [number, number])[] =
      head?.kind === "convdet" && head.tensor === name ? Object.values(head.channels) : [[0, channels]];
    const exponents = new Array<number>(channels).fill(0);
    for (const [from, to] of ranges) {
      const own = values.filter((_, i) => i % channels >= from && i % channels < to);
      exponents.fill(bestExponent(own, "i8"), from, to);
    }
    result.set(name, exponents);
  }
  return result;
}
