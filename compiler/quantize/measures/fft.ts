/** A small Fourier transform: radix 2, in place (Cooley and Tukey 1965). */

/** cos and sin of pi k / half, k = 0..half - 1, by half; spectra of one length are taken by the thousand. */
const turns = new Map<number, readonly [cos: Float64Array, sin: Float64Array]>();

function turnsOf(half: number): readonly [cos: Float64Array, sin: Float64Array] {
  const known = turns.get(half);
  if (known !== undefined) return known;
  const angles = Float64Array.from({ length: half }, (_, k) => (Math.PI * k) / half);
  const made = [angles.map(Math.cos), angles.map(Math.sin)] as const;
  turns.set(half, made);
  return made;
}

/** Magnitudes of the discrete Fourier transform of a signal padded with zeros to N = 2^n values: all N bins. */
export function magnitudeSpectrum(signal: Float32Array): Float64Array {
  const bits = Math.ceil(Math.log2(Math.max(1, signal.length)));
  const size = 2 ** bits;
  const real = new Float64Array(size);
  const imaginary = new Float64Array(size);
  for (let i = 0; i < signal.length; i++) real[reverse(i, bits)] = signal[i];
  for (let half = 1; half < size; half *= 2) {
    const [cosines, sines] = turnsOf(half);
    for (let k = 0; k < half; k++) {
      const cos = cosines[k];
      const sin = -sines[k];
      for (let i = k; i < size; i += 2 * half) {
        const j = i + half;
        const re = real[j] * cos - imaginary[j] * sin;
        const im = real[j] * sin + imaginary[j] * cos;
        real[j] = real[i] - re;
        imaginary[j] = imaginary[i] - im;
        real[i] += re;
        imaginary[i] += im;
      }
    }
  }
  for (let i = 0; i < size; i++) real[i] = Math.sqrt(real[i] * real[i] + imaginary[i] * imaginary[i]);
  return real;
}

/** The lowest `bits` bits of i in reverse order. */
function reverse(i: number, bits: number): number {
  let out = 0;
  for (let bit = 0; bit < bits; bit++) out |= ((i >> bit) & 1) << (bits - 1 - bit);
  return out;
}
