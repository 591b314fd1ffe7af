/**
 * How many values may saturate when an exponent is chosen at run time. The static exponent was chosen by the damage that
 * clipping and rounding do to the layers behind; what share of values it clips is that choice, put so that a histogram can
 * repeat it on every frame.
 */
import { clamp } from "../../isa/index.ts";
import type { QConv, QuantizedModel } from "../quantized-model.ts";
import type { Samples } from "./observe.ts";

const CLIP_LOG2_MAX = 31;

/**
 * clipLog2 of tensors that share an exponent f: with p(f) the share of values that need more bits than there are at f, the
 * rule "at most one in 2^clipLog2" chooses f while p(f) <= 2^-clipLog2 < p(f + 1). Taken is the middle of the two, of their
 * logarithms: there a frame must differ most before the choice does.
 * @param writers the convolutions that write the tensors
 */
export function clipLog2Of(
  model: Pick<QuantizedModel, "tensors">,
  samples: ReadonlyMap<string, Samples>,
  writers: readonly QConv[],
): number {
  const total = { atOwn: 0, atNext: 0, elements: 0, leastSeen: 0 };
  for (const { output, slope } of writers) {
    const { height, width, channels, exponent, format } = model.tensors.find(({ name }) => name === output)!;
    const elements = height * width * channels;
    const { values } = samples.get(output)!;
    const negative = slope === null ? 1 : 1 / (2 ** -slope.a + (slope.b === 0 ? 0 : 2 ** -slope.b));
    const limit = 2 ** ((format === "u8" ? 8 : 7) - exponent);
    let [own, next] = [0, 0];
    for (const value of values) {
      // the range unit sees values before LeakyReLU
      const magnitude = value < 0 ? -value * negative : value;
      if (magnitude >= limit) own++;
      if (magnitude >= limit / 2) next++;
    }
    total.atOwn += (own / values.length) * elements;
    total.atNext += (next / values.length) * elements;
    total.leastSeen += elements / values.length;
    total.elements += elements;
  }
  // where no value was clipped, the true share lies below what the samples could show
  const bits = (clipped: number) => Math.log2(total.elements / Math.max(clipped, total.leastSeen / 2));
  return clamp(Math.round((bits(total.atOwn) + bits(total.atNext)) / 2), 1, CLIP_LOG2_MAX);
}
