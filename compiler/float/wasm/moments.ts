/** Second moments of columns, and steps along their rows. Sums are doubles, kept as floats between calls. */

// @ts-ignore: decorator
@inline
function mac(sum: v128, a: v128, b: v128): v128 {
  return f64x2.add(sum, f64x2.mul(a, b));
}

/** Adds two sums to two floats. */
// @ts-ignore: decorator
@inline
function addTo(at: usize, sums: v128): void {
  const before = f64x2.promote_low_f32x4(v128.load_zero<u64>(at));
  v128.store_lane<u64>(at, f32x4.demote_f64x2_zero(f64x2.add(before, sums)), 0);
}

export function addProducts(x: usize, places: i32, columns: i32, sums: usize): void {
  const pitch = columns * 8;
  for (let i = 0; i < columns; i += 4) {
    for (let j = i; j < columns; j += 4) {
      let a0 = f64x2.splat(0), a1 = a0;
      let b0 = a0, b1 = a0;
      let c0 = a0, c1 = a0;
      let d0 = a0, d1 = a0;
      let rows = x + i * 8;
      let cols = x + j * 8;
      for (let place = 0; place < places; place++) {
        const v0 = v128.load(cols);
        const v1 = v128.load(cols, 16);
        const a = v128.load_splat<u64>(rows);
        a0 = mac(a0, a, v0);
        a1 = mac(a1, a, v1);
        const b = v128.load_splat<u64>(rows, 8);
        b0 = mac(b0, b, v0);
        b1 = mac(b1, b, v1);
        const c = v128.load_splat<u64>(rows, 16);
        c0 = mac(c0, c, v0);
        c1 = mac(c1, c, v1);
        const d = v128.load_splat<u64>(rows, 24);
        d0 = mac(d0, d, v0);
        d1 = mac(d1, d, v1);
        rows += pitch;
        cols += pitch;
      }
      const to = sums + (i * columns + j) * 4;
      const next = columns * 4;
      addTo(to, a0);
      addTo(to + 8, a1);
      addTo(to + next, b0);
      addTo(to + next + 8, b1);
      addTo(to + 2 * next, c0);
      addTo(to + 2 * next + 8, c1);
      addTo(to + 3 * next, d0);
      addTo(to + 3 * next + 8, d1);
    }
  }
}

// @ts-ignore: decorator
@inline
function pair(row: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load_zero<u64>(row));
}

export function addRow(slope: usize, row: usize, columns: i32, by: f64): void {
  const factor = f64x2.splat(by);
  for (let j = 0; j < columns; j += 2) {
    v128.store(slope + j * 8, mac(v128.load(slope + j * 8), factor, pair(row + j * 4)));
  }
}

export function slopes(slope: usize, matrix: usize, columns: i32, errors: usize, damping: f64): void {
  const pitch = columns * 4;
  memory.fill(slope, 0, columns * 8);
  // four rows at a time pass over the slopes once
  for (let i = 0; i < columns; i += 4) {
    const e0 = v128.load_splat<u64>(errors + i * 8);
    const e1 = v128.load_splat<u64>(errors + i * 8, 8);
    const e2 = v128.load_splat<u64>(errors + i * 8, 16);
    const e3 = v128.load_splat<u64>(errors + i * 8, 24);
    const row = matrix + i * pitch;
    for (let j = 0; j < columns; j += 2) {
      const at = row + j * 4;
      let sum = v128.load(slope + j * 8);
      sum = mac(sum, e0, pair(at));
      sum = mac(sum, e1, pair(at + pitch));
      sum = mac(sum, e2, pair(at + 2 * pitch));
      sum = mac(sum, e3, pair(at + 3 * pitch));
      v128.store(slope + j * 8, sum);
    }
    for (let k = i; k < i + 4; k++) {
      store<f64>(slope + k * 8, load<f64>(slope + k * 8) + load<f64>(errors + k * 8) * damping);
    }
  }
}
