/** An output tensor's integers become real numbers. */
import { type NetworkOutput, RapError, RUNTIME_SCALE_BITS } from "../isa/index.ts";

type Integers = Int8Array | Uint8Array | Int32Array;

/** An output of a frame as real numbers, from the tensors that the frame left. [H, W, C]. @throws RapError */
export function realOutput(output: NetworkOutput, tensors: ReadonlyMap<string, Integers>): Float32Array {
  const find = (name: string) =>
    tensors.get(name) ?? refuse(`output ${output.tensor}: tensor '${name}' is missing. Give all outputs of the frame`);
  return dequantize(atFrame(output, find), find(output.tensor));
}

/** An output's exponents in a frame, from the tensors that the frame left. One serves all channels. @throws RapError */
export function frameExponents(output: NetworkOutput, tensors: ReadonlyMap<string, Integers>): readonly number[] {
  return atFrame(output, (name) => tensors.get(name) ?? refuse(`output ${output.tensor}: tensor '${name}' is missing`))
    .exponents;
}

/** The output with the exponents it has in this frame. */
function atFrame(output: NetworkOutput, find: (name: string) => Integers): NetworkOutput {
  if (output.runtimeScale === undefined) return output;
  const distance = Math.log2(find(output.runtimeScale)[0]) - RUNTIME_SCALE_BITS;
  if (!Number.isInteger(distance))
    refuse(`output ${output.tensor}: run-time scale ${find(output.runtimeScale)[0]} is not a power of two`);
  return { ...output, exponents: output.exponents.map((exponent) => exponent + distance) };
}

function refuse(message: string): never {
  throw new RapError(message);
}

/** real = integer * 2^-exponents[channel]; one exponent serves all channels. [H, W, C] -> [H, W, C]. @throws RapError */
export function dequantize(output: NetworkOutput, integers: Integers): Float32Array {
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
