/** Residual addition and rescaling (isa/numerics.ts: addUnit, roundShift), eight elements at a time. */
import { lowBytes } from "./bytes";

/**
 * Rounded right shift of lanes of magnitude below 2^27 by 0..31, or left by up to 8; then clamped to low..high.
 * A left shift clamps first, to what any 8-bit format saturates, so that it stays in int32.
 */
// @ts-ignore: decorator
@inline
function rescaleLanes(v: v128, right: i32, half: v128, left: i32, low: v128, high: v128): v128 {
  if (left > 0) v = i32x4.shl(i32x4.max_s(i32x4.min_s(v, i32x4.splat(256)), i32x4.splat(-256)), left);
  else v = i32x4.shr_s(i32x4.add(v, half), right);
  return i32x4.max_s(i32x4.min_s(v, high), low);
}

// @ts-ignore: decorator
@inline
function addRun<T>(
  a: usize, b: usize, dst: usize, elements: i32, shiftA: i32, shiftB: i32, right: i32, left: i32, low: i32, high: i32,
): void {
  const half: i32 = right > 0 ? 1 << (right - 1) : 0;
  const lows = i32x4.splat(low);
  const highs = i32x4.splat(high);
  const halves = i32x4.splat(half);
  let i = 0;
  for (; i + 8 <= elements; i += 8) {
    const va = v128.load_ext<T>(a);
    const vb = v128.load_ext<T>(b);
    const first = i32x4.add(i32x4.shl(i32x4.extend_low_i16x8_s(va), shiftA), i32x4.shl(i32x4.extend_low_i16x8_s(vb), shiftB));
    const second = i32x4.add(i32x4.shl(i32x4.extend_high_i16x8_s(va), shiftA), i32x4.shl(i32x4.extend_high_i16x8_s(vb), shiftB));
    const bytes = lowBytes(
      rescaleLanes(first, right, halves, left, lows, highs),
      rescaleLanes(second, right, halves, left, lows, highs),
    );
    v128.store_lane<i64>(dst, bytes, 0);
    a += 8;
    b += 8;
    dst += 8;
  }
  for (; i < elements; i++) {
    const sum = (<i32>load<T>(a) << shiftA) + (<i32>load<T>(b) << shiftB);
    store<u8>(dst, rescaleOne(sum, right, half, left, low, high));
    a += 1;
    b += 1;
    dst += 1;
  }
}

// @ts-ignore: decorator
@inline
function rescaleOne(v: i32, right: i32, half: i32, left: i32, low: i32, high: i32): u8 {
  if (left > 0) v = max(-256, min(256, v)) << left;
  else v = (v + half) >> right;
  return <u8>max(low, min(high, v));
}

// @ts-ignore: decorator
@inline
function rescaleRun<T>(src: usize, dst: usize, elements: i32, right: i32, left: i32, low: i32, high: i32): void {
  const half: i32 = right > 0 ? 1 << (right - 1) : 0;
  const lows = i32x4.splat(low);
  const highs = i32x4.splat(high);
  const halves = i32x4.splat(half);
  let i = 0;
  for (; i + 8 <= elements; i += 8) {
    const v = v128.load_ext<T>(src);
    const bytes = lowBytes(
      rescaleLanes(i32x4.extend_low_i16x8_s(v), right, halves, left, lows, highs),
      rescaleLanes(i32x4.extend_high_i16x8_s(v), right, halves, left, lows, highs),
    );
    v128.store_lane<i64>(dst, bytes, 0);
    src += 8;
    dst += 8;
  }
  for (; i < elements; i++) {
    store<u8>(dst, rescaleOne(load<T>(src), right, half, left, low, high));
    src += 1;
    dst += 1;
  }
}

export function add(
  a: usize, aRow: i32, aPixel: i32, b: usize, bRow: i32, bPixel: i32, dst: usize, dstRow: i32, dstPixel: i32,
  h: i32, w: i32, channels: i32, shiftA: i32, shiftB: i32, shiftOut: i32, low: i32, high: i32, unsigned: i32,
): void {
  const right = max(0, shiftOut);
  const left = max(0, -shiftOut);
  let elements = channels;
  if (aPixel == channels && bPixel == channels && dstPixel == channels) {
    elements *= w;
    w = 1;
  }
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const from = a + y * aRow + x * aPixel;
      const other = b + y * bRow + x * bPixel;
      const to = dst + y * dstRow + x * dstPixel;
      if (unsigned) addRun<u8>(from, other, to, elements, shiftA, shiftB, right, left, low, high);
      else addRun<i8>(from, other, to, elements, shiftA, shiftB, right, left, low, high);
    }
  }
}

export function rescale(
  src: usize, srcRow: i32, srcPixel: i32, dst: usize, dstRow: i32, dstPixel: i32,
  h: i32, w: i32, channels: i32, shift: i32, low: i32, high: i32, unsigned: i32,
): void {
  // Ten places right, an 8-bit value is 0; nine left, all but 0 saturate.
  const right = max(0, min(shift, 10));
  const left = max(0, min(-shift, 9));
  let elements = channels;
  if (srcPixel == channels && dstPixel == channels) {
    elements *= w;
    w = 1;
  }
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const from = src + y * srcRow + x * srcPixel;
      const to = dst + y * dstRow + x * dstPixel;
      if (unsigned) rescaleRun<u8>(from, to, elements, right, left, low, high);
      else rescaleRun<i8>(from, to, elements, right, left, low, high);
    }
  }
}
