/** Which samples of a grid a convex polygon covers: for each row the first and the last. */

export class Spans {
  /** Rows with samples: first, and one past the last. */
  firstRow = 0;
  endRow = 0;
  /** Of each row: first column, and one past the last. */
  readonly first: Int32Array;
  readonly end: Int32Array;
  private readonly left: Float64Array;
  private readonly right: Float64Array;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.first = new Int32Array(height);
    this.end = new Int32Array(height);
    this.left = new Float64Array(height);
    this.right = new Float64Array(height);
  }

  /** A sample belongs to the polygon when its centre lies inside. @param xs corners' columns, in samples */
  cover(xs: ArrayLike<number>, ys: ArrayLike<number>, count: number): void {
    const { left, right, first, end, width, height } = this;
    let top = Infinity;
    let bottom = -Infinity;
    for (let i = 0; i < count; i++) {
      if (ys[i] < top) top = ys[i];
      if (ys[i] > bottom) bottom = ys[i];
    }
    const from = Math.max(0, Math.ceil(top - 0.5));
    const to = Math.min(height, Math.ceil(bottom - 0.5));
    this.firstRow = from;
    this.endRow = Math.max(from, to);
    if (to <= from) return;
    left.fill(Infinity, from, to);
    right.fill(-Infinity, from, to);
    for (let i = 0; i < count; i++) {
      const j = i + 1 === count ? 0 : i + 1;
      const isDown = ys[j] > ys[i];
      const [xa, ya, xb, yb] = isDown ? [xs[i], ys[i], xs[j], ys[j]] : [xs[j], ys[j], xs[i], ys[i]];
      const rowFrom = Math.max(from, Math.ceil(ya - 0.5));
      const rowTo = Math.min(to, Math.ceil(yb - 0.5));
      if (rowTo <= rowFrom) continue;
      const slope = (xb - xa) / (yb - ya);
      for (let row = rowFrom; row < rowTo; row++) {
        const x = xa + (row + 0.5 - ya) * slope;
        if (x < left[row]) left[row] = x;
        if (x > right[row]) right[row] = x;
      }
    }
    for (let row = from; row < to; row++) {
      first[row] = Math.min(width, Math.max(0, Math.ceil(left[row] - 0.5)));
      end[row] = Math.max(0, Math.min(width, Math.ceil(right[row] - 0.5)));
    }
  }
}
