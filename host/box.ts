/** Boxes and detections in pixels of the photograph. */

/** Left, top, right, bottom. */
export type Box = readonly [x0: number, y0: number, x1: number, y1: number];

/** One found object. score = confidence x class probability. */
export interface Detection {
  readonly class: string;
  readonly score: number;
  readonly box: Box;
}

function boxArea([x0, y0, x1, y1]: Box): number {
  return Math.max(0, x1 - x0) * Math.max(0, y1 - y0);
}

/** Intersection over union of two boxes, 0..1; 0 when neither has an area. */
export function boxIou(a: Box, b: Box): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (!(width > 0 && height > 0)) return 0;
  const shared = width * height;
  return shared / (boxArea(a) + boxArea(b) - shared);
}
