// Does the text report say what the numbers say, within the page?
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { textReport } from "../../report/index.ts";
import { program, syntheticReport, timing } from "./synthetic.ts";

const plain = (changes = {}, width = 100) => textReport(syntheticReport(changes), { color: false, width });
/** The first line that contains the words. */
const lineWith = (text: string, words: string) => text.split("\n").find((line) => line.includes(words)) ?? "";

describe("a full run", () => {
  const text = plain();

  test.each([
    ["speed", "526.3 frames/s"],
    ["latency", "1.90 ms"],
    ["latency", "1,900,000 cycles"],
    ["MAC utilisation", "15.1 %"],
    ["MAC utilisation", "1.235 GMAC useful, 1.300 G executed; peak 4,096 a cycle"], // 16 agents x 16 x 16
    ["DRAM read", "12.3 MB"],
    ["DRAM written", "3.40 MB"],
    ["energy", "1.00 mJ/frame"], // 1e9 pJ
    ["energy", "DRAM 60 %, MACs 25 %, SRAM 10 %, leakage 4 %, other 1 %"],
    ["power", "0.500 W"],
    ["power", "1,000 frames/J"],
    ["conv1+pool1", "1,500,000  75.0 %  ████████"], // of 2,000,000; the largest fills the bar
    ["conv1+pool1", "16.3 %   10,000"],
    ["fire2", "dram"],
    ["DRAM: weights, input, output", "62.1 %"], // 1,180,000 / 1,900,000
    ["MAC arrays: useful MACs", "301,408"],
    ["The nearest bound", "1.54 times"], // 1,900,000 / 1,230,131
    ["busy", "25.0 %    90.0 %  95.0 %"], // (0.4 + 0.6) / 4 M, 1.8 / 2 M, 1.9 / 2 M
    ["waits for a load", "60.0 %"], // (1.0 + 1.4) / 4 M
    ["! The weights", "not trained"],
  ])("%s: %s", (words, found) => expect(lineWith(text, words)).toContain(found));

  test("detections are listed with the picture's size", () => {
    expect(text).toContain("2 detections in street.png (1242 x 375)");
    expect(text).toMatch(/car +0\.912 +10 +21 +110 +90/);
  });

  test("totals come first, then detections, layers, bounds and what is not modelled", () => {
    const places = ["speed", "2 detections", "Layers", "What bounds a frame", "How the units", "Not modelled"].map(
      (words) => text.indexOf(words),
    );
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(0);
  });
});

test.each([100, 80, 60])("no line is longer than %d columns", (width) => {
  const lines = plain({}, width).split("\n");
  expect(lines.filter((line) => [...line].length > width)).toEqual([]);
  // what matters most stays, however narrow
  expect(lineWith(lines.join("\n"), "conv1")).toContain("1,500,000");
});

test("colours add nothing but colours", () => {
  const colored = textReport(syntheticReport(), { color: true, width: 100 });
  expect(colored).toContain("\x1b[1m");
  expect(stripVTControlCharacters(colored)).toBe(plain());
  expect(plain()).not.toContain("\x1b");
});

test("without time there is no time", () => {
  const text = plain({ mode: "functional", timing: undefined, notModelled: [] });
  expect(text).toContain("squeezedet on rap-e: 1 picture, values only");
  expect(text).toContain("2 detections");
  for (const words of ["speed", "Layers", "bounds", "units", "Not modelled"]) expect(text).not.toContain(words);
});

test("without values there are no detections, not zero of them", () => {
  const text = plain({ mode: "timing", images: [], detections: [], outputs: [] });
  expect(text).toContain("time only");
  expect(text).not.toContain("detection");
});

test("a picture with nothing in it is a result", () => {
  expect(plain({ detections: [] })).toContain("0 detections in street.png");
});

test("of meaningless detections only a few are shown", () => {
  const detections = Array.from({ length: 64 }, () => ({
    image: "street.png",
    class: "car",
    score: 1,
    box: [0, 0, 1, 1] as const,
  }));
  const carLines = (text: string) => text.split("\n").filter((line) => line.startsWith("  car"));
  expect(plain({ detections })).toContain("64 detections in street.png");
  expect(plain({ detections })).toContain("and 61 more");
  expect(carLines(plain({ detections }))).toHaveLength(3);
  const trained = { ...program, host: { ...program.host, trained: true } };
  expect(carLines(plain({ detections, program: trained }))).toHaveLength(64);
});

test("of a picture of which it is known what it shows, it is said what was found", () => {
  const trained = { ...program, host: { ...program.host, trained: true } };
  const car = { class: "car", box: [0, 0, 9.6, 10] as const };
  const known = (...ious: number[]) =>
    plain({
      program: trained,
      images: [{ image: "a.png", width: 10, height: 10, objects: ious.map((iou) => ({ ...car, iou })) }],
      detections: [],
    });
  expect(known(0.9, 0.7)).toContain("  2 of 2 labelled objects found (mean IoU 0.80)\n");
  expect(known(0.9, 0)).toContain("  1 of 2 labelled objects found (mean IoU 0.90); missed: car at 0, 0, 10, 10\n");
  expect(known(0)).toContain("  0 of 1 labelled object found; missed: car at 0, 0, 10, 10\n");
});

test("several pictures are told apart", () => {
  const text = plain({
    images: ["a.png", "b.png"].map((image) => ({ image, width: 10, height: 10 })),
    detections: [
      { image: "b.png", class: "car", score: 0.9, box: [1, 2, 3, 4] },
      { image: "b.png", class: "car", score: 0.95, box: [5, 2, 7, 4] },
      { image: "b.png", class: "cyclist", score: 0.5, box: [9, 2, 11, 4] },
    ],
  });
  expect(text).toContain("3 detections in 2 pictures");
  expect(text).toMatch(/a\.png +0\n/);
  expect(text).toMatch(/b\.png +3 +0\.950 +2 car, 1 cyclist\n/);
  // boxes are for the JSON report
  expect(text).not.toMatch(/left +top/);
});

test("classes of a classifier", () => {
  const head = { kind: "classes", tensor: "conv12", classes: ["cat", "dog"], softmax: true, topK: 2 } as const;
  const text = plain({
    program: { ...program, host: { ...program.host, head: { ...head, classes: [...head.classes] } } },
    detections: [],
    classifications: [{ image: "pet.jpg", top: [{ class: "dog", score: 0.75 }] }],
  });
  expect(text).toContain("Top 1 of pet.jpg");
  expect(text).toMatch(/dog +0\.7500/);
});

test("classes of several pictures: the best of each", () => {
  const head = { kind: "classes", tensor: "conv12", classes: ["cat", "dog"], softmax: true, topK: 2 } as const;
  const text = plain({
    program: { ...program, host: { ...program.host, head: { ...head, classes: [...head.classes] } } },
    detections: [],
    classifications: ["a.jpg", "b.jpg"].map((image, i) => ({
      image,
      top: [
        { class: ["dog", "cat"][i], score: 0.75 },
        { class: ["cat", "dog"][i], score: 0.25 },
      ],
    })),
  });
  expect(text).toMatch(/a\.jpg +dog +0\.7500\n.*b\.jpg +cat +0\.7500/);
  expect(text).not.toContain("0.2500");
});

test("outputs without a head are shown as tensors", () => {
  const text = plain({ program: { ...program, host: { ...program.host, head: null } }, detections: [] });
  expect(text).toMatch(/conv12 +24 x 78 x 72 +i8 +-8\.000 +7\.938 +efefefefefefefef/);
});

test("several frames: totals are per frame, layers are sums", () => {
  const text = plain({ timing: { ...timing, frames: 2, overlapFrames: true } });
  expect(text).toContain("squeezedet on rap-e: 2 frames, overlapped");
  expect(lineWith(text, "energy")).toContain("500 µJ/frame");
  expect(lineWith(text, "DRAM read")).toContain("6.17 MB");
  expect(text).toContain("sums over 2 frames");
});

test("names from files cannot move the cursor", () => {
  const text = plain({ program: { ...program, name: "evil\x1b[2J\nname" } });
  expect(text).toContain("evil?[2J?name on rap-e");
});

test("races are named, and their absence as well", () => {
  expect(plain()).not.toContain("race");
  expect(plain({ races: [] })).toContain("No races");
  expect(plain({ races: ["#1 and #2"] })).toContain("1 race\n  - #1 and #2");
});
