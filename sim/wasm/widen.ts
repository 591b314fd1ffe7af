import { fillRun } from "./bytes";

/** 8-bit elements of type T to i16. */
// @ts-ignore: decorator
@inline
function widenRun<T>(src: usize, dst: usize, elements: i32): void {
  let i = 0;
  for (; i + 16 <= elements; i += 16) {
    v128.store(dst, v128.load_ext<T>(src));
    v128.store(dst, v128.load_ext<T>(src, 8), 16);
    src += 16;
    dst += 32;
  }
  if (i + 8 <= elements) {
    v128.store(dst, v128.load_ext<T>(src));
    src += 8;
    dst += 16;
    i += 8;
  }
  for (; i < elements; i++) {
    store<i16>(dst, load<T>(src) as i16);
    src += 1;
    dst += 2;
  }
}

/** Contiguous pixels of three elements (a picture) to pixels of four, the last one 0. */
// @ts-ignore: decorator
@inline
function widenThrees<T>(src: usize, dst: usize, pixels: i32): void {
  let x = 0;
  for (; x + 6 <= pixels; x += 4) {
    // 16 bytes are read for 4 pixels, so the last pixels go one by one
    const four = i8x16.swizzle(v128.load(src), i8x16(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1));
    v128.store(dst, v128.extend_low<T>(four));
    v128.store(dst, v128.extend_high<T>(four), 16);
    src += 12;
    dst += 32;
  }
  for (; x < pixels; x++) {
    store<i16>(dst, load<T>(src) as i16);
    store<i16>(dst, load<T>(src, 1) as i16, 2);
    store<i32>(dst, load<T>(src, 2) as u16 as i32, 4);
    src += 3;
    dst += 8;
  }
}

function widenWindow<T>(
  src: usize, srcRow: i32, srcPixel: i32, channels: i32, dst: usize, h: i32, w: i32,
  y0: i32, y1: i32, x0: i32, x1: i32,
): void {
  const evenChannels = (channels + 1) & ~1;
  const pixel = evenChannels << 1;
  const empty = x0 >= x1;
  const contiguous = srcPixel == channels;
  for (let y = 0; y < h; y++) {
    let out = dst + y * w * pixel;
    if (empty || y < y0 || y >= y1) {
      fillRun(out, 0, w * pixel);
      continue;
    }
    let from = src + (y - y0) * srcRow;
    fillRun(out, 0, x0 * pixel);
    fillRun(out + x1 * pixel, 0, (w - x1) * pixel);
    out += x0 * pixel;
    if (contiguous && evenChannels == channels) {
      widenRun<T>(from, out, (x1 - x0) * channels);
    } else if (contiguous && channels == 3) {
      widenThrees<T>(from, out, x1 - x0);
    } else {
      for (let x = x0; x < x1; x++) {
        widenRun<T>(from, out, channels);
        if (evenChannels != channels) store<i16>(out + pixel - 2, 0);
        from += srcPixel;
        out += pixel;
      }
    }
  }
}

export function widen(
  src: usize, srcRow: i32, srcPixel: i32, channels: i32, unsigned: i32, dst: usize, h: i32, w: i32,
  y0: i32, y1: i32, x0: i32, x1: i32,
): void {
  if (unsigned) widenWindow<u8>(src, srcRow, srcPixel, channels, dst, h, w, y0, y1, x0, x1);
  else widenWindow<i8>(src, srcRow, srcPixel, channels, dst, h, w, y0, y1, x0, x1);
}
