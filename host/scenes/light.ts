/** Sun, sky and haze of a scene: what becomes of a surface's colour. */
import { cosine, sine } from "./angles.ts";
import { type Color, mixColors, type Surface, type Vector } from "./mesh.ts";
import type { Random } from "./random.ts";

/** Vectors are in camera axes: x right, y down, z into the picture. */
export interface Light {
  /** Unit vector towards the sun. */
  readonly sun: Vector;
  /** Brightness of sunlit white, above what the sky gives; 0: overcast. */
  readonly sunColor: Color;
  /** Brightness that the whole sky gives to a surface looking up. */
  readonly skyColor: Color;
  /** Colours of the picture's sky, above and at the horizon. */
  readonly zenith: Color;
  readonly horizon: Color;
  /** Distance in metres at which haze has taken half of a colour. */
  readonly hazeDistance: number;
  readonly isDusk: boolean;
}

export function makeLight(random: Random): Light {
  const elevation = random.between(0.3, 1.15);
  const azimuth = random.between(0, 6.283);
  const across = cosine(elevation);
  const sun: Vector = [sine(azimuth) * across, -sine(elevation), cosine(azimuth) * across];
  const overcast = random.chance(0.35);
  const isDusk = random.chance(0.1);
  const level = isDusk ? random.between(0.4, 0.6) : 1;
  const strength = (overcast ? random.between(0, 0.12) : random.between(0.4, 0.7)) * level;
  const warm = random.between(0, 1);
  const sky = (overcast ? random.between(0.72, 0.9) : random.between(0.5, 0.65)) * level;
  const gray = random.between(200, 242) * (isDusk ? 0.7 : 1);
  const blue: Color = [70 + random.between(0, 40), 125 + random.between(0, 30), 195 + random.between(0, 30)];
  const zenith = overcast
    ? ([gray * 0.84, gray * 0.86, gray * 0.9] as Color)
    : mixColors([60, 80, 120], blue, isDusk ? 0.3 : 1);
  const horizon: Color = overcast ? [gray, gray, gray] : isDusk ? [206, 170, 140] : [212, 222, 230];
  return {
    sun,
    sunColor: [strength * (1 + 0.08 * warm), strength, strength * (1 - 0.2 * warm)],
    skyColor: overcast ? [sky, sky, sky * 1.02] : [sky * 0.93, sky, sky * 1.14],
    zenith,
    horizon,
    hazeDistance: random.chance(0.2) ? random.between(120, 250) : random.between(300, 900),
    isDusk,
  };
}

/** Colour of a surface with an outward normal, in camera axes, as three numbers 0..255 in one integer. */
export function shade(light: Light, { color, gloss = 0, glow = 0 }: Surface, normal: Vector): number {
  const { sun, sunColor, skyColor, zenith, horizon } = light;
  const facing = Math.max(0, normal[0] * sun[0] + normal[1] * sun[1] + normal[2] * sun[2]);
  // a wall sees half of the sky, and below it the ground
  const up = 0.5 - 0.5 * normal[1];
  const open = 0.45 + 0.55 * up;
  // what a mirror would show: the sky for surfaces that look up, else what stands opposite
  const mirrored = mixColors(
    [70, 72, 70],
    mixColors(horizon, zenith, Math.max(0, -normal[1])),
    Math.min(1, 0.35 + 0.9 * up),
  );
  let packed = 0;
  for (let c = 0; c < 3; c++) {
    const lit = color[c] * (skyColor[c] * open + sunColor[c] * facing);
    const seen = lit + (mirrored[c] * skyColor[c] * 1.4 - lit) * gloss;
    const value = Math.max(seen, color[c] * glow * 1.2);
    packed = (packed << 8) | Math.min(255, Math.max(0, Math.round(value)));
  }
  return packed;
}
