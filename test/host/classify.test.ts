// A classifier's values become its best classes.
import { expect, test } from "vitest";
import { topClasses } from "../../host/index.ts";
import type { ClassesHead } from "../../isa/index.ts";

const HEAD: ClassesHead = { kind: "classes", tensor: "out", classes: ["a", "b", "c", "d"], softmax: false, topK: 3 };

test("the highest values, best first; equal ones in the classes' order", () => {
  expect(topClasses(HEAD, Float32Array.of(1, 3, 1, -2))).toEqual([
    { class: "b", score: 3 },
    { class: "a", score: 1 },
    { class: "c", score: 1 },
  ]);
});

test("softmax: probabilities, also of large values", () => {
  // e^ln1 : e^ln2 : e^ln5 : e^ln2 = 1 : 2 : 5 : 2
  const values = Float32Array.from([1, 2, 5, 2], Math.log);
  for (const offset of [0, 1000]) {
    const top = topClasses(
      { ...HEAD, softmax: true, topK: 9 },
      values.map((v) => v + offset),
    );
    expect(top.map((t) => t.class)).toEqual(["c", "b", "d", "a"]);
    for (const [i, wanted] of [0.5, 0.2, 0.2, 0.1].entries()) expect(top[i].score).toBeCloseTo(wanted, 4);
  }
});

test("another number of values is refused", () => {
  expect(() => topClasses(HEAD, new Float32Array(5))).toThrow(/head out: 5 values; 4 classes take one each/);
});
