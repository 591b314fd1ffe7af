/** The measures that can choose scales, and how much each counts. */
import { listNames, RapError } from "../../isa/errors.ts";

export const MEASURES = {
  readers: "noise in the sums of the layers that read the tensor, clipping carried through their weights",
  noise: "additive-noise model: predicted noise-to-signal ratio at the network's outputs",
  sqnr: "squared error relative to the tensor's power (RMSE, SQNR)",
  cosine: "1 - cosine similarity",
  spectral: "squared spectral distance, over each channel's values in the order of pixels",
  kl: "Kullback-Leibler divergence of the histograms",
} as const;
export type Measure = keyof typeof MEASURES;
export type MeasureWeights = Readonly<Partial<Record<Measure, number>>>;

export const DEFAULT_WEIGHTS: MeasureWeights = {
  readers: 1,
  noise: 1,
  sqnr: 0.2,
  cosine: 0.2,
  spectral: 0.2,
  kl: 0.02,
};

/** As written on the command line: readers=1,kl=0.2 */
export function describeWeights(weights: MeasureWeights): string {
  return Object.entries(weights)
    .map(([measure, weight]) => `${measure}=${weight}`)
    .join(",");
}

/** The other way round. Measures left out do not count. @throws RapError naming what is wrong */
export function parseWeights(text: string): MeasureWeights {
  const weights: Partial<Record<Measure, number>> = {};
  for (const part of text.split(",")) {
    const [measure, weight, ...more] = part.split("=");
    if (!Object.hasOwn(MEASURES, measure))
      throw new RapError(`measure '${measure}' is not known; known: ${listNames(Object.keys(MEASURES))}`);
    const value = Number(weight);
    if (weight === undefined || weight.trim() === "" || more.length > 0 || !(value >= 0 && value <= 1000))
      throw new RapError(`'${part}': a measure takes a weight from 0 to 1000, as ${measure}=1`);
    weights[measure as Measure] = value;
  }
  if (!Object.values(weights).some((weight) => weight > 0))
    throw new RapError(`'${text}': at least one measure must have a weight above 0`);
  return weights;
}
