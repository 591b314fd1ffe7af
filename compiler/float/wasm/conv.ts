/**
 * Float convolution: a register tile of 4 pixels x 4 output channels, eight vectors of two doubles. Each sum adds its
 * products one after another, in the order of the weights, so that it does not depend on the tile it falls into.
 */

// @ts-ignore: decorator
@inline
function mac(sum: v128, a: v128, b: v128): v128 {
  return f64x2.add(sum, f64x2.mul(a, b));
}

/** Bias, slope below zero and bounds; two floats to `out`. */
// @ts-ignore: decorator
@inline
function finish(sum: v128, bias: v128, slope: v128, low: v128, high: v128, out: usize): void {
  const biased = f64x2.add(sum, bias);
  const value = v128.bitselect(f64x2.mul(biased, slope), biased, f64x2.lt(biased, f64x2.splat(0)));
  const bounded = f64x2.pmin(f64x2.pmax(value, low), high);
  v128.store_lane<u64>(out, f32x4.demote_f64x2_zero(bounded), 0);
}

export function conv(
  input: usize, rowBytes: i32, pixelBytes: i32, segments: usize, segmentCount: i32, segmentLength: i32,
  weights: usize, bias: usize, blocks: i32, out: usize, outPixelBytes: i32, h: i32, w: i32,
  slopeBelow: f64, lowest: f64, highest: f64,
): void {
  const slope = f64x2.splat(slopeBelow);
  const low = f64x2.splat(lowest);
  const high = f64x2.splat(highest);
  const blockBytes = segmentCount * segmentLength * 32;
  for (let y = 0; y < h; y++) {
    const row = input + y * rowBytes;
    for (let block = 0; block < blocks; block++) {
      const bias0 = v128.load(bias + block * 32);
      const bias1 = v128.load(bias + block * 32, 16);
      for (let x = 0; x < w; x += 4) {
        const p0 = row + x * pixelBytes;
        // beyond the last pixel the last one is computed again
        const p1 = row + min(x + 1, w - 1) * pixelBytes;
        const p2 = row + min(x + 2, w - 1) * pixelBytes;
        const p3 = row + min(x + 3, w - 1) * pixelBytes;
        let a0 = f64x2.splat(0), a1 = a0;
        let b0 = a0, b1 = a0;
        let c0 = a0, c1 = a0;
        let d0 = a0, d1 = a0;
        let at = weights + block * blockBytes;
        for (let segment = 0; segment < segmentCount; segment++) {
          const offset = load<u32>(segments + segment * 4);
          const end = offset + segmentLength * 8;
          for (let i = offset; i < end; i += 8) {
            const w0 = v128.load(at);
            const w1 = v128.load(at, 16);
            at += 32;
            const a = v128.load_splat<u64>(p0 + i);
            a0 = mac(a0, a, w0);
            a1 = mac(a1, a, w1);
            const b = v128.load_splat<u64>(p1 + i);
            b0 = mac(b0, b, w0);
            b1 = mac(b1, b, w1);
            const c = v128.load_splat<u64>(p2 + i);
            c0 = mac(c0, c, w0);
            c1 = mac(c1, c, w1);
            const d = v128.load_splat<u64>(p3 + i);
            d0 = mac(d0, d, w0);
            d1 = mac(d1, d, w1);
          }
        }
        const to = out + (y * w + x) * outPixelBytes + block * 16;
        finish(a0, bias0, slope, low, high, to);
        finish(a1, bias1, slope, low, high, to + 8);
        if (x + 1 == w) continue;
        finish(b0, bias0, slope, low, high, to + outPixelBytes);
        finish(b1, bias1, slope, low, high, to + outPixelBytes + 8);
        if (x + 2 == w) continue;
        finish(c0, bias0, slope, low, high, to + 2 * outPixelBytes);
        finish(c1, bias1, slope, low, high, to + 2 * outPixelBytes + 8);
        if (x + 3 == w) continue;
        finish(d0, bias0, slope, low, high, to + 3 * outPixelBytes);
        finish(d1, bias1, slope, low, high, to + 3 * outPixelBytes + 8);
      }
    }
  }
}
