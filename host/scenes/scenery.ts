/** What stands beside roads: houses, trees, poles, and things that look a little like cars or people and are none. */
import { cosine, sine } from "./angles.ts";
import { carPaint } from "./car.ts";
import { type Color, Mesh, type Surface, scaleColor, type Texture } from "./mesh.ts";
import { hashUnit, type Noise, type Random } from "./random.ts";

const WALLS: readonly Color[] = [
  [188, 172, 148],
  [206, 196, 178],
  [170, 96, 74],
  [150, 84, 66],
  [214, 206, 194],
  [162, 156, 148],
  [196, 180, 120],
  [178, 146, 122],
  [126, 128, 132],
];
const ROOFS: readonly Color[] = [
  [120, 62, 48],
  [86, 58, 50],
  [74, 76, 82],
  [104, 84, 70],
];
const LEAVES: readonly Color[] = [
  [66, 92, 44],
  [84, 108, 50],
  [52, 78, 46],
  [104, 116, 58],
  [128, 116, 52],
];

/** Rows of windows on walls of one colour. */
function windowed(random: Random, alongX: boolean): Texture {
  const floor = random.between(2.8, 3.4);
  const bay = random.between(1.8, 3.4);
  const wide = random.between(0.4, 0.62);
  const salt = random.integer(0, 1e6);
  return (x, y, z) => {
    const u = (alongX ? x : z) / bay + 100;
    const v = y / floor;
    const [iu, iv] = [Math.floor(u), Math.floor(v)];
    const [fu, fv] = [u - iu, v - iv];
    if (iv === 0) return fv < 0.85 && fu > 0.12 && fu < 0.9 ? 0.35 + 0.3 * hashUnit(iu, salt) : 0.9;
    if (Math.abs(fu - 0.5) * 2 > wide || fv < 0.28 || fv > 0.8) return fv > 0.97 ? 0.8 : 1;
    // a frame around panes of different brightness
    if (Math.abs(fu - 0.5) * 2 > wide - 0.06 || fv < 0.31 || fv > 0.77 || Math.abs(fu - 0.5) < 0.02) return 1.15;
    return 0.25 + 0.35 * hashUnit(iu * 7 + salt, iv);
  };
}

/** A house; x is its depth away from the road, z its front. @param deep half depth @param long half length, metres */
export function makeHouse(random: Random, deep: number, long: number, isSmall: boolean): Mesh {
  const mesh = new Mesh();
  const height = isSmall ? random.between(4.5, 7) : random.between(7, 19);
  const color = scaleColor(random.pick(WALLS), random.between(0.8, 1.12));
  mesh.block([0, 0], [0, height], [deep, long], { color });
  const front: Surface = { color, texture: windowed(random, false) };
  const flank: Surface = { color, texture: windowed(random, true) };
  // walls again, a little outside: the ones with windows
  const out = 0.03;
  for (const side of [-1, 1]) {
    const x = side * (deep + out);
    mesh.face(
      [
        [x, 0, -long],
        [x, 0, long],
        [x, height, long],
        [x, height, -long],
      ],
      front,
      [0, 1, 0],
    );
    const z = side * (long + out);
    mesh.face(
      [
        [-deep, 0, z],
        [deep, 0, z],
        [deep, height, z],
        [-deep, height, z],
      ],
      flank,
      [0, 1, 0],
    );
  }
  if (isSmall || random.chance(0.4)) {
    const roof: Surface = { color: scaleColor(random.pick(ROOFS), random.between(0.8, 1.2)) };
    mesh.block([0, 0], [height, height + random.between(1.5, 3.5)], [deep + 0.4, long + 0.3], roof, [
      0.05,
      long * random.between(0.6, 1),
    ]);
  } else mesh.block([0, 0], [height, height + 0.4], [deep + 0.15, long + 0.15], { color: scaleColor(color, 0.85) });
  return mesh;
}

function leafy(random: Random, noise: Noise, grain: number): Texture {
  const [a, b] = [random.between(0, 60), random.between(0, 60)];
  return (x, y, z) => 0.55 + 0.9 * noise.at((x + z * 0.7) * grain + a, (y + z * 0.4) * grain + b);
}

export function makeTree(random: Random, noise: Noise): Mesh {
  const mesh = new Mesh();
  const height = random.between(4, 11);
  const bark: Surface = { color: scaleColor([92, 78, 64], random.between(0.6, 1.2)) };
  const crownFoot = random.between(0.2, 0.4) * height;
  const color = scaleColor(random.pick(LEAVES), random.between(0.8, 1.2));
  const texture = leafy(random, noise, random.between(3, 7));
  mesh.tube(
    [0, 0, 0],
    [random.between(-0.2, 0.2), height * 0.65, random.between(-0.2, 0.2)],
    height * 0.03,
    height * 0.012,
    bark,
  );
  if (random.chance(0.2)) {
    for (let i = 0; i < 3; i++) {
      const foot = crownFoot * 0.6 + ((height - crownFoot * 0.6) * i) / 3.6;
      mesh.tube([0, foot, 0], [0, foot + height * 0.42, 0], height * (0.22 - 0.05 * i), 0.02, { color, texture }, 9);
    }
    return mesh;
  }
  const tone = () => random.between(0.82, 1.15);
  const parts = random.integer(3, 6);
  const spread = height * random.between(0.1, 0.18);
  for (let i = 0; i < parts; i++) {
    const radius = height * random.between(0.13, 0.22);
    const y = crownFoot + radius * 0.7 + ((height - crownFoot - radius * 1.5) * (i + 0.4)) / parts;
    const angle = random.between(0, 6.28);
    mesh.ball(
      [cosine(angle) * spread, y, sine(angle) * spread],
      [radius * 1.15, radius, radius * 1.15],
      { color, texture },
      6,
      9,
      tone,
    );
  }
  return mesh;
}

export function makeHedge(random: Random, noise: Noise, long: number): Mesh {
  const mesh = new Mesh();
  const surface: Surface = {
    color: scaleColor(random.pick(LEAVES), random.between(0.7, 1)),
    texture: leafy(random, noise, 6),
  };
  const height = random.between(0.8, 2);
  mesh.block([0, 0], [0, height], [0.45, long], surface, [0.35, long]);
  return mesh;
}

export function makeFence(random: Random, long: number): Mesh {
  const mesh = new Mesh();
  const height = random.between(0.9, 1.8);
  const color: Color = random.pick([
    [120, 92, 66],
    [170, 172, 174],
    [60, 66, 62],
    [206, 202, 194],
  ]);
  if (random.chance(0.4)) {
    mesh.block([0, 0], [0, height], [0.06, long], {
      color,
      texture: (_x, y, z) => (hashUnit(Math.floor(z * 6), 3) < 0.15 || y > height - 0.06 ? 0.7 : 1),
    });
    return mesh;
  }
  for (const y of [0.35, 0.95]) mesh.block([0, 0], [y * height - 0.04, y * height + 0.04], [0.03, long], { color });
  const posts = Math.max(2, Math.round(long));
  for (let i = 0; i <= posts; i++)
    mesh.block([0, -long + (2 * long * i) / posts], [0, height], [0.04, 0.05], { color });
  return mesh;
}

/** Poles with a lamp, a sign or traffic lights; the arm reaches along x. */
export function makePole(random: Random): Mesh {
  const mesh = new Mesh();
  const metal: Surface = { color: scaleColor([130, 134, 138], random.between(0.5, 1.2)) };
  const kind = random.next();
  if (kind < 0.35) {
    const height = random.between(5, 9);
    mesh.tube([0, 0, 0], [0, height, 0], 0.1, 0.06, metal);
    mesh.tube([0, height, 0], [1.6, height + 0.2, 0], 0.05, 0.04, metal);
    mesh.block([1.7, 0], [height + 0.1, height + 0.25], [0.35, 0.12], metal);
  } else if (kind < 0.75) {
    const height = random.between(2, 2.9);
    mesh.tube([0, 0, 0], [0, height, 0], 0.04, 0.04, metal);
    const color: Color = random.pick([
      [196, 30, 34],
      [30, 70, 160],
      [224, 222, 214],
      [220, 190, 40],
      [36, 120, 62],
    ]);
    const sides = random.pick([3, 4, 8, 12]);
    const y = height - 0.1;
    mesh.tube([0, y, -0.02], [0, y, 0.06], 0.36, 0.36, { color }, sides);
    mesh.tube(
      [0, y, -0.04],
      [0, y, 0.08],
      0.22,
      0.22,
      { color: random.pick([[230, 230, 226], color, [30, 30, 32]]) },
      sides,
    );
  } else if (kind < 0.9) {
    mesh.tube([0, 0, 0], [0, 3, 0], 0.07, 0.07, metal);
    mesh.block([0, 0.12], [2.2, 3.1], [0.14, 0.14], { color: [34, 36, 36] });
    const lit = random.integer(0, 2);
    const lamps: readonly Color[] = [
      [36, 190, 90],
      [226, 170, 40],
      [220, 40, 36],
    ];
    for (const [i, color] of lamps.entries()) {
      mesh.tube(
        [0, 2.38 + 0.28 * i, -0.04],
        [0, 2.38 + 0.28 * i, 0.28],
        0.09,
        0.09,
        i === lit ? { color, glow: 1 } : { color: [26, 28, 27] },
        8,
      );
    }
  } else mesh.tube([0, 0, 0], [0, random.between(7, 9), 0], 0.14, 0.1, { color: [96, 82, 68] });
  return mesh;
}

/** Bins, posts, boxes, carts, advertising pillars: as large and as coloured as people and cars, but none. */
export function makeClutter(random: Random): Mesh {
  const mesh = new Mesh();
  const surface: Surface = { color: carPaint(random), gloss: 0.08 };
  const dark: Surface = { color: [40, 40, 42] };
  switch (random.integer(0, 8)) {
    case 0: // wheeled bin
      mesh.block([0, 0], [0.08, 1], [0.25, 0.28], surface, [0.32, 0.32]);
      mesh.block([0, 0], [1, 1.08], [0.36, 0.34], dark);
      break;
    case 1: // large container
      mesh.block([0, 0], [0.15, random.between(1.2, 1.7)], [random.between(0.6, 1), random.between(0.9, 2)], surface, [
        random.between(0.7, 1.1),
        1.2,
      ]);
      for (const z of [-0.7, 0.7]) mesh.tube([0.5, 0.12, z - 0.05], [0.5, 0.12, z + 0.05], 0.12, 0.12, dark, 8);
      break;
    case 2: // post
      mesh.tube([0, 0, 0], [0, random.between(0.8, 1.2), 0], 0.09, 0.08, random.chance(0.5) ? dark : surface);
      break;
    case 3: {
      // post with a round top, as high as a person
      const height = random.between(1.3, 1.9);
      mesh.tube([0, 0, 0], [0, height, 0], 0.13, 0.1, dark);
      mesh.ball([0, height + 0.1, 0], [0.16, 0.16, 0.16], surface);
      break;
    }
    case 4: // switch box
      mesh.block([0, 0], [0, random.between(1, 1.6)], [0.25, random.between(0.4, 0.8)], { color: [150, 152, 146] });
      break;
    case 5: {
      // trailer: a box on two wheels
      mesh.block([0, 0], [0.45, random.between(0.9, 2.1)], [1.2, 0.8], surface);
      for (const z of [-0.85, 0.85]) mesh.tube([0, 0.3, z - 0.08], [0, 0.3, z + 0.08], 0.3, 0.3, dark, 10);
      break;
    }
    case 6: // advertising pillar
      mesh.tube([0, 0, 0], [0, 2.8, 0], 0.65, 0.65, { ...surface, gloss: 0 }, 12);
      mesh.tube([0, 2.8, 0], [0, 3.2, 0], 0.75, 0.2, dark, 12);
      break;
    case 7: {
      // stack of boxes
      for (let i = 0; i < 3; i++) {
        const size = random.between(0.25, 0.5);
        mesh.block([random.between(-0.3, 0.3), i * 0.8 - 0.8], [0, size * random.between(1.2, 3)], [size, size * 0.8], {
          color: scaleColor([170, 132, 90], random.between(0.6, 1.2)),
        });
      }
      break;
    }
    default: {
      // bench
      const wood: Surface = { color: [134, 96, 62] };
      mesh.block([0, 0], [0.42, 0.48], [0.22, 0.8], wood);
      mesh.block([-0.2, 0], [0.5, 0.9], [0.03, 0.8], wood, [0.03, 0.8], -0.08);
      for (const z of [-0.7, 0.7]) mesh.block([0, z], [0, 0.42], [0.2, 0.04], dark);
    }
  }
  return mesh;
}

/** A lorry or bus: larger than any car, labelled Truck. */
export function makeTruck(random: Random): { mesh: Mesh; dimensions: readonly [number, number, number] } {
  const mesh = new Mesh();
  const length = random.between(6, 10.5);
  const height = random.between(2.8, 3.7);
  const half = random.between(1.1, 1.27);
  const paint: Surface = { color: carPaint(random), gloss: 0.1 };
  const load: Surface = { color: random.chance(0.5) ? [216, 216, 212] : carPaint(random), gloss: 0.06 };
  const end = length / 2;
  const glass: Surface = { color: [34, 40, 46], gloss: 0.4 };
  const dark: Surface = { color: [36, 36, 38] };
  mesh.block([end - 1, 0], [0.5, height * 0.82], [1, half * 0.97], paint);
  mesh.block([-1, 0], [0.9, height], [end - 1, half], load);
  mesh.block([-0.6, 0], [0.45, 0.9], [end - 0.6, half * 0.6], dark);
  mesh.face(
    [
      [end + 0.02, 1.5, -half * 0.85],
      [end + 0.02, 1.5, half * 0.85],
      [end + 0.02, height * 0.76, half * 0.85],
      [end + 0.02, height * 0.76, -half * 0.85],
    ],
    glass,
    [0, 1, 0],
  );
  for (const side of [-1, 1]) {
    const z = side * (half * 0.97 + 0.02);
    mesh.face(
      [
        [end - 1.2, 1.5, z],
        [end - 0.3, 1.5, z],
        [end - 0.35, height * 0.74, z],
        [end - 1.2, height * 0.74, z],
      ],
      glass,
      [0, 1, 0],
    );
    for (const x of [-end + 1.3, -end + 2.4, end - 1.2])
      mesh.tube([x, 0.48, side * (half - 0.3)], [x, 0.48, side * half * 0.99], 0.48, 0.48, dark, 12);
    mesh.block([-end, side * half * 0.8], [0.75, 0.95], [0.03, 0.15], { color: [190, 26, 24], glow: 0.2 });
  }
  return { mesh, dimensions: [height, 2 * half, length] };
}
