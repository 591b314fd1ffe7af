/** Sine, cosine and arctangent from additions and multiplications alone: engines differ in the last bit of Math.sin. */

const HALF_PI = 1.5707963267948966;

/** Taylor's series on -pi/4..pi/4; error below 1e-12. */
function sineCore(t: number): number {
  const s = t * t;
  return t * (1 + s * (-1 / 6 + s * (1 / 120 + s * (-1 / 5040 + s * (1 / 362880 - s / 39916800)))));
}

function cosineCore(t: number): number {
  const s = t * t;
  return 1 + s * (-1 / 2 + s * (1 / 24 + s * (-1 / 720 + s * (1 / 40320 + s * (-1 / 3628800 + s / 479001600)))));
}

/** Sine of an angle in radians. */
export function sine(angle: number): number {
  const quarter = Math.round(angle / HALF_PI);
  const t = angle - quarter * HALF_PI;
  switch (quarter & 3) {
    case 0:
      return sineCore(t);
    case 1:
      return cosineCore(t);
    case 2:
      return -sineCore(t);
    default:
      return -cosineCore(t);
  }
}

export function cosine(angle: number): number {
  return sine(angle + HALF_PI);
}

/** Angle of the vector (x, y) in -pi..pi; error below 1e-9. */
export function angleOf(y: number, x: number): number {
  const [ax, ay] = [Math.abs(x), Math.abs(y)];
  if (ax + ay === 0) return 0;
  // atan(t) = 2 atan(t / (1 + sqrt(1 + t^2))), twice, leaves |t| below 0.2
  let t = Math.min(ax, ay) / Math.max(ax, ay);
  t /= 1 + Math.sqrt(1 + t * t);
  t /= 1 + Math.sqrt(1 + t * t);
  const s = t * t;
  const core = 4 * t * (1 - s * (1 / 3 - s * (1 / 5 - s * (1 / 7 - s * (1 / 9 - s * (1 / 11 - s / 13))))));
  const first = ay > ax ? HALF_PI - core : core;
  const upper = x < 0 ? 2 * HALF_PI - first : first;
  return y < 0 ? -upper : upper;
}
