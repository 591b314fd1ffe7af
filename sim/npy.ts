/** NumPy's .npy format, version 1.0 (numpy.lib.format): how tensors leave the simulator. */
import { renameSync, writeFileSync } from "node:fs";

const MAGIC = [0x93, ...Buffer.from("NUMPY")];
const VERSION = [1, 0];
/** Array data begin at a multiple of this. */
const ALIGNMENT = 64;
const LENGTH_BYTES = 2;

type NpyArray = Int8Array | Uint8Array | Int16Array | Int32Array | Float32Array | Float64Array;

function typeOf(values: NpyArray): string {
  if (values instanceof Int8Array) return "|i1";
  if (values instanceof Uint8Array) return "|u1";
  if (values instanceof Int16Array) return "<i2";
  if (values instanceof Int32Array) return "<i4";
  return values instanceof Float32Array ? "<f4" : "<f8";
}

/** A C-ordered array as the bytes of a .npy file. */
export function encodeNpy(values: NpyArray, shape: readonly number[]): Uint8Array {
  const size = shape.reduce((product, extent) => product * extent, 1);
  if (size !== values.length) throw new Error(`shape [${shape.join(", ")}] does not hold ${values.length} elements`);
  // a tuple of one needs its comma
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const header = `{'descr': '${typeOf(values)}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const before = MAGIC.length + VERSION.length + LENGTH_BYTES;
  const start = Math.ceil((before + header.length + 1) / ALIGNMENT) * ALIGNMENT;
  const file = Buffer.alloc(start + values.byteLength);
  file.set([...MAGIC, ...VERSION]);
  file.writeUInt16LE(start - before, MAGIC.length + VERSION.length);
  file.write(`${header.padEnd(start - before - 1)}\n`, before, "latin1");
  file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), start);
  return file;
}

/** Writes a .npy file so that a reader sees all of it or none: a temporary file beside it, then a rename. */
export function writeNpy(path: string, values: NpyArray, shape: readonly number[]): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, encodeNpy(values, shape));
  renameSync(temporary, path);
}
