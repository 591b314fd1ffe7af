/** Square matrices in the float kernels' memory. */

/** Room for a row or column of so many values: the kernels take four at a time. */
export const padded = (count: number) => count + (-count & 3);

/** [count][count] -> padded in both directions with zeros. */
export function writeMatrix(sums: Float32Array, count: number, to: Float32Array): void {
  const pitch = padded(count);
  if (pitch === count) {
    to.set(sums);
    return;
  }
  to.fill(0);
  for (let i = 0; i < count; i++) to.set(sums.subarray(i * count, (i + 1) * count), i * pitch);
}

/** The other way round. */
export function readMatrix(from: Float32Array, count: number, sums: Float32Array): void {
  const pitch = padded(count);
  if (pitch === count) sums.set(from);
  else for (let i = 0; i < count; i++) sums.set(from.subarray(i * pitch, i * pitch + count), i * count);
}
