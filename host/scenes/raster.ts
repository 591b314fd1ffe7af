/** Draws things into a buffer of depths, colours and numbers of things, two by two samples to a pixel. */
import { cosine, sine } from "./angles.ts";
import { type Camera, clipNear, SCENE_HEIGHT, SCENE_WIDTH } from "./camera.ts";
import { type Light, shade } from "./light.ts";
import type { Face, Mesh, Vector } from "./mesh.ts";
import { Spans } from "./spans.ts";

/** Samples per pixel and direction. */
export const SAMPLES = 2;
const WIDTH = SCENE_WIDTH * SAMPLES;
const HEIGHT = SCENE_HEIGHT * SAMPLES;
const MAX_CORNERS = 32;
/** Shadows of what is farther are too small to see, metres. */
const SHADOW_DISTANCE = 70;

/** A mesh standing somewhere: camera axes, metres and radians. */
export interface Placed {
  readonly mesh: Mesh;
  readonly x: number;
  readonly z: number;
  /** KITTI's rotation_y: 0 looks right, pi/2 towards the camera, -pi/2 away from it. */
  readonly yaw: number;
}

/** Local to camera axes. */
export function placer({ x, z, yaw }: Placed, camera: Camera) {
  const [c, s] = [cosine(yaw), sine(yaw)];
  return {
    point: ([f, u, w]: Vector): Vector => [x + f * c + w * s, camera.height - u, z - f * s + w * c],
    direction: ([f, u, w]: Vector): Vector => [f * c + w * s, -u, -f * s + w * c],
    /** Camera axes to local. */
    local: (px: number, py: number, pz: number): Vector => [
      (px - x) * c - (pz - z) * s,
      camera.height - py,
      (px - x) * s + (pz - z) * c,
    ],
  };
}

/** What stands in each sample. Thing 0 is the ground and the sky. */
export class Raster {
  /** 1 / depth; 0: nothing. */
  readonly nearness = new Float32Array(WIDTH * HEIGHT);
  readonly color = new Uint32Array(WIDTH * HEIGHT);
  readonly thing = new Uint16Array(WIDTH * HEIGHT);
  /** Of the ground's samples: 1 where the sun does not reach, 2 where something stands, 3 both. */
  readonly shadow = new Uint8Array(WIDTH * HEIGHT);
  /** The last thing whose samples were counted, seen or hidden. */
  private readonly touched = new Uint16Array(WIDTH * HEIGHT);
  private readonly spans = new Spans(WIDTH, HEIGHT);
  private readonly xs = new Float64Array(MAX_CORNERS);
  private readonly ys = new Float64Array(MAX_CORNERS);

  constructor(
    readonly camera: Camera,
    readonly light: Light,
  ) {}

  /** Draws a thing. @param number its own, above 0 */
  draw(placed: Placed, number: number): void {
    const place = placer(placed, this.camera);
    for (const face of placed.mesh.faces) this.drawFace(face, place, number);
    if (this.castsShadow(placed)) for (const face of placed.mesh.faces) this.shadowOf(face, place);
  }

  /** How many samples a thing would fill alone. */
  alone(placed: Placed, number: number): number {
    const { spans, touched } = this;
    const { point } = placer(placed, this.camera);
    let covered = 0;
    for (const { corners } of placed.mesh.faces) {
      if (!this.project(corners.map(point))) continue;
      for (let row = spans.firstRow; row < spans.endRow; row++) {
        const end = row * WIDTH + spans.end[row];
        for (let at = row * WIDTH + spans.first[row]; at < end; at++) {
          if (touched[at] === number) continue;
          touched[at] = number;
          covered++;
        }
      }
    }
    return covered;
  }

  /** Darkens the ground under a thing. @param half length and width of the dark rectangle */
  contact(placed: Placed, [halfLength, halfWidth]: readonly [number, number]): void {
    const { point } = placer(placed, this.camera);
    const corners = [
      [-halfLength, -halfWidth],
      [halfLength, -halfWidth],
      [halfLength, halfWidth],
      [-halfLength, halfWidth],
    ];
    this.darken(
      corners.map(([x, z]) => point([x, 0, z])),
      2,
    );
  }

  /** Samples of each thing that nothing hides. */
  visible(things: number): Uint32Array {
    const counts = new Uint32Array(things);
    for (const number of this.thing) counts[number]++;
    return counts;
  }

  private castsShadow({ z }: Placed): boolean {
    return z < SHADOW_DISTANCE && this.light.sunColor[1] > 0.2;
  }

  private drawFace({ corners, normal, surface }: Face, place: ReturnType<typeof placer>, number: number): void {
    const points = corners.map(place.point);
    const [p] = points;
    let n: Vector;
    if (normal === null) {
      const [, q, r] = points;
      const [ax, ay, az] = [q[0] - p[0], q[1] - p[1], q[2] - p[2]];
      const [bx, by, bz] = [r[0] - p[0], r[1] - p[1], r[2] - p[2]];
      const raw: Vector = [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx];
      const length = Math.sqrt(raw[0] * raw[0] + raw[1] * raw[1] + raw[2] * raw[2]);
      const turn = raw[0] * p[0] + raw[1] * p[1] + raw[2] * p[2] > 0 ? -1 : 1;
      n = [(raw[0] * turn) / length, (raw[1] * turn) / length, (raw[2] * turn) / length];
    } else n = place.direction(normal);
    const distance = n[0] * p[0] + n[1] * p[1] + n[2] * p[2];
    // seen from behind, or exactly from the side
    if (distance > -1e-6) return;
    if (!this.project(points)) return;
    const color = shade(this.light, surface, n);
    const { focal, centreX, horizonY } = this.camera;
    // on a plane, 1 / depth is a linear function of column and row
    const perColumn = n[0] / (focal * SAMPLES * distance);
    const perRow = n[1] / (focal * SAMPLES * distance);
    const constant = n[2] / distance - perColumn * (centreX * SAMPLES - 0.5) - perRow * (horizonY * SAMPLES - 0.5);
    const { spans, nearness, thing } = this;
    const { texture } = surface;
    for (let row = spans.firstRow; row < spans.endRow; row++) {
      const rowNearness = constant + perRow * row;
      const end = row * WIDTH + spans.end[row];
      let column = spans.first[row];
      for (let at = row * WIDTH + column; at < end; at++, column++) {
        const near = rowNearness + perColumn * column;
        if (near <= nearness[at]) continue;
        nearness[at] = near;
        thing[at] = number;
        if (texture === undefined) this.color[at] = color;
        else {
          const rayX = ((column + 0.5) / SAMPLES - centreX) / focal;
          const rayY = ((row + 0.5) / SAMPLES - horizonY) / focal;
          const [x, y, z] = place.local(rayX / near, rayY / near, 1 / near);
          this.color[at] = dimmed(color, texture(x, y, z));
        }
      }
    }
  }

  /** Darkens the ground that lies behind a face, seen from the sun. */
  private shadowOf({ corners, normal }: Face, place: ReturnType<typeof placer>): void {
    const { sun } = this.light;
    if (normal !== null) {
      const n = place.direction(normal);
      // the faces away from the sun cast the same shadow
      if (n[0] * sun[0] + n[1] * sun[1] + n[2] * sun[2] < 0) return;
    }
    const points = corners.map((corner): Vector => {
      const [x, y, z] = place.point(corner);
      const t = (this.camera.height - y) / sun[1];
      return [x + sun[0] * t, this.camera.height, z + sun[2] * t];
    });
    this.darken(points, 1);
  }

  private darken(points: readonly Vector[], flag: number): void {
    if (!this.project(points)) return;
    const { spans, shadow } = this;
    for (let row = spans.firstRow; row < spans.endRow; row++) {
      for (let at = row * WIDTH + spans.first[row]; at < row * WIDTH + spans.end[row]; at++) shadow[at] |= flag;
    }
  }

  /** Finds the samples of a polygon. @returns false when there are none */
  private project(points: readonly Vector[]): boolean {
    const clipped = clipNear(points);
    if (clipped.length < 3) return false;
    const { focal, centreX, horizonY } = this.camera;
    for (const [i, [x, y, z]] of clipped.entries()) {
      this.xs[i] = (centreX + (focal * x) / z) * SAMPLES;
      this.ys[i] = (horizonY + (focal * y) / z) * SAMPLES;
    }
    this.spans.cover(this.xs, this.ys, clipped.length);
    return this.spans.endRow > this.spans.firstRow;
  }
}

function dimmed(packed: number, factor: number): number {
  const red = Math.min(255, (packed >>> 16) * factor) | 0;
  const green = Math.min(255, ((packed >>> 8) & 255) * factor) | 0;
  const blue = Math.min(255, (packed & 255) * factor) | 0;
  return (red << 16) | (green << 8) | blue;
}
