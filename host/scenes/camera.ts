/** The camera of KITTI's car, about: 1242 pixels wide photographs at a focal length of 720, here 1248 wide. */
import type { Vector } from "./mesh.ts";

export const SCENE_WIDTH = 1248;
export const SCENE_HEIGHT = 384;

/** Nothing nearer is drawn, metres. */
export const NEAR = 0.4;

/** Axes: x right, y down, z into the picture; metres. */
export interface Camera {
  /** pixels */
  readonly focal: number;
  /** Column and row of the vanishing point, pixels. */
  readonly centreX: number;
  readonly horizonY: number;
  /** above the ground, metres */
  readonly height: number;
}

/** The part of a polygon that lies in front of the camera. */
export function clipNear(corners: readonly Vector[]): readonly Vector[] {
  if (corners.every(([, , z]) => z >= NEAR)) return corners;
  const kept: Vector[] = [];
  for (let i = 0; i < corners.length; i++) {
    const a = corners[i];
    const b = corners[(i + 1) % corners.length];
    if (a[2] >= NEAR) kept.push(a);
    if (a[2] >= NEAR !== b[2] >= NEAR) {
      const t = (NEAR - a[2]) / (b[2] - a[2]);
      kept.push([a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, NEAR]);
    }
  }
  return kept;
}
