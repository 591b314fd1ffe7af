/** Do packed weights and shift tables lie where a convolution and the shift unit look for them? */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instruction, packShiftTable, packWeights, weightBox } from "../../isa/index.ts";

describe("packed weights", () => {
  const cases = fc.record({
    shape: fc.record({
      outChannels: fc.integer({ min: 1, max: 20 }),
      kernelY: fc.integer({ min: 1, max: 3 }),
      kernelX: fc.integer({ min: 1, max: 3 }),
      inChannels: fc.integer({ min: 1, max: 7 }),
    }),
    cols: fc.constantFrom(4, 8),
    chunk: fc.integer({ min: 1, max: 8 }),
  });

  it("are found by a convolution over each chunk: weightRow, then [kernel row][kernel column][channel]", () => {
    fc.assert(
      fc.property(cases, ({ shape, cols, chunk }) => {
        const { outChannels, kernelY, kernelX, inChannels } = shape;
        const weights = Int8Array.from({ length: outChannels * kernelY * kernelX * inChannels }, (_, i) => i % 251);
        const packed = packWeights(weights, shape, cols, chunk);
        const rows = kernelY * kernelX * inChannels;
        expect(packed.length).toBe(Math.ceil(outChannels / cols) * rows * cols);
        let seen = 0;
        for (let cBegin = 0; cBegin < inChannels; cBegin += chunk) {
          const cCount = Math.min(chunk, inChannels - cBegin);
          const weightRow = kernelY * kernelX * cBegin;
          const conv = instruction("conv", { kernelY, kernelX, cBegin, cCount, weightRow });
          const box = weightBox(conv, { y0: 0, y1: 1, x0: 0, x1: 1, c0: 0, c1: outChannels }, cols);
          expect([box.x0, box.x1]).toEqual([weightRow, weightRow + kernelY * kernelX * cCount]);
          for (let k = 0; k < outChannels; k++)
            for (let r = 0; r < kernelY; r++)
              for (let s = 0; s < kernelX; s++)
                for (let c = 0; c < cCount; c++) {
                  const row = weightRow + (r * kernelX + s) * cCount + c;
                  const at = (Math.floor(k / cols) * rows + row) * cols + (k % cols);
                  expect(packed[at]).toBe(weights[((k * kernelY + r) * kernelX + s) * inChannels + cBegin + c]);
                  seen++;
                }
        }
        expect(seen).toBe(weights.length);
      }),
    );
  });

  it("are zero behind the last output channel", () => {
    const packed = packWeights(
      Int8Array.of(1, 2, 3, 4, 5),
      { outChannels: 5, kernelY: 1, kernelX: 1, inChannels: 1 },
      4,
      1,
    );
    expect([...packed]).toEqual([1, 2, 3, 4, 5, 0, 0, 0]);
  });
});

describe("a shift table", () => {
  it("has four bytes per channel: bias, bias shift, shift, 0", () => {
    const table = packShiftTable([
      { bias: -128, biasShift: -31, shift: 31 },
      { bias: 127, biasShift: 23, shift: -8 },
    ]);
    expect([...new Int8Array(table.buffer)]).toEqual([-128, -31, 31, 0, 127, 23, -8, 0]);
  });
});
