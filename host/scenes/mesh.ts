/**
 * Things made of flat, convex faces. Local axes in metres: x forward, y up, z to the side; the origin lies on the ground.
 */
import { cosine, sine } from "./angles.ts";

export type Vector = readonly [number, number, number];

/** Red, green, blue, 0..255 as in a picture under white light. */
export type Color = readonly [number, number, number];

/** Brightness factor of a surface at a local point; 1 leaves the colour as it is. */
export type Texture = (x: number, y: number, z: number) => number;

export interface Surface {
  readonly color: Color;
  /** 0..1: how much of the sky it mirrors. */
  readonly gloss?: number;
  /** 0..1: how far it shines by itself. */
  readonly glow?: number;
  readonly texture?: Texture;
}

export interface Face {
  /** Corners of a convex polygon, in order. */
  readonly corners: readonly Vector[];
  /** Unit vector pointing outwards; null: seen from both sides. */
  readonly normal: Vector | null;
  readonly surface: Surface;
}

export function mixColors(a: Color, b: Color, part: number): Color {
  return [a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part, a[2] + (b[2] - a[2]) * part];
}

export function scaleColor(color: Color, factor: number): Color {
  return [color[0] * factor, color[1] * factor, color[2] * factor];
}

const subtract = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const dot = (a: Vector, b: Vector) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

export function normalize(v: Vector): Vector {
  const length = Math.sqrt(dot(v, v)) || 1;
  return [v[0] / length, v[1] / length, v[2] / length];
}

function centreOf(points: readonly Vector[]): Vector {
  const sum = points.reduce((s, p): Vector => [s[0] + p[0], s[1] + p[1], s[2] + p[2]], [0, 0, 0] as Vector);
  return [sum[0] / points.length, sum[1] / points.length, sum[2] / points.length];
}

/** A growing list of faces. */
export class Mesh {
  readonly faces: Face[] = [];

  /** A flat polygon that looks away from `inside`; null: seen from both sides. Slivers without area are left out. */
  face(corners: readonly Vector[], surface: Surface, inside: Vector | null): void {
    const raw = cross(subtract(corners[1], corners[0]), subtract(corners[2], corners[0]));
    if (dot(raw, raw) < 1e-14) return;
    const normal = normalize(raw);
    const outward = inside === null || dot(normal, subtract(corners[0], inside)) >= 0;
    const turned: Vector = outward ? normal : [-normal[0], -normal[1], -normal[2]];
    this.faces.push({ corners, normal: inside === null ? null : turned, surface });
  }

  /** A solid between two polygons of equally many corners, with both ends closed. */
  loft(from: readonly Vector[], to: readonly Vector[], surface: Surface): void {
    const inside = centreOf([...from, ...to]);
    for (let i = 0; i < from.length; i++) {
      const j = (i + 1) % from.length;
      this.face([from[i], from[j], to[j], to[i]], surface, inside);
    }
    this.face(from, surface, inside);
    this.face(to, surface, inside);
  }

  /** An upright block; the upper rectangle may be smaller than the lower and shifted forward. */
  block(
    centre: readonly [x: number, z: number],
    [y0, y1]: readonly [number, number],
    lower: readonly [halfX: number, halfZ: number],
    surface: Surface,
    upper: readonly [halfX: number, halfZ: number] = lower,
    lean = 0,
  ): void {
    const rectangle = (y: number, [hx, hz]: readonly [number, number], shift: number): Vector[] => {
      const [x, z] = [centre[0] + shift, centre[1]];
      return [
        [x - hx, y, z - hz],
        [x + hx, y, z - hz],
        [x + hx, y, z + hz],
        [x - hx, y, z + hz],
      ];
    };
    this.loft(rectangle(y0, lower, 0), rectangle(y1, upper, lean), surface);
  }

  /** A round bar from a to b. */
  tube(a: Vector, b: Vector, radiusA: number, radiusB: number, surface: Surface, sides = 6): void {
    const axis = normalize(subtract(b, a));
    const u = normalize(cross(axis, Math.abs(axis[1]) < 0.9 ? [0, 1, 0] : [1, 0, 0]));
    const v = cross(axis, u);
    const circle = (centre: Vector, radius: number): Vector[] =>
      Array.from({ length: sides }, (_, i) => {
        const angle = ((i + 0.5) * 2 * Math.PI) / sides;
        const [c, s] = [cosine(angle) * radius, sine(angle) * radius];
        return [centre[0] + u[0] * c + v[0] * s, centre[1] + u[1] * c + v[1] * s, centre[2] + u[2] * c + v[2] * s];
      });
    this.loft(circle(a, radiusA), circle(b, radiusB), surface);
  }

  /** An ellipsoid; `tone` gives each face its own brightness. */
  ball(centre: Vector, radii: Vector, surface: Surface, rings = 5, sides = 8, tone?: () => number): void {
    const point = (ring: number, side: number): Vector => {
      const latitude = (ring / rings - 0.5) * Math.PI;
      const longitude = (side * 2 * Math.PI) / sides;
      const c = cosine(latitude);
      return [
        centre[0] + radii[0] * c * cosine(longitude),
        centre[1] + radii[1] * sine(latitude),
        centre[2] + radii[2] * c * sine(longitude),
      ];
    };
    for (let ring = 0; ring < rings; ring++) {
      for (let side = 0; side < sides; side++) {
        const corners = [point(ring, side), point(ring, side + 1), point(ring + 1, side + 1), point(ring + 1, side)];
        // at a pole two corners coincide: three remain
        const kept = ring === 0 ? corners.slice(1) : ring === rings - 1 ? corners.slice(0, 3) : corners;
        this.face(
          kept,
          tone === undefined ? surface : { ...surface, color: scaleColor(surface.color, tone()) },
          centre,
        );
      }
    }
  }

  /** A hoop in the plane x, y. */
  hoop(centre: Vector, radius: number, thickness: number, surface: Surface, parts = 14): void {
    const at = (i: number): Vector => {
      const angle = (i * 2 * Math.PI) / parts;
      return [centre[0] + cosine(angle) * radius, centre[1] + sine(angle) * radius, centre[2]];
    };
    for (let i = 0; i < parts; i++) this.tube(at(i), at(i + 1), thickness, thickness, surface, 4);
  }
}
