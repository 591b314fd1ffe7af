// The trained network on real photographs, end to end: does the compiled program compute exactly what it should, and
// does it find what the float network finds? Needs the data beside the repository.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { compileModel, type QuantizedModel } from "../../compiler/index.ts";
import { importOnnx } from "../../compiler/onnx.ts";
import { quantize } from "../../compiler/quantize.ts";
import type { QConv } from "../../compiler/quantized-model.ts";
import { parseSidecar } from "../../compiler/sidecar.ts";
import { decodeConvDet, dequantize, imageToTensor, matchBoxes, parseKitti, readImage } from "../../host/index.ts";
import {
  assemble,
  type CheckedProgram,
  type ConvDetHead,
  checkProgram,
  decodeProgram,
  disassemble,
  encodeProgram,
  loadPreset,
} from "../../isa/index.ts";
import { assembleProbes, checkLaws, Execution, type Probe, simulateTiming } from "../../sim/index.ts";
import { ortConvAccumulators } from "../oracle/onnxruntime.ts";
import { runReference } from "../reference/index.ts";
import { shared, whySkipped } from "../support/shared-data.ts";

const SQUEEZEDET_MACS = 5_283_053_568;

describe.skipIf(whySkipped !== null)(
  `SqueezeDet on KITTI${whySkipped === null ? "" : ` (skipped: ${whySkipped})`}`,
  () => {
    let model: QuantizedModel;
    let file: Uint8Array;
    let checked: CheckedProgram;

    beforeAll(() => {
      const sidecar = parseSidecar(readFileSync(shared.sidecar), shared.sidecar);
      model = quantize(importOnnx(readFileSync(shared.model), shared.model, sidecar));
      file = encodeProgram(compileModel(model, loadPreset("rap-e")));
      checked = checkProgram(decodeProgram(file, "squeezedet.bin"), "squeezedet.bin");
    });

    test("of the float network's 442 boxes with score >= 0.5 at least 99 % are found, mean IoU >= 0.945", async () => {
      const execution = new Execution(checked);
      const { input, outputs, head } = model.host;
      const output = outputs[0];
      let matched = 0;
      let total = 0;
      let iou = 0;
      for (const photo of readdirSync(shared.photos).sort()) {
        const image = await readImage(join(shared.photos, photo));
        const results = execution.runFrame(imageToTensor(image, input));
        const values = dequantize(output, results.get(output.tensor)!);
        const found = decodeConvDet(head as ConvDetHead, values, input.width, input.height, image.width, image.height, {
          threshold: 0.3,
        });
        const path = join(shared.detections, photo.replace(".png", ".txt"));
        const reference = parseKitti(readFileSync(path, "utf8"), path).flatMap(({ class: name, score, box }) =>
          score !== null && score >= 0.5 ? [{ class: name, score, box }] : [],
        );
        const result = matchBoxes(reference, found, 0.5);
        matched += result.matched;
        total += result.total;
        iou += result.meanIou * result.matched;
      }
      console.log(
        `matched ${matched} of ${total} boxes (${((100 * matched) / total).toFixed(2)} %), mean IoU ${(iou / matched).toFixed(4)}`,
      );
      expect(total).toBe(442);
      expect(matched / total).toBeGreaterThanOrEqual(0.99);
      expect(iou / matched).toBeGreaterThanOrEqual(0.945);
    });

    test("on one photo every accumulator of every layer is that of the twin, the reference and onnxruntime", async () => {
      const photo = join(shared.photos, readdirSync(shared.photos).sort()[5]);
      const input = imageToTensor(await readImage(photo), model.host.input);
      const probesOf = (kernels: "wasm" | "twin") => {
        const execution = new Execution(checked, { kernels });
        const probes: Probe[] = [];
        execution.onProbe = (probe) => probes.push(probe);
        const outputs = execution.runFrame(input);
        const assembled = assembleProbes(checked.program, probes);
        expect(assembled.errors).toEqual([]);
        return { outputs, layers: new Map([...assembled.layers.values()].map(({ name, values }) => [name, values])) };
      };
      const wasm = probesOf("wasm");
      const twin = probesOf("twin");
      const reference = runReference(model, input);
      const convs = model.nodes.filter((node): node is QConv => node.op === "conv");
      expect(convs).toHaveLength(32);
      for (const conv of convs) {
        const values = wasm.layers.get(conv.name)!;
        expect(equal(values, twin.layers.get(conv.name)!), `${conv.name}: twin`).toBe(true);
        expect(equal(values, reference.accumulators.get(conv.name)!), `${conv.name}: reference`).toBe(true);
        const tensor = model.tensors.find(({ name }) => name === conv.inputs[0])!;
        const x = reference.tensors.get(tensor.name) as Int8Array | Uint8Array;
        const { height, width, channels } = tensor;
        const geometry = { ...conv, outChannels: conv.bias.length, height, width, channels };
        const independent = await ortConvAccumulators(x, tensor.format === "u8", conv.weights, geometry);
        expect(equal(values, independent), `${conv.name}: onnxruntime`).toBe(true);
      }
      for (const [name, values] of wasm.outputs) {
        expect(equal(values, twin.outputs.get(name)!), `${name}: twin`).toBe(true);
        expect(equal(values, reference.tensors.get(name)!), `${name}: reference`).toBe(true);
      }
    });

    test("useful MACs are the network's, every law holds, and cycles exceed every bound", () => {
      for (const options of [{}, { frames: 3 }, { frames: 3, overlapFrames: true }]) {
        const result = simulateTiming(checked, options);
        expect(result.totals.macs).toBe(SQUEEZEDET_MACS * result.frames);
        expect(checkLaws(checked, result)).toEqual([]);
        for (const bound of Object.values(result.totals.bounds))
          expect(result.totals.latencyCycles).toBeGreaterThanOrEqual(bound);
      }
    });

    test("disassembled and assembled again, the program file is identical", () => {
      expect(Buffer.compare(encodeProgram(assemble(disassemble(checked.program), "squeezedet.s")), file)).toBe(0);
    });
  },
);

function equal(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
