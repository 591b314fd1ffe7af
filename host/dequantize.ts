/** An output tensor's integers become real numbers. */
import { type NetworkOutput, RapError } from "../isa/index.ts";

/** real = integer * 2^-exponents[channel]; one exponent serves all channels. [H, W, C] -> [H, W, C]. @throws RapError */
export function dequantize(output: NetworkOutput, integers: Int8Array | Uint8Array | Int32Array): Float32Array {
  const { channels, exponents, height, width, tensor } = output;
  if (integers.length !== height * width * channels) {
    throw new RapError(
      `output ${tensor}: ${integers.length} integers; its shape ${height} x ${width} x ${channels} takes ` +
        `${height * width * channels}. Give the whole tensor`,
    );
  }
  if (exponents.length !== 1 && exponents.length !== channels) {
    throw new RapError(
      `output ${tensor}: ${exponents.length} exponents; ${channels} channels take 1 or ${channels}. Mend the output's description`,
    );
  }
  const factors = Float64Array.from({ length: channels }, (_, c) => 2 ** -exponents[exponents.length === 1 ? 0 : c]);
  const real = new Float32Array(integers.length);
  for (let i = 0, c = 0; i < integers.length; i++) {
    real[i] = integers[i] * factors[c];
    if (++c === channels) c = 0;
  }
  return real;
}
