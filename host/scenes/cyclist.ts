/** Bicycles, and people on bicycles. */
import { cosine, sine } from "./angles.ts";
import { Mesh, type Model, type Surface, scaleColor, type Vector } from "./mesh.ts";
import { CLOTHES, cloth, head, limb, SKIN } from "./person.ts";
import type { Random } from "./random.ts";

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
