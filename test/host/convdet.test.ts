// The detection head: boxes worked by hand, properties of the suppression, and what is refused.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Box,
  boxIou,
  type Detection,
  decodeConvDet,
  dequantize,
  realOutput,
  safeExp,
  suppress,
} from "../../host/index.ts";
import { type ConvDetHead, RapError } from "../../isa/index.ts";

/** A grid of 1 x 3 cells, one anchor of 20 x 10 and two classes: 2 scores, 1 confidence, 4 deltas. */
const HEAD: ConvDetHead = {
  kind: "convdet",
  tensor: "head",
  grid: [1, 3],
  anchorsPerCell: 1,
  classes: ["car", "bus"],
  channels: { classScores: [0, 2], confidence: [2, 3], boxDeltas: [3, 7] },
  anchors: [[20, 10]],
  confidenceThreshold: 0.4,
  topBoxes: 64,
  nmsIou: 0.4,
};
/** A cell that no threshold lets through. */
const NOTHING = [0, 0, -50, 0, 0, 0, 0];
const LOG3 = Math.log(3);

/** Decodes on a network input of 80 x 40, for a photograph of 160 x 20. */
function decode(cells: number[][], head = HEAD, options = {}): Detection[] {
  return decodeConvDet(head, Float32Array.from(cells.flat()), 80, 40, 160, 20, options);
}

function expectBox(detection: Detection | undefined, box: Box): void {
  expect(detection).toBeDefined();
  for (let i = 0; i < 4; i++) expect(detection?.box[i]).toBeCloseTo(box[i], 4);
}

describe("decodeConvDet", () => {
  test("the anchor itself: centre, size, score and scale to the photograph", () => {
    // centre of column 1 = (1 + 1) * 80 / 4 = 40, of row 0 = 40 / 2 = 20; box 30..50, 15..25; photo: x * 2, y / 2
    // confidence sigmoid(ln 3) = 3/4; softmax of 0, ln 3: bus 3/4; score 9/16
    const [found, ...others] = decode([NOTHING, [0, LOG3, LOG3, 0, 0, 0, 0], NOTHING]);
    expect(others).toEqual([]);
    expect(found.class).toBe("bus");
    expect(found.score).toBeCloseTo(9 / 16, 6);
    expectBox(found, [60, 7.5, 100, 12.5]);
  });

  test("deltas shift by the anchor's size and scale by safeExp", () => {
    // centre 40 + 0.5 * 20 = 50, 20 - 0.2 * 10 = 18; width 20 * exp(-ln 2) = 10, height 10 * e * 1.2 = 32.61938
    const [found] = decode([NOTHING, [9, 0, 9, 0.5, -0.2, -Math.LN2, 1.2], NOTHING]);
    expect(found.class).toBe("car");
    expectBox(found, [90, (18 - 16.309691) / 2, 110, (18 + 16.309691) / 2]);
  });

  test("boxes are clipped to the input, whose last pixel is size - 1", () => {
    // 20 * e * 40 pixels wide and high: all of 0..79, 0..39; photo 79 * 2, 39 / 2
    const [found] = decode([NOTHING, [9, 0, 9, 0, 0, 40, 40], NOTHING]);
    expectBox(found, [0, 0, 158, 19.5]);
  });

  test("safeExp is continuous at 1 and straight above", () => {
    expect(safeExp(-2)).toBe(Math.exp(-2));
    expect(safeExp(1)).toBeCloseTo(safeExp(1 + 1e-12), 10);
    expect(safeExp(3)).toBe(3 * Math.E);
  });

  test("the threshold applies to the score, strictly", () => {
    const cells = [[0, 0, 0, 0, 0, 0, 0], NOTHING, NOTHING]; // score 1/2 * 1/2
    expect(decode(cells, HEAD, { threshold: 0.25 })).toEqual([]);
    expect(decode(cells, HEAD, { threshold: 0.2499 })).toHaveLength(1);
    expect(decode(cells)).toEqual([]); // the head's own 0.4
  });

  test("topBoxes keeps the best before the suppression", () => {
    const cells = [0.1, 0.3, 0.2].map((confidence) => [9, 0, 3 + confidence, 0, 0, 0, 0]);
    const xs = (topBoxes: number) => decode(cells, HEAD, { topBoxes }).map(({ box }) => (box[0] + box[2]) / 4);
    expect(xs(3).map(Math.round)).toEqual([40, 60, 20]);
    expect(xs(2).map(Math.round)).toEqual([40, 60]);
  });

  test("equal scores keep the order of the grid", () => {
    const cells = [0, 0, 0].map(() => [9, 0, 3, 0, 0, 0, 0]);
    expect(decode(cells).map(({ box }) => Math.round((box[0] + box[2]) / 4))).toEqual([20, 40, 60]);
  });

  test("channels are anchor-major: each anchor has its own scores, confidence and deltas", () => {
    const head: ConvDetHead = {
      ...HEAD,
      grid: [1, 1],
      anchorsPerCell: 2,
      anchors: [
        [20, 10],
        [8, 4],
      ],
      channels: { classScores: [0, 4], confidence: [4, 6], boxDeltas: [6, 14] },
    };
    // the second anchor: bus, at (40 + 8, 20 - 4), 8 x 4
    const values = [9, 0, 0, 9, -50, 9, 5, 5, 5, 5, 1, -1, 0, 0];
    const [found, ...others] = decode([values], head);
    expect(others).toEqual([]);
    expect(found.class).toBe("bus");
    expectBox(found, [88, 7, 104, 9]);
  });

  test("wild values give finite boxes inside the photograph, or none", () => {
    const wild = fc.oneof(fc.float({ noNaN: false }), fc.constantFrom(3e38, -3e38, Number.NaN));
    fc.assert(
      fc.property(fc.array(wild, { minLength: 21, maxLength: 21 }), (values) => {
        for (const { score, box } of decode([values], HEAD, { threshold: 0 })) {
          expect(score).toBeGreaterThan(0);
          expect(score).toBeLessThanOrEqual(1);
          for (const [i, v] of box.entries()) if (!Number.isNaN(v)) expect(v >= 0 && v <= [160, 20][i % 2]).toBe(true);
        }
      }),
    );
  });

  test.each([
    ["values", HEAD, 20, /head head: 20 values; 1 x 3 cells with channels up to 2/],
    ["anchors", { ...HEAD, anchorsPerCell: 2 }, 21, /1 anchors; anchorsPerCell says 2/],
    ["channels", { ...HEAD, classes: ["car"] }, 21, /channels\.classScores 0\.\.2 are 2; .* take 1/],
    ["range", { ...HEAD, channels: { ...HEAD.channels, boxDeltas: [4, 8] } }, 21, /21 values; .* up to 8/],
  ] as [string, ConvDetHead, number, RegExp][])("%s that do not fit are refused", (_, head, length, message) => {
    expect(() => decodeConvDet(head, new Float32Array(length), 80, 40, 80, 40)).toThrow(RapError);
    expect(() => decodeConvDet(head, new Float32Array(length), 80, 40, 80, 40)).toThrow(message);
  });
});

const boxes = fc
  .tuple(fc.nat(40), fc.nat(40), fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 30 }))
  .map(([x, y, w, h]): Box => [x, y, x + w, y + h]);
const detections = fc.array(
  fc.record({
    class: fc.constantFrom("car", "bus"),
    score: fc.integer({ min: 1, max: 20 }).map((s) => s / 20),
    box: boxes,
  }),
  { maxLength: 30 },
);
const limits = fc.constantFrom(0, 0.1, 0.4, 0.7, 1);

describe("suppress", () => {
  test("keeps a sorted subset in which no pair of a class overlaps by more than the limit", () => {
    fc.assert(
      fc.property(detections, limits, (all, limit) => {
        const kept = suppress(all, limit);
        for (const [i, a] of kept.entries()) {
          expect(all).toContain(a);
          if (i > 0) expect(a.score).toBeLessThanOrEqual(kept[i - 1].score);
          for (const b of kept.slice(i + 1))
            if (a.class === b.class) expect(boxIou(a.box, b.box)).toBeLessThanOrEqual(limit);
        }
      }),
    );
  });

  test("what goes is hidden by something kept of its class that scores as high", () => {
    fc.assert(
      fc.property(detections, limits, (all, limit) => {
        const kept = suppress(all, limit);
        for (const gone of all.filter((d) => !kept.includes(d))) {
          const by = kept.filter((k) => k.class === gone.class && k.score >= gone.score);
          expect(by.some((k) => boxIou(k.box, gone.box) > limit)).toBe(true);
        }
      }),
    );
  });

  test("doing it twice changes nothing; classes do not see each other; the input stays as it was", () => {
    fc.assert(
      fc.property(detections, limits, (all, limit) => {
        const before = structuredClone(all);
        const kept = suppress(all, limit);
        expect(suppress(kept, limit)).toEqual(kept);
        const apart = ["car", "bus"].map((name) =>
          suppress(
            all.filter((d) => d.class === name),
            limit,
          ),
        );
        for (const [i, name] of ["car", "bus"].entries())
          expect(kept.filter((d) => d.class === name)).toEqual(apart[i]);
        expect(all).toEqual(before);
      }),
    );
  });

  test("an overlap of exactly the limit stays", () => {
    // 10 x 10 and its right half: IoU 1/2
    const pair = [
      { class: "car", score: 0.9, box: [0, 0, 10, 10] },
      { class: "car", score: 0.8, box: [5, 0, 10, 10] },
    ] as const;
    expect(suppress(pair, 0.5)).toHaveLength(2);
    expect(suppress(pair, 0.499)).toHaveLength(1);
  });
});

describe("boxIou", () => {
  test.each([
    ["equal", [0, 0, 2, 2], [0, 0, 2, 2], 1],
    ["a quarter each", [0, 0, 2, 2], [1, 1, 3, 3], 1 / 7],
    ["touching", [0, 0, 2, 2], [2, 0, 4, 2], 0],
    ["no area", [1, 1, 1, 1], [1, 1, 1, 1], 0],
  ] as [string, Box, Box, number][])("%s", (_, a, b, wanted) => {
    expect(boxIou(a, b)).toBe(wanted);
    expect(boxIou(b, a)).toBe(wanted);
  });
});

describe("an output whose scale moves", () => {
  const output = { tensor: "t", height: 1, width: 1, channels: 2, format: "i8" as const, exponents: [0, 2] };
  const moving = { ...output, runtimeScale: "s" };
  const tensors = (scale: number) =>
    new Map<string, Int8Array | Int32Array>([
      ["t", Int8Array.of(5, -6)],
      ["s", Int32Array.of(scale)],
    ]);

  test("is read at the frame's scale", () => {
    expect([...realOutput(output, tensors(0))]).toEqual([5, -1.5]);
    expect([...realOutput(moving, tensors(2 ** 16))]).toEqual([5, -1.5]);
    // three bits coarser
    expect([...realOutput(moving, tensors(2 ** 13))]).toEqual([40, -12]);
    expect([...realOutput(moving, tensors(2 ** 17))]).toEqual([2.5, -0.75]);
  });

  test("needs a scale that can be one", () => {
    expect(() => realOutput(moving, new Map([["t", Int8Array.of(1, 2)]]))).toThrow("tensor 's' is missing");
    for (const scale of [0, -1, 3]) expect(() => realOutput(moving, tensors(scale))).toThrow("not a power of two");
  });
});

describe("dequantize", () => {
  const output = { tensor: "out", height: 1, width: 2, channels: 3, format: "i8", exponents: [0, 2, -3] } as const;

  test("each channel has its exponent", () => {
    const wanted = [5, -0.25, 56, -128, 31.75, 0];
    expect([...dequantize({ ...output, exponents: [0, 2, -3] }, Int8Array.of(5, -1, 7, -128, 127, 0))]).toEqual(wanted);
  });

  test("one exponent serves all; int32 and u8 too", () => {
    const one = { ...output, exponents: [4] };
    expect([...dequantize(one, Int32Array.of(16, -8, 2 ** 30, 0, 0, 0))]).toEqual([1, -0.5, 2 ** 26, 0, 0, 0]);
    expect([...dequantize(one, Uint8Array.of(255, 0, 1, 0, 0, 0))]).toEqual([15.9375, 0, 0.0625, 0, 0, 0]);
  });

  test("a wrong size is refused", () => {
    expect(() => dequantize({ ...output, exponents: [0] }, new Int8Array(5))).toThrow(
      /output out: 5 integers; .* takes 6/,
    );
    expect(() => dequantize({ ...output, exponents: [0, 1] }, new Int8Array(6))).toThrow(
      /2 exponents; 3 channels take 1 or 3/,
    );
  });
});
