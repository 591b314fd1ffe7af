/** Pooling, 32 or 16 channels (maximum) or 8 (average) at a time. */
import { lowBytes } from "./bytes";

export function pool(
  src: usize, srcRow: i32, srcPixel: i32, dst: usize, dstRow: i32, dstPixel: i32, h: i32, w: i32, channels: i32,
  originY: i32, originX: i32, y0: i32, y1: i32, x0: i32, x1: i32,
  kernelY: i32, kernelX: i32, strideY: i32, strideX: i32, padTop: i32, padLeft: i32, mode: i32, unsigned: i32,
): void {
  for (let y = 0; y < h; y++) {
    const top = (originY + y) * strideY - padTop;
    const fromY = max(top, y0);
    const rows = max(0, min(top + kernelY, y1) - fromY);
    for (let x = 0; x < w; x++) {
      const left = (originX + x) * strideX - padLeft;
      const fromX = max(left, x0);
      const columns = max(0, min(left + kernelX, x1) - fromX);
      const window = src + fromY * srcRow + fromX * srcPixel;
      const to = dst + y * dstRow + x * dstPixel;
      if (mode == 0) {
        if (unsigned) maxPixel<u8>(window, srcRow, srcPixel, to, channels, rows, columns, 0);
        else maxPixel<i8>(window, srcRow, srcPixel, to, channels, rows, columns, i8.MIN_VALUE);
      } else {
        const count = mode == 1 ? rows * columns : kernelY * kernelX;
        if (unsigned) averagePixel<u8>(window, srcRow, srcPixel, to, channels, rows, columns, count);
        else averagePixel<i8>(window, srcRow, srcPixel, to, channels, rows, columns, count);
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function maxPixel<T>(
  src: usize, srcRow: i32, srcPixel: i32, dst: usize, channels: i32, rows: i32, columns: i32, lowest: i8,
): void {
  let c = 0;
  for (; c + 32 <= channels; c += 32) {
    let low = i8x16.splat(lowest);
    let high = low;
    for (let r = 0; r < rows; r++) {
      let from = src + r * srcRow + c;
      for (let s = 0; s < columns; s++) {
        low = v128.max<T>(low, v128.load(from));
        high = v128.max<T>(high, v128.load(from, 16));
        from += srcPixel;
      }
    }
    v128.store(dst + c, low);
    v128.store(dst + c, high, 16);
  }
  for (; c + 16 <= channels; c += 16) {
    let best = i8x16.splat(lowest);
    for (let r = 0; r < rows; r++) {
      let from = src + r * srcRow + c;
      for (let s = 0; s < columns; s++) {
        best = v128.max<T>(best, v128.load(from));
        from += srcPixel;
      }
    }
    v128.store(dst + c, best);
  }
  for (; c < channels; c++) {
    let best = <T>lowest;
    for (let r = 0; r < rows; r++) {
      for (let s = 0; s < columns; s++) best = max<T>(best, load<T>(src + r * srcRow + s * srcPixel + c));
    }
    store<T>(dst + c, best);
  }
}

/** isa's reciprocal: round(2^shift / count), without a double. */
// @ts-ignore: decorator
@inline
function reciprocalFactor(count: i32, shift: i32): i32 {
  return <i32>(((<u64>1 << (shift + 1)) + count) / (<u64>count * 2));
}

// @ts-ignore: decorator
@inline
function averagePixel<T>(
  src: usize, srcRow: i32, srcPixel: i32, dst: usize, channels: i32, rows: i32, columns: i32, count: i32,
): void {
  // An empty window is 0, whatever the count.
  const shift = count == 0 ? 15 : 15 + 31 - <i32>clz(count);
  const factor = count == 0 ? 0 : reciprocalFactor(count, shift);
  let c = 0;
  // Exact in a double: |sum| < 2^24, factor <= 2^15, and a power of two.
  const scale = f64x2.splat(<f64>factor / <f64>(<i64>1 << shift));
  // A loop that tests at its end (see shift.ts): else V8 computes `scale` in each round.
  if (channels >= 8) do {
    let low = i32x4.splat(0);
    let high = i32x4.splat(0);
    for (let r = 0; r < rows; r++) {
      let from = src + r * srcRow + c;
      for (let s = 0; s < columns; s++) {
        const v = v128.load_ext<T>(from);
        low = i32x4.add(low, i32x4.extend_low_i16x8_s(v));
        high = i32x4.add(high, i32x4.extend_high_i16x8_s(v));
        from += srcPixel;
      }
    }
    low = scaleLanes(low, scale);
    high = scaleLanes(high, scale);
    v128.store_lane<i64>(dst + c, lowBytes(low, high), 0);
    c += 8;
  } while (c + 8 <= channels);
  for (; c < channels; c++) {
    let sum: i64 = 0;
    for (let r = 0; r < rows; r++) {
      for (let s = 0; s < columns; s++) sum += load<T>(src + r * srcRow + s * srcPixel + c);
    }
    store<u8>(dst + c, <u8>((sum * factor + (<i64>1 << (shift - 1))) >> shift));
  }
}

/** floor(sum * scale + 1/2). */
// @ts-ignore: decorator
@inline
function scaleLanes(sum: v128, scale: v128): v128 {
  const half = f64x2.splat(0.5);
  const low = f64x2.floor(f64x2.add(f64x2.mul(f64x2.convert_low_i32x4_s(sum), scale), half));
  const upper = v128.shuffle<i64>(sum, sum, 1, 0);
  const high = f64x2.floor(f64x2.add(f64x2.mul(f64x2.convert_low_i32x4_s(upper), scale), half));
  return v128.shuffle<i64>(i32x4.trunc_sat_f64x2_s_zero(low), i32x4.trunc_sat_f64x2_s_zero(high), 0, 2);
}
