/**
 * Which part of an accumulator tile is measured. Under a pooling, tiles of a convolution overlap and the overlap is
 * computed more than once; each element must count once, whatever the tiles are.
 */
import type { Axis } from "../../isa/index.ts";
import { type Geometry, within } from "../../kernels/index.ts";

/** One axis of a tile: where it lies, and how the tiles of all agents follow one another. */
export interface TileAxis {
  readonly axis: Axis;
  /** of the tensor along this axis */
  readonly extent: number;
  /** field of the axis that steps from one agent's tile to the next; null: all agents are at the same place */
  readonly step: "stepA" | "stepB" | null;
  /** no tile lies before this one */
  readonly isFirst: boolean;
  /** elements that a tile shares with the one before it */
  readonly overlap: number;
}

/** Elements that neighbouring tiles share because windows overlap, [rows, columns]. */
export function overlapOf(pool: Geometry | null): [number, number] {
  return pool === null ? [0, 0] : [pool.kernel[0] - pool.stride[0], pool.kernel[1] - pool.stride[1]];
}

/** Part of a tile, `start` elements into it. */
export interface Part {
  readonly start: number;
  readonly axis: Axis;
}

/**
 * The parts of elements first.. + count of a tile that no earlier tile holds: what lies behind the overlap with the tile
 * before; in the first tile, which has none before it, also the rest.
 */
export function ownParts(tile: TileAxis, first: number, count: number): Part[] {
  const { axis, overlap, isFirst } = tile;
  const parts: Part[] = [];
  const split = Math.min(Math.max(overlap, first), first + count);
  if (isFirst && split > first)
    parts.push({ start: first, axis: firstAgentOnly(tile, within(axis, first, split - first)) });
  if (split < first + count) parts.push({ start: split, axis: within(axis, split, first + count - split) });
  return parts;
}

/** The same part, but only where the axis begins: with a step as long as the tensor, other agents' parts lie behind it. */
function firstAgentOnly({ extent, step, axis }: TileAxis, part: Axis): Axis {
  return step === null ? part : { ...part, [step]: extent - axis.base };
}
