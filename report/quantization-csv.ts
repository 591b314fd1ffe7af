/** A quantization report as CSV: one row per layer, without histograms. */
import { recordsCsv } from "./csv.ts";
import type { LayerError, QuantizationReport } from "./quantization-report.ts";

const NO_RANGE = { min: null, max: null };

/** All columns are there for every layer, so that rows of different operators line up. */
function errorCells(error: LayerError | null) {
  return {
    sqnrDb: error?.sqnrDb ?? null,
    cosine: error?.cosine ?? null,
    spectralDistance: error?.spectralDistance ?? null,
    klDivergence: error?.klDivergence ?? null,
    worstChannels: (error?.worstChannels ?? []).map(
      ({ channel, sqnrDb }) => `${channel}:${sqnrDb?.toFixed(2) ?? "exact"}`,
    ),
  };
}

export function quantizationCsv({ layers }: QuantizationReport): string {
  return recordsCsv(
    layers.map(
      ({ name, op, shape: [height, width, channels], format, exponents, shift, biasShift, weights, activations }) => ({
        name,
        op,
        height,
        width,
        channels,
        format,
        exponents: {
          activation: exponents.activation,
          weights: exponents.weights ?? NO_RANGE,
          accumulator: exponents.accumulator ?? NO_RANGE,
        },
        shift: shift ?? NO_RANGE,
        biasShift: biasShift ?? NO_RANGE,
        weights: { count: weights?.count ?? 0, saturated: weights?.saturated ?? null, ...errorCells(weights) },
        activations: {
          count: activations.count,
          saturated: activations.saturated,
          alone: errorCells(activations.alone),
          cumulative: errorCells(activations.cumulative),
        },
      }),
    ),
  );
}
