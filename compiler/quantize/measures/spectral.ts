/** How alike two sets of values are in their spectra, wherever the waves lie. */
import { magnitudeSpectrum } from "./fft.ts";

/**
 * Distance of magnitude spectra, 0: equal spectra. Both sets are cut into signals of `length` values: a kernel of one output
 * channel, flattened, or a row of a feature map's channel (see `channelRows`). Each signal is padded with zeros to a power of
 * two and transformed, R = DFT(r), A = DFT(a); the result is sqrt(sum of (|R| - |A|)^2 / sum of |R|^2) over all bins of all
 * signals. A shift of the signal costs nothing, flattening, ringing and added noise do. By the triangle inequality and
 * Parseval's theorem it is at most the relative error sqrt(sum of (r - a)^2 / sum of r^2).
 * Zeros against zeros are equal (0), anything against zeros is Infinity.
 * Source: the log-free form of the spectral distance of Gray and Markel 1976, Distance measures for speech processing.
 *
 * @param length of a signal; divides the number of values
 */
export function spectralDistance(reference: Float32Array, actual: Float32Array, length: number): number {
  return distanceOfSpectra(spectra(reference, length), spectra(actual, length));
}

/** Magnitude spectra of signals of `length` values, one after the other. */
export function spectra(values: Float32Array, length: number): Float64Array {
  const parts: Float64Array[] = [];
  for (let at = 0; at < values.length; at += length) parts.push(magnitudeSpectrum(values.subarray(at, at + length)));
  const out = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => {
    out.set(part, at);
    return at + part.length;
  }, 0);
  return out;
}

/** `spectralDistance` of signals whose spectra are known. */
export function distanceOfSpectra(reference: Float64Array, actual: Float64Array): number {
  let [power, difference] = [0, 0];
  for (let i = 0; i < reference.length; i++) {
    power += reference[i] * reference[i];
    difference += (reference[i] - actual[i]) ** 2;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / power);
}

/** A feature map as rows of its channels: [height][width][channels] -> [channels][height][width]. */
export function channelRows(values: Float32Array, channels: number): Float32Array {
  const pixels = values.length / channels;
  const rows = new Float32Array(values.length);
  for (let pixel = 0; pixel < pixels; pixel++)
    for (let c = 0; c < channels; c++) rows[c * pixels + pixel] = values[pixel * channels + c];
  return rows;
}
