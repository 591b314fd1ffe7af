// Does the exported ONNX model give the reference's integers in onnxruntime, every one?
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exportOnnx } from "../compiler/export-onnx.ts";
import { arbitraryModelWithInput } from "./arbitrary/quantized-model.ts";
import { IntegerModel } from "./oracle/integer-model.ts";
import { runReference } from "./reference/index.ts";

test("random models: every output tensor is the reference's", async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryModelWithInput(), async ({ model, input }) => {
      const exported = await IntegerModel.load(exportOnnx(model));
      try {
        const results = await exported.run(input, model.tensors[0]);
        const { tensors } = runReference(model, input);
        expect([...results.keys()].sort()).toEqual(model.host.outputs.map(({ tensor }) => tensor).sort());
        for (const [name, values] of results) {
          expect(values.constructor).toBe(tensors.get(name)!.constructor);
          expect(Buffer.compare(bytes(values), bytes(tensors.get(name)!)), name).toBe(0);
        }
      } finally {
        await exported.release();
      }
    }),
    { numRuns: 60 },
  );
});

const bytes = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
