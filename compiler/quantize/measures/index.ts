/** Measures of quantization error: the reference's values against the same values quantized and made real again. */
export { klDivergence } from "./histogram.ts";
export {
  channelPowers,
  type InjectedNoise,
  outputGains,
  passedShare,
  propagateNoise,
  weightNoise,
} from "./noise.ts";
export { cosineSimilarity, decibels, rmse, sqnrDb } from "./similarity.ts";
export { channelRows, distanceOfSpectra, spectra, spectralDistance } from "./spectral.ts";
