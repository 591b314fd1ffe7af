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
  const order = reversed(bits);
  for (let i = 0; i < signal.length; i++) real[order[i]] = signal[i];
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

/** 0..2^bits - 1, each with its bits in reverse order, by bits. */
const orders = new Map<number, Uint32Array>();

function reversed(bits: number): Uint32Array {
  const known = orders.get(bits);
  if (known !== undefined) return known;
  const made = new Uint32Array(2 ** bits);
  // i without its lowest bit is twice a number whose place is known
  for (let i = 1; i < made.length; i++) made[i] = (made[i >> 1] >> 1) | ((i & 1) << (bits - 1));
  orders.set(bits, made);
  return made;
}
