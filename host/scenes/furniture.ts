/** What stands on pavements: poles, and things that look a little like cars or people and are none. */
import { carPaint } from "./car.ts";
import { type Color, Mesh, type Surface, scaleColor } from "./mesh.ts";
import type { Random } from "./random.ts";

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
