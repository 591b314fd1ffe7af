/** Cars and vans: a lower body, a narrower cabin with windows, wheels, lamps and plates. */
import { type Color, Mesh, mixColors, type Surface, scaleColor, type Vector } from "./mesh.ts";
import type { Random } from "./random.ts";

export interface Model {
  readonly mesh: Mesh;
  /** height, width, length in metres */
  readonly dimensions: readonly [number, number, number];
}

/** Side view: parts of the length from the rear bumper (0) to the front (1), and heights as parts of the height. */
interface Shape {
  readonly length: readonly [number, number];
  readonly width: readonly [number, number];
  readonly height: readonly [number, number];
  /** rear edge of the boot, foot of the rear window, rear end of the roof, front end of the roof, foot of the windscreen */
  readonly cabin: readonly [number, number, number, number];
  readonly belt: number;
  /** height of the bonnet's front edge */
  readonly nose: number;
  readonly tail: number;
}

const SHAPES: Readonly<Record<"saloon" | "hatchback" | "estate" | "offroader" | "van", Shape>> = {
  saloon: {
    length: [4.3, 5],
    width: [1.72, 1.9],
    height: [1.38, 1.5],
    cabin: [0.13, 0.28, 0.55, 0.72],
    belt: 0.62,
    nose: 0.47,
    tail: 0.6,
  },
  hatchback: {
    length: [3.5, 4.3],
    width: [1.6, 1.8],
    height: [1.42, 1.58],
    cabin: [0.02, 0.12, 0.56, 0.76],
    belt: 0.6,
    nose: 0.46,
    tail: 0.58,
  },
  estate: {
    length: [4.4, 4.9],
    width: [1.75, 1.9],
    height: [1.44, 1.58],
    cabin: [0.02, 0.09, 0.57, 0.74],
    belt: 0.6,
    nose: 0.46,
    tail: 0.58,
  },
  offroader: {
    length: [4.2, 4.9],
    width: [1.8, 2],
    height: [1.62, 1.85],
    cabin: [0.015, 0.08, 0.57, 0.71],
    belt: 0.6,
    nose: 0.52,
    tail: 0.58,
  },
  van: {
    length: [4.8, 6],
    width: [1.9, 2.1],
    height: [1.95, 2.6],
    cabin: [0.01, 0.03, 0.78, 0.9],
    belt: 0.52,
    nose: 0.42,
    tail: 0.5,
  },
};

const PAINTS: readonly Color[] = [
  [196, 28, 30],
  [120, 22, 26],
  [30, 58, 128],
  [62, 104, 168],
  [226, 227, 228],
  [205, 206, 208],
  [38, 40, 44],
  [24, 24, 27],
  [146, 149, 154],
  [112, 116, 122],
  [176, 178, 180],
  [54, 84, 66],
  [206, 170, 52],
  [190, 98, 36],
  [92, 74, 60],
  [168, 158, 138],
];

export const carPaint = (random: Random): Color => {
  const paint = random.pick(PAINTS);
  return scaleColor(paint, random.between(0.8, 1.15));
};

const GLASS: Color = [34, 40, 46];
const RUBBER: Surface = { color: [24, 24, 25] };

/** @param lampsOn at dusk headlamps and tail lamps shine */
export function makeCar(random: Random, isVan: boolean, lampsOn: boolean): Model {
  const kind = isVan ? "van" : random.pick(["saloon", "hatchback", "hatchback", "estate", "offroader"] as const);
  const shape = SHAPES[kind];
  const length = random.between(...shape.length);
  const width = random.between(...shape.width);
  const height = random.between(...shape.height);
  const paint: Surface = { color: isVan && random.chance(0.6) ? [214, 215, 214] : carPaint(random), gloss: 0.14 };
  const mesh = new Mesh();
  const alongAt = (part: number) => (part - 0.5) * length;
  const half = width / 2;
  const roofHalf = half * (isVan ? 0.88 : random.between(0.7, 0.8));
  const sill = random.between(0.2, 0.28);
  const belt = height * (shape.belt + random.between(-0.02, 0.02));
  const nose = height * shape.nose;
  const tail = height * shape.tail;
  const [bootEnd, rearRoof, frontRoof, cowl] = shape.cabin.map((part) => alongAt(part + random.between(-0.012, 0.012)));
  addLowerBody(mesh, { length, half, sill, belt, nose, tail, cowl, bootEnd }, paint);
  addCabin(
    mesh,
    { half: half * 0.97, roofHalf, belt, height, bootEnd, rearRoof, frontRoof, cowl, isVan },
    paint,
    random,
  );
  addWheels(mesh, length, half, random);
  addLamps(mesh, { length, half, nose, tail, sill }, lampsOn, random);
  return { mesh, dimensions: [height, width, length] };
}

interface LowerBody {
  readonly length: number;
  readonly half: number;
  readonly sill: number;
  readonly belt: number;
  readonly nose: number;
  readonly tail: number;
  readonly cowl: number;
  readonly bootEnd: number;
}

function addLowerBody(mesh: Mesh, body: LowerBody, paint: Surface): void {
  const { length, half, sill, belt, nose, tail, cowl, bootEnd } = body;
  const end = length / 2;
  const dark: Surface = { color: mixColors(paint.color, [30, 30, 32], 0.75) };
  // seen from the side: bumper, bonnet, belt line, boot
  const outline: readonly (readonly [number, number, number])[] = [
    [-end + 0.05, sill, 0.93],
    [-end, sill + 0.18, 0.95],
    [-end + 0.04, tail, 0.93],
    [bootEnd, belt, 0.97],
    [cowl, belt, 0.97],
    [end - 0.12, nose, 0.9],
    [end, sill + 0.2, 0.9],
    [end - 0.06, sill, 0.88],
  ];
  const inside: Vector = [0, (sill + belt) / 2, 0];
  const point = (i: number, side: number): Vector => {
    const [x, y, part] = outline[i % outline.length];
    return [x, y, side * half * part];
  };
  for (let i = 0; i < outline.length; i++) {
    mesh.face(
      [point(i, -1), point(i + 1, -1), point(i + 1, 1), point(i, 1)],
      i === 0 || i === 6 ? dark : paint,
      inside,
    );
  }
  for (const side of [-1, 1]) {
    // the flank bulges: a line at mid height is half a width out
    const ridge = sill + 0.35 * (belt - sill) + 0.1;
    const rear: Vector = [-end + 0.02, ridge, side * half * 0.97];
    const front: Vector = [end - 0.04, ridge * 0.97, side * half * 0.95];
    const middleRear: Vector = [bootEnd + 0.1, ridge, side * half];
    const middleFront: Vector = [cowl - 0.05, ridge, side * half];
    mesh.face([point(3, side), point(4, side), middleFront, middleRear], paint, inside);
    mesh.face([point(2, side), point(3, side), middleRear], paint, inside);
    mesh.face([point(2, side), middleRear, rear], paint, inside);
    mesh.face([point(4, side), point(5, side), middleFront], paint, inside);
    mesh.face([point(5, side), front, middleFront], paint, inside);
    mesh.face([rear, middleRear, point(0, side)], paint, inside);
    mesh.face([middleRear, middleFront, point(7, side), point(0, side)], paint, inside);
    mesh.face([front, middleFront, point(7, side)], paint, inside);
    mesh.face([rear, point(0, side), point(1, side)], dark, inside);
    mesh.face([front, point(7, side), point(6, side)], dark, inside);
  }
}

interface Cabin {
  readonly half: number;
  readonly roofHalf: number;
  readonly belt: number;
  readonly height: number;
  readonly bootEnd: number;
  readonly rearRoof: number;
  readonly frontRoof: number;
  readonly cowl: number;
  readonly isVan: boolean;
}

function addCabin(mesh: Mesh, cabin: Cabin, paint: Surface, random: Random): void {
  const { half, roofHalf, belt, height, bootEnd, rearRoof, frontRoof, cowl, isVan } = cabin;
  const lower = (x: number, side: number): Vector => [x, belt - 0.01, side * half];
  const upper = (x: number, side: number): Vector => [x, height, side * roofHalf];
  const inside: Vector = [(bootEnd + cowl) / 2, (belt + height) / 2, 0];
  const glass: Surface = { color: scaleColor(GLASS, random.between(0.7, 1.5)), gloss: random.between(0.25, 0.6) };
  const roof: Surface = random.chance(0.08) ? { color: [30, 30, 32], gloss: 0.2 } : paint;
  mesh.face([upper(rearRoof, -1), upper(frontRoof, -1), upper(frontRoof, 1), upper(rearRoof, 1)], roof, inside);
  /** A wall with a window that leaves `frame` of it free on each side. */
  const wall = (
    corners: readonly [Vector, Vector, Vector, Vector],
    panes: readonly (readonly [number, number])[],
    top = 0.1,
  ) => {
    mesh.face(corners, paint, inside);
    const out = 0.012;
    const at = (u: number, v: number): Vector => {
      const [a, b, c, d] = corners;
      const mix = (k: number) => (a[k] * (1 - u) + b[k] * u) * (1 - v) + (d[k] * (1 - u) + c[k] * u) * v;
      const [x, y, z] = [mix(0), mix(1), mix(2)];
      return [
        x + (x - inside[0] > 0 ? out : -out) * (Math.abs(a[0] - b[0]) < 0.5 ? 1 : 0),
        y + 0.2 * out,
        z + (z > 0 ? out : -out),
      ];
    };
    for (const [from, to] of panes)
      mesh.face([at(from, 0.06), at(to, 0.06), at(to, 1 - top), at(from, 1 - top)], glass, inside);
  };
  wall(
    [lower(bootEnd, -1), lower(bootEnd, 1), upper(rearRoof, 1), upper(rearRoof, -1)],
    isVan && random.chance(0.5) ? [] : [[0.08, 0.92]],
    0.12,
  );
  wall([lower(cowl, -1), lower(cowl, 1), upper(frontRoof, 1), upper(frontRoof, -1)], [[0.05, 0.95]]);
  const panes: readonly (readonly [number, number])[] = isVan
    ? random.chance(0.5)
      ? [[0.7, 0.93]]
      : [
          [0.06, 0.36],
          [0.4, 0.66],
          [0.7, 0.93],
        ]
    : random.chance(0.5)
      ? [
          [0.1, 0.47],
          [0.51, 0.9],
        ]
      : [
          [0.08, 0.3],
          [0.33, 0.58],
          [0.62, 0.9],
        ];
  for (const side of [-1, 1]) {
    wall([lower(bootEnd, side), lower(cowl, side), upper(frontRoof, side), upper(rearRoof, side)], panes);
    mesh.block([cowl - 0.25, side * (half + 0.1)], [belt, belt + 0.15], [0.05, 0.1], paint);
  }
}

function addWheels(mesh: Mesh, length: number, half: number, random: Random): void {
  const radius = random.between(0.29, 0.35);
  const rim: Surface = { color: scaleColor([168, 170, 174], random.between(0.5, 1.2)), gloss: 0.1 };
  for (const x of [-0.3 * length, 0.31 * length]) {
    for (const side of [-1, 1]) {
      mesh.tube([x, radius, side * (half - 0.22)], [x, radius, side * (half + 0.005)], radius, radius, RUBBER, 12);
      mesh.tube(
        [x, radius, side * (half - 0.05)],
        [x, radius, side * (half + 0.015)],
        radius * 0.62,
        radius * 0.58,
        rim,
        8,
      );
    }
  }
}

interface Ends {
  readonly length: number;
  readonly half: number;
  readonly nose: number;
  readonly tail: number;
  readonly sill: number;
}

function addLamps(mesh: Mesh, { length, half, nose, tail, sill }: Ends, lampsOn: boolean, random: Random): void {
  const end = length / 2;
  const glow = lampsOn ? 1 : 0.15;
  const red: Surface = { color: [190, 26, 24], glow };
  const white: Surface = { color: [226, 228, 222], glow, gloss: 0.2 };
  const tall = random.chance(0.4);
  for (const side of [-1, 1]) {
    const rear = side * half * 0.78;
    mesh.block(
      [-end + 0.06, rear],
      [tail - (tall ? 0.36 : 0.18), tail - 0.03],
      [0.07, half * (tall ? 0.11 : 0.17)],
      red,
    );
    mesh.block([end - 0.12, side * half * 0.68], [nose - 0.17, nose - 0.03], [0.12, half * 0.17], white);
  }
  const plate: Surface = { color: [228, 226, 214] };
  mesh.block([-end + 0.01, 0], [sill + 0.25, sill + 0.36], [0.03, 0.26], plate);
  mesh.block([end - 0.01, 0], [sill + 0.08, sill + 0.19], [0.03, 0.26], plate);
  const grille: Surface = { color: [32, 32, 34] };
  mesh.block([end - 0.05, 0], [nose - 0.2, nose - 0.06], [0.06, half * 0.42], grille);
}
