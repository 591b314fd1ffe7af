/** Runs of bytes. Short runs stay inline: a bulk-memory instruction costs a call into the engine. */
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
