/** People on foot, bicycles, and people on bicycles. */
import { cosine, sine } from "./angles.ts";
import type { Model } from "./car.ts";
import { type Color, Mesh, type Surface, scaleColor, type Vector } from "./mesh.ts";
import type { Random } from "./random.ts";

const CLOTHES: readonly Color[] = [
  [34, 38, 48],
  [48, 52, 60],
  [28, 28, 30],
  [58, 74, 104],
  [88, 98, 118],
  [140, 34, 38],
  [186, 60, 52],
  [64, 92, 62],
  [104, 110, 70],
  [196, 188, 172],
  [226, 224, 218],
  [150, 118, 82],
  [96, 68, 48],
  [204, 164, 60],
  [110, 64, 112],
  [60, 120, 140],
  [214, 120, 140],
];
const SKIN: readonly Color[] = [
  [226, 184, 156],
  [206, 160, 128],
  [168, 120, 90],
  [122, 82, 60],
  [84, 58, 44],
];
const HAIR: readonly Color[] = [
  [38, 28, 22],
  [78, 54, 36],
  [148, 116, 70],
  [120, 116, 112],
  [22, 20, 20],
];

const cloth = (random: Random): Surface => ({ color: scaleColor(random.pick(CLOTHES), random.between(0.8, 1.2)) });

/** Two bars with a joint: a leg or an arm. */
function limb(
  mesh: Mesh,
  points: readonly [Vector, Vector, Vector],
  radii: readonly [number, number, number],
  surface: Surface,
  end = surface,
): void {
  mesh.tube(points[0], points[1], radii[0], radii[1], surface);
  mesh.tube(points[1], points[2], radii[1], radii[2], end);
}

function head(mesh: Mesh, centre: Vector, size: number, random: Random, helmet: Surface | null): void {
  const skin: Surface = { color: random.pick(SKIN) };
  mesh.ball(centre, [0.1 * size, 0.13 * size, 0.085 * size], skin);
  const hair: Surface = helmet ?? { color: random.pick(HAIR) };
  const [x, y, z] = centre;
  if (helmet !== null) mesh.ball([x, y + 0.06 * size, z], [0.14 * size, 0.09 * size, 0.1 * size], hair);
  else if (!random.chance(0.08)) {
    const long = random.chance(0.35) ? 0.1 : 0.03;
    mesh.ball(
      [x - 0.03 * size, y + (0.05 - long / 2) * size, z],
      [0.1 * size, (0.1 + long / 2) * size, 0.095 * size],
      hair,
    );
  }
}

/** Somebody standing or walking. */
export function makePedestrian(random: Random): Model {
  const mesh = new Mesh();
  const isChild = random.chance(0.12);
  const height = isChild ? random.between(1.15, 1.45) : random.between(1.55, 1.92);
  const s = height / 1.75;
  const girth = s * random.between(0.85, 1.25) * (isChild ? 1.1 : 1);
  const stride = random.chance(0.25) ? random.between(0, 0.12) : random.between(0.15, 0.55);
  const step = random.sign() * stride;
  const trousers = cloth(random);
  const top = cloth(random);
  const skin: Surface = { color: random.pick(SKIN) };
  const bareLegs = random.chance(0.2);
  const shoes: Surface = { color: scaleColor([60, 56, 54], random.between(0.4, 3)) };
  const hip = 0.9 * s;
  const shoulder = 1.43 * s;
  for (const side of [-1, 1]) {
    const swing = side * step;
    const z = side * 0.09 * girth;
    const knee: Vector = [sine(swing + 0.1) * 0.45 * s, hip - cosine(swing) * 0.44 * s, z];
    const back = swing < 0 ? 0.35 * stride : 0;
    const ankle: Vector = [
      knee[0] + sine(swing - 0.1 - back) * 0.42 * s,
      Math.max(0.07 * s, knee[1] - cosine(swing - back) * 0.4 * s),
      z,
    ];
    limb(
      mesh,
      [[0, hip, z], knee, ankle],
      [0.095 * girth, 0.07 * girth, 0.055 * girth],
      trousers,
      bareLegs ? skin : trousers,
    );
    mesh.block([ankle[0] + 0.05 * s, z], [ankle[1] - 0.07 * s, ankle[1] + 0.03 * s], [0.13 * s, 0.05 * girth], shoes, [
      0.08 * s,
      0.045 * girth,
    ]);
    const arm = -swing * 0.9;
    const bend = random.between(0.1, 0.6) + (random.chance(0.15) ? 1.2 : 0);
    const shoulderZ = side * 0.21 * girth;
    const elbow: Vector = [
      sine(arm) * 0.28 * s,
      shoulder - 0.04 * s - cosine(arm) * 0.28 * s,
      shoulderZ + side * 0.04 * s,
    ];
    const hand: Vector = [
      elbow[0] + sine(arm + bend) * 0.27 * s,
      elbow[1] - cosine(arm + bend) * 0.27 * s,
      shoulderZ + side * 0.02 * s,
    ];
    limb(
      mesh,
      [[0, shoulder - 0.03 * s, shoulderZ], elbow, hand],
      [0.06 * girth, 0.05 * girth, 0.04 * girth],
      top,
      random.chance(0.3) ? skin : top,
    );
    mesh.ball(hand, [0.045 * s, 0.06 * s, 0.04 * s], skin, 3, 5);
  }
  const middle: readonly [number, number] = [0, 0];
  mesh.block(middle, [hip - 0.05 * s, shoulder + 0.02 * s], [0.11 * girth, 0.165 * girth], top, [
    0.1 * girth,
    0.21 * girth,
  ]);
  mesh.block(middle, [shoulder + 0.02 * s, shoulder + 0.07 * s], [0.1 * girth, 0.21 * girth], top, [
    0.05 * girth,
    0.07 * girth,
  ]);
  if (random.chance(0.25))
    mesh.block(middle, [random.between(0.42, 0.6) * s, hip], [0.2 * girth, 0.23 * girth], top, [
      0.12 * girth,
      0.17 * girth,
    ]);
  mesh.tube([0, shoulder, 0], [0.01, shoulder + 0.14 * s, 0], 0.05 * s, 0.05 * s, skin);
  head(mesh, [0.02 * s, height - 0.13 * s, 0], s, random, null);
  if (random.chance(0.22))
    mesh.block([-0.19 * girth, 0], [hip + 0.1 * s, shoulder], [0.09 * s, 0.14 * s], cloth(random), [
      0.07 * s,
      0.13 * s,
    ]);
  else if (random.chance(0.2))
    mesh.block(
      [0.05, random.sign() * 0.32 * girth],
      [hip - 0.3 * s, hip + 0.02 * s],
      [0.16 * s, 0.06 * s],
      cloth(random),
    );
  return { mesh, dimensions: [height, 0.55 * girth, 0.35 + stride] };
}

/** Puts a bicycle into the mesh, its wheels along x. */
function addBicycle(mesh: Mesh, random: Random): void {
  const frame: Surface = { color: scaleColor(random.pick(CLOTHES), random.between(0.8, 1.4)), gloss: 0.1 };
  const tyre: Surface = { color: [30, 30, 31] };
  const metal: Surface = { color: [120, 122, 126] };
  const radius = 0.34;
  for (const x of [-0.52, 0.54]) {
    mesh.hoop([x, radius, 0], radius - 0.02, 0.022, tyre);
    for (const [dx, dy] of [
      [0.22, 0.22],
      [0.22, -0.22],
    ]) {
      mesh.tube([x - dx, radius - dy, 0], [x + dx, radius + dy, 0], 0.006, 0.006, metal, 4);
    }
  }
  const bars: readonly (readonly [Vector, Vector])[] = [
    [
      [-0.52, radius, 0],
      [-0.05, 0.3, 0],
    ],
    [
      [-0.52, radius, 0],
      [-0.2, 0.78, 0],
    ],
    [
      [-0.05, 0.3, 0],
      [-0.24, 0.93, 0],
    ],
    [
      [-0.05, 0.3, 0],
      [0.38, 0.78, 0],
    ],
    [
      [-0.2, 0.78, 0],
      [0.38, 0.84, 0],
    ],
    [
      [0.54, radius, 0],
      [0.36, 0.98, 0],
    ],
    [
      [0.38, 1, -0.28],
      [0.38, 1, 0.28],
    ],
  ];
  for (const [a, b] of bars) mesh.tube(a, b, 0.024, 0.024, frame, 4);
  mesh.block([-0.25, 0], [0.92, 0.98], [0.13, 0.07], tyre);
}

/** A bicycle that leans on nothing, without anybody: not to be taken for a cyclist. */
export function makeBicycle(random: Random): Mesh {
  const mesh = new Mesh();
  addBicycle(mesh, random);
  return mesh;
}

/** Somebody riding a bicycle. */
export function makeCyclist(random: Random): Model {
  const mesh = new Mesh();
  addBicycle(mesh, random);
  const size = random.between(0.92, 1.08);
  const girth = random.between(0.85, 1.2);
  const upright = random.next();
  const trousers = cloth(random);
  const top = cloth(random);
  const skin: Surface = { color: random.pick(SKIN) };
  const hip: Vector = [-0.24, 1, 0];
  const shoulder: Vector = [-0.24 + (0.42 - 0.3 * upright) * size, 1 + (0.42 + 0.12 * upright) * size, 0];
  const turn = random.between(0, 6.28);
  for (const side of [-1, 1]) {
    const angle = turn + (side > 0 ? Math.PI : 0);
    const pedal: Vector = [-0.05 + cosine(angle) * 0.17, 0.32 + sine(angle) * 0.17, side * 0.11];
    const knee: Vector = [
      (hip[0] + pedal[0]) / 2 + 0.26,
      (hip[1] + pedal[1]) / 2 + 0.12 + 0.1 * (pedal[1] - 0.3),
      side * 0.12,
    ];
    limb(
      mesh,
      [[hip[0], hip[1], side * 0.1], knee, pedal],
      [0.1 * girth, 0.075, 0.055],
      trousers,
      random.chance(0.3) ? skin : trousers,
    );
    mesh.block([pedal[0] + 0.05, pedal[2]], [pedal[1] - 0.05, pedal[1] + 0.04], [0.13, 0.045], { color: [50, 48, 48] });
    const hand: Vector = [0.37, 1.03, side * 0.25];
    const elbow: Vector = [(shoulder[0] + hand[0]) / 2 - 0.04, (shoulder[1] + hand[1]) / 2 - 0.08, side * 0.28];
    limb(
      mesh,
      [[shoulder[0], shoulder[1] - 0.04, side * 0.19 * girth], elbow, hand],
      [0.06, 0.05, 0.04],
      top,
      random.chance(0.4) ? skin : top,
    );
  }
  const across = (centre: Vector, half: number, depth: number): Vector[] => [
    [centre[0] - depth, centre[1], -half],
    [centre[0] + depth, centre[1], -half],
    [centre[0] + depth, centre[1], half],
    [centre[0] - depth, centre[1], half],
  ];
  mesh.loft(across([hip[0], hip[1] - 0.06, 0], 0.16 * girth, 0.12), across(shoulder, 0.2 * girth, 0.11), top);
  const skull: Vector = [shoulder[0] + 0.09, shoulder[1] + 0.22 * size, 0];
  mesh.tube(shoulder, skull, 0.055, 0.05, skin);
  const helmet: Surface | null = random.chance(0.45) ? { color: random.pick(CLOTHES), gloss: 0.15 } : null;
  head(mesh, skull, size, random, helmet);
  if (random.chance(0.2)) mesh.block([shoulder[0] - 0.3, 0], [hip[1] + 0.15, shoulder[1]], [0.09, 0.14], cloth(random));
  return { mesh, dimensions: [skull[1] + 0.15 * size, 0.6, 1.76] };
}
