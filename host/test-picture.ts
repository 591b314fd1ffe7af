/** A generated road scene, the same for the same seed on every machine: something to run on where no photograph is at hand. */
import { clamp } from "../isa/index.ts";
import type { Image } from "./image.ts";

type Color = readonly [red: number, green: number, blue: number];

/** A seeded generator of numbers in 0..1 (mulberry32, public domain). */
function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Smooth noise in 0..1 over the plane, one lattice point per unit. Basic arithmetic alone: the same bits on every machine. */
function smoothNoise(random: () => number): (x: number, y: number) => number {
  const lattice = Float64Array.from({ length: 4096 }, random);
  const at = (x: number, y: number) => lattice[(Math.imul(x, 73856093) ^ Math.imul(y, 19349663)) & 4095];
  return (x, y) => {
    const x0 = Math.floor(x);
    const y0 = Math.floor(y);
    const u = (x - x0) * (x - x0) * (3 - 2 * (x - x0));
    const v = (y - y0) * (y - y0) * (3 - 2 * (y - y0));
    const top = at(x0, y0) + (at(x0 + 1, y0) - at(x0, y0)) * u;
    const bottom = at(x0, y0 + 1) + (at(x0 + 1, y0 + 1) - at(x0, y0 + 1)) * u;
    return top + (bottom - top) * v;
  };
}

function mix(a: Color, b: Color, part: number): Color {
  const p = clamp(part, 0, 1);
  return [a[0] + (b[0] - a[0]) * p, a[1] + (b[1] - a[1]) * p, a[2] + (b[2] - a[2]) * p];
}

/** Pixels as real numbers, so that noise and shadows add up before the one rounding. */
class Canvas {
  readonly pixels: Float32Array;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.pixels = new Float32Array(width * height * 3);
  }

  /** Mixes `color` into one pixel. */
  blend(x: number, y: number, color: Color, part: number): void {
    const at = (y * this.width + x) * 3;
    for (let c = 0; c < 3; c++) this.pixels[at + c] += (color[c] - this.pixels[at + c]) * part;
  }

  /** Fills a shape inside a rectangle; `cover` says for u, v in -1..1 how far a pixel lies in it, 0..1. */
  fill(x0: number, y0: number, x1: number, y1: number, color: Color, cover: (u: number, v: number) => number): void {
    const left = clamp(Math.floor(x0), 0, this.width);
    const right = clamp(Math.ceil(x1), 0, this.width);
    const top = clamp(Math.floor(y0), 0, this.height);
    const bottom = clamp(Math.ceil(y1), 0, this.height);
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        const u = ((x + 0.5 - x0) / (x1 - x0)) * 2 - 1;
        const v = ((y + 0.5 - y0) / (y1 - y0)) * 2 - 1;
        const part = cover(u, v);
        if (part > 0) this.blend(x, y, color, part);
      }
    }
  }
}

const SKY_TOP: Color = [86, 136, 200];
const SKY_LOW: Color = [214, 224, 230];
const CLOUD: Color = [248, 247, 244];
const HILL: Color = [104, 128, 132];
const TREE_DARK: Color = [38, 58, 34];
const TREE_LIGHT: Color = [92, 116, 58];
const GRASS_DARK: Color = [74, 92, 44];
const GRASS_LIGHT: Color = [140, 148, 82];
const ASPHALT: Color = [98, 99, 103];
const ASPHALT_FAR: Color = [142, 144, 148];
const LINE: Color = [232, 231, 224];
const SHADOW: Color = [22, 23, 26];
const GLASS: Color = [38, 46, 56];
const TAIL_LIGHT: Color = [206, 34, 30];
const PLATE: Color = [236, 232, 206];
const PAINTS: readonly Color[] = [
  [176, 28, 30],
  [34, 66, 128],
  [222, 223, 225],
  [52, 54, 60],
  [146, 150, 156],
  [196, 150, 38],
];

/** Where the road is: its middle and half width, in pixels, at a depth (0 at the horizon, 1 at the lower edge). */
interface Road {
  readonly horizon: number;
  middle(depth: number): number;
  half(depth: number): number;
}

function layRoad(width: number, height: number, random: () => number): Road {
  const vanishing = width * (0.46 + 0.08 * random());
  const bend = width * 0.1 * (random() - 0.5);
  return {
    horizon: height * 0.46,
    middle: (depth) => vanishing + (width * 0.5 - vanishing) * depth + bend * (1 - depth) * (1 - depth),
    half: (depth) => width * (0.008 + 0.44 * depth),
  };
}

function paintGround(canvas: Canvas, road: Road, noise: (x: number, y: number) => number): void {
  const { width, height } = canvas;
  const pixelSize = 2 / height;
  for (let y = 0; y < height; y++) {
    const depth = (y + 0.5 - road.horizon) / (height - road.horizon);
    // distance along the road in units of a lane mark's period
    const distance = 0.55 / Math.max(depth, 0.004);
    const middle = road.middle(depth);
    const half = road.half(depth);
    for (let x = 0; x < width; x++) {
      if (depth < 0) {
        const up = 1 - (y + 0.5) / road.horizon;
        const cloud = noise((x / height) * 2.2 + 40, up * 5) * 0.6 + noise((x / height) * 6, up * 13 + 9) * 0.4;
        canvas.blend(x, y, mix(mix(SKY_LOW, SKY_TOP, up * 1.15), CLOUD, (cloud - 0.5) * 3 * (0.25 + up)), 1);
        const ridge = 0.1 + 0.1 * noise((x / height) * 1.3 + 7, 3);
        canvas.blend(x, y, mix(HILL, SKY_LOW, 0.35), clamp((ridge - up) * road.horizon * 0.5, 0, 1) * 0.75);
        continue;
      }
      const side = (x + 0.5 - middle) / half;
      const across = Math.abs(side);
      const tuft = noise((x - middle) / (half * 0.06) + 50, distance * 9) * 0.6 + noise(x / 3, y / 2) * 0.4;
      canvas.blend(x, y, mix(GRASS_DARK, GRASS_LIGHT, tuft * 0.8 + (1 - depth) * 0.35), 1);
      const soft = half * 0.02 + 0.7;
      const onRoad = clamp(((1 - across) * half) / soft, 0, 1);
      const grain = (noise((x - middle) / (half * 0.02), distance * 30) - 0.5) * 14 * Math.min(1, depth * 3);
      const wear = (noise(side * 3 + 20, distance * 0.8) - 0.5) * 12;
      const surface = mix(ASPHALT_FAR, ASPHALT, depth * 1.8 + 0.1);
      canvas.blend(x, y, [surface[0] + grain + wear, surface[1] + grain + wear, surface[2] + grain + wear], onRoad);
      const lineAt = (place: number, lineWidth: number) =>
        clamp(((lineWidth - Math.abs(side - place)) * half) / 1.2 + 0.5, 0, 1) * clamp(depth * 12, 0, 1);
      const dash = distance * 1.6 - Math.floor(distance * 1.6);
      const dashed = clamp((0.42 - dash) / Math.max(0.02, pixelSize * 12), 0, 1);
      const painted = Math.max(lineAt(-0.93, 0.011), lineAt(0.93, 0.011), lineAt(0, 0.01) * dashed);
      canvas.blend(x, y, LINE, painted * 0.9);
    }
  }
}

/** Trees along both sides: heaps of leaves, lit from above. */
function paintTrees(canvas: Canvas, road: Road, random: () => number, noise: (x: number, y: number) => number): void {
  const { width, height } = canvas;
  const count = 26;
  for (let i = 0; i < count; i++) {
    const depth = 0.012 + 0.2 * (i / count) * (i / count);
    const left = random() < 0.5;
    const middle = road.middle(depth);
    const offset = road.half(depth) * (1.35 + 1.3 * random()) + width * 0.02;
    const foot = road.horizon + (height - road.horizon) * depth + 1;
    const size = height * (0.07 + 0.8 * depth) * (0.8 + 0.5 * random());
    const x = middle + (left ? -offset : offset) + (left ? -1 : 1) * random() * width * 0.32 * (1 - depth * 4);
    const tone = random();
    canvas.fill(x - size * 0.05, foot - size, x + size * 0.05, foot, [62, 50, 40], () => 0.9);
    canvas.fill(x - size * 0.75, foot - size * 2.1, x + size * 0.75, foot - size * 0.25, TREE_DARK, (u, v) => {
      const edge = 0.72 + 0.5 * (noise(u * 3 + i * 17, v * 3 + 5) - 0.5) + 0.25 * (noise(u * 9 + i * 5, v * 9) - 0.5);
      return clamp((edge - Math.sqrt(u * u + v * v)) * 9, 0, 1);
    });
    canvas.fill(x - size * 0.75, foot - size * 2.1, x + size * 0.75, foot - size * 0.25, TREE_LIGHT, (u, v) => {
      const edge = 0.62 + 0.5 * (noise(u * 3 + i * 17, v * 3 + 5) - 0.5);
      const leaves = noise(u * 11 + i * 7, v * 11 + 31) * 0.75 - (v + 0.2) * 0.3 + tone * 0.2 - 0.25;
      return clamp((edge - Math.sqrt(u * u + v * v)) * 6, 0, 1) * clamp(leaves * 1.6, 0, 0.85);
    });
  }
}

/** A rectangle with rounded corners, `round` of its half size, edges softened by `soft`. */
function rounded(round: number, soft: number): (u: number, v: number) => number {
  return (u, v) => {
    const x = Math.max(0, Math.abs(u) - (1 - round)) / round;
    const y = Math.max(0, Math.abs(v) - (1 - round)) / round;
    return clamp((1 - Math.sqrt(x * x + y * y)) / soft, 0, 1);
  };
}

/** A car seen from behind, `size` pixels wide, standing at x, foot. */
function paintCar(canvas: Canvas, x: number, foot: number, size: number, paint: Color): void {
  const box = (u0: number, v0: number, u1: number, v1: number, color: Color, cover: (u: number, v: number) => number) =>
    canvas.fill(x + u0 * size, foot - v0 * size, x + u1 * size, foot - v1 * size, color, cover);
  const soft = Math.min(0.6, 3 / size);
  const dark = mix(paint, SHADOW, 0.45);
  const light = mix(paint, [255, 255, 255], 0.35);
  const cabin = (u: number, v: number) =>
    clamp((1 - Math.abs(u) - 0.16 * (1 - (v + 1) / 2)) / (soft * 0.5), 0, 1) * rounded(0.25, soft)(u, v);
  box(-0.6, 0.07, 0.6, -0.09, SHADOW, (u, v) => clamp((1 - Math.sqrt(u * u + v * v)) * 2.5, 0, 0.8));
  for (const wheel of [-1, 1]) box(wheel * 0.37 - 0.09, 0.2, wheel * 0.37 + 0.09, 0, [18, 18, 20], rounded(0.5, soft));
  box(-0.4, 0.8, 0.4, 0.4, mix(paint, SHADOW, 0.12), cabin);
  box(-0.33, 0.75, 0.33, 0.48, GLASS, cabin);
  box(-0.33, 0.75, 0.33, 0.6, [150, 172, 190], (u, v) => cabin(u, v) * 0.3 * (1 - v));
  box(-0.5, 0.5, 0.5, 0.12, paint, rounded(0.3, soft));
  box(-0.48, 0.5, 0.48, 0.42, light, (u, v) => rounded(0.4, soft)(u, v) * 0.5);
  box(-0.5, 0.25, 0.5, 0.1, dark, rounded(0.4, soft));
  for (const lamp of [-1, 1]) {
    box(lamp * 0.4 - 0.085, 0.44, lamp * 0.4 + 0.085, 0.32, TAIL_LIGHT, rounded(0.4, soft));
    box(lamp * 0.4 - 0.05, 0.42, lamp * 0.4 + 0.05, 0.38, [255, 150, 130], (u, v) => rounded(0.6, soft)(u, v) * 0.6);
  }
  box(-0.13, 0.36, 0.13, 0.28, PLATE, rounded(0.15, soft));
  for (const mirror of [-1, 1]) {
    box(mirror * 0.46 - 0.06, 0.57, mirror * 0.46 + 0.06, 0.48, dark, rounded(0.6, soft));
  }
}

/** A road under a cloudy sky with trees and a few cars, width x height pixels. The same seed gives the same bytes. */
export function testPicture(width: number, height: number, seed: number): Image {
  const random = randomNumbers(seed);
  const noise = smoothNoise(random);
  const canvas = new Canvas(width, height);
  const road = layRoad(width, height, random);
  paintGround(canvas, road, noise);
  paintTrees(canvas, road, random, noise);
  // far cars first: near ones stand before them
  const firstPaint = Math.floor(random() * PAINTS.length);
  const cars = [
    { depth: 0.05, lane: -0.5 },
    { depth: 0.09, lane: 0.45 },
    { depth: 0.2 + 0.1 * random(), lane: -0.52 },
    { depth: 0.36 + 0.16 * random(), lane: 0.5 },
  ];
  for (const [i, { depth, lane }] of cars.entries()) {
    const foot = road.horizon + (height - road.horizon) * depth;
    const paint = PAINTS[(firstPaint + i) % PAINTS.length];
    paintCar(canvas, road.middle(depth) + road.half(depth) * lane, foot, road.half(depth) * 0.56, paint);
  }
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < rgb.length; i++) {
    const grain = (random() + random() - 1) * 5;
    rgb[i] = clamp(Math.floor(canvas.pixels[i] + grain + 0.5), 0, 255);
  }
  return { width, height, rgb };
}
