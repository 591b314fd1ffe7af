/** Ways to cut extents and agents, for the tiling searches. */

/** The distinct sizes ceil(total / n), largest first. */
export function splits(total: number): number[] {
  const sizes: number[] = [];
  for (let n = 1; n <= total; n++) {
    const size = Math.ceil(total / n);
    if (size !== sizes[sizes.length - 1]) sizes.push(size);
  }
  return sizes;
}

/** All [a, b] with a * b = total. */
export function divisorPairs(total: number): [number, number][] {
  const pairs: [number, number][] = [];
  for (let a = 1; a <= total; a++) if (total % a === 0) pairs.push([a, total / a]);
  return pairs;
}
