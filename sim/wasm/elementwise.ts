/**
 * Residual addition and rescaling (isa/numerics.ts: addUnit, roundShift), eight elements at a time.
 * Why the loops test at their end: see shift.ts.
 */
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
  // a * 2^shiftA + b * 2^shiftB as a dot product; 2^15 and 2^16 are no i16, so a part of them goes before.
  const factors = i32x4.splat((1 << min(shiftA, 14)) | (1 << (min(shiftB, 14) + 16)));
  const beforeA = i16x8.splat(1 << <i16>max(0, shiftA - 14));
  const beforeB = i16x8.splat(1 << <i16>max(0, shiftB - 14));
  let eights = elements >> 3;
  if (eights > 0) do {
    const va = i16x8.mul(v128.load_ext<T>(a), beforeA);
    const vb = i16x8.mul(v128.load_ext<T>(b), beforeB);
    const first = i32x4.dot_i16x8_s(v128.shuffle<i16>(va, vb, 0, 8, 1, 9, 2, 10, 3, 11), factors);
    const second = i32x4.dot_i16x8_s(v128.shuffle<i16>(va, vb, 4, 12, 5, 13, 6, 14, 7, 15), factors);
    const bytes = lowBytes(
      rescaleLanes(first, right, halves, left, lows, highs),
      rescaleLanes(second, right, halves, left, lows, highs),
    );
    v128.store_lane<i64>(dst, bytes, 0);
    a += 8;
    b += 8;
    dst += 8;
  } while (--eights);
  for (let rest = elements & 7; rest > 0; rest--) {
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
  let eights = elements >> 3;
  if (eights > 0) do {
    const v = v128.load_ext<T>(src);
    const bytes = lowBytes(
      rescaleLanes(i32x4.extend_low_i16x8_s(v), right, halves, left, lows, highs),
      rescaleLanes(i32x4.extend_high_i16x8_s(v), right, halves, left, lows, highs),
    );
    v128.store_lane<i64>(dst, bytes, 0);
    src += 8;
    dst += 8;
  } while (--eights);
  for (let rest = elements & 7; rest > 0; rest--) {
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
