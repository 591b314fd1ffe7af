/** The road of a scene: where it runs, how it is divided, what lies beside it. Camera axes, metres. */
import type { Color } from "./mesh.ts";
import type { Random } from "./random.ts";

export type StreetKind = "city" | "residential" | "country" | "square";

export interface Street {
  readonly kind: StreetKind;
  /** The middle of the carriageway at a distance, and how fast it moves sideways. */
  centre(z: number): number;
  slope(z: number): number;
  readonly laneWidth: number;
  /** in each direction */
  readonly lanes: number;
  /** Strips for parked cars beside the lanes, left and right; 0: none. */
  readonly parking: readonly [left: number, right: number];
  /** Width of the pavement beyond. */
  readonly pavement: number;
  /** Distance of a zebra crossing, and of the middle of a crossroad. */
  readonly crossing: number | null;
  readonly junction: { readonly z: number; readonly half: number } | null;
  readonly colors: {
    readonly asphalt: Color;
    readonly pavement: Color;
    readonly verge: Color;
    readonly mark: Color;
  };
  readonly hasCentreLine: boolean;
  readonly hasEdgeLine: boolean;
}

/** Distance from the middle to the outer edge of the carriageway with its parking strip. @param side -1 left, 1 right */
export function edgeOf(street: Street, side: number): number {
  return street.laneWidth * street.lanes + street.parking[side < 0 ? 0 : 1];
}

export function makeStreet(random: Random): Street {
  const kind = random.pick(["city", "city", "residential", "residential", "country", "square"] as const);
  const laneWidth = kind === "residential" ? random.between(2.5, 3) : random.between(2.9, 3.7);
  const lanes = kind === "city" && random.chance(0.3) ? 2 : 1;
  const strip = () => (kind === "country" || random.chance(0.45) ? 0 : 2.15);
  // the camera drives in the right lane
  const offset = -laneWidth * (lanes - 0.5) + random.between(-0.5, 0.5);
  const heading = random.between(-0.05, 0.05);
  const bend = random.chance(0.5) ? random.between(-0.0018, 0.0018) : 0;
  const gray = random.between(72, 128);
  const tile = random.between(120, 172);
  const grass: Color = [random.between(84, 128), random.between(104, 128), random.between(52, 70)];
  const isGreen = kind === "country" || (kind === "residential" && random.chance(0.6));
  const junction = random.chance(0.3) ? { z: random.between(14, 42), half: random.between(3, 5) } : null;
  return {
    kind,
    centre: (z) => offset + heading * z + bend * z * z,
    slope: (z) => heading + 2 * bend * z,
    laneWidth,
    lanes,
    parking: [strip(), strip()],
    pavement:
      kind === "country"
        ? random.between(0.3, 1.2)
        : kind === "square"
          ? random.between(6, 10)
          : random.between(1.8, 4),
    crossing: kind !== "country" && random.chance(0.25) ? random.between(9, 30) : null,
    junction,
    colors: {
      asphalt: [gray, gray + random.between(-3, 3), gray + random.between(-2, 6)],
      pavement: [tile, tile - random.between(0, 6), tile - random.between(2, 18)],
      verge: isGreen ? grass : [tile * 0.9, tile * 0.88, tile * 0.82],
      mark: [224, 224, 218],
    },
    hasCentreLine: kind !== "residential" || random.chance(0.3),
    hasEdgeLine: kind === "country" || random.chance(0.3),
  };
}
