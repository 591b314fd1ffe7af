// Pictures that come out: drawn boxes and the generated road.
import { createHash } from "node:crypto";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { type Detection, drawBoxes, type Image } from "../../host/index.ts";
import { smallPicture } from "../support/small-picture.ts";

async function pixels(png: Uint8Array): Promise<Image> {
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, rgb: data };
}

function at(image: Image, x: number, y: number): number[] {
  return [...image.rgb.subarray((y * image.width + x) * 3, (y * image.width + x) * 3 + 3)];
}

const plain: Image = { width: 200, height: 120, rgb: new Uint8Array(200 * 120 * 3).fill(90) };

describe("drawBoxes", () => {
  test("without detections the picture stays as it is", async () => {
    const picture = smallPicture(64, 32, 1);
    const back = await pixels(await drawBoxes(picture, []));
    expect(back.width).toBe(64);
    expect(Buffer.compare(Buffer.from(back.rgb), Buffer.from(picture.rgb))).toBe(0);
  });

  test("a box has its class's colour, a label above it, and leaves the rest alone", async () => {
    const drawn = await pixels(await drawBoxes(plain, [{ class: "car", score: 0.87, box: [50, 60, 150, 110] }]));
    const [red, green, blue] = at(drawn, 120, 60);
    expect(green).toBeGreaterThan(red + 60);
    expect(green).toBeGreaterThan(blue + 60);
    expect(at(drawn, 10, 10)).toEqual([90, 90, 90]);
    // the label: a dark plate with bright strokes in it
    const plate: number[] = [];
    for (let y = 44; y < 56; y++) for (let x = 54; x < 115; x++) plate.push(at(drawn, x, y)[1]);
    expect(plate.filter((v) => v < 60).length).toBeGreaterThan(200);
    expect(plate.filter((v) => v > 180).length).toBeGreaterThan(50);
  });

  test("every score and class draws its own label", async () => {
    const hashes = new Set<string>();
    const labels: [string, number][] = [
      ...[..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_/().,:+'&%"].map(
        (c): [string, number] => [c, 0],
      ),
      ...Array.from({ length: 10 }, (_, i): [string, number] => ["x", i / 10 + 0.01]),
    ];
    for (const [name, score] of labels) {
      // "car" lends its colour to none of these; compare brightness only through the whole file
      const png = await drawBoxes(plain, [{ class: name, score, box: [50, 60, 150, 110] }]);
      hashes.add(createHash("sha256").update(png).digest("hex"));
    }
    expect(hashes.size).toBe(labels.length);
  });

  test("crowded, outside, without area, with odd names: still a picture of the same size", async () => {
    const crowd = Array.from(
      { length: 64 },
      (_, i): Detection => ({ class: "pedestrian", score: i / 64, box: [i, i, i + 9, i + 20] }),
    );
    const odd: Detection[] = [
      { class: "", score: 0.5, box: [0, 0, 199, 119] },
      { class: "éß車 \u{1f697}", score: 0.5, box: [190, 110, 500, 500] },
      { class: "a name much longer than this picture is wide, by far", score: 1, box: [-50, -50, -10, -10] },
      { class: "x", score: 0.5, box: [20, 20, 20, 20] },
    ];
    const drawn = await pixels(await drawBoxes(plain, [...crowd, ...odd]));
    expect([drawn.width, drawn.height]).toEqual([200, 120]);
    const tiny = await pixels(await drawBoxes({ width: 1, height: 1, rgb: new Uint8Array(3) }, odd));
    expect([tiny.width, tiny.height]).toEqual([1, 1]);
  });

  test("the same detections give the same bytes, in any order", async () => {
    const found: Detection[] = [
      { class: "car", score: 0.9, box: [10, 30, 60, 80] },
      { class: "dog", score: 0.4, box: [40, 40, 120, 100] },
    ];
    expect(await drawBoxes(plain, found)).toEqual(await drawBoxes(plain, [...found].reverse()));
  });
});
