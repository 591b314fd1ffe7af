/**
 * The shift unit and the range unit (isa/numerics.ts: shiftUnit, rangeBin), four channels at a time.
 *
 * WebAssembly shifts all lanes by one amount, channels have their own. So a lane to be shifted by s is multiplied by
 * 2^(22 - s), and then all are rounded and shifted by 22. Nothing overflows (256 * 2^22 = 2^30): before that the value
 * is clamped to low * 2^s .. high * 2^s, outside of which the result is low or high anyway.
 *
 * Loops over pixels test at their end: V8 moves what is constant out of those alone.
 */
import { lowBytes } from "./bytes";

const SHIFT_MIN: i32 = -8;
const SHIFT_MAX: i32 = 31;

/** The one amount; a channel shifted further goes the slow way. */
const LANE_SHIFT: i32 = 22;

// @ts-ignore: decorator
@inline
function saturate32(value: i64): i32 {
  return <i32>max<i64>(i32.MIN_VALUE, min<i64>(value, i32.MAX_VALUE));
}

/** isa's roundShift; |value| < 2^40. */
// @ts-ignore: decorator
@inline
function roundShift(value: i64, s: i32): i64 {
  if (s > 0) return (value + (<i64>1 << (s - 1))) >> s;
  return saturate32(value << -s);
}

/** The bias of one table entry, aligned to the accumulator; beyond 32 places an int8 is 0 or saturated. */
function alignedBias(entry: usize, fIn: i32): i32 {
  return <i32>roundShift(load<i8>(entry), max(-32, min(32, -(<i32>load<i8>(entry, 1) + fIn))));
}

// @ts-ignore: decorator
@inline
function outputShift(entry: usize, fIn: i32, fOut: i32): i32 {
  return max(SHIFT_MIN, min(SHIFT_MAX, <i32>load<i8>(entry, 2) + fIn - fOut));
}

/** Aligned biases of `lanes` <= 4 channels; 0 in the other lanes. */
function biasVector(table: usize, lanes: i32, fIn: i32): v128 {
  let v = i32x4.splat(alignedBias(table, fIn));
  v = i32x4.replace_lane(v, 1, lanes > 1 ? alignedBias(table + 4, fIn) : 0);
  v = i32x4.replace_lane(v, 2, lanes > 2 ? alignedBias(table + 8, fIn) : 0);
  return i32x4.replace_lane(v, 3, lanes > 3 ? alignedBias(table + 12, fIn) : 0);
}

/** Smallest and largest accumulator to which `bias` can be added without leaving int32. */
// @ts-ignore: decorator
@inline
function addFloor(bias: v128): v128 {
  return i32x4.sub(i32x4.splat(i32.MIN_VALUE), i32x4.min_s(bias, i32x4.splat(0)));
}
// @ts-ignore: decorator
@inline
function addCeiling(bias: v128): v128 {
  return i32x4.sub(i32x4.splat(i32.MAX_VALUE), i32x4.max_s(bias, i32x4.splat(0)));
}

/** saturate32(acc + bias). */
// @ts-ignore: decorator
@inline
function addBias(acc: v128, bias: v128, floor: v128, ceiling: v128): v128 {
  return i32x4.add(i32x4.min_s(i32x4.max_s(acc, floor), ceiling), bias);
}

/** roundShift of negative lanes by one amount 0..32. */
// @ts-ignore: decorator
@inline
function roundShiftLanes(v: v128, s: i32): v128 {
  if (s == 0) return v;
  return i32x4.shr_s(i32x4.add(i32x4.shr_s(v, s - 1), i32x4.splat(1)), 1);
}

export function shift(
  acc: usize, accRowPixels: i32, cols: i32, channels: i32, h: i32, w: i32, table: usize,
  dst: usize, dstRow: i32, dstPixel: i32, low: i32, high: i32, slopeA: i32, slopeB: i32, fIn: i32, fOut: i32,
): void {
  if (h <= 0 || w <= 0) return;
  const accRow = accRowPixels * cols * 4;
  // Right shifts by 32 and more give 0 alike.
  slopeA = min(slopeA, 32);
  slopeB = min(slopeB, 32);
  for (let channel = 0; channel < channels; channel += 4) {
    const lanes = min(4, channels - channel);
    const entry = table + channel * 4;
    let top = 0;
    let bottom = 0;
    for (let i = 0; i < lanes; i++) {
      const s = outputShift(entry + i * 4, fIn, fOut);
      top = max(top, s);
      bottom = min(bottom, s);
    }
    const from = acc + channel * 4;
    const to = dst + channel;
    // A left shift, a very large one, or a slope above 1 may need more than 32 bits.
    if (bottom < 0 || top > LANE_SHIFT || (slopeA == 0 && slopeB > 0)) {
      for (let i = 0; i < lanes; i++) {
        shiftChannel(
          from + i * 4, accRow, cols * 4, h, w, entry + i * 4, to + i, dstRow, dstPixel, low, high, slopeA, slopeB,
          fIn, fOut,
        );
      }
    } else {
      shiftLanes(
        from, accRow, cols * 4, lanes, h, w, entry, to, dstRow, dstPixel, low, high, slopeA, slopeB, fIn, fOut,
      );
    }
  }
}

/** Up to four channels, shifted by 0..22 each. */
function shiftLanes(
  acc: usize, accRow: i32, accPixel: i32, lanes: i32, h: i32, w: i32, entry: usize,
  dst: usize, dstRow: i32, dstPixel: i32, low: i32, high: i32, slopeA: i32, slopeB: i32, fIn: i32, fOut: i32,
): void {
  const s0 = outputShift(entry, fIn, fOut);
  const s1 = lanes > 1 ? outputShift(entry + 4, fIn, fOut) : 0;
  const s2 = lanes > 2 ? outputShift(entry + 8, fIn, fOut) : 0;
  const s3 = lanes > 3 ? outputShift(entry + 12, fIn, fOut) : 0;
  const powers = lanes4(1 << s0, 1 << s1, 1 << s2, 1 << s3);
  const scale = lanes4(1 << (LANE_SHIFT - s0), 1 << (LANE_SHIFT - s1), 1 << (LANE_SHIFT - s2), 1 << (LANE_SHIFT - s3));
  const lowest = i32x4.mul(i32x4.splat(low), powers);
  const highest = i32x4.mul(i32x4.splat(high), powers);
  const half = i32x4.splat(1 << (LANE_SHIFT - 1));
  const bias = biasVector(entry, lanes, fIn);
  const floor = addFloor(bias);
  const ceiling = addCeiling(bias);

  let y = 0;
  do {
    let from = acc + y * accRow;
    let to = dst + y * dstRow;
    let left = w;
    do {
      let v = addBias(v128.load(from), bias, floor, ceiling);
      if (slopeA >= 0) {
        let negative = roundShiftLanes(v, slopeA);
        if (slopeB > 0) negative = i32x4.add(negative, roundShiftLanes(v, slopeB));
        v = v128.bitselect(negative, v, i32x4.lt_s(v, i32x4.splat(0)));
      }
      v = i32x4.mul(i32x4.min_s(i32x4.max_s(v, lowest), highest), scale);
      v = i32x4.shr_s(i32x4.add(v, half), LANE_SHIFT);
      v = lowBytes(v, v);
      if (lanes == 4) {
        v128.store_lane<i32>(to, v, 0);
      } else {
        v128.store_lane<i8>(to, v, 0);
        if (lanes > 1) v128.store_lane<i8>(to, v, 1, 1);
        if (lanes > 2) v128.store_lane<i8>(to, v, 2, 2);
      }
      from += accPixel;
      to += dstPixel;
    } while (--left);
  } while (++y < h);
}

// @ts-ignore: decorator
@inline
function lanes4(a: i32, b: i32, c: i32, d: i32): v128 {
  return i32x4.replace_lane(i32x4.replace_lane(i32x4.replace_lane(i32x4.splat(a), 1, b), 2, c), 3, d);
}

/** One channel, with 64-bit intermediate values. */
function shiftChannel(
  acc: usize, accRow: i32, accPixel: i32, h: i32, w: i32, entry: usize,
  dst: usize, dstRow: i32, dstPixel: i32, low: i32, high: i32, slopeA: i32, slopeB: i32, fIn: i32, fOut: i32,
): void {
  const bias: i64 = alignedBias(entry, fIn);
  const s = outputShift(entry, fIn, fOut);
  let y = 0;
  do {
    let from = acc + y * accRow;
    let to = dst + y * dstRow;
    let left = w;
    do {
      let v: i64 = saturate32(<i64>load<i32>(from) + bias);
      if (v < 0 && slopeA >= 0) v = roundShift(v, slopeA) + (slopeB > 0 ? roundShift(v, slopeB) : 0);
      const result = max<i64>(low, min<i64>(roundShift(v, s), high));
      store<u8>(to, <u8>result);
      from += accPixel;
      to += dstPixel;
    } while (--left);
  } while (++y < h);
}

export function shiftWide(
  acc: usize, accRowPixels: i32, cols: i32, channels: i32, h: i32, w: i32, table: usize,
  dst: usize, dstRow: i32, dstPixel: i32, fIn: i32,
): void {
  if (h <= 0 || w <= 0) return;
  const accPixel = cols * 4;
  const accRow = accRowPixels * accPixel;
  for (let channel = 0; channel < channels; channel += 4) {
    const lanes = min(4, channels - channel);
    const bias = biasVector(table + channel * 4, lanes, fIn);
    const floor = addFloor(bias);
    const ceiling = addCeiling(bias);
    let y = 0;
    do {
      let from = acc + y * accRow + channel * 4;
      let to = dst + y * dstRow + channel * 4;
      let left = w;
      do {
        const v = addBias(v128.load(from), bias, floor, ceiling);
        if (lanes == 4) {
          v128.store(to, v);
        } else {
          v128.store_lane<i32>(to, v, 0);
          if (lanes > 1) v128.store_lane<i32>(to, v, 1, 4);
          if (lanes > 2) v128.store_lane<i32>(to, v, 2, 8);
        }
        from += accPixel;
        to += dstPixel;
      } while (--left);
    } while (++y < h);
  }
}

/** As in isa/numerics.ts. */
const HISTOGRAM_BINS: i32 = 33;
const HISTOGRAM_BIAS: i32 = 16;

export function range(
  acc: usize, accRowPixels: i32, cols: i32, channels: i32, h: i32, w: i32, table: usize, bins: usize,
  fIn: i32, relu: i32,
): void {
  if (h <= 0 || w <= 0) return;
  const accPixel = cols * 4;
  const accRow = accRowPixels * accPixel;
  for (let channel = 0; channel < channels; channel++) {
    const entry = table + channel * 4;
    const bias: i64 = alignedBias(entry, fIn);
    const exponent = <i32>load<i8>(entry, 2) + fIn;
    let y = 0;
    do {
      let from = acc + y * accRow + channel * 4;
      let left = w;
      do {
        let v = saturate32(<i64>load<i32>(from) + bias);
        if (relu) v = max(0, v);
        // abs() of -2^31 is 2^31 to clz. No branch on the values: they are as good as random.
        const binOfBits = max(1, min(HISTOGRAM_BINS - 1, 32 - clz(abs(v)) - exponent + HISTOGRAM_BIAS));
        const bin = select(0, binOfBits, v == 0);
        store<u32>(bins + bin * 4, load<u32>(bins + bin * 4) + 1);
        from += accPixel;
      } while (--left);
    } while (++y < h);
  }
}
