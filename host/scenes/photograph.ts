/** From samples to a photograph: light on the ground, haze, averaging, and what a lens and a sensor add. */
import type { Image } from "../image.ts";
import type { Backdrop } from "./backdrop.ts";
import { SCENE_HEIGHT, SCENE_WIDTH } from "./camera.ts";
import type { Random } from "./random.ts";
import { type Raster, SAMPLES } from "./raster.ts";

/** What the sky still lights below a car or a shoe. */
const CONTACT_LIGHT = 0.35;

export function photograph(random: Random, raster: Raster, backdrop: Backdrop): Image {
  const pixels = averageSamples(raster, backdrop);
  const softness = random.between(0, 0.22);
  blur(pixels, softness, softness);
  if (random.chance(0.15)) blur(pixels, random.between(0.1, 0.3), 0.05);
  return { width: SCENE_WIDTH, height: SCENE_HEIGHT, rgb: exposed(random, pixels) };
}

/** [height, width, 3] real numbers, 0..255 and above. */
function averageSamples({ nearness, color, thing, shadow, light }: Raster, { colors, depths }: Backdrop): Float32Array {
  const pixels = new Float32Array(SCENE_WIDTH * SCENE_HEIGHT * 3);
  const [sunFactors, skyFactors] = [light.sunColor.map((value) => value * -light.sun[1]), light.skyColor];
  const { horizon, hazeDistance } = light;
  const rowLength = SCENE_WIDTH * SAMPLES;
  const part = 1 / (SAMPLES * SAMPLES);
  for (let y = 0; y < SCENE_HEIGHT; y++) {
    const depth = depths[y];
    const isGround = depth < Infinity;
    const groundHaze = isGround ? depth / (depth + hazeDistance) : 0;
    for (let x = 0; x < SCENE_WIDTH; x++) {
      const to = (y * SCENE_WIDTH + x) * 3;
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let sample = 0; sample < SAMPLES * SAMPLES; sample++) {
        const at = (y * SAMPLES + (sample >> 1)) * rowLength + x * SAMPLES + (sample & 1);
        if (thing[at] !== 0) {
          const packed = color[at];
          const haze = 1 / (1 + nearness[at] * hazeDistance);
          red += (packed >>> 16) * (1 - haze) + horizon[0] * haze;
          green += ((packed >>> 8) & 255) * (1 - haze) + horizon[1] * haze;
          blue += (packed & 255) * (1 - haze) + horizon[2] * haze;
        } else if (isGround) {
          const shaded = shadow[at];
          const sun = (shaded & 1) === 0 ? 1 : 0;
          const sky = (shaded & 2) === 0 ? 1 : CONTACT_LIGHT;
          red += colors[to] * (sunFactors[0] * sun + skyFactors[0] * sky) * (1 - groundHaze) + horizon[0] * groundHaze;
          green +=
            colors[to + 1] * (sunFactors[1] * sun + skyFactors[1] * sky) * (1 - groundHaze) + horizon[1] * groundHaze;
          blue +=
            colors[to + 2] * (sunFactors[2] * sun + skyFactors[2] * sky) * (1 - groundHaze) + horizon[2] * groundHaze;
        } else {
          red += colors[to];
          green += colors[to + 1];
          blue += colors[to + 2];
        }
      }
      pixels[to] = red * part;
      pixels[to + 1] = green * part;
      pixels[to + 2] = blue * part;
    }
  }
  return pixels;
}

/** Mixes each pixel with its neighbours, in place. @param across part of each of the two neighbours, 0..1/3 */
function blur(pixels: Float32Array, across: number, down: number): void {
  const row = SCENE_WIDTH * 3;
  for (let y = 0; y < SCENE_HEIGHT; y++) {
    for (let c = 0; c < 3; c++) {
      let before = pixels[y * row + c];
      for (let at = y * row + c, last = at + row - 3; at < last; at += 3) {
        const here = pixels[at];
        pixels[at] = here + across * (before - 2 * here + pixels[at + 3]);
        before = here;
      }
    }
  }
  for (let x = 0; x < row; x++) {
    let before = pixels[x];
    for (let at = x, last = x + row * (SCENE_HEIGHT - 1); at < last; at += row) {
      const here = pixels[at];
      pixels[at] = here + down * (before - 2 * here + pixels[at + row]);
      before = here;
    }
  }
}

/** Exposure, contrast, tint, darker corners, noise; rounded to 8 bits. */
function exposed(random: Random, pixels: Float32Array): Uint8Array {
  const exposure = random.between(0.85, 1.2);
  const contrast = random.between(0.85, 1.15);
  const warmth = random.between(-0.06, 0.06);
  const gains = [exposure * (1 + warmth), exposure, exposure * (1 - warmth)];
  const darkening = random.between(0, 0.22);
  const noise = random.between(1, 9);
  const rgb = new Uint8Array(pixels.length);
  for (let y = 0, at = 0; y < SCENE_HEIGHT; y++) {
    const v = (y - SCENE_HEIGHT / 2) / (SCENE_WIDTH / 2);
    for (let x = 0; x < SCENE_WIDTH; x++) {
      const u = (x - SCENE_WIDTH / 2) / (SCENE_WIDTH / 2);
      const corner = 1 - darkening * (u * u + v * v);
      for (let c = 0; c < 3; c++, at++) {
        const lit = pixels[at] * gains[c] * corner;
        const grain = (random.next() + random.next() - 1) * noise;
        rgb[at] = Math.min(255, Math.max(0, Math.floor((lit - 110) * contrast + 110 + grain + 0.5)));
      }
    }
  }
  return rgb;
}
