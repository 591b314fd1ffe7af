// Average precision by KITTI's rules, against cases made by hand and a plain second implementation; bootstrap intervals
// and the agreement of two networks.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  averagePrecision,
  objectCount,
  precisionCurve,
  RECALL_SAMPLES,
  scoreLevels,
  tally,
  tallyLevels,
} from "../../host/average-precision.ts";
import { agreeOnPhoto, disagreement, sumAgreement } from "../../host/evaluation/agreement.ts";
import { bootstrap } from "../../host/evaluation/bootstrap.ts";
import { DIFFICULTIES, KITTI_CLASSES, type SmallDetections } from "../../host/evaluation/kitti-rules.ts";
import { countPhoto, type EvaluatedPhoto } from "../../host/evaluation/photo-counts.ts";
import { type Box, boxIou, type Detection, type KittiObject } from "../../host/index.ts";

const [CAR, PEDESTRIAN, CYCLIST] = KITTI_CLASSES;
const [EASY, MODERATE, HARD] = DIFFICULTIES;

function label(name: string, box: Box, more: Partial<KittiObject> = {}): KittiObject {
  const rest = {
    truncated: 0,
    occluded: 0,
    alpha: 0,
    dimensions: [0, 0, 0],
    location: [0, 0, 0],
    rotation: 0,
  } as const;
  return { class: name, box, score: null, ...rest, ...more };
}
const found = (name: string, box: Box, score: number): Detection => ({ class: name, box, score });

/** 60 pixels high, 100 wide */
const BOX: Box = [100, 100, 200, 160];
/** Shifted right by so much: the IoU is (100 - by) / (100 + by). */
const shifted = (by: number): Box => [100 + by, 100, 200 + by, 160];
/** From the same corner, so high. */
const high = (height: number): Box => [100, 100, 200, 100 + height];

describe("one photograph, one class, one level", () => {
  const car = label("Car", BOX);
  const hit = found("car", BOX, 0.9);
  const elsewhere = found("car", [500, 100, 600, 160], 0.8);
  test.each<[string, KittiObject[], Detection[], { objects: number; tp: number; fp: number }]>([
    ["a car found", [car], [hit], { objects: 1, tp: 1, fp: 0 }],
    ["upper and lower case alike", [label("CAR", BOX)], [found("cAr", BOX, 0.9)], { objects: 1, tp: 1, fp: 0 }],
    ["a car missed", [car], [], { objects: 1, tp: 0, fp: 0 }],
    ["a car where there is none", [], [hit], { objects: 0, tp: 0, fp: 1 }],
    ["another class", [car], [found("cyclist", BOX, 0.9)], { objects: 1, tp: 0, fp: 0 }],
    ["found twice: the second is wrong", [car], [hit, found("car", shifted(2), 0.8)], { objects: 1, tp: 1, fp: 1 }],
    // 82 / 118 = 0.695, 83 / 117 = 0.709
    ["IoU below 0.7", [car], [found("car", shifted(18), 0.9)], { objects: 1, tp: 0, fp: 1 }],
    ["IoU above 0.7", [car], [found("car", shifted(17), 0.9)], { objects: 1, tp: 1, fp: 0 }],
    // 42 of 60 rows: exactly 0.7, which is not more
    ["IoU of exactly 0.7", [label("Car", high(60))], [found("car", high(42), 0.9)], { objects: 1, tp: 0, fp: 1 }],
    ["a van is neither asked for nor wrong", [label("Van", BOX)], [hit], { objects: 0, tp: 0, fp: 0 }],
    ["a truck is wrong", [label("Truck", BOX)], [hit], { objects: 0, tp: 0, fp: 1 }],
    ["a region of no interest", [label("DontCare", [490, 90, 610, 170])], [elsewhere], { objects: 0, tp: 0, fp: 0 }],
    // of the detection's 100 columns 70 are covered, and 71
    ["covered by 0.7", [label("DontCare", [400, 0, 570, 300])], [elsewhere], { objects: 0, tp: 0, fp: 1 }],
    ["covered by more", [label("DontCare", [400, 0, 571, 300])], [elsewhere], { objects: 0, tp: 0, fp: 0 }],
    [
      "two regions cover it together, neither alone",
      [label("DontCare", [500, 0, 550, 300]), label("DontCare", [550, 0, 600, 300])],
      [elsewhere],
      { objects: 0, tp: 0, fp: 1 },
    ],
    ["occluded 1 is moderate", [label("Car", BOX, { occluded: 1 })], [], { objects: 1, tp: 0, fp: 0 }],
    ["occluded 2 is hard", [label("Car", BOX, { occluded: 2 })], [hit], { objects: 0, tp: 0, fp: 0 }],
    ["truncated 0.3 is moderate", [label("Car", BOX, { truncated: 0.3 })], [], { objects: 1, tp: 0, fp: 0 }],
    ["truncated 0.31 is hard", [label("Car", BOX, { truncated: 0.31 })], [hit], { objects: 0, tp: 0, fp: 0 }],
    ["25 pixels high", [label("Car", high(25))], [found("car", high(25), 0.9)], { objects: 1, tp: 1, fp: 0 }],
    ["24 pixels high", [label("Car", high(24))], [found("car", high(24), 0.9)], { objects: 0, tp: 0, fp: 0 }],
    [
      "an ignored car, first in the file, takes the detection of a wanted one",
      [label("Car", shifted(4), { occluded: 2 }), car],
      [hit],
      { objects: 1, tp: 0, fp: 0 },
    ],
  ])("moderate: %s", (_, labels, detections, { objects, tp, fp }) => {
    const counts = countPhoto({ labels, detections }, CAR, MODERATE, "counted");
    expect(counts.objects).toBe(objects);
    expect(counts.steps.at(-1) ?? { tp: 0, fp: 0 }).toMatchObject({ tp, fp });
  });

  test.each([
    // height 40, 39, 25, 24
    [high(40), {}, [1, 1, 1]],
    [high(39), {}, [0, 1, 1]],
    [high(25), {}, [0, 1, 1]],
    [high(24), {}, [0, 0, 0]],
    [BOX, { occluded: 1 }, [0, 1, 1]],
    [BOX, { occluded: 2 }, [0, 0, 1]],
    [BOX, { occluded: 3 }, [0, 0, 0]],
    [BOX, { truncated: 0.15 }, [1, 1, 1]],
    [BOX, { truncated: 0.16 }, [0, 1, 1]],
    [BOX, { truncated: 0.5 }, [0, 0, 1]],
    [BOX, { truncated: 0.51 }, [0, 0, 0]],
  ] as const)("box %s %o is asked for at the levels %s", (box, more, wanted) => {
    const photo = { labels: [label("Car", box, more)], detections: [] };
    expect(DIFFICULTIES.map((level) => countPhoto(photo, CAR, level, "counted").objects)).toEqual(wanted);
  });

  test("pedestrians and cyclists need an IoU above 0.5; a sitting person is the pedestrian's neighbour", () => {
    // 67 / 133 = 0.504, 66 / 134 = 0.493
    for (const [kittiClass, name] of [
      [PEDESTRIAN, "Pedestrian"],
      [CYCLIST, "Cyclist"],
    ] as const) {
      const at = (by: number) =>
        countPhoto(
          { labels: [label(name, BOX)], detections: [found(name, shifted(by), 1)] },
          kittiClass,
          HARD,
          "counted",
        ).steps[0];
      expect([at(33).tp, at(34).tp]).toEqual([1, 0]);
    }
    const sitting = { labels: [label("Person_sitting", BOX)], detections: [found("pedestrian", BOX, 1)] };
    expect(countPhoto(sitting, PEDESTRIAN, HARD, "counted")).toMatchObject({ objects: 0, steps: [{ tp: 0, fp: 0 }] });
    expect(countPhoto(sitting, CYCLIST, HARD, "counted").steps).toEqual([]);
  });

  test("small detections count like others, or not at all", () => {
    const small = { labels: [label("Car", BOX)], detections: [found("car", [500, 0, 600, 39], 0.9)] };
    const last = (rule: SmallDetections) => countPhoto(small, CAR, EASY, rule).steps.at(-1);
    expect(last("counted")).toMatchObject({ tp: 0, fp: 1 });
    expect(last("ignored")).toMatchObject({ tp: 0, fp: 0 });
    // given to an object, a small detection makes it neither found nor missed; KITTI's program does not ask for its class
    const onObject = { labels: [label("Car", high(44))], detections: [found("cyclist", high(39), 0.9)] };
    expect(countPhoto(onObject, CAR, EASY, "ignored")).toMatchObject({ objects: 1, hits: [] });
  });

  test("the recall is sampled at the best score, the counts at the best overlap", () => {
    const photo = { labels: [label("Car", BOX)], detections: [found("car", shifted(10), 0.9), found("car", BOX, 0.5)] };
    const counts = countPhoto(photo, CAR, EASY, "counted");
    expect(counts.hits).toEqual([0.9]);
    expect(counts.steps).toEqual([
      { score: 0.9, tp: 1, fp: 0 },
      { score: 0.5, tp: 1, fp: 1 },
    ]);
  });
});

/** A photograph with one car, found with this score or not. */
const oneCar = (score?: number, ...wrong: Detection[]): EvaluatedPhoto => ({
  labels: [label("Car", BOX)],
  detections: [...(score === undefined ? [] : [found("car", BOX, score)]), ...wrong],
});
const curveOf = (photos: readonly EvaluatedPhoto[]) =>
  precisionCurve(
    tally(photos, CAR, EASY),
    photos.map(() => 1),
  );
const many = (count: number, score: (i: number) => number | undefined) =>
  Array.from({ length: count }, (_, i) => oneCar(score(i)));

describe("curve and average", () => {
  test("perfect detections of 41 objects or more: 1", () => {
    for (const count of [41, 42, 60, 100, 1000]) {
      const curve = curveOf(many(count, (i) => 1 - i / 2000))!;
      expect(curve).toEqual(new Array(RECALL_SAMPLES).fill(1));
      expect(averagePrecision(curve, 11)).toBe(1);
      expect(averagePrecision(curve, 40)).toBe(1);
    }
  });

  test("fewer objects make fewer samples: 10 of them recall 0 to 9/40", () => {
    const curve = curveOf(many(10, (i) => 1 - i / 20))!;
    expect(curve).toEqual([...new Array(10).fill(1), ...new Array(31).fill(0)]);
    // samples 0, 4 and 8 of 11; samples 1 to 9 of 40
    expect(averagePrecision(curve, 11)).toBeCloseTo(3 / 11, 12);
    expect(averagePrecision(curve, 40)).toBeCloseTo(9 / 40, 12);
  });

  test("a wrong detection above all others: no precision is better than the last", () => {
    const [first, ...rest] = many(100, (i) => 0.9 - i / 200);
    const photos = [{ ...first, detections: [...first.detections, found("car", [500, 0, 600, 60], 0.95)] }, ...rest];
    // 100 right, 1 wrong
    for (const precision of curveOf(photos)!) expect(precision).toBeCloseTo(100 / 101, 12);
  });

  test("half of 100 found: precision 1 as far as recall 0.5", () => {
    const curve = curveOf(many(100, (i) => (i % 2 === 0 ? 0.9 - i / 200 : undefined)))!;
    expect(curve.map((precision) => precision > 0)).toEqual(Array.from({ length: 41 }, (_, i) => i <= 20));
    expect(averagePrecision(curve, 11)).toBeCloseTo(6 / 11, 12);
  });

  test("the last object found always makes a sample", () => {
    // 61 of 100, and sample 25 is at recall 0.625: a 62nd would come nearer, but there is none
    const curve = curveOf(many(100, (i) => (i < 61 ? 0.9 - i / 200 : undefined)))!;
    expect(curve.filter((precision) => precision > 0)).toHaveLength(26);
    // one more wrong detection below them all changes nothing
    const more = many(100, (i) => (i < 61 ? 0.9 - i / 200 : undefined));
    more[99] = oneCar(undefined, found("car", [500, 0, 600, 60], 0.1));
    expect(curveOf(more)).toEqual(curve);
  });

  test("nothing found: 0; nothing asked for: none", () => {
    expect(averagePrecision(curveOf(many(5, () => undefined))!, 11)).toBe(0);
    expect(curveOf([{ labels: [], detections: [found("car", BOX, 1)] }])).toBeNull();
    expect(curveOf([])).toBeNull();
  });

  test("the mean is over the levels that have objects", () => {
    const photos = many(100, (i) => 0.9 - i / 200);
    const levels = tallyLevels(photos, KITTI_CLASSES);
    expect(levels.map(({ class: of, level }) => `${of.name} ${level.name}`).slice(0, 4)).toEqual([
      "car easy",
      "car moderate",
      "car hard",
      "pedestrian easy",
    ]);
    const { aps, mean } = scoreLevels(
      levels,
      photos.map(() => 1),
      11,
    );
    expect(aps).toEqual([1, 1, 1, null, null, null, null, null, null]);
    expect(mean).toBe(1);
  });
});

/** Photographs with a few labels of all kinds, and detections near them, as often of their class as of another. */
const boxes = fc
  .tuple(fc.nat(12), fc.nat(3), fc.constantFrom(30, 60, 90), fc.constantFrom(24, 30, 44, 60))
  .map(([x, y, width, height]): Box => [x * 10, y * 10, x * 10 + width, y * 10 + height]);
const labels = fc.record({
  class: fc.constantFrom("Car", "Car", "Van", "Pedestrian", "Pedestrian", "Person_sitting", "Cyclist", "DontCare"),
  box: boxes,
  occluded: fc.constantFrom(0, 0, 0, 1, 2, 3),
  truncated: fc.constantFrom(0, 0, 0, 0.2, 0.4, 0.9),
});
const near = fc.record({
  label: fc.nat(7),
  class: fc.constantFrom("same", "same", "car", "pedestrian", "cyclist"),
  shift: fc.tuple(fc.integer({ min: -6, max: 6 }), fc.integer({ min: -4, max: 4 }), fc.nat(3), fc.nat(3)),
  score: fc.integer({ min: 1, max: 30 }).map((score) => score / 30),
});
const NEIGHBOURS: Readonly<Record<string, string>> = { van: "car", person_sitting: "pedestrian", dontcare: "car" };
const photo = fc.tuple(fc.array(labels, { minLength: 1, maxLength: 8 }), fc.array(near, { maxLength: 12 })).map(
  ([truth, given]): EvaluatedPhoto => ({
    labels: truth.map(({ class: name, box, ...more }) => label(name, box, more)),
    detections: given.map(({ label: at, class: name, shift: [x, y, width, height], score }) => {
      const { class: known, box } = truth[at % truth.length];
      const same = NEIGHBOURS[known.toLowerCase()] ?? known.toLowerCase();
      const [x0, y0, x1, y1] = box;
      return found(name === "same" ? same : name, [x0 + x, y0 + y, x1 + x + width, y1 + y + height], score);
    }),
  }),
);
const photos = fc.array(photo, { minLength: 1, maxLength: 12 });
const rule = fc.constantFrom<SmallDetections>("counted", "ignored");
const kittiClass = fc.constantFrom(...KITTI_CLASSES);
const level = fc.constantFrom(...DIFFICULTIES);

/** The same rules once more, without events or weights: everything is counted again at every sampled score. */
function plainCurve(all: readonly EvaluatedPhoto[], of: typeof CAR, at: typeof EASY, small: SmallDetections) {
  const role = (l: KittiObject) => {
    const name = l.class.toLowerCase();
    if (name === of.neighbour) return 1;
    if (name !== of.name) return -1;
    const [, top, , bottom] = l.box;
    return l.occluded > at.maxOcclusion || l.truncated > at.maxTruncation || bottom - top < at.minHeight ? 1 : 0;
  };
  const kind = (d: Detection) => {
    if (small === "ignored" && d.box[3] - d.box[1] < at.minHeight) return 1;
    return d.class === of.name ? 0 : -1;
  };
  const part = (d: Box, r: Box) => {
    const w = Math.max(0, Math.min(d[2], r[2]) - Math.max(d[0], r[0]));
    const h = Math.max(0, Math.min(d[3], r[3]) - Math.max(d[1], r[1]));
    return (w * h) / ((d[2] - d[0]) * (d[3] - d[1]));
  };
  const run = ({ labels: truth, detections: given }: EvaluatedPhoto, lowest: number, byScore: boolean) => {
    const left = new Set(given.filter((d) => d.score >= lowest && kind(d) >= 0));
    const hits: number[] = [];
    for (const l of truth.filter((one) => role(one) >= 0)) {
      const close = [...left].filter((d) => boxIou(d.box, l.box) > of.minOverlap);
      const proper = close.filter((d) => kind(d) === 0);
      const rank = (d: Detection) => (byScore ? d.score : boxIou(d.box, l.box));
      const pool = byScore || proper.length > 0 ? (byScore ? close : proper) : close.slice(0, 1);
      const best = pool.reduce<Detection | null>((a, d) => (a === null || rank(d) > rank(a) ? d : a), null);
      if (best === null) continue;
      left.delete(best);
      if (role(l) === 0 && kind(best) === 0) hits.push(best.score);
    }
    const regions = truth.filter((l) => l.class === "DontCare");
    const wrong = [...left].filter((d) => kind(d) === 0 && !regions.some((r) => part(d.box, r.box) > of.minOverlap));
    return { hits, fp: wrong.length };
  };
  const objects = all.flatMap((p) => p.labels).filter((l) => role(l) === 0).length;
  if (objects === 0) return null;
  const hits = all.flatMap((p) => run(p, 0, true).hits).sort((a, b) => b - a);
  const precision = new Array<number>(41).fill(0);
  let sample = 0;
  let recall = 0;
  hits.forEach((score, i) => {
    const isLast = i === hits.length - 1;
    if (!isLast && (i + 2) / objects - recall < recall - (i + 1) / objects) return;
    const counts = all.map((p) => run(p, score, false));
    const tp = counts.reduce((sum, c) => sum + c.hits.length, 0);
    const fp = counts.reduce((sum, c) => sum + c.fp, 0);
    precision[sample++] = tp === 0 ? 0 : tp / (tp + fp);
    recall += 1 / 40;
  });
  return precision.map((_, i) => Math.max(...precision.slice(i)));
}

describe("properties", () => {
  test("the curve is that of a plain second implementation", () => {
    let withObjects = 0;
    fc.assert(
      fc.property(photos, kittiClass, level, rule, (all, of, at, small) => {
        const curve = precisionCurve(
          tally(all, of, at, small),
          all.map(() => 1),
        );
        const plain = plainCurve(all, of, at, small);
        if (curve !== null && curve[0] > 0) withObjects++;
        expect(curve).toEqual(plain);
      }),
      { numRuns: 400 },
    );
    expect(withObjects).toBeGreaterThan(100);
  });

  test("a photograph with weight n counts as n photographs", () => {
    fc.assert(
      fc.property(photos, kittiClass, level, fc.infiniteStream(fc.nat(3)), (all, of, at, draws) => {
        const weights = all.map(() => draws.next().value);
        const repeated = all.flatMap((one, i) => new Array<EvaluatedPhoto>(weights[i]).fill(one));
        const weighted = tally(all, of, at);
        const plain = tally(repeated, of, at);
        const ones = repeated.map(() => 1);
        expect(objectCount(weighted, weights)).toBe(objectCount(plain, ones));
        expect(precisionCurve(weighted, weights)).toEqual(precisionCurve(plain, ones));
      }),
    );
  });

  test("the order of photographs does not matter, nor does the scale of scores", () => {
    fc.assert(
      fc.property(photos, kittiClass, level, (all, of, at) => {
        const ones = all.map(() => 1);
        const curve = precisionCurve(tally(all, of, at), ones);
        const squeezed = all.map((one) => ({
          ...one,
          detections: one.detections.map((d) => ({ ...d, score: d.score ** 3 / 2 })),
        }));
        expect(precisionCurve(tally([...all].reverse(), of, at), ones)).toEqual(curve);
        expect(precisionCurve(tally(squeezed, of, at), ones)).toEqual(curve);
      }),
    );
  });

  test("precision is in 0..1 and never rises with recall; a wrong detection more never helps", () => {
    fc.assert(
      fc.property(photos, kittiClass, level, fc.integer({ min: 1, max: 30 }), (all, of, at, score) => {
        const ones = all.map(() => 1);
        const curve = precisionCurve(tally(all, of, at), ones);
        if (curve === null) return;
        for (const [i, precision] of curve.entries()) {
          expect(precision >= 0 && precision <= 1).toBe(true);
          if (i > 0) expect(precision).toBeLessThanOrEqual(curve[i - 1]);
        }
        const wrong = found(of.name, [2000, 0, 2060, 60], score / 30);
        const worse = [{ ...all[0], detections: [...all[0].detections, wrong] }, ...all.slice(1)];
        for (const [i, precision] of precisionCurve(tally(worse, of, at), ones)!.entries()) {
          expect(precision).toBeLessThanOrEqual(curve[i]);
        }
      }),
    );
  });
});

describe("bootstrap", () => {
  const options = { resamples: 200, seed: 7, level: 0.95, points: 11 } as const;
  const mixed = many(100, (i) => (i % 3 === 0 ? undefined : 0.9 - i / 200));
  const better = many(100, (i) => (i % 4 === 0 ? undefined : 0.9 - i / 200));
  const cars = (all: readonly EvaluatedPhoto[]) => tallyLevels(all, [CAR]);

  test("equal seeds give equal intervals, others others", () => {
    expect(bootstrap([cars(mixed)], options)).toEqual(bootstrap([cars(mixed)], options));
    // with 40 points the result moves in small steps
    const fine = { ...options, points: 40 } as const;
    expect(bootstrap([cars(mixed)], { ...fine, seed: 8 })).not.toEqual(bootstrap([cars(mixed)], fine));
  });

  test("the interval holds the value, and narrows with its level", () => {
    const { mean } = scoreLevels(
      cars(mixed),
      mixed.map(() => 1),
      11,
    );
    const [wide] = bootstrap([cars(mixed)], options).networks;
    const [narrow] = bootstrap([cars(mixed)], { ...options, level: 0.5 }).networks;
    expect(wide.mean!.low).toBeLessThan(mean!);
    expect(wide.mean!.high).toBeGreaterThanOrEqual(mean!);
    expect(wide.mean!.high - wide.mean!.low).toBeGreaterThan(narrow.mean!.high - narrow.mean!.low);
    // 67 of 100 found: the binomial's standard deviation is 4.7 points
    expect(wide.mean!.high - wide.mean!.low).toBeGreaterThan(0.05);
    expect(wide.mean!.high - wide.mean!.low).toBeLessThan(0.35);
  });

  test("of two networks the difference is on the same draws", () => {
    expect(bootstrap([cars(mixed)], options).difference).toBeNull();
    const same = bootstrap([cars(mixed), cars(mixed)], options).difference!;
    expect(same.mean).toEqual({ low: 0, high: 0 });
    const differing = bootstrap([cars(better), cars(mixed)], options).difference!;
    expect(differing.mean!.high).toBeGreaterThan(0);
  });

  test("classes without objects have no interval", () => {
    const [intervals] = bootstrap([tallyLevels(mixed, KITTI_CLASSES)], options).networks;
    expect(intervals.aps.slice(3)).toEqual(new Array(6).fill(null));
    expect(intervals.mean).not.toBeNull();
  });
});

describe("agreement", () => {
  const sure = found("car", BOX, 0.5);
  const unsure = found("car", BOX, 0.4);
  test.each<[string, Detection[], Detection[], object]>([
    ["the same", [sure], [sure], { sure: 1, matched: 1, iouSum: 1, found: 1, confirmed: 1 }],
    ["less sure, but there", [sure], [unsure], { sure: 1, matched: 1, iouSum: 1, found: 0, confirmed: 0 }],
    ["a score of 0.3 is not there", [sure], [{ ...sure, score: 0.3 }], { sure: 1, matched: 0, found: 0 }],
    ["lost", [sure], [], { sure: 1, matched: 0, iouSum: 0 }],
    ["new", [], [sure], { sure: 0, found: 1, confirmed: 0 }],
    ["not asked for", [{ ...sure, score: 0.49 }], [], { sure: 0, matched: 0 }],
    // 80 / 120
    ["shifted by 20", [sure], [found("car", shifted(20), 0.9)], { matched: 1, iouSum: 80 / 120, confirmed: 1 }],
  ])("%s", (_, reference, other, wanted) => {
    expect(agreeOnPhoto(reference, other)).toMatchObject(wanted);
  });

  test("sums and the mean over matched boxes", () => {
    const photosAgreed = [agreeOnPhoto([sure], [sure]), agreeOnPhoto([sure, sure], [found("car", shifted(20), 0.9)])];
    expect(sumAgreement(photosAgreed)).toEqual({
      ...{ sure: 3, matched: 2, iouSum: 1 + 80 / 120, found: 2, confirmed: 2 },
      meanIou: (1 + 80 / 120) / 2,
    });
    expect(sumAgreement([]).meanIou).toBe(0);
    expect(photosAgreed.map(disagreement)).toEqual([0, expect.closeTo(1 + 40 / 120, 12)]);
    expect(disagreement(agreeOnPhoto([], [sure]))).toBe(1);
  });
});
