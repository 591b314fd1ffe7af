/**
 * The quantizer's inner loops in WebAssembly SIMD (./wasm): doubles, two to a vector, every sum in the order plain loops
 * would take. They work on one memory that each caller fills anew.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { RapError } from "../../isa/index.ts";

/** All pointers are byte addresses in `memory`, from FLOAT_KERNEL_DATA on. Counts of columns are multiples of 4. */
export interface FloatKernels {
  readonly memory: WebAssembly.Memory;

  /**
   * Convolution of h rows of w pixels: out [h][w][4 * blocks] f32, `outPixelBytes` from pixel to pixel.
   * Output (y, x) meets the f64 runs of `segmentLength` at input + y * rowBytes + x * pixelBytes + each of `segments` (u32, bytes).
   * weights [block][segment][segmentLength][4] f64; bias [block][4] f64. Below zero times slope, then bounds.
   */
  conv(
    input: number,
    rowBytes: number,
    pixelBytes: number,
    segments: number,
    segmentCount: number,
    segmentLength: number,
    weights: number,
    bias: number,
    blocks: number,
    out: number,
    outPixelBytes: number,
    h: number,
    w: number,
    slope: number,
    low: number,
    high: number,
  ): void;

  /** sums [columns][columns] f32 += x^T x of x [places][columns] f64; on and right of the diagonal, what is left of it is undefined. */
  addProducts(x: number, places: number, columns: number, sums: number): void;

  /** slope [columns] f64 = (matrix [columns][columns] f32 + damping on its diagonal) times errors [columns] f64. */
  slopes(slope: number, matrix: number, columns: number, errors: number, damping: number): void;

  /** slope [columns] f64 += by * row [columns] f32. */
  addRow(slope: number, row: number, columns: number, by: number): void;
}

/** Address of callers' first byte. */
export const FLOAT_KERNEL_DATA = 1024;

const PAGE_BYTES = 65536;

/** Beside the compiled loader, or where the build writes it when the sources themselves run. */
const PLACES = ["./kernels.wasm", "../../dist/compiler/float/kernels.wasm"];

let kernels: FloatKernels | undefined;

/** The kernels, their memory of at least so many bytes behind FLOAT_KERNEL_DATA. What an earlier caller left there may be lost, and its views be detached. */
export function floatKernels(bytes: number): FloatKernels {
  kernels ??= load();
  const missing = FLOAT_KERNEL_DATA + bytes - kernels.memory.buffer.byteLength;
  if (missing > 0) {
    try {
      kernels.memory.grow(Math.ceil(missing / PAGE_BYTES));
    } catch (cause) {
      throw new RapError(`float network: this computer does not grant ${bytes} bytes`, { cause });
    }
  }
  return kernels;
}

function load(): FloatKernels {
  const paths = PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  const path = paths.find((candidate) => existsSync(candidate));
  if (path === undefined)
    throw new RapError(`float/kernels.wasm: not found at ${paths.join(" or ")}; build it with \`npm run build\``);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(path)), {});
  // The exports are this interface's members.
  return instance.exports as unknown as FloatKernels;
}
