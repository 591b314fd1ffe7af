// Networks beside SqueezeDet on rap-e: the reference's values, and how far their time is from its bound. The table printed is the one in
// docs/compiler.md.
import { describe, expect, test } from "vitest";
import { buildNetwork } from "../../compiler/builders.ts";
import { compileModel, importOnnx, quantize } from "../../compiler/index.ts";
import { checkProgram, loadPreset } from "../../isa/index.ts";
import { checkLaws, Execution, simulateTiming } from "../../sim/index.ts";
import { runReference } from "../reference/index.ts";
import { ONNX_NETWORKS } from "../support/networks.ts";

const SEED = 7;
/** Times the larger of compute and compulsory traffic. */
const MOST = 2;

describe("networks on rap-e", () => {
  test.each(["squeezenet", ...ONNX_NETWORKS.keys()])("%s", (name) => {
    const onnx = ONNX_NETWORKS.get(name);
    const graph = onnx === undefined ? buildNetwork(name, { seed: SEED }) : importOnnx(onnx(), name);
    const model = quantize(graph, { seed: SEED });
    const checked = checkProgram(compileModel(model, loadPreset("rap-e")), name);
    const timing = simulateTiming(checked, {});
    expect(checkLaws(checked, timing)).toEqual([]);
    const { latencyCycles, dramReadBytes, dramWriteBytes, bounds } = timing.totals;
    const bound = Math.max(bounds.computeCycles, bounds.dramCycles);
    const megabytes = (dramReadBytes + dramWriteBytes) / 1e6;
    console.log(
      `| ${name} | ${latencyCycles} | ${megabytes.toFixed(1)} MB | ${Math.round(bounds.computeCycles)} | ${Math.round(bounds.dramCycles)} | ${(latencyCycles / bound).toFixed(2)} |`,
    );
    expect(latencyCycles / bound).toBeLessThanOrEqual(MOST);
    const { height, width, channels } = model.host.input;
    const input = Int8Array.from({ length: height * width * channels }, (_, i) => Math.imul(i + 1, 2654435761) >> 24);
    const expected = runReference(model, input).tensors;
    for (const [tensor, values] of new Execution(checked).runFrame(input))
      expect(Buffer.compare(bytes(values), bytes(expected.get(tensor)!)), tensor).toBe(0);
  });
});

function bytes(values: Int8Array | Uint8Array | Int32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
