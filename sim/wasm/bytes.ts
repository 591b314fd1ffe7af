/** Runs of up to this many bytes stay inline: a bulk-memory instruction costs a call into the engine. */
const BULK: u32 = 256;

// @ts-ignore: decorator
@inline
export function copyRun(src: usize, dst: usize, bytes: i32): void {
  if (<u32>bytes > BULK) {
    memory.copy(dst, src, bytes);
    return;
  }
  for (; bytes >= 16; bytes -= 16) {
    v128.store(dst, v128.load(src));
    src += 16;
    dst += 16;
  }
  if (bytes & 8) {
    store<u64>(dst, load<u64>(src));
    src += 8;
    dst += 8;
  }
  if (bytes & 4) {
    store<u32>(dst, load<u32>(src));
    src += 4;
    dst += 4;
  }
  for (bytes &= 3; bytes > 0; bytes--) {
    store<u8>(dst, load<u8>(src));
    src += 1;
    dst += 1;
  }
}

// @ts-ignore: decorator
@inline
export function fillRun(dst: usize, value: u8, bytes: i32): void {
  if (<u32>bytes > BULK) {
    memory.fill(dst, value, bytes);
    return;
  }
  const vector = i8x16.splat(value);
  for (; bytes >= 16; bytes -= 16) {
    v128.store(dst, vector);
    dst += 16;
  }
  for (; bytes > 0; bytes--) {
    store<u8>(dst, value);
    dst += 1;
  }
}

/**
 * The low bytes of eight 32-bit lanes, in the lower half. Not a byte shuffle: V8 rebuilds the mask of an irregular one
 * on the stack each time, which costs some 20 cycles.
 */
// @ts-ignore: decorator
@inline
export function lowBytes(a: v128, b: v128): v128 {
  const mask = i32x4.splat(255);
  const words = i16x8.narrow_i32x4_u(v128.and(a, mask), v128.and(b, mask));
  return i8x16.narrow_i16x8_u(words, words);
}
