// A picture becomes the input tensor as docs/host.md says: against values worked by hand and a plain formula.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Image, imageToFloat, imageToTensor } from "../../host/index.ts";
import { type NetworkInput, RapError } from "../../isa/index.ts";

function input(width: number, height: number, more: Partial<NetworkInput> = {}): NetworkInput {
  const common: Omit<NetworkInput, "width" | "height"> = {
    tensor: "image",
    format: "i8",
    exponent: 0,
    channels: 3,
    colorOrder: "RGB",
    mean: [0],
    scale: 1,
  };
  return { ...common, width, height, ...more };
}

/** A picture whose R, G and B are all the given grey values. */
function grey(width: number, height: number, values: readonly number[]): Image {
  return { width, height, rgb: Uint8Array.from(values.flatMap((v) => [v, v, v])) };
}

/** The red values of the resized picture. */
function red(image: Image, width: number, height: number): number[] {
  return [...imageToFloat(image, input(width, height))].filter((_, i) => i % 3 === 0);
}

describe("bilinear resize with half-pixel centres", () => {
  test.each([
    // positions (i + 0.5) * 2 / 4 - 0.5 = -0.25, 0.25, 0.75, 1.25
    ["2 -> 4", [10, 20], 4, [10, 12.5, 17.5, 20]],
    // positions 0.5, 2.5: no antialias, so halves are plain means of two
    ["4 -> 2", [0, 10, 100, 200], 2, [5, 150]],
    // positions 0.25, 1.75
    ["3 -> 2", [0, 100, 200], 2, [25, 175]],
    // positions 1, 4, 7: pixels between are left out
    ["9 -> 3", [9, 1, 9, 9, 2, 9, 9, 3, 9], 3, [1, 2, 3]],
    ["3 -> 3", [7, 1, 255], 3, [7, 1, 255]],
    ["1 -> 3", [42], 3, [42, 42, 42]],
  ])("%s, along both axes", (_, values, to, wanted) => {
    expect(red(grey(values.length, 1, values), to, 1)).toEqual(wanted);
    expect(red(grey(1, values.length, values), 1, to)).toEqual(wanted);
  });

  test("2 x 2 -> 3 x 3", () => {
    // positions -1/6, 0.5, 7/6: corners, edge means, the mean of all
    expect(red(grey(2, 2, [0, 40, 80, 200]), 3, 3)).toEqual([0, 20, 40, 40, 80, 120, 80, 140, 200]);
  });

  test("any size: the formula, element by element", () => {
    const size = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(
        size,
        size,
        size,
        size,
        fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
        (w, h, ow, oh, stream) => {
          const rgb = Uint8Array.from({ length: w * h * 3 }, () => stream.next().value as number);
          const output = imageToFloat({ width: w, height: h, rgb }, input(ow, oh));
          const edge = (v: number, size: number) => Math.min(Math.max(v, 0), size - 1);
          for (let y = 0; y < oh; y++) {
            for (let x = 0; x < ow; x++) {
              for (let c = 0; c < 3; c++) {
                const sy = ((y + 0.5) * h) / oh - 0.5;
                const sx = ((x + 0.5) * w) / ow - 0.5;
                const pixel = (dy: number, dx: number) =>
                  rgb[(edge(Math.floor(sy) + dy, h) * w + edge(Math.floor(sx) + dx, w)) * 3 + c];
                const [py, px] = [sy - Math.floor(sy), sx - Math.floor(sx)];
                const wanted =
                  (1 - py) * ((1 - px) * pixel(0, 0) + px * pixel(0, 1)) +
                  py * ((1 - px) * pixel(1, 0) + px * pixel(1, 1));
                expect(output[(y * ow + x) * 3 + c]).toBeCloseTo(wanted, 3);
              }
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("colour order, mean and scale", () => {
  const pixel: Image = { width: 1, height: 1, rgb: Uint8Array.of(10, 20, 40) };

  test.each([
    ["RGB", { colorOrder: "RGB", mean: [1, 2, 3], scale: 0.5 }, [4.5, 9, 18.5]],
    ["BGR: the mean is in the network's order", { colorOrder: "BGR", mean: [1, 2, 3], scale: 0.5 }, [19.5, 9, 3.5]],
    ["one mean for all", { colorOrder: "BGR", mean: [10], scale: 2 }, [60, 20, 0]],
  ] as const)("%s", (_, more, wanted) => {
    expect([...imageToFloat(pixel, input(1, 1, { ...more, mean: [...more.mean] }))]).toEqual(wanted);
  });

  test.each(["RGB", "BGR"] as const)("one channel is the luminance, whatever the order (%s)", (colorOrder) => {
    // 0.299 * 10 + 0.587 * 20 + 0.114 * 40 = 19.29
    expect(imageToFloat(pixel, input(1, 1, { channels: 1, colorOrder }))[0]).toBeCloseTo(19.29, 5);
  });

  test.each([
    ["i8", 0, [127, 127, -56, -127, 0, 1, 0]],
    ["i8", -1, [64, 64, -28, -63, 0, 1, 0]],
    ["u8", 0, [127, 128, 0, 0, 0, 1, 0]],
    ["u8", 1, [254, 255, 0, 0, 0, 1, 0]],
  ] as const)("rounds half up and clamps: %s, exponent %i", (format, exponent, wanted) => {
    // real values: pixel - 127 = 127, 128 (pixel 255), -56, -127, 0; then 0.5 and -0.5 come from the scale
    const reals = [254, 255, 71, 0, 127].map((v) => v - 127);
    const integers = reals.map(
      (_, i) =>
        imageToTensor(grey(1, 1, [[254, 255, 71, 0, 127][i]]), input(1, 1, { format, exponent, mean: [127] }))[0],
    );
    const half = [1, 0].map((v) => {
      const more = { format, exponent, mean: [0.5], scale: 2 ** -exponent };
      return imageToTensor(grey(1, 1, [v]), input(1, 1, more))[0];
    });
    expect([...integers, ...half]).toEqual(wanted);
  });

  test("the layout is [H, W, C] and the type follows the format", () => {
    const image: Image = { width: 2, height: 1, rgb: Uint8Array.of(1, 2, 3, 4, 5, 6) };
    expect(imageToTensor(image, input(2, 1, { format: "u8" }))).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6));
    expect(imageToTensor(image, input(2, 1, { colorOrder: "BGR" }))).toEqual(Int8Array.of(3, 2, 1, 6, 5, 4));
  });
});

test("what does not fit is refused", () => {
  expect(() => imageToFloat(grey(1, 1, [0]), input(1, 1, { mean: [1, 2] }))).toThrow(
    new RapError("input.mean: 2 values; 3 channels take 1 or 3. Mend the input's description"),
  );
  expect(() => imageToFloat({ width: 2, height: 2, rgb: new Uint8Array(3) }, input(1, 1))).toThrow(
    /image\.rgb: 3 bytes/,
  );
});
