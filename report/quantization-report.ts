/** What quantization did to a network, as data: what `rapsim quantize --report` writes (docs/quantization.schema.json). */
import type { Head } from "../isa/index.ts";

export const QUANTIZATION_SCHEMA = "rapsim.quantization/1";

/** Smallest and largest over a layer's output channels. */
export interface ChannelRange {
  readonly min: number;
  readonly max: number;
}

/** Decibels; null: no error at all, or no signal. */
export type Decibels = number | null;

export interface LayerHistogram {
  /** integer: one step of the 8-bit integers is 1; value: the tensor's own unit. */
  readonly axis: "integer" | "value";
  /** Lower end of the first bin, upper end of the last; all are of equal width. */
  readonly low: number;
  readonly high: number;
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Values before quantization that lie beyond the ends. */
  readonly below: number;
  readonly above: number;
}

export interface LayerError {
  readonly sqnrDb: Decibels;
  readonly cosine: number;
  /** null: no signal */
  readonly spectralDistance: number | null;
  /** nats */
  readonly klDivergence: number;
  /** The worst first. */
  readonly worstChannels: readonly { readonly channel: number; readonly sqnrDb: Decibels }[];
}

export interface LayerReport {
  readonly name: string;
  readonly op: string;
  /** height, width, channels */
  readonly shape: readonly [number, number, number];
  readonly format: string;
  readonly exponents: {
    readonly activation: ChannelRange;
    readonly weights: ChannelRange | null;
    readonly accumulator: ChannelRange | null;
  };
  readonly shift: ChannelRange | null;
  readonly biasShift: ChannelRange | null;
  readonly weights:
    | (LayerError & { readonly count: number; readonly saturated: number; readonly histogram: LayerHistogram })
    | null;
  readonly activations: {
    readonly count: number;
    /** Share of the exact values that are clipped, 0..1. */
    readonly saturated: number;
    /** This layer with exact inputs; null: it passes integers on unchanged. */
    readonly alone: LayerError | null;
    /** The integer network from its input to here. */
    readonly cumulative: LayerError;
    readonly histogram: LayerHistogram;
  };
}

export const CHANNEL_KINDS = ["weights", "alone", "cumulative"] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];

/** One channel of one layer. */
export interface WorstChannel {
  readonly layer: string;
  readonly channel: number;
  /** `conv12[65]`, and in a detection head what it holds. */
  readonly name: string;
  readonly sqnrDb: Decibels;
}

export interface QuantizationReport {
  readonly schema: typeof QUANTIZATION_SCHEMA;
  /** Version of rapsim that made the report. */
  readonly rapsim: string;
  readonly network: {
    readonly name: string;
    readonly source: string;
    readonly sourceSha256: string;
    readonly trained: boolean;
    /** As the network was quantized. */
    readonly options: Readonly<Record<string, string | number | boolean>>;
  };
  /** The synthetic photographs that the activations were seen on. */
  readonly pictures: { readonly count: number; readonly height: number; readonly width: number; readonly seed: number };
  /** The network's input first. */
  readonly layers: readonly LayerReport[];
  /** The detection head's parts, from input to head. */
  readonly head: {
    readonly classScores: Decibels;
    readonly confidence: Decibels;
    readonly boxDeltas: Decibels;
  } | null;
  readonly worstChannels: { readonly [Kind in ChannelKind]: readonly WorstChannel[] };
}

export interface QuantizationParts
  extends Pick<QuantizationReport, "rapsim" | "network" | "pictures" | "layers" | "head"> {
  /** Gives the head's channels their names. */
  readonly heads: { readonly head: Head | null; readonly outputLayer: string | null };
}

/** How many channels of the whole network are named. */
const NAMED_CHANNELS = 10;

export function quantizationReport({ heads, ...parts }: QuantizationParts): QuantizationReport {
  const worst = (errorOf: (layer: LayerReport) => LayerError | null): WorstChannel[] =>
    parts.layers
      .flatMap((layer) =>
        (errorOf(layer)?.worstChannels ?? []).map(({ channel, sqnrDb }) => {
          const meaning = layer.name === heads.outputLayer ? headChannel(heads.head, channel) : null;
          const name = `${layer.name}[${channel}]${meaning === null ? "" : ` (${meaning})`}`;
          return { layer: layer.name, channel, name, sqnrDb };
        }),
      )
      .sort((a, b) => (a.sqnrDb ?? Infinity) - (b.sqnrDb ?? Infinity))
      .slice(0, NAMED_CHANNELS);
  return {
    schema: QUANTIZATION_SCHEMA,
    ...parts,
    worstChannels: {
      weights: worst(({ weights }) => weights),
      alone: worst(({ activations }) => activations.alone),
      cumulative: worst(({ activations, op }) => (op === "concat" ? null : activations.cumulative)),
    },
  };
}

const DELTAS = ["x", "y", "width", "height"] as const;

/** What a channel of a detection head holds: `confidence, anchor 2`. */
function headChannel(head: Head | null, channel: number): string | null {
  if (head?.kind !== "convdet") return null;
  const { classScores, confidence, boxDeltas } = head.channels;
  const within = ([from, to]: readonly [number, number]) => (channel >= from && channel < to ? channel - from : null);
  const score = within(classScores);
  if (score !== null) {
    const count = head.classes.length;
    return `score of ${head.classes[score % count]}, anchor ${Math.floor(score / count)}`;
  }
  const anchor = within(confidence);
  if (anchor !== null) return `confidence, anchor ${anchor}`;
  const delta = within(boxDeltas);
  return delta === null ? null : `box ${DELTAS[delta % 4]}, anchor ${Math.floor(delta / 4)}`;
}

/** The report as a file. */
export function quantizationJson(report: QuantizationReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

/** `7`, or `7..9` where channels differ. */
export function rangeText(range: ChannelRange | null): string {
  if (range === null) return "";
  return range.min === range.max ? String(range.min) : `${range.min}..${range.max}`;
}

/** `28.31`; `exact` where there is no error */
export function decibelText(db: Decibels | undefined): string {
  if (db === undefined) return "";
  return db === null ? "exact" : db.toFixed(1);
}
