import { copyRun, fillRun } from "./bytes";

export function copyBox(
  src: usize, srcRow: i32, srcPixel: i32, dst: usize, dstRow: i32, dstPixel: i32, h: i32, w: i32, bytes: i32,
): void {
  if (srcPixel == bytes && dstPixel == bytes) {
    bytes *= w;
    w = 1;
  }
  for (let y = 0; y < h; y++) {
    let from = src + y * srcRow;
    let to = dst + y * dstRow;
    for (let x = 0; x < w; x++) {
      copyRun(from, to, bytes);
      from += srcPixel;
      to += dstPixel;
    }
  }
}

export function fillBox(dst: usize, dstRow: i32, dstPixel: i32, h: i32, w: i32, bytes: i32, value: i32): void {
  if (dstPixel == bytes) {
    bytes *= w;
    w = 1;
  }
  for (let y = 0; y < h; y++) {
    let to = dst + y * dstRow;
    for (let x = 0; x < w; x++) {
      fillRun(to, value as u8, bytes);
      to += dstPixel;
    }
  }
}

export function equalBytes(a: usize, b: usize, bytes: usize): i32 {
  let i: usize = 0;
  for (; i + 32 <= bytes; i += 32) {
    const low = v128.xor(v128.load(a + i), v128.load(b + i));
    const high = v128.xor(v128.load(a + i, 16), v128.load(b + i, 16));
    if (v128.any_true(v128.or(low, high))) return 0;
  }
  for (; i < bytes; i++) {
    if (load<u8>(a + i) != load<u8>(b + i)) return 0;
  }
  return 1;
}
