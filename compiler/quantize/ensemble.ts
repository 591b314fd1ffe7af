/**
 * The ensemble of measures that scales are chosen by. Each member gives every candidate scale of a tensor a loss; losses have different
 * units, so each is taken relative to the member's own best candidate, as a logarithm: ln(loss / least loss), 0 for the best.
 * A candidate's score is the weighted sum. So a weight says how much a factor of e in that measure counts.
 */
import { FORMAT_MAX, FORMAT_MIN, type Format } from "../../isa/index.ts";
import { damage, type Reader } from "./damage.ts";
import { MEASURES, type Measure, type MeasureWeights } from "./measure-weights.ts";
import { channelRows, cosineSimilarity, distanceOfSpectra, klDivergence, spectra, sqnrDb } from "./measures/index.ts";
import type { Samples } from "./observe.ts";

/** Values of a tensor that the measures look at, about: clipping is rare, so what it does to readers is looked for in more. */
const VALUES = 1 << 13;
const VALUES_FOR_READERS = 1 << 15;
/** Below this a loss counts as none. */
const NOTHING = 1e-12;

/** A tensor to be scaled. */
export interface Watched {
  readonly own: Samples;
  readonly readers: readonly Reader[];
  /** Of its channels, at the network's outputs. */
  readonly gains: Float64Array;
}

/**
 * The exponent (which may be a fraction) that suits tensors best which share one; of equals the first. Losses of tensors add up.
 * @param exponents rising; the search ends where every loss rises, which clipping makes them do for good
 */
export function bestShared(
  tensors: readonly Watched[],
  exponents: readonly number[],
  format: Format,
  weights: MeasureWeights,
): number {
  const wanted = (Object.keys(MEASURES) as Measure[]).filter((measure) => (weights[measure] ?? 0) > 0);
  const table = new Map<Measure, number[]>(wanted.map((measure) => [measure, []]));
  const parts = tensors.map(({ own, readers, gains }) => {
    const part = subset(own, VALUES);
    const reference = { ...part, spectrum: rowSpectra(part.values, part.channels) };
    return { reference, more: subset(own, VALUES_FOR_READERS), readers, gains };
  });
  for (const [i, exponent] of exponents.entries()) {
    const sums = new Map<Measure, number>(wanted.map((measure) => [measure, NOTHING]));
    for (const { reference, more, readers, gains } of parts) {
      const actual = quantizeValues(reference.values, exponent, format);
      for (const measure of wanted) {
        const loss =
          measure === "readers" ? damage(more, readers, exponent, format) : lossOf[measure](reference, actual, gains);
        sums.set(measure, sums.get(measure)! + loss);
      }
    }
    for (const [measure, sum] of sums) table.get(measure)!.push(sum);
    if (i > 0 && [...table.values()].every((losses) => losses[i] > losses[i - 1])) break;
  }
  return exponents[bestCandidate(table, weights)];
}

/** Values as they are, and their spectra. */
interface Reference extends Samples {
  readonly spectrum: Float64Array;
}

function rowSpectra(values: Float32Array, channels: number): Float64Array {
  return spectra(channelRows(values, channels), values.length / channels);
}

const lossOf: Record<
  Exclude<Measure, "readers">,
  (reference: Reference, actual: Float32Array, gains: Float64Array) => number
> = {
  noise: ({ channels, values }, actual, gains) => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += gains[i % channels] * (actual[i] - values[i]) ** 2;
    return (sum * channels) / values.length;
  },
  sqnr: ({ values }, actual) => 10 ** (-sqnrDb(values, actual) / 10),
  cosine: ({ values }, actual) => 1 - cosineSimilarity(values, actual),
  spectral: ({ channels, spectrum }, actual) => distanceOfSpectra(spectrum, rowSpectra(actual, channels)) ** 2,
  kl: ({ values }, actual) => klDivergence(values, actual),
};

/** The candidate with the least score; of equals the first. @param table losses by candidate, above 0 */
export function bestCandidate(table: ReadonlyMap<Measure, readonly number[]>, weights: MeasureWeights): number {
  const scores: number[] = [];
  for (const [measure, losses] of table) {
    const least = Math.min(...losses);
    losses.forEach((loss, i) => {
      scores[i] = (scores[i] ?? 0) + weights[measure]! * Math.log(loss / least);
    });
  }
  return scores.indexOf(Math.min(...scores));
}

/** Whole pixels at even distances. */
function subset({ channels, values }: Samples, wanted: number): Samples {
  const pixels = values.length / channels;
  const count = Math.min(pixels, Math.max(1, Math.floor(wanted / channels)));
  const out = new Float32Array(count * channels);
  for (let i = 0; i < count; i++) {
    const pixel = Math.floor((i * pixels) / count);
    out.set(values.subarray(pixel * channels, (pixel + 1) * channels), i * channels);
  }
  return { channels, values: out };
}

function quantizeValues(values: Float32Array, exponent: number, format: Format): Float32Array {
  const scale = 2 ** exponent;
  const [low, high] = [FORMAT_MIN[format], FORMAT_MAX[format]];
  const out = new Float32Array(values.length);
  for (let i = 0; i < out.length; i++)
    out[i] = Math.min(high, Math.max(low, Math.floor(values[i] * scale + 0.5))) / scale;
  return out;
}
