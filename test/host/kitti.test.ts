// KITTI text and the matching of box lists.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Box, boxIou, type Detection, formatKitti, matchBoxes, parseKitti } from "../../host/index.ts";
import { RapError } from "../../isa/index.ts";

describe("KITTI text", () => {
  test("a result line", () => {
    const text = formatKitti([{ class: "car", score: 0.71941, box: [388.84, 182.756, 425.06, 204] }]);
    expect(text).toBe("car -1 -1 -10 388.84 182.76 425.06 204.00 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.719410\n");
    expect(formatKitti([])).toBe("");
    expect(formatKitti([{ class: "traffic light", score: 1, box: [0, 0, 1, 1] }])).toMatch(/^traffic_light -1 /);
  });

  test("a label line", () => {
    const text = "Cyclist 0.25 3 -1.65 676.60 163.95 688.98 193.93 1.86 0.60 2.02 4.59 1.32 45.84 -1.55\r\n\n";
    expect(parseKitti(text, "l.txt")).toEqual([
      {
        class: "Cyclist",
        truncated: 0.25,
        occluded: 3,
        alpha: -1.65,
        box: [676.6, 163.95, 688.98, 193.93],
        dimensions: [1.86, 0.6, 2.02],
        location: [4.59, 1.32, 45.84],
        rotation: -1.55,
        score: null,
      },
    ]);
  });

  test("parse(format(x)) = x to the printed digits", () => {
    const cents = fc.integer({ min: 0, max: 130000 }).map((v) => v / 100);
    const detection = fc.record({
      class: fc.constantFrom("car", "pedestrian", "cyclist"),
      score: fc.integer({ min: 0, max: 1000000 }).map((v) => v / 1000000),
      box: fc.tuple(cents, cents, cents, cents).map(([a, b, c, d]): Box => [a, b, a + c, b + d]),
    });
    fc.assert(
      fc.property(fc.array(detection, { maxLength: 8 }), (all) => {
        const back = parseKitti(formatKitti(all), "r.txt");
        expect(back.map((o) => o.class)).toEqual(all.map((d) => d.class));
        for (const [i, o] of back.entries()) {
          expect(o.score).toBe(all[i].score);
          for (let k = 0; k < 4; k++) expect(Math.abs(o.box[k] - all[i].box[k])).toBeLessThanOrEqual(0.0051);
        }
      }),
    );
  });

  const GOOD = "Car 0 0 0 1 2 3 4 0 0 0 0 0 0 0";
  test.each([
    ["Car 0 0 0 1 2 3 4 0 0 0 0 0 0", "l.txt:2: 14 columns; a KITTI label has 15 and a result 16."],
    [`${GOOD} 0.5 7`, "l.txt:2: 17 columns;"],
    ["Car 0 0 0 1 2 x 4 0 0 0 0 0 0 0", "l.txt:2: column 7 (x1) 'x' is not a number."],
    [`${GOOD} nan`, "l.txt:2: column 16 (score) 'nan' is not a number."],
    [`${GOOD} 0x1f`, "'0x1f' is not a number"],
    [`${GOOD} 1e999`, "'1e999' is not a number"],
    [`${GOOD} ${"9".repeat(50)}x`, `'${"9".repeat(40)}...' is not a number`],
    ["Car 0 0 0 3 2 1 4 0 0 0 0 0 0 0", "l.txt:2: box 3 2 1 4 is turned round;"],
  ])("'%s' is refused with file and line", (line, message) => {
    const text = `${GOOD}\n${line}\n`;
    expect(() => parseKitti(text, "l.txt")).toThrow(RapError);
    expect(() => parseKitti(text, "l.txt")).toThrow(message);
  });
});

describe("matchBoxes", () => {
  const A: Detection = { class: "Car", score: 1, box: [0, 0, 10, 10] };
  const shifted = (by: number, name = "car"): Detection => ({ class: name, score: 1, box: [by, 0, 10 + by, 10] });

  test.each([
    ["the same box; upper and lower case alike", [A], [shifted(0)], { matched: 1, total: 1, meanIou: 1, ious: [1] }],
    // 8 of 12: 2/3
    ["a shifted box", [A], [shifted(2)], { matched: 1, total: 1, meanIou: 8 / 12, ious: [8 / 12] }],
    ["too little overlap: 6 of 14", [A], [shifted(4)], { matched: 0, total: 1, meanIou: 0, ious: [0] }],
    ["another class", [A], [shifted(0, "van")], { matched: 0, total: 1, meanIou: 0, ious: [0] }],
    ["one found box serves once", [A, A], [shifted(0)], { matched: 1, total: 2, meanIou: 1, ious: [1, 0] }],
    ["the better of two", [A], [shifted(2), shifted(0)], { matched: 1, total: 1, meanIou: 1, ious: [1] }],
    ["nothing wanted", [], [shifted(0)], { matched: 0, total: 0, meanIou: 0, ious: [] }],
    ["nothing found", [A], [], { matched: 0, total: 1, meanIou: 0, ious: [0] }],
  ])("%s", (_, reference, found, wanted) => {
    expect(matchBoxes(reference, found, 0.5)).toEqual(wanted);
  });

  test("an overlap of exactly the limit counts", () => {
    const half: Detection = { class: "car", score: 1, box: [0, 0, 5, 10] };
    expect(boxIou(A.box, half.box)).toBe(0.5);
    expect(matchBoxes([A], [half], 0.5).matched).toBe(1);
    expect(matchBoxes([A], [half], 0.501).matched).toBe(0);
  });

  test("the best pair goes first, wherever it stands", () => {
    // the first reference box would take the found box that fits the second better
    const second = shifted(3);
    expect(matchBoxes([A, second], [shifted(3)], 0.5)).toEqual({ matched: 1, total: 2, meanIou: 1, ious: [0, 1] });
  });

  test("a list matches itself wholly, and never more than either list holds", () => {
    const box = fc.tuple(fc.nat(30), fc.nat(30), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }));
    const list = fc.array(
      fc.record({ class: fc.constantFrom("car", "bus"), box: box.map(([x, y, w, h]): Box => [x, y, x + w, y + h]) }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(list, list, (a, b) => {
        expect(matchBoxes(a, a, 0.5)).toMatchObject({ matched: a.length, total: a.length });
        const { matched, meanIou } = matchBoxes(a, b, 0.5);
        expect(matched).toBeLessThanOrEqual(Math.min(a.length, b.length));
        if (matched > 0) expect(meanIou >= 0.5 && meanIou <= 1).toBe(true);
      }),
    );
  });
});
