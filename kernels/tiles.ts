/**
 * The kernel library: how one operator tile becomes instructions. A tile's boxes are in tensor coordinates with grid
 * steps; the caller has checked that buffers and accumulators are large enough.
 */
import { type Axis, type InstructionOf, instruction, type LeakySlope, type Packing } from "../isa/index.ts";
import { type Draft, type Grid, type TileView, windowAxis } from "./draft.ts";

/** What all instructions of a group share. */
export interface Place {
  readonly grid: Grid;
  readonly layer: number;
  readonly tile: number;
}

export type Multicast = InstructionOf<"load">["multicast"];

const draft = (place: Place, instruction: Draft["instruction"], views: Draft["views"]): Draft => ({
  instruction: Object.assign(instruction, place.grid),
  views,
  layer: place.layer,
  tile: place.tile,
});

/** Loads a view's whole window, or the part of it given by `box`. */
export function loadTile(
  place: Place,
  dst: TileView,
  multicast: Multicast,
  box: { y: Axis; x: Axis; c: Axis } = dst,
): Draft {
  return draft(place, instruction("load", { y: box.y, x: box.x, c: box.c, multicast }), { dst });
}

/** Stores a box of a view's window. */
export function storeTile(place: Place, src: TileView, box: { y: Axis; x: Axis; c: Axis } = src): Draft {
  return draft(place, instruction("store", { y: box.y, x: box.x, c: box.c }), { src });
}

export interface Geometry {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
}

export interface ConvTile {
  readonly src: TileView;
  readonly weights: TileView;
  /** The convolution's output tensor. */
  readonly tensor: number;
  readonly y: Axis;
  readonly x: Axis;
  readonly c: Axis;
  readonly tp: number;
  readonly accRow: number;
  readonly add: boolean;
  readonly weightRow: number;
  readonly cBegin: number;
  readonly cCount: number;
  readonly groupIn: number;
  readonly groupOut: number;
  readonly geometry: Geometry & { readonly dilation: readonly [number, number] };
  readonly packing: Packing;
}

/** One convolution tile into the accumulators; takes height x width x blocks accumulator rows from accRow on. */
export function convTile(place: Place, t: ConvTile): Draft {
  const { geometry: g } = t;
  return draft(
    place,
    instruction("conv", {
      tp: t.tp,
      tensor: t.tensor,
      y: t.y,
      x: t.x,
      c: t.c,
      accRow: t.accRow,
      add: t.add,
      weightRow: t.weightRow,
      cBegin: t.cBegin,
      cCount: t.cCount,
      groupIn: t.groupIn,
      groupOut: t.groupOut,
      kernelY: g.kernel[0],
      kernelX: g.kernel[1],
      strideY: g.stride[0],
      strideX: g.stride[1],
      dilationY: g.dilation[0],
      dilationX: g.dilation[1],
      padTop: g.pads[0],
      padLeft: g.pads[1],
      packing: t.packing,
    }),
    { src: t.src, weights: t.weights },
  );
}

/** The accumulators of a tile. */
export interface AccumulatorTile {
  readonly table: TileView;
  readonly tensor: number;
  readonly y: Axis;
  readonly x: Axis;
  readonly c: Axis;
  readonly tp: number;
  readonly accRow: number;
  /** Scalar register with the input's run-time exponent; 0: none. */
  readonly exponentIn: number;
}

export interface ShiftTile extends AccumulatorTile {
  /** An int32 tile to read instead of accumulators. */
  readonly src?: TileView;
  readonly dst: TileView;
  readonly channelOffset: number;
  readonly low: number;
  readonly high: number;
  readonly slope: LeakySlope | null;
  /** Scalar register with the output's run-time exponent; 0: none. */
  readonly exponentOut: number;
}

/** Accumulators, or an int32 tile, through the shift unit into a tile. */
export function shiftTile(place: Place, t: ShiftTile): Draft {
  return draft(
    place,
    instruction("shift", {
      source: t.src === undefined ? "accumulators" : "view",
      tp: t.tp,
      tensor: t.tensor,
      y: t.y,
      x: t.x,
      c: t.c,
      accRow: t.accRow,
      channelOffset: t.channelOffset,
      low: t.low,
      high: t.high,
      leaky: t.slope !== null,
      slopeA: t.slope?.a ?? 0,
      slopeB: t.slope?.b ?? 0,
      exponentIn: t.exponentIn,
      exponentOut: t.exponentOut,
    }),
    t.src === undefined ? { table: t.table, dst: t.dst } : { src: t.src, table: t.table, dst: t.dst },
  );
}

export interface RangeTile extends AccumulatorTile {
  /** Extents of the accumulator tile that the box is a part of. */
  readonly accHeight: number;
  readonly accWidth: number;
  readonly histogram: number;
  /** Negative values count as 0. */
  readonly relu: boolean;
}

/** Magnitudes of a part of an accumulator tile into a histogram. */
export function rangeTile(place: Place, { table, ...fields }: RangeTile): Draft {
  return draft(place, instruction("range", fields), { table });
}

export interface PoolTile {
  readonly src: TileView;
  readonly dst: TileView;
  readonly tensor: number;
  readonly y: Axis;
  readonly x: Axis;
  readonly c: Axis;
  readonly tp: number;
  readonly channelOffset: number;
  readonly mode: InstructionOf<"pool">["mode"];
  readonly geometry: Geometry;
}

export function poolTile(place: Place, t: PoolTile): Draft {
  const { kernel, stride, pads } = t.geometry;
  return draft(
    place,
    instruction("pool", {
      tp: t.tp,
      tensor: t.tensor,
      y: t.y,
      x: t.x,
      c: t.c,
      channelOffset: t.channelOffset,
      mode: t.mode,
      kernelY: kernel[0],
      kernelX: kernel[1],
      strideY: stride[0],
      strideX: stride[1],
      padTop: pads[0],
      padLeft: pads[1],
    }),
    { src: t.src, dst: t.dst },
  );
}

export interface AddTile {
  readonly a: TileView;
  readonly b: TileView;
  readonly dst: TileView;
  readonly tensor: number;
  readonly y: Axis;
  readonly x: Axis;
  readonly c: Axis;
  readonly tp: number;
  readonly channelOffset: number;
  readonly exponentA: number;
  readonly exponentB: number;
  readonly exponentOut: number;
  /** Scalar registers added to the exponents; 0: none. */
  readonly registerA: number;
  readonly registerB: number;
  readonly registerOut: number;
  readonly low: number;
  readonly high: number;
}

export function addTile(place: Place, { a, b, dst, ...fields }: AddTile): Draft {
  return draft(place, instruction("add", fields), { a, b, dst });
}

/** A box of a tile moved to another view, channels by `channelOffset`; with an offset, into a neighbouring agent's SRAM. */
export function copyTile(
  place: Place,
  src: TileView,
  dst: TileView,
  channelOffset: number,
  box: { y: Axis; x: Axis; c: Axis } = src,
  to: { offsetY: number; offsetX: number } = { offsetY: 0, offsetX: 0 },
): Draft {
  return draft(place, instruction("copy", { y: box.y, x: box.x, c: box.c, channelOffset, ...to }), { src, dst });
}

/** Rows and columns of input that an output tile reads. */
export function inputAxes(
  y: Axis,
  x: Axis,
  geometry: Geometry & { readonly dilation?: readonly [number, number] },
): { y: Axis; x: Axis } {
  const { kernel, stride, pads, dilation = [1, 1] } = geometry;
  return {
    y: windowAxis(y, kernel[0], stride[0], pads[0], dilation[0]),
    x: windowAxis(x, kernel[1], stride[1], pads[1], dilation[1]),
  };
}
