/** What lies behind all things: the ground with the road on it, the sky, and the distance between them. */
import { type Camera, SCENE_HEIGHT, SCENE_WIDTH } from "./camera.ts";
import type { Light } from "./light.ts";
import { type Color, mixColors, scaleColor } from "./mesh.ts";
import type { Noise, Random } from "./random.ts";
import { edgeOf, type Street } from "./street.ts";

const MARK_WIDTH = 0.13;
const CURB_WIDTH = 0.16;

/** Colours [height, width, 3] without light: the ground's reflect, the sky's are as seen. */
export interface Backdrop {
  readonly colors: Float32Array;
  /** Depth of the ground in each row, metres; Infinity above the horizon. */
  readonly depths: Float64Array;
}

export function paintBackdrop(random: Random, noise: Noise, camera: Camera, street: Street, light: Light): Backdrop {
  const colors = new Float32Array(SCENE_WIDTH * SCENE_HEIGHT * 3);
  const depths = new Float64Array(SCENE_HEIGHT);
  const paintSky = skyPainter(random, noise, camera, street, light);
  const paintGround = groundPainter(random, noise, camera, street);
  for (let row = 0; row < SCENE_HEIGHT; row++) {
    const below = row + 0.5 - camera.horizonY;
    depths[row] = below > 0.5 ? (camera.focal * camera.height) / below : Infinity;
    if (below > 0.5) paintGround(row, depths[row], colors);
    else paintSky(row, colors);
  }
  return { colors, depths };
}

function put(colors: Float32Array, at: number, color: Color): void {
  colors[at] = color[0];
  colors[at + 1] = color[1];
  colors[at + 2] = color[2];
}

type RowPainter = (row: number, colors: Float32Array) => void;

/** Clouds, and a far line of trees or roofs. */
function skyPainter(random: Random, noise: Noise, camera: Camera, street: Street, light: Light): RowPainter {
  const cover = random.between(0.35, 0.75);
  const cloud = mixColors(light.horizon, [255, 255, 255], light.isDusk ? 0.1 : 0.5);
  const isTown = street.kind !== "country" && random.chance(0.6);
  const ridgeHeight = random.between(4, 34);
  const ridge = mixColors(isTown ? [120, 112, 106] : [62, 82, 56], light.horizon, random.between(0.2, 0.55));
  const heights = Float64Array.from({ length: SCENE_WIDTH }, (_, x) =>
    isTown
      ? ridgeHeight * (0.4 + 0.6 * noise.at(Math.floor(x / 37) * 3.7, 11)) + 6 * noise.at(Math.floor(x / 14) * 1.7, 5)
      : ridgeHeight * (0.4 + 0.5 * noise.at(x / 90, 7) + 0.25 * noise.at(x / 17, 8) + 0.12 * noise.at(x / 4, 9)),
  );
  return (row, colors) => {
    const above = camera.horizonY - row - 0.5;
    const up = above / camera.horizonY;
    const base = mixColors(light.horizon, light.zenith, Math.min(1, Math.max(0, up * 1.15)));
    for (let x = 0; x < SCENE_WIDTH; x++) {
      const at = (row * SCENE_WIDTH + x) * 3;
      const hill = heights[x] - above;
      if (hill >= 1) {
        put(colors, at, scaleColor(ridge, 0.85 + 0.3 * noise.at(x / 3, row / 3)));
        continue;
      }
      const y = 14 / (up + 0.25);
      const thick =
        noise.at((x - 624) * y * 0.0007 + 60, y * 0.4) * 0.65 + noise.at((x - 624) * y * 0.002, y * 1.1 + 9) * 0.35;
      const part = Math.min(1, Math.max(0, (thick - 1 + cover) * 3));
      const sky = mixColors(base, cloud, part);
      put(colors, at, hill > 0 ? mixColors(sky, ridge, hill) : sky);
    }
  };
}

/** How much of a stripe between two edges falls into a pixel of this size around d. */
function stripe(d: number, from: number, to: number, size: number): number {
  const covered = Math.min(to, d + size / 2) - Math.max(from, d - size / 2);
  return covered <= 0 ? 0 : Math.min(1, covered / size);
}

function groundPainter(random: Random, noise: Noise, camera: Camera, street: Street) {
  const { colors: palette, laneWidth, lanes, pavement, crossing, junction } = street;
  const edges = [edgeOf(street, -1), edgeOf(street, 1)] as const;
  const dash = { period: random.between(6, 12), part: random.between(0.35, 0.6) };
  const wear = random.between(0.6, 1);
  const patches = random.between(0.06, 0.22);
  const tiled = random.chance(0.5);
  const isWet = random.chance(0.1);
  return (row: number, z: number, colors: Float32Array): void => {
    const scale = z / camera.focal;
    // a pixel's extent on the ground, across and along
    const along = (z * z) / (camera.focal * camera.height);
    const middle = street.centre(z);
    const crossroad = junction !== null && Math.abs(z - junction.z) < junction.half;
    const zebra = crossing !== null && Math.abs(z - crossing) < 1.6;
    const phase = z / dash.period - Math.floor(z / dash.period);
    const dashed = along > dash.period ? dash.part : phase < dash.part ? 1 : 0;
    const fade = 1 / (1 + along * 0.6);
    for (let x = 0; x < SCENE_WIDTH; x++) {
      const worldX = (x + 0.5 - camera.centreX) * scale;
      const d = worldX - middle;
      const side = d < 0 ? 0 : 1;
      const beyond = Math.abs(d) - edges[side];
      const soft = noise.at(worldX * 0.4 + 31, z * 0.25);
      const grain = (noise.at(worldX * 9, z * 5) - 0.5) * fade;
      let color: Color;
      let tone = 1 + patches * (soft - 0.5) + 0.16 * grain;
      if (beyond < 0 || crossroad) {
        color = palette.asphalt;
        if (noise.at(worldX * 0.13 + 7, z * 0.09 + 3) > 0.78) tone *= 0.88;
        if (isWet && soft > 0.55) tone *= 0.75;
        let mark = 0;
        if (zebra && beyond < -0.2) mark = d - Math.floor(d) < 0.5 ? 1 : 0;
        else if (!crossroad) {
          if (street.hasCentreLine) mark = stripe(d, -MARK_WIDTH / 2, MARK_WIDTH / 2, scale) * dashed;
          for (let lane = 1; lane < lanes; lane++) {
            mark = Math.max(
              mark,
              stripe(Math.abs(d), lane * laneWidth - MARK_WIDTH / 2, lane * laneWidth + MARK_WIDTH / 2, scale) * dashed,
            );
          }
          const outer = laneWidth * lanes;
          if (street.hasEdgeLine) mark = Math.max(mark, stripe(Math.abs(d), outer - 0.2, outer - 0.08, scale));
        }
        if (mark > 0) color = mixColors(color, palette.mark, mark * wear * (0.7 + 0.3 * soft));
      } else if (beyond < CURB_WIDTH && street.kind !== "country") {
        color = scaleColor(palette.pavement, 1.12);
      } else if (beyond < pavement) {
        color = palette.pavement;
        if (tiled && along < 0.4) {
          const [u, v] = [d / 0.6 - Math.floor(d / 0.6), z / 0.6 - Math.floor(z / 0.6)];
          if (u < 0.06 || v < 0.06) tone *= 0.85;
        }
      } else {
        color = palette.verge;
        tone = 1 + 0.35 * (soft - 0.5) + 0.5 * grain;
      }
      const at = (row * SCENE_WIDTH + x) * 3;
      colors[at] = color[0] * tone;
      colors[at + 1] = color[1] * tone;
      colors[at + 2] = color[2] * tone;
    }
  };
}
