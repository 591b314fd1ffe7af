/** Exact values against what became of them: the numbers and the histograms of a report. */
import { channelRows, cosineSimilarity, klDivergence, spectralDistance, sqnrDb } from "../quantize/measures/index.ts";

/** Values counted along an axis, before quantization and after, in bins of equal width. */
export interface Histogram {
  /** integer: one step of the 8-bit integers is 1, whatever the exponents; value: the tensor's own unit. */
  readonly axis: "integer" | "value";
  /** Lower end of the first bin, upper end of the last. */
  readonly low: number;
  readonly high: number;
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Exact values beyond the ends: quantization clips them. */
  readonly below: number;
  readonly above: number;
}

/** One output channel and its signal-to-noise ratio; null: no error at all. */
export interface ChannelError {
  readonly channel: number;
  readonly sqnrDb: number | null;
}

export interface ErrorMeasures {
  /** Signal to quantization noise, dB; null: no error at all, or no signal. */
  readonly sqnrDb: number | null;
  /** 1: same direction */
  readonly cosine: number;
  /** 0: equal magnitude spectra; null: no signal */
  readonly spectralDistance: number | null;
  /** Kullback-Leibler divergence of the value histograms, nats */
  readonly klDivergence: number;
  /** Channels with the lowest signal-to-noise ratio, the worst first; those with under 1/1000 of the layer's mean power are left out. */
  readonly worstChannels: readonly ChannelError[];
}

/** How many channels of a layer are named. */
const NAMED_CHANNELS = 5;

/** Channels with less than this share of the layer's mean power hardly matter, however wrong they are. */
const WEAK_CHANNEL = 1e-3;

/** Decibels of a report: null where there is no error, or no signal. */
export const finite = (value: number) => (Number.isFinite(value) ? value : null);

/**
 * @param exact [pixels][channels], or weights [channels][...] with `layout` rows
 * @param signal length of the signals that spectra are taken of: a kernel, or a row of a feature map
 */
export function compare(
  exact: Float32Array,
  actual: Float32Array,
  channels: number,
  layout: "pixels" | "rows",
  signal: number,
): ErrorMeasures {
  const [a, b] = layout === "rows" ? [exact, actual] : [channelRows(exact, channels), channelRows(actual, channels)];
  const perChannel = a.length / channels;
  const part = (values: Float32Array, channel: number) =>
    values.subarray(channel * perChannel, (channel + 1) * perChannel);
  const powers = Array.from({ length: channels }, (_, channel) =>
    part(a, channel).reduce((sum, value) => sum + value * value, 0),
  );
  const weakest = (WEAK_CHANNEL * powers.reduce((sum, power) => sum + power, 0)) / channels;
  const ratios = powers.flatMap((power, channel) =>
    power > weakest ? [{ channel, ratio: sqnrDb(part(a, channel), part(b, channel)) }] : [],
  );
  return {
    sqnrDb: finite(sqnrDb(a, b)),
    cosine: cosineSimilarity(a, b),
    spectralDistance: finite(spectralDistance(a, b, signal)),
    klDivergence: klDivergence(a, b),
    worstChannels: ratios
      .sort((x, y) => x.ratio - y.ratio)
      .slice(0, NAMED_CHANNELS)
      .map(({ channel, ratio }) => ({ channel, sqnrDb: finite(ratio) })),
  };
}

const BINS = 64;

/** Both sets along the integers of a format. @param scaled values times 2^exponent of their channel */
export function integerHistogram(
  exact: Float32Array,
  integers: ArrayLike<number>,
  scaled: (value: number, i: number) => number,
  [least, most]: readonly [number, number],
): Histogram {
  const width = (most - least + 1) / BINS;
  const [before, after] = [new Array<number>(BINS).fill(0), new Array<number>(BINS).fill(0)];
  let [below, above] = [0, 0];
  for (let i = 0; i < exact.length; i++) {
    const integer = Math.floor(scaled(exact[i], i) + 0.5);
    if (integer < least) below++;
    else if (integer > most) above++;
    else before[Math.floor((integer - least) / width)]++;
    after[Math.floor((integers[i] - least) / width)]++;
  }
  return { axis: "integer", low: least - 0.5, high: most + 0.5, before, after, below, above };
}

/** Both sets along their own unit: for accumulators, which have no 8-bit integers. */
export function valueHistogram(exact: Float32Array, actual: Float32Array): Histogram {
  let [low, high] = [Infinity, -Infinity];
  for (const values of [exact, actual]) {
    for (let i = 0; i < values.length; i++) {
      low = Math.min(low, values[i]);
      high = Math.max(high, values[i]);
    }
  }
  if (!(high > low)) [low, high] = [low - 1, low + 1];
  const counted = (values: Float32Array) => {
    const counts = new Array<number>(BINS).fill(0);
    for (let i = 0; i < values.length; i++)
      counts[Math.min(BINS - 1, Math.floor(((values[i] - low) / (high - low)) * BINS))]++;
    return counts;
  };
  return { axis: "value", low, high, before: counted(exact), after: counted(actual), below: 0, above: 0 };
}
