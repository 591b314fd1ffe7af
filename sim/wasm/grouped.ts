/**
 * Grouped convolution, four columns at a time: columns of one group share their activations (splat), depthwise columns
 * with neighbouring channels read them side by side, any other mix goes column by column.
 */

export function convGrouped(
  patch: usize, patchWidth: i32, evenChannels: i32, weights: usize, acc: usize, accRowPixels: i32, cols: i32, columns: i32,
  channels: i32, channelTable: usize, h: i32, w: i32, kernelY: i32, kernelX: i32, strideY: i32, strideX: i32,
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
          patch + load<i32>(table + i * 4) * 2, stepY, stepX, tapY, tapX, weight + i, cols, to + i * 4, accRow, accPixel,
          channels, h, w, kernelY, kernelX, add,
        );
      }
    }
  }
  for (; col < columns; col++) {
    single(
      patch + load<i32>(channelTable + col * 4) * 2, stepY, stepX, tapY, tapX, weights + col, cols, acc + col * 4, accRow, accPixel,
      channels, h, w, kernelY, kernelX, add,
    );
  }
  if (add) return;
  for (; col < cols; col++) {
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) store<i32>(acc + y * accRow + x * accPixel + col * 4, 0);
    }
  }
}

/** Four columns that read the same channels. Two pixels at a time, so that a weight is unpacked for both. */
function shared(
  patch: usize, stepY: i32, stepX: i32, tapY: i32, tapX: i32, weights: usize, cols: i32, acc: usize, accRow: i32,
  accPixel: i32, channels: i32, h: i32, w: i32, kernelY: i32, kernelX: i32, add: i32,
): void {
  const zero = i32x4.splat(0);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x += 2) {
      const from = patch + y * stepY + x * stepX;
      const second = x + 1 < w; // else the first pixel again
      const next = second ? stepX : 0;
      const to0 = acc + y * accRow + x * accPixel;
      const to1 = second ? to0 + accPixel : to0;
      let s0 = add ? v128.load(to0) : zero;
      let s1 = add ? v128.load(to1) : zero;
      let weight = weights;
      for (let r = 0; r < kernelY; r++) {
        for (let s = 0; s < kernelX; s++) {
          let q = from + r * tapY + s * tapX;
          let c = channels;
          for (; c >= 2; c -= 2) {
            const even = v128.load_zero<i32>(weight);
            const odd = v128.load_zero<i32>(weight + cols);
            const pairs = v128.shuffle<i8>(even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            const wide = i16x8.extend_low_i8x16_s(pairs);
            s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v128.load_splat<i32>(q), wide));
            s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v128.load_splat<i32>(q + next), wide));
            weight += cols * 2;
            q += 4;
          }
          if (c) {
            const wide = i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load_zero<i32>(weight)));
            s0 = i32x4.add(s0, i32x4.mul(i32x4.splat(load<i16>(q)), wide));
            s1 = i32x4.add(s1, i32x4.mul(i32x4.splat(load<i16>(q + next)), wide));
            weight += cols;
          }
        }
      }
      v128.store(to0, s0);
      v128.store(to1, s1);
    }
  }
}

/** Four columns of one channel each, the channels side by side. */
function depthwise(
  patch: usize, stepY: i32, stepX: i32, tapY: i32, tapX: i32, weights: usize, cols: i32, acc: usize, accRow: i32,
  accPixel: i32, h: i32, w: i32, kernelY: i32, kernelX: i32, add: i32,
): void {
  const zero = i32x4.splat(0);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x += 2) {
      const from = patch + y * stepY + x * stepX;
      const second = x + 1 < w; // else the first pixel again
      const next = second ? stepX : 0;
      const to0 = acc + y * accRow + x * accPixel;
      const to1 = second ? to0 + accPixel : to0;
      let s0 = add ? v128.load(to0) : zero;
      let s1 = add ? v128.load(to1) : zero;
      let weight = weights;
      for (let r = 0; r < kernelY; r++) {
        let q = from + r * tapY;
        for (let s = 0; s < kernelX; s++) {
          const wide = i16x8.extend_low_i8x16_s(v128.load_zero<i32>(weight));
          s0 = i32x4.add(s0, i32x4.extmul_low_i16x8_s(v128.load_zero<i64>(q), wide));
          s1 = i32x4.add(s1, i32x4.extmul_low_i16x8_s(v128.load_zero<i64>(q + next), wide));
          weight += cols;
          q += tapX;
        }
      }
      v128.store(to0, s0);
      v128.store(to1, s1);
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
