/** Are scenes the same everywhere, and do their labels say what is seen? */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatKittiLabels, makeScene, parseKitti } from "../../host/index.ts";
import { angleOf, cosine, sine } from "../../host/scenes/angles.ts";
import type { Camera } from "../../host/scenes/camera.ts";
import { labelOf } from "../../host/scenes/labels.ts";
import type { SceneThing } from "../../host/scenes/layout.ts";
import { makeLight } from "../../host/scenes/light.ts";
import { Mesh } from "../../host/scenes/mesh.ts";
import { Random } from "../../host/scenes/random.ts";
import { Raster } from "../../host/scenes/raster.ts";
import { Spans } from "../../host/scenes/spans.ts";

describe("a scene", () => {
  const scenes = [0, 1, 2, 3].map((index) => makeScene(1, index));

  it("has the same pixels and labels on every machine", () => {
    const hash = createHash("sha256");
    for (const { image, labels } of scenes) hash.update(image.rgb).update(formatKittiLabels(labels));
    expect(hash.digest("hex")).toBe("04acb516a801a72f905b1c4974ceaf3894a4c43fff08fbb5a882ba5b86b6dd2c");
  });

  it("differs from the next, and from that of another seed", () => {
    const pictures = [...scenes, makeScene(2, 0)].map(({ image }) => Buffer.from(image.rgb).toString("latin1"));
    expect(new Set(pictures).size).toBe(pictures.length);
  });

  it("has labels within the picture, which survive being written and read", () => {
    for (const { image, labels } of scenes) {
      const read = parseKitti(formatKittiLabels(labels), "label.txt");
      expect(read.map((label) => label.class)).toEqual(labels.map((label) => label.class));
      for (const { box, truncated, occluded } of read) {
        expect(box[0]).toBeGreaterThanOrEqual(0);
        expect(box[1]).toBeGreaterThanOrEqual(0);
        expect(box[2]).toBeLessThanOrEqual(image.width - 1);
        expect(box[3]).toBeLessThanOrEqual(image.height - 1);
        expect(truncated).toBeLessThanOrEqual(1);
        expect([-1, 0, 1, 2, 3]).toContain(occluded);
      }
    }
  });
});

const CAMERA: Camera = { focal: 720, centreX: 624, horizonY: 175, height: 1.6 };

/** A block standing on the ground, seen straight on. */
function block(x: number, z: number, width: number, height: number): SceneThing {
  const mesh = new Mesh();
  mesh.block([0, 0], [0, height], [width / 2, 0.05], { color: [200, 100, 50] });
  return { mesh, x, z, yaw: 0, class: "Car", dimensions: [height, width, 0.1] };
}

/** Labels of things as they hide each other. */
function labelsOf(things: readonly SceneThing[]) {
  const raster = new Raster(CAMERA, makeLight(new Random(1)));
  for (const [i, thing] of things.entries()) raster.draw(thing, i + 1);
  const visible = raster.visible(things.length + 1);
  return things.map((thing, i) => labelOf(thing, "Car", visible[i + 1] / raster.alone(thing, i + 1), CAMERA));
}

describe("labels", () => {
  it("have the box that the camera sees", () => {
    // front at z = 9.95: half width 1 * 720 / 9.95 = 72.36, foot 1.6 * 72.36 = 115.78 below the horizon;
    // the top's far edge, at z = 10.05, 0.1 * 720 / 10.05 = 7.16 below it
    const [label] = labelsOf([block(0, 10, 2, 1.5)]);
    expect(label).toMatchObject({ truncated: 0, occluded: 0 });
    const expected = [624 - 72.36, 175 + 7.16, 624 + 72.36, 175 + 115.78];
    for (const [i, value] of label!.box.entries()) expect(value).toBeCloseTo(expected[i], 1);
  });

  it.each([
    [2, null], // hidden behind a wall as wide
    [1.4, 2], // 0.7 hidden
    [0.6, 1],
    [0.2, 0],
  ])("say how far a wall of %s m hides 2 m behind it", (width, occluded) => {
    // the wall stands right before it, from the left edge on
    const [, behind] = labelsOf([block(-1 + width / 2, 20, width, 3), block(0, 20.2, 2, 1.5)]);
    expect(behind?.occluded ?? null).toBe(occluded);
  });

  it("hide in whatever order things are drawn", () => {
    const [near, far] = [block(-0.5, 20, 1, 3), block(0, 20.2, 2, 1.5)];
    const [, first] = labelsOf([near, far]);
    const [second] = labelsOf([far, near]);
    expect(first).toEqual(second);
    expect(first!.occluded).toBe(1);
  });

  it("say how much lies outside of the picture", () => {
    // the left edge is 624 pixels from the middle: at z = 9.95, 8.62 m
    const [label] = labelsOf([block(-8.62, 10, 2, 1.5)]);
    expect(label!.truncated).toBeCloseTo(0.5, 1);
    expect(label!.box[0]).toBe(0);
  });

  it("make a region without meaning of what is too small", () => {
    const [label] = labelsOf([block(0, 99, 2, 1.5)]);
    expect(label).toMatchObject({ class: "DontCare", occluded: -1, alpha: -10 });
  });
});

describe("angles", () => {
  const angle = fc.double({ min: -20, max: 20, noNaN: true });

  it("have the sine and cosine of Math", () => {
    fc.assert(
      fc.property(angle, (a) => {
        expect(sine(a)).toBeCloseTo(Math.sin(a), 11);
        expect(cosine(a)).toBeCloseTo(Math.cos(a), 11);
      }),
    );
  });

  it("are found again from sine and cosine", () => {
    fc.assert(
      fc.property(fc.double({ min: -3.14, max: 3.14, noNaN: true }), (a) => {
        expect(angleOf(Math.sin(a), Math.cos(a))).toBeCloseTo(a, 8);
      }),
    );
  });
});

describe("spans", () => {
  const corner = fc.tuple(fc.integer({ min: -8, max: 24 }), fc.integer({ min: -8, max: 24 }));

  it("hold the samples inside of a triangle", () => {
    const spans = new Spans(16, 16);
    fc.assert(
      fc.property(corner, corner, corner, (a, b, c) => {
        const corners = [a, b, c];
        spans.cover(
          corners.map(([x]) => x),
          corners.map(([, y]) => y),
          3,
        );
        for (let row = 0; row < 16; row++) {
          for (let column = 0; column < 16; column++) {
            const sides = corners.map(([x, y], i) => {
              const [nextX, nextY] = corners[(i + 1) % 3];
              return (nextX - x) * (row + 0.5 - y) - (nextY - y) * (column + 0.5 - x);
            });
            // on an edge: either is right
            if (sides.some((side) => Math.abs(side) < 1e-6)) continue;
            const isInside = sides.every((side) => side > 0) || sides.every((side) => side < 0);
            const isCovered =
              row >= spans.firstRow && row < spans.endRow && column >= spans.first[row] && column < spans.end[row];
            expect(isCovered).toBe(isInside);
          }
        }
      }),
    );
  });
});
