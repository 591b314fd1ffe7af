// Is a head's signal-to-noise ratio pooled over photographs, part by part?
import { expect, test } from "vitest";
import {
  formatHeadError,
  headError,
  parseHeadError,
  pooledSqnrDb,
  sameLayout,
} from "../../host/evaluation/head-error.ts";
import type { ConvDetHead } from "../../isa/index.ts";

/** Two cells of four channels: a score, a confidence, two box deltas. */
const head = {
  kind: "convdet",
  grid: [1, 2],
  classes: ["car"],
  channels: { classScores: [0, 1], confidence: [1, 2], boxDeltas: [2, 4] },
} as unknown as ConvDetHead;

const exact = Float32Array.of(3, 1, 0, 2, 4, 2, 1, 0);
const other = Float32Array.of(3, 2, 0, 2, 5, 2, 1, 2);

test("sums of squares of each part's channels, by hand", () => {
  expect(headError(head, exact, other)).toEqual({
    classScores: { signal: 9 + 16, error: 1 },
    confidence: { signal: 1 + 4, error: 1 },
    boxDeltas: { signal: 4 + 1, error: 4 },
  });
});

test("sums add up over photographs before the ratio is taken", () => {
  const error = headError(head, exact, other);
  const { classScores, confidence } = pooledSqnrDb([error, headError(head, exact, exact), error]);
  expect(classScores).toBeCloseTo(10 * Math.log10(75 / 2), 12);
  expect(confidence).toBeCloseTo(10 * Math.log10(15 / 2), 12);
  expect(pooledSqnrDb([headError(head, exact, exact)]).boxDeltas).toBeNull();
});

test("a file holds them; another is refused by name", () => {
  const error = headError(head, exact, other);
  expect(parseHeadError(formatHeadError(error), "0.json")).toEqual(error);
  for (const text of ["", "{}", JSON.stringify({ ...error, confidence: { signal: -1, error: 0 } })]) {
    expect(() => parseHeadError(text, "0.json")).toThrow("0.json: not the sums of a head's errors; remove it");
  }
});

test("heads of different layouts are not compared", () => {
  expect(sameLayout(head, { ...head })).toBe(true);
  expect(sameLayout(head, { ...head, grid: [2, 1] })).toBe(false);
  expect(sameLayout(head, { ...head, classes: ["bus"] })).toBe(false);
});
