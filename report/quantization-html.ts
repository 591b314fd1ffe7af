/**
 * A quantization report as one page: nothing is fetched and no script runs, so it can be mailed, archived and opened
 * anywhere. Names come from files: every one of them is escaped.
 */
import { escaped } from "./markup.ts";
import { grouped, significant } from "./numbers.ts";
import { histogramSvg, networkSvg, SERIES } from "./quantization-charts.ts";
import {
  type Decibels,
  decibelText,
  type LayerError,
  type LayerReport,
  type QuantizationReport,
  rangeText,
  type WorstChannel,
} from "./quantization-report.ts";
import { QUANTIZATION_STYLE } from "./quantization-style.ts";

const name = (text: string) => `<bdi>${escaped(text)}</bdi>`;
const key = (color: string, text: string) => `<span class="key" style="background:${color}"></span> ${text}`;
const db = (value: Decibels) => (value === null ? "no error" : `${decibelText(value)} dB`);
const share = (fraction: number) => (fraction === 0 ? "0 %" : `${significant(100 * fraction, 2)} %`);

function tiles({ layers, head, pictures }: QuantizationReport): string {
  const last = layers[layers.length - 1].activations;
  const facts: [label: string, value: string][] = [
    ["layers", grouped(layers.length - 1)],
    ["weights", grouped(layers.reduce((sum, { weights }) => sum + (weights?.count ?? 0), 0))],
    ...(head === null
      ? ([["last layer", db(last.cumulative.sqnrDb)]] as [string, string][])
      : ([
          ["class scores", db(head.classScores)],
          ["confidences", db(head.confidence)],
          ["box deltas", db(head.boxDeltas)],
        ] as [string, string][])),
    [`${pictures.count} synthetic photographs`, `${pictures.width} x ${pictures.height}`],
  ];
  return `<div class="tiles">${facts.map(([label, value]) => `<div class="tile"><b>${value}</b>${label}</div>`).join("")}</div>`;
}

const COLUMNS: readonly (readonly [heading: string, cell: (layer: LayerReport, i: number) => string])[] = [
  ["layer", (layer, i) => `<a href="#layer-${i}" title="${escaped(layer.name)}">${name(layer.name)}</a>`],
  ["input to here, dB", ({ activations }) => decibelText(activations.cumulative.sqnrDb)],
  ["alone, dB", ({ activations }) => decibelText(activations.alone?.sqnrDb)],
  ["weights, dB", ({ weights }) => decibelText(weights?.sqnrDb)],
  ["worst channel", ({ activations }) => channelText(activations.cumulative)],
  ["clipped", ({ activations }) => share(activations.saturated)],
  ["clipped weights", ({ weights }) => (weights === null ? "" : share(weights.saturated))],
  ["f", ({ exponents }) => rangeText(exponents.activation)],
  ["f of weights", ({ exponents }) => rangeText(exponents.weights)],
  ["f of sums", ({ exponents }) => rangeText(exponents.accumulator)],
  ["shift", ({ shift }) => rangeText(shift)],
  ["bias shift", ({ biasShift }) => rangeText(biasShift)],
  ["cosine", ({ activations }) => activations.cumulative.cosine.toFixed(5)],
  ["spectral", ({ activations }) => activations.cumulative.spectralDistance?.toFixed(4) ?? ""],
  ["KL", ({ activations }) => activations.cumulative.klDivergence.toFixed(4)],
  ["op", ({ op }) => escaped(op)],
  ["format", ({ format }) => escaped(format)],
];

function channelText({ worstChannels: [worst] }: LayerError): string {
  return worst === undefined ? "" : `${worst.channel}: ${decibelText(worst.sqnrDb)}`;
}

function row(layer: LayerReport, i: number): string {
  return `<tr>${COLUMNS.map(([, cell]) => `<td>${cell(layer, i)}</td>`).join("")}</tr>`;
}

function measures(what: string, error: LayerError | null): string {
  if (error === null) return "";
  const { sqnrDb, cosine, spectralDistance, klDivergence, worstChannels } = error;
  const worst = worstChannels.map(({ channel, sqnrDb: of }) => `${channel} (${decibelText(of)})`).join(", ");
  return `<p class="dim"><b>${what}</b> ${db(sqnrDb)}, cosine ${cosine.toFixed(5)}, spectral ${spectralDistance?.toFixed(4) ?? "-"}, KL ${klDivergence.toFixed(4)}${worst === "" ? "" : `; worst channels ${worst}`}</p>`;
}

function card(layer: LayerReport, i: number): string {
  const { shape, format, weights, activations } = layer;
  const figure = (svg: string, caption: string) => `<figure>${svg}<figcaption>${caption}</figcaption></figure>`;
  const unit =
    activations.histogram.axis === "integer" ? `${escaped(format)} integers` : "real values of the accumulators";
  return [
    `<section class="layer" id="layer-${i}"><h3>${name(layer.name)}</h3>`,
    `<p class="dim">${escaped(layer.op)}, ${shape.join(" x ")}, ${escaped(format)}, exponent ${rangeText(layer.exponents.activation)}</p>`,
    '<div class="pair">',
    weights === null
      ? ""
      : figure(
          histogramSvg(weights.histogram, "weights"),
          `${grouped(weights.count)} weights, as int8 integers; clipped ${share(weights.saturated)}`,
        ),
    figure(
      histogramSvg(activations.histogram, "activations"),
      `${grouped(activations.count)} activations, as ${unit}; clipped ${share(activations.saturated)}`,
    ),
    "</div>",
    measures("weights", weights),
    measures("alone", activations.alone),
    measures("input to here", activations.cumulative),
    "</section>",
  ].join("");
}

function worstList(title: string, channels: readonly WorstChannel[]): string {
  if (channels.length === 0) return "";
  const items = channels.map((channel) => `<li>${name(channel.name)}: ${db(channel.sqnrDb)}</li>`);
  return `<section><h3>${title}</h3><ol>${items.join("")}</ol></section>`;
}

/** The whole page. */
export function quantizationHtml(report: QuantizationReport): string {
  const { network, pictures, layers, worstChannels } = report;
  const options = Object.entries(network.options).map(
    ([option, value]) => `${escaped(option)} ${escaped(String(value))}`,
  );
  const legend = SERIES.map(({ name: of, color }) => key(color, of)).join(" &nbsp; ");
  return `${[
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>Quantization of ${escaped(network.name)}</title>`,
    `<style>${QUANTIZATION_STYLE}</style></head><body>`,
    `<h1>Quantization of ${name(network.name)}</h1>`,
    `<p class="dim">from ${name(network.source)} (SHA-256 ${escaped(network.sourceSha256.slice(0, 12))}); ${options.join(", ")}; rapsim ${escaped(report.rapsim)}</p>`,
    network.trained
      ? ""
      : '<p class="warn">The weights are not trained: the network\'s errors say little about a trained one.</p>',
    tiles(report),
    "<h2>Signal to noise from input to head, dB</h2>",
    `<p>${legend}</p>`,
    `<div class="scroll network">${networkSvg(layers)}</div>`,
    '<p class="dim">Signal to quantization noise against the float network: of the weights; of each layer alone, with exact inputs; and of the integer network from its input to the layer. ',
    `Seen on ${pictures.count} synthetic photographs (seed ${pictures.seed}).</p>`,
    "<h2>Layers</h2>",
    `<div class="scroll"><table><thead><tr>${COLUMNS.map(([heading]) => `<th>${heading}</th>`).join("")}</tr></thead><tbody>`,
    ...layers.map(row),
    "</tbody></table></div>",
    '<p class="dim">A value is integer x 2<sup>-f</sup>; ranges are over output channels. Cosine, spectral distance, KL divergence (nats) and the worst channel are of the integer network from its input to the layer.</p>',
    "<h2>Worst channels</h2>",
    '<div class="layers">',
    worstList("Weights", worstChannels.weights),
    worstList("Activations, the layer alone", worstChannels.alone),
    worstList("Activations, from input to here", worstChannels.cumulative),
    "</div>",
    "<h2>Histograms</h2>",
    `<p>${key("var(--before)", "before quantization")} &nbsp; ${key("var(--after)", "after, in the integer network")}. <span class="dim">Heights are logarithms of counts; what is clipped lies beyond the ends and is counted below each picture.</span></p>`,
    '<div class="layers">',
    ...layers.map(card),
    "</div></body></html>",
  ].join("\n")}\n`;
}
