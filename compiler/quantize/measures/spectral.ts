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
  let [power, difference] = [0, 0];
  for (let at = 0; at < reference.length; at += length) {
    const r = magnitudeSpectrum(reference.subarray(at, at + length));
    const a = magnitudeSpectrum(actual.subarray(at, at + length));
    for (let i = 0; i < r.length; i++) {
      power += r[i] * r[i];
      difference += (r[i] - a[i]) ** 2;
    }
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
