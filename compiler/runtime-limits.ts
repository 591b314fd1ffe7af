/**
 * How far run-time exponents may move: every shift must stay in the machine's range, and no accumulator may overflow,
 * whatever exponents are chosen. Used to set the limits, and to check those of a file.
 */
import { ADD_SHIFT_MAX, clamp, roundShift, SHIFT_MAX, SHIFT_MIN } from "../isa/index.ts";
import type { QAdd, QConv, QTensor } from "./quantized-model.ts";

/** Distances from the static exponent that a tensor may take, both ends included. */
export interface Limits {
  readonly low: number;
  readonly high: number;
}

/** A constant exponent. */
export const FIXED: Limits = { low: 0, high: 0 };

/** A rule that run-time exponents could break, and the limits that drawing in could keep it. */
export interface LimitFault {
  readonly rule: string;
  readonly inputEnds: readonly (keyof Limits)[];
  readonly outputEnd: keyof Limits | null;
}

/** Overflowing: inputs too fine, which aligns biases further to the left, or output too coarse, which rounds more. */
const up = (rule: string): LimitFault => ({ rule, inputEnds: ["high"], outputEnd: "low" });
/** Shifted too far left. */
const down = (rule: string): LimitFault => ({ rule, inputEnds: ["low"], outputEnd: "high" });

/** @param to null: int32, which is not shifted */
export function convFault(conv: QConv, input: QTensor, from: Limits, to: Limits | null): LimitFault | null {
  const channels = conv.bias.length;
  const perChannel = conv.weights.length / channels;
  const magnitude = input.format === "u8" ? 255 : 128;
  for (let k = 0; k < channels; k++) {
    const place = `output channel ${k}`;
    const most = to === null ? 0 : conv.shift[k] + from.high - to.low;
    const least = to === null ? 0 : conv.shift[k] + from.low - to.high;
    if (least < SHIFT_MIN) return down(`${place} is shifted by ${least}; at least ${SHIFT_MIN} is possible`);
    let sum = 0;
    for (let i = k * perChannel; i < (k + 1) * perChannel; i++) sum += Math.abs(conv.weights[i]);
    const bias = Math.abs(roundShift(conv.bias[k], -(conv.biasShift[k] + from.high)));
    // a longer shift is limited to 31; either way nothing is left of a sum below 2^30, which the bound then demands
    const rounding = Math.min(Math.max(most, conv.slope?.a ?? 0, conv.slope?.b ?? 0), SHIFT_MAX);
    const bound = sum * magnitude + bias + (rounding > 0 ? 2 ** (rounding - 1) : 0);
    if (bound >= 2 ** 31) return up(`${place} can reach ${bound} and overflow its accumulator`);
  }
  return null;
}

export interface AddOperand {
  readonly exponent: number;
  readonly limits: Limits;
}

export function addFault({ name }: QAdd, a: AddOperand, b: AddOperand, out: AddOperand): LimitFault | null {
  const apart = Math.max(
    a.exponent + a.limits.high - b.exponent - b.limits.low,
    b.exponent + b.limits.high - a.exponent - a.limits.low,
  );
  if (apart > ADD_SHIFT_MAX) {
    const rule = `${name}: operands can be ${apart} bits apart; at most ${ADD_SHIFT_MAX} is possible`;
    return { rule, inputEnds: ["low", "high"], outputEnd: null };
  }
  let least = Infinity;
  for (let dA = a.limits.low; dA <= a.limits.high; dA++) {
    for (let dB = b.limits.low; dB <= b.limits.high; dB++) {
      const followed = clamp(Math.min(dA, dB), out.limits.low, out.limits.high);
      least = Math.min(least, Math.max(a.exponent + dA, b.exponent + dB) - out.exponent - followed);
    }
  }
  if (least >= SHIFT_MIN) return null;
  const rule = `${name}: shifted by ${least}; at least ${SHIFT_MIN} is possible`;
  return { rule, inputEnds: ["low"], outputEnd: null };
}
