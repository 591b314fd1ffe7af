/** Who and what stands where in a scene. */
import { angleOf } from "./angles.ts";
import { makeCar } from "./car.ts";
import type { Mesh } from "./mesh.ts";
import { makeBicycle, makeCyclist, makePedestrian } from "./person.ts";
import type { Noise, Random } from "./random.ts";
import type { Placed } from "./raster.ts";
import { makeClutter, makeFence, makeHedge, makeHouse, makePole, makeTree, makeTruck } from "./scenery.ts";
import { edgeOf, type Street } from "./street.ts";

export type SceneClass = "Car" | "Van" | "Truck" | "Pedestrian" | "Cyclist";

export interface SceneThing extends Placed {
  /** null: scenery. */
  readonly class: SceneClass | null;
  /** height, width, length in metres */
  readonly dimensions: readonly [number, number, number];
}

/** Things of a class stand up to here; what is farther would be too small to label. */
const FARTHEST = 72;

/** The half angle of view is 0.87; what is farther to the side than this per metre of distance is not seen. */
const VIEW = 0.95;

class Layout {
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

/** All things of a scene, in no order. */
export function layOut(random: Random, noise: Noise, street: Street, isDusk: boolean): SceneThing[] {
  const layout = new Layout(random, noise, street, isDusk);
  placeHouses(layout);
  placeTraffic(layout);
  placeParked(layout);
  placeCyclists(layout);
  placePedestrians(layout);
  placeClutter(layout);
  placeSides(layout);
  return layout.things;
}

function placeTraffic(layout: Layout): void {
  const { random, street } = layout;
  const { laneWidth, lanes, junction } = street;
  const density = random.between(0.15, 0.6) * (street.kind === "square" ? 0.5 : 1);
  for (let lane = 0; lane < lanes; lane++) {
    for (const side of [-1, 1]) {
      // in the camera's own lane something may stand close ahead
      let z = side > 0 ? random.between(7, 24) : random.between(3, 24);
      while (z < FARTHEST) {
        const x = street.centre(z) + side * laneWidth * (lane + 0.5) + random.between(-0.3, 0.3);
        if (random.chance(density)) layout.vehicle(x, z, layout.heading(z, side > 0));
        z += random.between(6, 26);
      }
    }
  }
  if (junction === null) return;
  for (let i = random.integer(0, 3); i > 0; i--) {
    const side = random.sign();
    const x = random.between(-0.8, 0.8) * junction.z;
    layout.vehicle(x, junction.z + side * junction.half * 0.5, side > 0 ? Math.PI : 0, true);
  }
}

function placeParked(layout: Layout): void {
  const { random, street } = layout;
  for (const side of [-1, 1]) {
    const width = street.parking[side < 0 ? 0 : 1];
    if (width === 0) continue;
    const density = random.between(0.1, 0.75);
    const isSlanted = random.chance(0.12);
    for (let z = random.between(2.5, 9); z < FARTHEST * 0.8; z += random.between(5.6, 7.5)) {
      if (layout.isJunction(z, 4)) continue;
      if (!random.chance(density)) continue;
      const x = street.centre(z) + side * (edgeOf(street, side) - width * 0.5 + (isSlanted ? 0.9 : 0));
      layout.vehicle(x, z, layout.heading(z, random.chance(side > 0 ? 0.85 : 0.3)) + (isSlanted ? side * 0.7 : 0));
    }
  }
}

/** Nearer places are likelier than on a map, as in photographs of people. */
const someDistance = (random: Random, from: number) => {
  const u = random.next();
  return from + (FARTHEST - 14 - from) * (0.6 * u + 0.4 * u * u);
};

function placePedestrians(layout: Layout): void {
  const { random, street } = layout;
  const most = { city: 9, residential: 6, country: 3, square: 13 }[street.kind];
  for (let i = random.integer(0, most); i > 0; i--) {
    const z = someDistance(random, 5);
    const side = random.sign();
    const isCrossing = random.chance(0.18);
    const place =
      street.crossing !== null && isCrossing && random.chance(0.7) ? street.crossing + random.between(-1.2, 1.2) : z;
    const edge = edgeOf(street, side);
    const d = isCrossing ? random.between(-1, 1) * edge : side * (edge + random.between(0.2, 0.9) * street.pavement);
    const x = street.centre(place) + d;
    const yaw = isCrossing
      ? random.chance(0.5)
        ? 0
        : Math.PI
      : random.chance(0.8)
        ? layout.heading(place, random.chance(0.5))
        : random.between(-3.1, 3.1);
    layout.pedestrian(x, place, yaw + random.between(-0.25, 0.25));
    if (random.chance(0.25))
      layout.pedestrian(x + random.between(0.6, 0.9) * random.sign(), place + random.between(-0.4, 0.4), yaw);
  }
}

function placeCyclists(layout: Layout): void {
  const { random, street } = layout;
  const most = { city: 5, residential: 4, country: 3, square: 5 }[street.kind];
  for (let i = random.integer(0, most); i > 0; i--) {
    const z = someDistance(random, 5.5);
    const side = random.sign();
    const lane = street.laneWidth * street.lanes;
    const where = random.next();
    if (where < 0.12)
      layout.cyclist(street.centre(z) + random.between(-1, 1) * lane, z, random.chance(0.5) ? 0 : Math.PI);
    else {
      const d =
        where < 0.7
          ? side * (lane - random.between(0.3, 0.9))
          : side * (edgeOf(street, side) + random.between(0.3, 0.8) * street.pavement);
      layout.cyclist(
        street.centre(z) + d,
        z,
        layout.heading(z, random.chance(side > 0 ? 0.8 : 0.25)) + random.between(-0.15, 0.15),
      );
    }
  }
}

function placeClutter(layout: Layout): void {
  const { random, street } = layout;
  const most = { city: 12, residential: 9, country: 4, square: 12 }[street.kind];
  for (let i = random.integer(1, most); i > 0; i--) {
    const z = someDistance(random, 5);
    const side = random.sign();
    const d = side * (edgeOf(street, side) + random.between(0.4, 1.1) * Math.max(street.pavement, 1.5));
    const x = street.centre(z) + d;
    if (random.chance(0.3)) {
      if (layout.claim(x, z, 0.5, 0.9)) layout.scenery(makeBicycle(random), x, z, random.between(-3.1, 3.1));
    } else if (layout.claim(x, z, 1.1, 1.3)) layout.scenery(makeClutter(random), x, z, random.between(-3.1, 3.1));
  }
}

/** Poles at the curb, hedges, fences and trees. */
function placeSides(layout: Layout): void {
  const { random, noise, street } = layout;
  for (const side of [-1, 1]) {
    const yaw = side < 0 ? 0 : Math.PI;
    const edge = edgeOf(street, side);
    const away = (z: number, distance: number) => street.centre(z) + side * (edge + distance);
    for (let z = random.between(5, 20); z < 90; z += random.between(8, 30)) {
      if (!layout.isJunction(z, 0))
        layout.scenery(makePole(random), away(z, 0.4), z, random.chance(0.5) ? yaw : Math.PI / 2);
    }
    const behind = street.pavement + 0.6;
    if (random.chance(street.kind === "city" || street.kind === "square" ? 0.15 : 0.5)) {
      const long = random.between(3, 7);
      const isHedge = random.chance(0.5);
      for (let z = random.between(4, 14); z < 80; z += 2 * long + (random.chance(0.3) ? 5 : 0.05)) {
        if (layout.isJunction(z, long)) continue;
        layout.scenery(
          isHedge ? makeHedge(random, noise, long) : makeFence(random, long),
          away(z, behind),
          z,
          layout.heading(z, true) + Math.PI / 2,
        );
      }
    }
    const greenery = { city: 14, residential: 20, country: 24, square: 8 }[street.kind];
    for (let i = random.integer(2, greenery); i > 0; i--) {
      const z = random.between(7, 110);
      const gap =
        street.kind === "country"
          ? random.between(1.5, 22)
          : random.chance(0.5)
            ? 0.9
            : behind + random.between(0.5, 4);
      const x = away(z, gap);
      if (!layout.isJunction(z, 1) && layout.claim(x, z, 0.5, 0.5))
        layout.scenery(makeTree(random, noise), x, z, random.between(-3.1, 3.1));
    }
  }
}

/** Houses in rows behind the pavement. */
function placeHouses(layout: Layout): void {
  const { random, street } = layout;
  for (const side of [-1, 1]) {
    if (street.kind === "country" && random.chance(0.6)) continue;
    const isSmall = street.kind !== "city" && random.chance(0.7);
    const setBack =
      street.pavement +
      0.6 +
      (street.kind === "city" ? 0.3 : random.between(1, 9)) +
      (street.kind === "square" ? 5 : 0);
    for (let z = random.between(-4, 6); z < 130; ) {
      const long = isSmall ? random.between(4, 7) : random.between(6, 14);
      const deep = random.between(4, 6);
      const middle = z + long;
      const x = street.centre(middle) + side * (edgeOf(street, side) + setBack + deep);
      if (!layout.isJunction(middle, long) && layout.claim(x, middle, deep, long)) {
        layout.scenery(
          makeHouse(random, deep, long, isSmall),
          x,
          middle,
          layout.heading(middle, true) + (side < 0 ? Math.PI / 2 : -Math.PI / 2),
        );
      }
      z += 2 * long + (isSmall ? random.between(2, 9) : random.chance(0.25) ? random.between(2, 8) : 0.2);
    }
  }
}
