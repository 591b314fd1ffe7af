// The trained network, exported: does onnxruntime give the head's integers on photographs, every value? Needs the data
// beside the repository.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { exportOnnx } from "../../compiler/export-onnx.ts";
import { importOnnx } from "../../compiler/onnx.ts";
import { type QuantizeOptions, quantize } from "../../compiler/quantize.ts";
import { parseSidecar } from "../../compiler/sidecar.ts";
import { imageToTensor, readImage } from "../../host/index.ts";
import { IntegerModel } from "../oracle/integer-model.ts";
import { runReference } from "../reference/index.ts";
import { shared, whySkipped } from "../support/shared-data.ts";

const PHOTOS = 5;

describe.skipIf(whySkipped !== null)(
  `SqueezeDet on KITTI${whySkipped === null ? "" : ` (skipped: ${whySkipped})`}`,
  () => {
    test.each<[string, QuantizeOptions]>([
      ["the head as accumulators", {}],
      ["u8 activations, the head in int8", { activations: "u8", head: "i8" }],
    ])("%s", async (_name, options) => {
      const sidecar = parseSidecar(readFileSync(shared.sidecar), shared.sidecar);
      const model = quantize(importOnnx(readFileSync(shared.model), shared.model, sidecar), options);
      const exported = await IntegerModel.load(exportOnnx(model));
      const photos = readdirSync(shared.photos).sort().slice(0, PHOTOS);
      expect(photos).toHaveLength(PHOTOS);
      for (const photo of photos) {
        const input = imageToTensor(await readImage(join(shared.photos, photo)), model.host.input);
        const results = await exported.run(input, model.host.input);
        const { tensors } = runReference(model, input);
        for (const { tensor } of model.host.outputs) {
          expect(differences(results.get(tensor)!, tensors.get(tensor)!), `${photo}: ${tensor}`).toBe(0);
        }
      }
      await exported.release();
    });
  },
);

function differences(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Math.max(a.length, b.length);
  let count = 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) count++;
  return count;
}
