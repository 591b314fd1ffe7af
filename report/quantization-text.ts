/** A quantization report as a person reads it in a terminal. */
import { count, grouped } from "./numbers.ts";
import { type Column, createPage, type Page, type PageOptions, printable, tableLines, wrapped } from "./page.ts";
import {
  type ChannelKind,
  decibelText,
  type LayerReport,
  type QuantizationReport,
  rangeText,
} from "./quantization-report.ts";

/** 0.00123 -> `0.123` percent; nothing clipped stays empty, so that clipping shows */
function share(fraction: number | undefined): string {
  if (fraction === undefined || fraction === 0) return "";
  return fraction < 0.00001 ? "<0.001" : (100 * fraction).toFixed(3);
}

const COLUMNS: readonly Column<LayerReport>[] = [
  { head: "layer", align: "left", cell: ({ name }) => printable(name), maxWidth: 36, shrinkTo: 16 },
  { head: "op", align: "left", cell: ({ op }) => op, drop: 6 },
  { head: "format", align: "left", cell: ({ format }) => format, drop: 5 },
  { head: "f", align: "right", cell: ({ exponents }) => rangeText(exponents.activation) },
  { head: "f(w)", align: "right", cell: ({ exponents }) => rangeText(exponents.weights) },
  { head: "f(acc)", align: "right", cell: ({ exponents }) => rangeText(exponents.accumulator), drop: 8 },
  { head: "shift", align: "right", cell: ({ shift }) => rangeText(shift) },
  { head: "clipped w %", align: "right", cell: ({ weights }) => share(weights?.saturated), drop: 4 },
  { head: "clipped %", align: "right", cell: ({ activations }) => share(activations.saturated), drop: 3 },
  { head: "w dB", align: "right", cell: ({ weights }) => decibelText(weights?.sqnrDb) },
  { head: "alone dB", align: "right", cell: ({ activations }) => decibelText(activations.alone?.sqnrDb) },
  { head: "dB", align: "right", cell: ({ activations }) => decibelText(activations.cumulative.sqnrDb) },
  { head: "cosine", align: "right", cell: ({ activations }) => activations.cumulative.cosine.toFixed(4), drop: 2 },
  {
    head: "spectral",
    align: "right",
    cell: ({ activations }) => activations.cumulative.spectralDistance?.toFixed(4) ?? "",
    drop: 7,
  },
  { head: "KL", align: "right", cell: ({ activations }) => activations.cumulative.klDivergence.toFixed(3), drop: 1 },
];

const KIND_TEXT: Readonly<Record<ChannelKind, string>> = {
  weights: "weights",
  alone: "activations, the layer alone",
  cumulative: "activations, from input to here",
};

function worstLines(page: Page, { worstChannels }: QuantizationReport): string[] {
  return (Object.keys(KIND_TEXT) as ChannelKind[]).flatMap((kind) => {
    const named = worstChannels[kind].map(({ name, sqnrDb }) => `${printable(name)} ${decibelText(sqnrDb)} dB`);
    return named.length === 0 ? [] : wrapped(page, "  ", `${KIND_TEXT[kind]}: ${named.join("; ")}`);
  });
}

function headLines(page: Page, { head }: QuantizationReport): string[] {
  if (head === null) return [];
  const { classScores, confidence, boxDeltas } = head;
  return [
    page.bold("Head"),
    `  class scores ${decibelText(classScores)} dB, confidences ${decibelText(confidence)} dB, box deltas ${decibelText(boxDeltas)} dB`,
  ];
}

/** The whole report, at most `width` columns; ends in a newline. */
export function quantizationText(report: QuantizationReport, options: PageOptions): string {
  const page = createPage(options);
  const { network, pictures, layers } = report;
  const settings = Object.entries(network.options).map(([key, value]) => `${key} ${value}`);
  const notes =
    "f: exponents (value = integer * 2^-f) of activations, weights (over channels) and accumulators. Clipped: share of exact values out of 8 bits' reach. " +
    "dB: signal to quantization noise of weights, of the layer alone on exact inputs, and of the integer network from its input to here; cosine, spectral distance and KL divergence (nats) are of the latter.";
  return `${[
    [
      `${page.bold(printable(network.name))}: ${count(layers.length - 1, "layer")}, quantized with ${settings.map(printable).join(", ")}`,
      page.dim(
        `seen on ${count(pictures.count, "synthetic photograph")} of ${grouped(pictures.width)} x ${grouped(pictures.height)}, seed ${pictures.seed}`,
      ),
    ],
    network.trained
      ? []
      : [page.warn("! The weights are not trained: the network's errors say little about a trained one.")],
    [
      page.bold("From input to head"),
      ...tableLines(page, COLUMNS, layers),
      "",
      ...wrapped(page, "  ", notes).map(page.dim),
    ],
    headLines(page, report),
    [page.bold("Worst channels"), ...worstLines(page, report)],
  ]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}
