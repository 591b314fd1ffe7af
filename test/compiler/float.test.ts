// Do the quantizer's WebAssembly loops give what plain loops give, bit for bit where sums are taken in the same order?
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { convolve } from "../../compiler/float/conv.ts";
import { FLOAT_KERNEL_DATA, floatKernels } from "../../compiler/float/kernels.ts";
import { type ConvNode, RELU } from "../../compiler/graph.ts";

/** Numbers of many magnitudes, without a generator's bias to small ones. */
function numbers(count: number, seed: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
}

const quads = fc.integer({ min: 1, max: 6 }).map((count) => 4 * count);

describe("moments", () => {
  test("products are added to the sums, on and right of the diagonal", () => {
    fc.assert(
      fc.property(quads, fc.integer({ min: 1, max: 9 }), (columns, places) => {
        const x = numbers(places * columns, 1);
        const before = Float32Array.from(numbers(columns * columns, 2));
        const sumsAt = FLOAT_KERNEL_DATA + x.length * 8;
        const { memory, addProducts } = floatKernels(x.length * 8 + before.length * 4);
        const sums = new Float32Array(memory.buffer, sumsAt, before.length);
        new Float64Array(memory.buffer, FLOAT_KERNEL_DATA, x.length).set(x);
        sums.set(before);
        addProducts(FLOAT_KERNEL_DATA, places, columns, sumsAt);
        for (let i = 0; i < columns; i++) {
          for (let j = i; j < columns; j++) {
            let sum = 0;
            for (let p = 0; p < places; p++) sum += x[p * columns + i] * x[p * columns + j];
            expect(sums[i * columns + j]).toBe(Math.fround(before[i * columns + j] + sum));
          }
        }
      }),
    );
  });

  test("slopes are the damped matrix times the errors; a row is added", () => {
    fc.assert(
      fc.property(quads, fc.double({ min: 0, max: 2, noNaN: true }), (columns, damping) => {
        const matrix = Float32Array.from(numbers(columns * columns, 3));
        const errors = numbers(columns, 4);
        const [errorsAt, matrixAt] = [FLOAT_KERNEL_DATA + columns * 8, FLOAT_KERNEL_DATA + columns * 16];
        const { memory, slopes, addRow } = floatKernels(columns * 16 + matrix.length * 4);
        const slope = new Float64Array(memory.buffer, FLOAT_KERNEL_DATA, columns);
        new Float64Array(memory.buffer, errorsAt, columns).set(errors);
        new Float32Array(memory.buffer, matrixAt, matrix.length).set(matrix);
        slopes(FLOAT_KERNEL_DATA, matrixAt, columns, errorsAt, damping);
        const expected = errors.map((error, j) =>
          errors.reduce((sum, e, i) => sum + e * matrix[i * columns + j], error * damping),
        );
        slope.forEach((value, j) => {
          expect(value).toBeCloseTo(expected[j], 12);
        });
        const last = slope.slice();
        addRow(FLOAT_KERNEL_DATA, matrixAt + 3 * columns * 4, columns, -2);
        expect([...slope]).toEqual([...last].map((value, j) => value - 2 * matrix[3 * columns + j]));
      }),
    );
  });
});

test.each([
  // more input rows than a band holds
  { name: "bands of rows", height: 150, width: 700, channels: 8, outputs: 6, groups: 1, pad: 1 },
  { name: "bands of rows, of groups", height: 150, width: 700, channels: 8, outputs: 6, groups: 2, pad: 1 },
  // several chunks of output channels, the last block not whole
  { name: "chunks of weights", height: 3, width: 4, channels: 1536, outputs: 158, groups: 1, pad: 0 },
])("$name: a large convolution is cut and put together again", ({ height, width, channels, outputs, groups, pad }) => {
  const [perGroup, outPerGroup] = [channels / groups, outputs / groups];
  const weights = Float32Array.from(numbers(outputs * 9 * perGroup, 5));
  const bias = Float32Array.from(numbers(outputs, 6));
  const pads = [pad, pad, pad, pad] as const;
  const node: ConvNode = {
    ...{ op: "conv", name: "y", inputs: ["x"], output: "y", groups, activation: RELU },
    ...{ kernel: [3, 3], stride: [1, 1], dilation: [1, 1], pads, weights, bias },
  };
  const x = Float32Array.from(numbers(height * width * channels, 7));
  const [outHeight, outWidth] = [height + 2 * pad - 2, width + 2 * pad - 2];
  const input = { name: "x", height, width, channels };
  const out = convolve(node, x, input, { name: "y", height: outHeight, width: outWidth, channels: outputs });
  for (const pixel of [0, outWidth - 1, Math.floor((outHeight * outWidth) / 2), outHeight * outWidth - 1]) {
    for (let k = 0; k < outputs; k++) {
      let sum = 0;
      for (let tap = 0; tap < 9; tap++) {
        const row = Math.floor(pixel / outWidth) + Math.floor(tap / 3) - pad;
        const column = (pixel % outWidth) + (tap % 3) - pad;
        if (row < 0 || row >= height || column < 0 || column >= width) continue;
        const from = (row * width + column) * channels + Math.floor(k / outPerGroup) * perGroup;
        for (let c = 0; c < perGroup; c++) sum += weights[(k * 9 + tap) * perGroup + c] * x[from + c];
      }
      expect(out[pixel * outputs + k]).toBe(Math.fround(Math.max(sum + bias[k], 0)));
    }
  }
});
