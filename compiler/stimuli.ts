/**
 * Synthetic photographs: what stands in for calibration images. Real scenes are objects that hide one another, at all
 * sizes, each with a texture: the dead-leaves model (Lee, Mumford and Huang 2001) with 1/f noise on every leaf. Its
 * gradients are sparse and its spectrum falls like a photograph's, which is what a network's first layers react to
 * (Baradad et al. 2021 train networks on nothing else).
 */
import type { Preprocess } from "../isa/index.ts";
import { Random } from "./random.ts";

/** Pixels of one synthetic photograph, [height][width][3], red, green, blue, 0..255, whole numbers. */
function photograph(height: number, width: number, seed: number): Float32Array {
  const random = new Random(seed);
  const pixels = new Float32Array(height * width * 3);
  const noise = pinkNoise(height, width, random);
  drawBackground(pixels, height, width, random);
  const leaves = 60 + random.integer(0, 240);
  for (let i = 0; i < leaves; i++) drawLeaf(pixels, height, width, noise, random);
  const optical = blur(blur(pixels, height, width, 3), height, width, 3 * width);
  // exposure: some pictures are dark, some have burnt-out skies; then the sensor's noise and 8 bits
  const gain = 0.6 + 0.9 * random.uniform();
  const offset = 50 * (random.uniform() - 0.5);
  return optical.map((value) =>
    Math.min(255, Math.max(0, Math.round((value - 128) * gain + 128 + offset + 2 * random.normal()))),
  );
}

/** A vertical gradient, as from sky to ground. */
function drawBackground(pixels: Float32Array, height: number, width: number, random: Random): void {
  const top = color(random);
  const bottom = color(random);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) pixels[(y * width + x) * 3 + c] = top[c] + ((bottom[c] - top[c]) * y) / height;
    }
  }
}

/** Weights 1, 2, 1 along rows (step 3) or columns (step 3 * width): lens and colour filter spread a point over about a pixel. */
function blur(pixels: Float32Array, height: number, width: number, step: number): Float32Array {
  const last = height * width * 3 - 1;
  return pixels.map(
    (value, i) => (pixels[Math.max(i - step, i % 3)] + 2 * value + pixels[Math.min(i + step, last)]) / 4,
  );
}

/** A color near the gray axis: photographs' channels are strongly correlated. Middle grays are more frequent. */
function color(random: Random): number[] {
  const gray = 128 * (random.uniform() + random.uniform());
  const saturation = 35 * random.uniform();
  return [0, 1, 2].map(() => gray + saturation * random.normal());
}

/** An ellipse or a rectangle; radii follow a power law (few large, many small), shading and texture vary within. */
function drawLeaf(pixels: Float32Array, height: number, width: number, noise: Float32Array, random: Random): void {
  const smallest = 3;
  const largest = 0.6 * Math.min(height, width);
  const radius = smallest / Math.max(random.uniform(), smallest / largest);
  const aspect = 0.4 + 1.6 * random.uniform();
  const [rx, ry] = [radius * aspect, radius / aspect];
  const [cx, cy] = [width * random.uniform(), height * random.uniform()];
  const box = random.uniform() < 0.5;
  const fill = color(random);
  const contrast = 12 * random.uniform() * random.uniform() * 4;
  const shade = 60 * (random.uniform() - 0.5);
  const shift = random.integer(0, height * width - 1);
  for (let y = Math.max(0, Math.ceil(cy - ry)); y < Math.min(height, cy + ry); y++) {
    const v = (y - cy) / ry;
    for (let x = Math.max(0, Math.ceil(cx - rx)); x < Math.min(width, cx + rx); x++) {
      const u = (x - cx) / rx;
      if (!box && u * u + v * v > 1) continue;
      const at = y * width + x;
      const texture = contrast * noise[(at + shift) % (height * width)] + shade * v;
      for (let c = 0; c < 3; c++) pixels[at * 3 + c] = fill[c] + texture;
    }
  }
}

/** Noise whose amplitude falls as 1/frequency, deviation about 1: in two dimensions, octaves of smooth noise of equal weight. */
function pinkNoise(height: number, width: number, random: Random): Float32Array {
  const out = new Float32Array(height * width);
  let power = 0;
  for (let period = 1; period <= 64; period *= 2) {
    const columns = Math.ceil(width / period) + 2;
    const rows = Math.ceil(height / period) + 2;
    const grid = Float32Array.from({ length: rows * columns }, () => random.normal());
    // linear interpolation keeps 2/3 of the power along each axis
    power += period === 1 ? 1 : 4 / 9;
    for (let y = 0; y < height; y++) {
      const row = Math.floor(y / period);
      const v = y / period - row;
      for (let x = 0; x < width; x++) {
        const column = Math.floor(x / period);
        const u = x / period - column;
        const at = row * columns + column;
        const above = grid[at] * (1 - u) + grid[at + 1] * u;
        const below = grid[at + columns] * (1 - u) + grid[at + columns + 1] * u;
        out[y * width + x] += above * (1 - v) + below * v;
      }
    }
  }
  const scale = 1 / Math.sqrt(power);
  return out.map((value) => value * scale);
}

/** The network's input for synthetic photograph number `index`: [height][width][channels], preprocessed as real ones are. */
export function stimulus(preprocess: Preprocess, seed: number, index: number): Float32Array {
  const { height, width, channels, mean, scale, colorOrder } = preprocess;
  const rgb = photograph(height, width, Math.imul(seed, 1000003) + index);
  const out = new Float32Array(height * width * channels);
  for (let pixel = 0; pixel < height * width; pixel++) {
    const at = 3 * pixel;
    for (let c = 0; c < channels; c++) {
      const value =
        channels === 1
          ? // luma weights of ITU-R BT.601
            Math.round(0.299 * rgb[at] + 0.587 * rgb[at + 1] + 0.114 * rgb[at + 2])
          : rgb[at + (colorOrder === "BGR" ? 2 - c : c)];
      out[pixel * channels + c] = (value - mean[c]) * scale;
    }
  }
  return out;
}
