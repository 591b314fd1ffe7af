/** Which points no other point beats. */

/** Every objective is to be small. a is at least as good as b in all, and better in one. */
export function dominates(a: readonly number[], b: readonly number[]): boolean {
  let better = false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] > b[i]) return false;
    if (a[i] < b[i]) better = true;
  }
  return better;
}

/** Positions of the points that no other dominates, in order. Equal points are all on the front. */
export function frontOf(costs: readonly (readonly number[])[]): number[] {
  const order = costs.map((_, i) => i).sort((a, b) => compare(costs[a], costs[b]));
  const front: number[] = [];
  // sorted, a point can be dominated only by one before it
  for (const i of order) if (!front.some((j) => dominates(costs[j], costs[i]))) front.push(i);
  return front.sort((a, b) => a - b);
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return 0;
}
