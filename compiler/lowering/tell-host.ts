/**
 * An exponent for the host: agent 0 stores 2^(16 + distance) as a tensor of one int32. The shift unit makes it from a bias
 * of 1, aligned as every bias is by the exponent's register.
 */
import { type NetworkOutput, packShiftTable, RUNTIME_SCALE_BITS } from "../../isa/index.ts";
import { axis, type Draft, loadTile, type Place, shiftTile, storeTile, tileView } from "../../kernels/index.ts";
import type { Pool } from "./buffers.ts";
import type { TensorTable } from "./tensors.ts";

const POINT = { y: axis(0, 1), x: axis(0, 1), c: axis(0, 1) };
const WORD_BYTES = 4;

/** Constants that all outputs share. */
export interface HostConstants {
  readonly zero: number;
  readonly table: number;
}

export function addHostConstants(tensors: TensorTable): HostConstants {
  const entry = { bias: 1, biasShift: RUNTIME_SCALE_BITS, shift: 0 };
  return {
    zero: tensors.constant("runtime scale/zero", 1, 1, 1, new Uint8Array(WORD_BYTES), "i32"),
    table: tensors.constant("runtime scale/table", 1, 1, WORD_BYTES, packShiftTable([entry])),
  };
}

/** The output as the host is to read it, and the tensor in which it finds the scale. */
export function toldOutput(output: NetworkOutput, tensors: TensorTable): { output: NetworkOutput; scale: number } {
  const runtimeScale = tensors.freeName(`${output.tensor}/runtime scale`);
  const scale = tensors.intermediate(runtimeScale, { height: 1, width: 1, channels: 1 }, "i32", "output");
  return { output: { ...output, runtimeScale }, scale };
}

export function tellHost(
  { zero, table }: HostConstants,
  scale: number,
  register: number,
  layer: number,
  buffers: Pool,
): Draft[] {
  const place: Place = { grid: { gridY: 1, gridX: 1 }, layer, tile: 0 };
  const [word, entry, result] = buffers.slots("scale", WORD_BYTES, 3);
  const src = tileView(zero, "i32", POINT.y, POINT.x, POINT.c, word);
  const entries = tileView(table, "i8", axis(0, 1), axis(0, 1), axis(0, WORD_BYTES), entry);
  const dst = tileView(scale, "i32", POINT.y, POINT.x, POINT.c, result);
  const unshifted = { tp: 0, accRow: 0, channelOffset: 0, low: 0, high: 0, slope: null, exponentOut: 0 };
  return [
    loadTile(place, src, "none"),
    loadTile(place, entries, "none"),
    shiftTile(place, { src, table: entries, dst, tensor: scale, ...POINT, ...unshifted, exponentIn: register }),
    storeTile(place, dst),
  ];
}
