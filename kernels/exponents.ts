/** Run-time exponents: what the scalar processors do, alike in all agents. */
import { type InstructionOf, instruction } from "../isa/index.ts";
import type { Draft } from "./draft.ts";
import type { Place } from "./tiles.ts";

/** Distances are kept within low..high, both ends included. */
interface Limits {
  readonly low: number;
  readonly high: number;
}

const draft = ({ grid, layer, tile }: Place, instruction: Draft["instruction"]): Draft => ({
  instruction: { ...instruction, ...grid } as Draft["instruction"],
  views: {},
  layer,
  tile,
});

const scalar = (place: Place, fields: Partial<Omit<InstructionOf<"scalar">, "op">>): Draft =>
  draft(place, instruction("scalar", fields));

/** A register set to a constant. */
export function setRegister(place: Place, dst: number, value: number): Draft {
  return scalar(place, { dst, immediate: value });
}

/** Limits a register without another one: register 0 is 0, so values are moved until the limit lies there. */
function limit(place: Place, register: number, { low, high }: Limits): Draft[] {
  const own = { dst: register, a: register };
  return [
    scalar(place, { ...own, operation: "add", immediate: -high }),
    scalar(place, { ...own, operation: "minimum", immediate: high - low }),
    scalar(place, { ...own, operation: "maximum", immediate: low }),
  ];
}

export interface MeasuredExponent extends Limits {
  readonly register: number;
  readonly histogram: number;
  /** Magnitude bits of the format. */
  readonly bits: number;
  readonly clipLog2: number;
}

/** The exponent that a histogram over all agents asks for; the histogram is empty afterwards. */
export function measuredExponent(
  place: Place,
  { register, histogram, bits, clipLog2, ...limits }: MeasuredExponent,
): Draft[] {
  return [
    draft(place, instruction("reduce", { histogram })),
    draft(place, instruction("exponent", { dst: register, histogram, bits, clipLog2 })),
    ...limit(place, register, limits),
  ];
}

export interface FollowedExponent extends Limits {
  readonly register: number;
  /** Registers of the addition's operands. */
  readonly a: number;
  readonly b: number;
}

/** A sum moves as far as the operand that moved furthest to the coarser side. */
export function followedExponent(place: Place, { register, a, b, ...limits }: FollowedExponent): Draft[] {
  return [scalar(place, { dst: register, a, b, operation: "minimum" }), ...limit(place, register, limits)];
}
