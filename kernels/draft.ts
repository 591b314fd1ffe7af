/**
 * Instructions in the making: tile views name buffers instead of addresses and registers, and semaphores are not there
 * yet. The compiler allocates, orders and finishes them.
 */
import { type Axis, FORMAT_BYTES, type Format, type Instruction } from "../isa/index.ts";

/** A piece of SRAM at the same address in every agent. The allocator sets `address`. */
export interface Buffer {
  readonly name: string;
  readonly bytes: number;
  address: number;
}

/** A window of a tensor held densely in a buffer, from `offset` bytes on. */
export interface TileView {
  readonly tensor: number;
  readonly y: Axis;
  readonly x: Axis;
  readonly c: Axis;
  readonly buffer: Buffer;
  readonly rowPitch: number;
  readonly pixelPitch: number;
}

export interface Draft {
  readonly instruction: Instruction;
  /** Views by the instruction's field name. */
  readonly views: Readonly<Record<string, TileView>>;
  readonly layer: number;
  readonly tile: number;
}

/** The agents' grid of a group of instructions. */
export interface Grid {
  readonly gridY: number;
  readonly gridX: number;
}

export function axis(base: number, extent: number, stepA = 0, stepB = 0): Axis {
  return { base, extent, stepA, stepB };
}

/** The same axis moved and resized. */
export function within(outer: Axis, start: number, extent: number): Axis {
  return { ...outer, base: outer.base + start, extent };
}

/** Input rows (or columns) that output rows `out` of a sliding window read. */
export function windowAxis(out: Axis, kernel: number, stride: number, pad: number, dilation = 1): Axis {
  return {
    base: out.base * stride - pad,
    stepA: out.stepA * stride,
    stepB: out.stepB * stride,
    extent: (out.extent - 1) * stride + (kernel - 1) * dilation + 1,
  };
}

/** A dense window in a buffer. */
export function tileView(tensor: number, format: Format, y: Axis, x: Axis, c: Axis, buffer: Buffer): TileView {
  const pixelPitch = c.extent * FORMAT_BYTES[format];
  return { tensor, y, x, c, buffer, pixelPitch, rowPitch: pixelPitch * x.extent };
}
