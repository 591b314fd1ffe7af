/** What rescaling costs, tensor by tensor. */

import { TYPE_MAX, TYPE_MIN } from "./constants.ts";
import type { ActivationScale } from "./linear.ts";
import type { TensorScale } from "./plan.ts";

/** One tensor whose numbers are not the file's any more. */
export interface Rescaled {
  readonly what: "activations" | "weights" | "biases" | "slope";
  /** layer or tensor */
  readonly name: string;
  /** Signal to quantization noise: of the constants; of all integers of an activation's type, each as often. */
  readonly sqnrDb: number;
}

export class Report {
  constructor(private readonly emit: (rescaled: Rescaled) => void) {}

  /** Constants, and what stands for each of them now. */
  values(
    what: Rescaled["what"],
    name: string,
    before: ArrayLike<number>,
    after: (value: number, i: number) => number,
  ): void {
    let signal = 0;
    let noise = 0;
    for (let i = 0; i < before.length; i++) {
      signal += before[i] ** 2;
      noise += (after(before[i], i) - before[i]) ** 2;
    }
    if (noise > 0) this.emit({ what, name, sqnrDb: 10 * Math.log10(signal / noise) });
  }

  /** An activation whose scale has moved. */
  activation(name: string, { written }: ActivationScale, now: TensorScale): void {
    const { scales, zeroPoints, type } = written;
    const [least, most] = [TYPE_MIN[type ?? "int8"], TYPE_MAX[type ?? "int8"]];
    const [low, high] = now.format === "u8" ? [0, 255] : [-128, 127];
    const levels = most - least + 1;
    const channelOf = (i: number) => Math.floor(i / levels);
    const before = Float64Array.from({ length: levels * scales.length }, (_, i) => {
      return (least + (i % levels) - zeroPoints[channelOf(i)]) * scales[channelOf(i)];
    });
    this.values("activations", name, before, (value, i) => {
      const scale = 2 ** (now.exponents[channelOf(i)] ?? now.exponents[0]);
      return Math.min(Math.max(Math.floor(value * scale + 0.5), low), high) / scale;
    });
  }
}
