/** Labels of a scene's things as KITTI has them: boxes, truncation and occlusion from what is really seen. */
import type { KittiObject } from "../kitti.ts";
import { angleOf } from "./angles.ts";
import { type Camera, clipNear, SCENE_HEIGHT, SCENE_WIDTH } from "./camera.ts";
import type { SceneThing } from "./layout.ts";
import type { Vector } from "./mesh.ts";
import { placer } from "./raster.ts";
import { Spans } from "./spans.ts";

/** Part of a thing hidden by others up to which it has each level of occlusion; hidden further, it is not labelled. */
const OCCLUSION_LIMITS = [0.15, 0.5, 0.8, 0.95];
/** Below this height in pixels a thing is a region in which nothing counts. */
const MIN_HEIGHT = 12;
/** Narrower boxes than this are not labelled, pixels. */
const MIN_WIDTH = 3;
/** Samples across and down a thing to tell how much of it lies outside of the picture. */
const SILHOUETTE = 64;

/** @param seen part of the thing's samples in the picture that nothing hides @returns null when too little is seen */
export function labelOf(thing: SceneThing, name: string, seen: number, camera: Camera): KittiObject | null {
  const occluded = OCCLUSION_LIMITS.findIndex((limit) => 1 - seen <= limit);
  if (occluded < 0) return null;
  const polygons = outline(thing, camera);
  const whole = extent(polygons);
  const box = [
    Math.max(0, whole[0]),
    Math.max(0, whole[1]),
    Math.min(SCENE_WIDTH - 1, whole[2]),
    Math.min(SCENE_HEIGHT - 1, whole[3]),
  ] as const;
  if (box[2] - box[0] < MIN_WIDTH || box[3] <= box[1]) return null;
  if (box[3] - box[1] < MIN_HEIGHT) return dontCare(box);
  const { x, z, yaw, dimensions } = thing;
  return {
    class: name,
    truncated: 1 - insidePart(polygons, whole),
    occluded,
    alpha: wrapped(yaw - angleOf(x, z)),
    box,
    dimensions,
    location: [x, camera.height, z],
    rotation: wrapped(yaw),
    score: null,
  };
}

function dontCare(box: KittiObject["box"]): KittiObject {
  return {
    class: "DontCare",
    truncated: -1,
    occluded: -1,
    alpha: -10,
    box,
    dimensions: [-1, -1, -1],
    location: [-1000, -1000, -1000],
    rotation: -10,
    score: null,
  };
}

function wrapped(angle: number): number {
  const turns = Math.round(angle / (2 * Math.PI));
  return angle - turns * 2 * Math.PI;
}

type Point = readonly [x: number, y: number];

/** All faces as polygons in pixels. */
function outline(thing: SceneThing, camera: Camera): Point[][] {
  const { focal, centreX, horizonY } = camera;
  const { point } = placer(thing, camera);
  return thing.mesh.faces
    .map(({ corners }) => clipNear(corners.map(point)))
    .filter((corners) => corners.length > 2)
    .map((corners) =>
      corners.map(([x, y, z]: Vector): Point => [centreX + (focal * x) / z, horizonY + (focal * y) / z]),
    );
}

function extent(polygons: readonly (readonly Point[])[]): [number, number, number, number] {
  const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const polygon of polygons) {
    for (const [x, y] of polygon) {
      box[0] = Math.min(box[0], x);
      box[1] = Math.min(box[1], y);
      box[2] = Math.max(box[2], x);
      box[3] = Math.max(box[3], y);
    }
  }
  return box;
}

/** The part of a thing's silhouette that lies inside of the picture. */
function insidePart(polygons: readonly (readonly Point[])[], [x0, y0, x1, y1]: readonly number[]): number {
  if (x0 >= 0 && y0 >= 0 && x1 <= SCENE_WIDTH && y1 <= SCENE_HEIGHT) return 1;
  const covered = new Uint8Array(SILHOUETTE * SILHOUETTE);
  const spans = new Spans(SILHOUETTE, SILHOUETTE);
  for (const polygon of polygons) {
    const xs = polygon.map(([x]) => ((x - x0) / (x1 - x0)) * SILHOUETTE);
    const ys = polygon.map(([, y]) => ((y - y0) / (y1 - y0)) * SILHOUETTE);
    spans.cover(xs, ys, polygon.length);
    for (let row = spans.firstRow; row < spans.endRow; row++) {
      if (spans.end[row] > spans.first[row]) {
        covered.fill(1, row * SILHOUETTE + spans.first[row], row * SILHOUETTE + spans.end[row]);
      }
    }
  }
  let all = 0;
  let inside = 0;
  for (let i = 0; i < covered.length; i++) {
    if (covered[i] === 0) continue;
    all++;
    const x = x0 + (((i % SILHOUETTE) + 0.5) / SILHOUETTE) * (x1 - x0);
    const y = y0 + ((Math.floor(i / SILHOUETTE) + 0.5) / SILHOUETTE) * (y1 - y0);
    if (x >= 0 && x < SCENE_WIDTH && y >= 0 && y < SCENE_HEIGHT) inside++;
  }
  return all === 0 ? 0 : inside / all;
}
