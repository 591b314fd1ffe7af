/** A road scene from a seed: a picture and its labels. The same seed gives the same pixels on every machine. */
import type { Image } from "../image.ts";
import type { KittiObject } from "../kitti.ts";
import { paintBackdrop } from "./backdrop.ts";
import { type Camera, SCENE_WIDTH } from "./camera.ts";
import { labelOf } from "./labels.ts";
import { layOut, type SceneThing } from "./layout.ts";
import { makeLight } from "./light.ts";
import { photograph } from "./photograph.ts";
import { mixSeed, Noise, Random } from "./random.ts";
import { Raster } from "./raster.ts";
import { makeStreet } from "./street.ts";

export interface Scene {
  /** 1248 x 384 pixels */
  readonly image: Image;
  readonly labels: readonly KittiObject[];
}

/** Scene number `index` of a seed; a series may be made in any order and number. */
export function makeScene(seed: number, index: number): Scene {
  const random = new Random(mixSeed(seed, index));
  const noise = new Noise(random);
  const light = makeLight(random);
  const camera = makeCamera(random);
  const street = makeStreet(random);
  const things = layOut(random, noise, street, light.isDusk);
  // near things first: what they hide need not be painted
  things.sort((a, b) => a.z - b.z);
  const raster = new Raster(camera, light);
  for (const [i, thing] of things.entries()) {
    raster.draw(thing, i + 1);
    if (thing.class !== null) raster.contact(thing, footprint(thing));
  }
  const visible = raster.visible(things.length + 1);
  const image = photograph(random, raster, paintBackdrop(random, noise, camera, street, light));
  const labels = things.flatMap((thing, i) => {
    if (thing.class === null || visible[i + 1] === 0) return [];
    const label = labelOf(thing, thing.class, visible[i + 1] / raster.alone(thing, i + 1), camera);
    return label === null ? [] : [label];
  });
  return { image, labels };
}

function makeCamera(random: Random): Camera {
  return {
    focal: random.between(700, 740),
    centreX: SCENE_WIDTH / 2 + random.between(-25, 25),
    horizonY: random.between(163, 190),
    height: random.between(1.5, 1.8),
  };
}

/** Half length and half width of the ground that a thing keeps dark. */
function footprint({ class: name, dimensions: [, width, length] }: SceneThing): readonly [number, number] {
  return name === "Pedestrian" || name === "Cyclist" ? [length * 0.4, 0.12] : [length * 0.48, width * 0.47];
}
