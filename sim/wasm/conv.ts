/**
 * Dense convolution: a register tile of 4 pixels x 8 columns, two channels per multiply (`i32x4.dot_i16x8_s`).
 *
 * Packed weights: for each group of 8 columns (at the end, when cols is an odd multiple of 4, one of 4) the whole kernel
 * as [tap][channel / 2][column][2] i16, so the innermost loop reads one pointer. The loop is not unrolled and the tile
 * not larger: measured on Node 20, both were no faster, since the multiplies and adds alone fill the vector ports.
 */

/** Weight bytes of one group that a sweep over the pixels may use: half of a 48 KiB first-level cache. */
const SWEEP_BYTES: i32 = 24576;

// @ts-ignore: decorator
@inline
function mac(sum: v128, a: v128, b: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(a, b));
}

/** Bytes of two rows in turn: a0 b0 a1 b1 ... */
// @ts-ignore: decorator
@inline
function interleave(a: v128, b: v128): v128 {
  return v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

export function packWeights(src: usize, dst: usize, taps: i32, channels: i32, cols: i32): usize {
  const rowPairs = (channels + 1) >> 1;
  const group8 = taps * rowPairs * 32;
  const row = cols;
  const zero = i32x4.splat(0);
  for (let tap = 0; tap < taps; tap++) {
    for (let pair = 0; pair < rowPairs; pair++) {
      const even = src + (tap * channels + pair * 2) * row;
      const hasOdd = pair * 2 + 1 < channels;
      const at = tap * rowPairs + pair;
      let out = dst + at * 32;
      let col = 0;
      for (; col + 8 <= cols; col += 8) {
        const a = v128.load_zero<i64>(even + col);
        const b = hasOdd ? v128.load_zero<i64>(even + row + col) : zero;
        const both = interleave(a, b);
        v128.store(out, i16x8.extend_low_i8x16_s(both));
        v128.store(out, i16x8.extend_high_i8x16_s(both), 16);
        out += group8;
      }
      if (col < cols) {
        const a = v128.load_zero<i32>(even + col);
        const b = hasOdd ? v128.load_zero<i32>(even + row + col) : zero;
        v128.store(dst + (col >> 3) * group8 + at * 16, i16x8.extend_low_i8x16_s(interleave(a, b)));
      }
    }
  }
  return taps * rowPairs * 4 * cols;
}

export function conv(
  patch: usize, patchWidth: i32, evenChannels: i32, weights: usize, acc: usize, accRowPixels: i32, cols: i32,
  h: i32, w: i32, kernelY: i32, kernelX: i32, strideY: i32, strideX: i32, dilationY: i32, dilationX: i32, add: i32,
): void {
  const pixel = evenChannels << 1;
  const patchRow = patchWidth * pixel;
  // A kernel row is one contiguous segment of the patch, unless taps lie apart.
  const segments = dilationX == 1 ? 1 : kernelX;
  const segmentPairs = (dilationX == 1 ? kernelX * evenChannels : evenChannels) >> 1;
  const kernelRowPairs = (kernelX * evenChannels) >> 1;
  const sweepRows = max(1, SWEEP_BYTES / max(1, kernelRowPairs * 32));

  for (let row0 = 0; row0 < kernelY; row0 += sweepRows) {
    const rows = min(sweepRows, kernelY - row0);
    const from = patch + row0 * dilationY * patchRow;
    const load = add | row0;
    for (let col = 0; col < cols; col += 8) {
      const columns = min(8, cols - col);
      const group = weights + kernelY * kernelRowPairs * 4 * col + row0 * kernelRowPairs * 4 * columns;
      if (columns == 8) {
        sweep8(
          from, strideY * patchRow, strideX * pixel, group, acc + col * 4, accRowPixels * cols * 4, cols * 4,
          h, w, rows, dilationY * patchRow, segments, dilationX * pixel, segmentPairs, load,
        );
      } else {
        sweep4(
          from, strideY * patchRow, strideX * pixel, group, acc + col * 4, accRowPixels * cols * 4, cols * 4,
          h, w, rows, dilationY * patchRow, segments, dilationX * pixel, segmentPairs, load,
        );
      }
    }
  }
}

/** 8 columns, some kernel rows, all pixels. All steps in bytes; loads the accumulators when `load`, else starts at 0. */
function sweep8(
  patch: usize, stepY: i32, stepX: i32, weights: usize, acc: usize, accRow: i32, accPixel: i32,
  h: i32, w: i32, rows: i32, rowStep: i32, segments: i32, segmentStep: i32, pairs: i32, load: i32,
): void {
  let x = 0;
  let y = 0;
  for (let left = h * w; left > 0; left -= 4) {
    // Four pixels, running on into the next row; past the last pixel that one again, which computes it twice, alike.
    const p0 = patch + y * stepY + x * stepX;
    const a0 = acc + y * accRow + x * accPixel;
    if (++x == w) { if (++y == h) { --y; --x; } else x = 0; }
    const p1 = patch + y * stepY + x * stepX;
    const a1 = acc + y * accRow + x * accPixel;
    if (++x == w) { if (++y == h) { --y; --x; } else x = 0; }
    const p2 = patch + y * stepY + x * stepX;
    const a2 = acc + y * accRow + x * accPixel;
    if (++x == w) { if (++y == h) { --y; --x; } else x = 0; }
    const p3 = patch + y * stepY + x * stepX;
    const a3 = acc + y * accRow + x * accPixel;
    if (++x == w) { if (++y == h) { --y; --x; } else x = 0; }

    let s00 = i32x4.splat(0), s01 = i32x4.splat(0);
    let s10 = i32x4.splat(0), s11 = i32x4.splat(0);
    let s20 = i32x4.splat(0), s21 = i32x4.splat(0);
    let s30 = i32x4.splat(0), s31 = i32x4.splat(0);
    if (load) {
      s00 = v128.load(a0); s01 = v128.load(a0, 16);
      s10 = v128.load(a1); s11 = v128.load(a1, 16);
      s20 = v128.load(a2); s21 = v128.load(a2, 16);
      s30 = v128.load(a3); s31 = v128.load(a3, 16);
    }

    let weight = weights;
    for (let r = 0; r < rows; r++) {
      for (let s = 0; s < segments; s++) {
        const offset = r * rowStep + s * segmentStep;
        let q0 = p0 + offset, q1 = p1 + offset, q2 = p2 + offset, q3 = p3 + offset;
        for (let n = pairs; n > 0; n--) {
          const w0 = v128.load(weight), w1 = v128.load(weight, 16);
          const b0 = v128.load_splat<i32>(q0);
          s00 = mac(s00, b0, w0); s01 = mac(s01, b0, w1);
          const b1 = v128.load_splat<i32>(q1);
          s10 = mac(s10, b1, w0); s11 = mac(s11, b1, w1);
          const b2 = v128.load_splat<i32>(q2);
          s20 = mac(s20, b2, w0); s21 = mac(s21, b2, w1);
          const b3 = v128.load_splat<i32>(q3);
          s30 = mac(s30, b3, w0); s31 = mac(s31, b3, w1);
          weight += 32;
          q0 += 4; q1 += 4; q2 += 4; q3 += 4;
        }
      }
    }

    v128.store(a0, s00); v128.store(a0, s01, 16);
    v128.store(a1, s10); v128.store(a1, s11, 16);
    v128.store(a2, s20); v128.store(a2, s21, 16);
    v128.store(a3, s30); v128.store(a3, s31, 16);
  }
}

/** As sweep8, for the last 4 columns of an odd multiple of 4. */
function sweep4(
  patch: usize, stepY: i32, stepX: i32, weights: usize, acc: usize, accRow: i32, accPixel: i32,
  h: i32, w: i32, rows: i32, rowStep: i32, segments: i32, segmentStep: i32, pairs: i32, load: i32,
): void {
  let x = 0;
  let y = 0;
  for (let left = h * w; left > 0; left -= 4) {
    const p0 = patch + y * stepY + x * stepX;
    const a0 = acc + y * accRow + x * accPixel;
    if (++x == w) { if (++y == h) { --y; --x; } else x = 0; }
    const p1 = patch + y * stepY + x * stepX;
    const a1 = acc + y * accRow + x * accPixel;
    if (++x == w) { if (++y == h) { --y; --x; } else x = 0; }
    const p2 = patch + y * stepY + x * stepX;
    const a2 = acc + y * accRow + x * accPixel;
    if (++x == w) { if (++y == h) { --y; --x; } else x = 0; }
    const p3 = patch + y * stepY + x * stepX;
    const a3 = acc + y * accRow + x * accPixel;
    if (++x == w) { if (++y == h) { --y; --x; } else x = 0; }

    let s0 = i32x4.splat(0), s1 = i32x4.splat(0), s2 = i32x4.splat(0), s3 = i32x4.splat(0);
    if (load) {
      s0 = v128.load(a0); s1 = v128.load(a1); s2 = v128.load(a2); s3 = v128.load(a3);
    }

    let weight = weights;
    for (let r = 0; r < rows; r++) {
      for (let s = 0; s < segments; s++) {
        const offset = r * rowStep + s * segmentStep;
        let q0 = p0 + offset, q1 = p1 + offset, q2 = p2 + offset, q3 = p3 + offset;
        for (let n = pairs; n > 0; n--) {
          const w0 = v128.load(weight);
          s0 = mac(s0, v128.load_splat<i32>(q0), w0);
          s1 = mac(s1, v128.load_splat<i32>(q1), w0);
          s2 = mac(s2, v128.load_splat<i32>(q2), w0);
          s3 = mac(s3, v128.load_splat<i32>(q3), w0);
          weight += 16;
          q0 += 4; q1 += 4; q2 += 4; q3 += 4;
        }
      }
    }

    v128.store(a0, s0); v128.store(a1, s1); v128.store(a2, s2); v128.store(a3, s3);
  }
}
