/** Lorries. */
import { carPaint } from "./car.ts";
import { Mesh, type Model, type Surface } from "./mesh.ts";
import type { Random } from "./random.ts";

/** Larger than any car; labelled Truck. */
export function makeTruck(random: Random): Model {
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
