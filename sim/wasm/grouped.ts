/**
 * Grouped convolution, four columns at a time: columns of one group share their activations (splat), depthwise columns
 * with neighbouring channels read them side by side, any other mix goes column by column.
 */

export function convGrouped(
  patch: usize, patchWidth: i32, evenChannels: i32, weights: usize, acc: usize, accRowPixels: i32, cols: i32,
  columns: i32, channels: i32, channelTable: usize, h: i32, w: i32, kernelY: i32, kernelX: i32, strideY: i32, strideX: i32,
  dilationY: i32, dilationX: i32, add: i32,
): void {
  const pixel = evenChannels << 1;
  const patchRow = patchWidth * pixel;
  const stepY = strideY * patchRow;
  const stepX = strideX * pixel;
  const tapY = dilationY * patchRow;
  const tapX = dilationX * pixel;
  const accPixel = cols * 4;
  const accRow = accRowPixels * accPixel;

  let col = 0;
  for (; col + 4 <= columns; col += 4) {
    const table = channelTable + col * 4;
    const channel = load<i32>(table);
    const steps = v128.sub<i32>(v128.load(table), i32x4.splat(channel));
    const from = patch + channel * 2;
    const weight = weights + col;
    const to = acc + col * 4;
    if (!v128.any_true(steps)) {
      shared(from, stepY, stepX, tapY, tapX, weight, cols, to, accRow, accPixel, channels, h, w, kernelY, kernelX, add);
    } else if (channels == 1 && !v128.any_true(v128.xor(steps, i32x4(0, 1, 2, 3)))) {
      depthwise(from, stepY, stepX, tapY, tapX, weight, cols, to, accRow, accPixel, h, w, kernelY, kernelX, add);
    } else {
      for (let i = 0; i < 4; i++) {
        single(
          patch + load<i32>(table + i * 4) * 2, stepY, stepX, tapY, tapX, weight + i, cols, to + i * 4, accRow,
          accPixel, channels, h, w, kernelY, kernelX, add,
        );
      }
    }
  }
  for (; col < columns; col++) {
    single(
      patch + load<i32>(channelTable + col * 4) * 2, stepY, stepX, tapY, tapX, weights + col, cols, acc + col * 4,
      accRow, accPixel, channels, h, w, kernelY, kernelX, add,
    );
  }
  if (add) return;
  for (; col < cols; col++) {
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) store<i32>(acc + y * accRow + x * accPixel + col * 4, 0);
    }
  }
}

/** Four int8 weights as the even i16 of four pairs, so that a dot product with any pairs takes their even elements. */
// @ts-ignore: decorator
@inline
function evenWeights(weight: usize): v128 {
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_s(v128.load_zero<i32>(weight)));
}

// @ts-ignore: decorator
@inline
function mac(sum: v128, a: v128, b: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(a, b));
}

/** Four columns that read the same channels. Four pixels of a row at a time; at its end the last one again. */
function shared(
  patch: usize, stepY: i32, stepX: i32, tapY: i32, tapX: i32, weights: usize, cols: i32, acc: usize, accRow: i32,
  accPixel: i32, channels: i32, h: i32, w: i32, kernelY: i32, kernelX: i32, add: i32,
): void {
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x += 4) {
      const x1 = min(x + 1, w - 1), x2 = min(x + 2, w - 1), x3 = min(x + 3, w - 1);
      const from = patch + y * stepY;
      const to = acc + y * accRow;
      let s0 = i32x4.splat(0), s1 = i32x4.splat(0), s2 = i32x4.splat(0), s3 = i32x4.splat(0);
      if (add) {
        s0 = v128.load(to + x * accPixel); s1 = v128.load(to + x1 * accPixel);
        s2 = v128.load(to + x2 * accPixel); s3 = v128.load(to + x3 * accPixel);
      }
      let weight = weights;
      for (let r = 0; r < kernelY; r++) {
        for (let s = 0; s < kernelX; s++) {
          const tap = from + r * tapY + s * tapX;
          let q0 = tap + x * stepX, q1 = tap + x1 * stepX, q2 = tap + x2 * stepX, q3 = tap + x3 * stepX;
          let c = channels;
          for (; c >= 2; c -= 2) {
            const even = v128.load_zero<i32>(weight);
            const odd = v128.load_zero<i32>(weight + cols);
            const bytes = v128.shuffle<i8>(even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            const pairs = i16x8.extend_low_i8x16_s(bytes);
            s0 = mac(s0, v128.load_splat<i32>(q0), pairs);
            s1 = mac(s1, v128.load_splat<i32>(q1), pairs);
            s2 = mac(s2, v128.load_splat<i32>(q2), pairs);
            s3 = mac(s3, v128.load_splat<i32>(q3), pairs);
            weight += cols * 2;
            q0 += 4; q1 += 4; q2 += 4; q3 += 4;
          }
          if (c) {
            const evens = evenWeights(weight);
            s0 = mac(s0, v128.load_splat<i16>(q0), evens);
            s1 = mac(s1, v128.load_splat<i16>(q1), evens);
            s2 = mac(s2, v128.load_splat<i16>(q2), evens);
            s3 = mac(s3, v128.load_splat<i16>(q3), evens);
            weight += cols;
          }
        }
      }
      v128.store(to + x * accPixel, s0); v128.store(to + x1 * accPixel, s1);
      v128.store(to + x2 * accPixel, s2); v128.store(to + x3 * accPixel, s3);
    }
  }
}

/** Four columns of one channel each, the channels side by side. Four pixels as above. */
function depthwise(
  patch: usize, stepY: i32, stepX: i32, tapY: i32, tapX: i32, weights: usize, cols: i32, acc: usize, accRow: i32,
  accPixel: i32, h: i32, w: i32, kernelY: i32, kernelX: i32, add: i32,
): void {
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x += 4) {
      const x1 = min(x + 1, w - 1), x2 = min(x + 2, w - 1), x3 = min(x + 3, w - 1);
      const from = patch + y * stepY;
      const to = acc + y * accRow;
      let s0 = i32x4.splat(0), s1 = i32x4.splat(0), s2 = i32x4.splat(0), s3 = i32x4.splat(0);
      if (add) {
        s0 = v128.load(to + x * accPixel); s1 = v128.load(to + x1 * accPixel);
        s2 = v128.load(to + x2 * accPixel); s3 = v128.load(to + x3 * accPixel);
      }
      let weight = weights;
      for (let r = 0; r < kernelY; r++) {
        const row = from + r * tapY;
        let q0 = row + x * stepX, q1 = row + x1 * stepX, q2 = row + x2 * stepX, q3 = row + x3 * stepX;
        for (let s = 0; s < kernelX; s++) {
          const evens = evenWeights(weight);
          s0 = mac(s0, v128.load_ext<i16>(q0), evens);
          s1 = mac(s1, v128.load_ext<i16>(q1), evens);
          s2 = mac(s2, v128.load_ext<i16>(q2), evens);
          s3 = mac(s3, v128.load_ext<i16>(q3), evens);
          weight += cols;
          q0 += tapX; q1 += tapX; q2 += tapX; q3 += tapX;
        }
      }
      v128.store(to + x * accPixel, s0); v128.store(to + x1 * accPixel, s1);
      v128.store(to + x2 * accPixel, s2); v128.store(to + x3 * accPixel, s3);
    }
  }
}

/** One column. */
function single(
  patch: usize, stepY: i32, stepX: i32, tapY: i32, tapX: i32, weights: usize, cols: i32, acc: usize, accRow: i32,
  accPixel: i32, channels: i32, h: i32, w: i32, kernelY: i32, kernelX: i32, add: i32,
): void {
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const to = acc + y * accRow + x * accPixel;
      let sum = add ? load<i32>(to) : 0;
      let weight = weights;
      for (let r = 0; r < kernelY; r++) {
        for (let s = 0; s < kernelX; s++) {
          const q = patch + y * stepY + x * stepX + r * tapY + s * tapX;
          for (let c = 0; c < channels; c++) {
            sum += <i32>load<i16>(q + c * 2) * <i32>load<i8>(weight);
            weight += cols;
          }
        }
      }
      store<i32>(to, sum);
    }
  }
}
