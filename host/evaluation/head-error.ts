/** How far the head's numbers are from float's, before anything is made of them: per group, sums that add up over photographs. */
import { z } from "zod";
import { type ConvDetHead, RapError } from "../../isa/index.ts";

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
export function headError({ channels, grid }: ConvDetHead, exact: Float32Array, other: Float32Array): HeadError {
  const perPixel = exact.length / (grid[0] * grid[1]);
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

/** Whether two heads hold the same things in the same places. */
export function sameLayout(a: ConvDetHead, b: ConvDetHead): boolean {
  const layout = ({ grid, channels, classes }: ConvDetHead) =>
    JSON.stringify([grid, classes, HEAD_GROUPS.map((group) => channels[group])]);
  return layout(a) === layout(b);
}

const sums = z.object({ signal: z.number().nonnegative(), error: z.number().nonnegative() });
const headErrorSchema = z.object({ classScores: sums, confidence: sums, boxDeltas: sums });

/** One photograph's sums as a file. */
export function formatHeadError(error: HeadError): string {
  return `${JSON.stringify(error)}\n`;
}

/** @param place names the text in errors. @throws RapError */
export function parseHeadError(text: string, place: string): HeadError {
  try {
    return headErrorSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new RapError(`${place}: not the sums of a head's errors; remove it, and it is computed again`, { cause });
  }
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
