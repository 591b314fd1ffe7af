/** How far the head's numbers are from float's, before anything is made of them: per group, sums that add up over photographs. */
import type { ConvDetHead } from "../../isa/index.ts";

export const HEAD_GROUPS = [
  "classScores",
  "confidence",
  "boxDeltas",
] as const satisfies readonly (keyof ConvDetHead["channels"])[];
export type HeadGroup = (typeof HEAD_GROUPS)[number];

/** Sums of squares: of the exact values, and of what the others are off by. */
export interface SquaredError {
  readonly signal: number;
  readonly error: number;
}

export type HeadError = Readonly<Record<HeadGroup, SquaredError>>;

/** @param exact float's head, [H, W, C]; @param other the integers' head as real numbers, of the same shape */
export function headError({ channels }: ConvDetHead, exact: Float32Array, other: Float32Array): HeadError {
  const perPixel = Math.max(...HEAD_GROUPS.map((group) => channels[group][1]));
  const sums = HEAD_GROUPS.map((group) => {
    const [from, to] = channels[group];
    let [signal, error] = [0, 0];
    for (let pixel = 0; pixel < exact.length; pixel += perPixel) {
      for (let i = pixel + from; i < pixel + to; i++) {
        signal += exact[i] ** 2;
        error += (exact[i] - other[i]) ** 2;
      }
    }
    return [group, { signal, error }] as const;
  });
  return Object.fromEntries(sums) as HeadError;
}

/** Signal-to-noise ratio over all photographs, dB, per group: the sum of squares over the sum of squared errors; null: there is no error. */
export function pooledSqnrDb(photos: readonly HeadError[]): Record<HeadGroup, number | null> {
  const of = (group: HeadGroup) => {
    const sum = (key: keyof SquaredError) => photos.reduce((total, photo) => total + photo[group][key], 0);
    const [signal, error] = [sum("signal"), sum("error")];
    return error === 0 || signal === 0 ? null : 10 * Math.log10(signal / error);
  };
  return Object.fromEntries(HEAD_GROUPS.map((group) => [group, of(group)])) as Record<HeadGroup, number | null>;
}
