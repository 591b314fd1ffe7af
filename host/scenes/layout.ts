/** Places in a scene: what stands where, and what is free. */
import { angleOf } from "./angles.ts";
import { makeCar } from "./car.ts";
import { makeCyclist } from "./cyclist.ts";
import type { Mesh } from "./mesh.ts";
import { makePedestrian } from "./person.ts";
import type { Noise, Random } from "./random.ts";
import type { Placed } from "./raster.ts";
import type { Street } from "./street.ts";
import { makeTruck } from "./truck.ts";

export type SceneClass = "Car" | "Van" | "Truck" | "Pedestrian" | "Cyclist";

export interface SceneThing extends Placed {
  /** null: scenery. */
  readonly class: SceneClass | null;
  /** height, width, length in metres */
  readonly dimensions: readonly [number, number, number];
}

/** Things of a class stand up to here; what is farther would be too small to label. */
export const FARTHEST = 72;

/** The half angle of view is 0.87; what is farther to the side than this per metre of distance is not seen. */
const VIEW = 0.95;

export class Layout {
  readonly things: SceneThing[] = [];
  /** Taken places: centre and half extents. */
  private readonly taken: (readonly [x: number, z: number, halfX: number, halfZ: number])[] = [];

  constructor(
    readonly random: Random,
    readonly noise: Noise,
    readonly street: Street,
    readonly isDusk: boolean,
  ) {}

  /** Direction of driving at a distance, away from the camera or towards it. */
  heading(z: number, isAway: boolean): number {
    const slope = this.street.slope(z);
    return isAway ? angleOf(-1, slope) : angleOf(1, -slope);
  }

  /** Takes a place if it is free. */
  claim(x: number, z: number, halfX: number, halfZ: number): boolean {
    const isFree = this.taken.every(
      ([tx, tz, hx, hz]) => Math.abs(x - tx) >= halfX + hx || Math.abs(z - tz) >= halfZ + hz,
    );
    if (isFree) this.taken.push([x, z, halfX, halfZ]);
    return isFree;
  }

  vehicle(x: number, z: number, yaw: number, isAcross = false): void {
    const { random } = this;
    const kind = random.next();
    if (!this.claim(x, z, isAcross ? 2.7 : 1.1, isAcross ? 1.1 : 2.7)) return;
    if (kind < 0.03 && !isAcross && z > 12 && this.claim(x, z + 4, 1.3, 1)) {
      this.things.push({ ...makeTruck(random), class: "Truck", x, z: z + 2, yaw });
      return;
    }
    const isVan = kind > 0.93;
    const car = makeCar(random, isVan, this.isDusk || random.chance(0.1));
    this.things.push({ ...car, class: isVan ? "Van" : "Car", x, z, yaw: yaw + random.between(-0.04, 0.04) });
  }

  pedestrian(x: number, z: number, yaw: number): void {
    if (Math.abs(x) > VIEW * z + 1 || !this.claim(x, z, 0.3, 0.3)) return;
    this.things.push({ ...makePedestrian(this.random), class: "Pedestrian", x, z, yaw });
  }

  cyclist(x: number, z: number, yaw: number): void {
    if (Math.abs(x) > VIEW * z + 1 || !this.claim(x, z, 0.7, 0.9)) return;
    this.things.push({ ...makeCyclist(this.random), class: "Cyclist", x, z, yaw });
  }

  scenery(mesh: Mesh, x: number, z: number, yaw: number): void {
    this.things.push({ mesh, class: null, dimensions: [0, 0, 0], x, z, yaw });
  }

  /** Would a thing of a half length along the road stand in the crossroad? */
  isJunction(z: number, half: number): boolean {
    const { junction } = this.street;
    return junction !== null && Math.abs(z - junction.z) < junction.half + half;
  }
}
