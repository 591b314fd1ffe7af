// Whatever fits in little SRAM fits in more: a schedule must not become worse because there is more of it.
import fc from "fast-check";
import { expect, test } from "vitest";
import { quantize } from "../../compiler/index.ts";
import { ConvPlans } from "../../compiler/lowering/conv-plans.ts";
import { FusedLowering } from "../../compiler/lowering/fused.ts";
import { EFFORTS } from "../../compiler/lowering/index.ts";
import { NetworkBuilder } from "../../compiler/network-builder.ts";
import { randomParameters } from "../../compiler/parameters.ts";
import type { QuantizedModel } from "../../compiler/quantized-model.ts";
import { defaultPreprocess } from "../../compiler/sidecar.ts";
import { createMachine, type MachineParameters, RapError } from "../../isa/index.ts";
import { arbitraryQuantizedModel } from "../arbitrary/quantized-model.ts";

/** Of the estimate (docs/compiler.md). */
const ERROR = 1.15;

/** Estimated cycles for each size of SRAM, null where the network does not fit. */
function estimates(model: QuantizedModel, parameters: Partial<MachineParameters>, sizesKiB: readonly number[]) {
  return sizesKiB.map((kib) => {
    const machine = createMachine("random", { ...parameters, "sram.bytes": kib * 1024 }, "test");
    try {
      const options = { packing: "full", plans: new ConvPlans(machine, "full"), progress: () => {} } as const;
      return new FusedLowering(model, machine, options).lower(EFFORTS[1])?.estimatedCycles ?? null;
    } catch (error) {
      if (error instanceof RapError) return null;
      throw error;
    }
  });
}

function expectNoneWorse(cycles: readonly (number | null)[]): void {
  let least = Number.POSITIVE_INFINITY;
  for (const estimate of cycles) {
    if (estimate === null) continue;
    expect(estimate, String(cycles)).toBeLessThanOrEqual(ERROR * least);
    least = Math.min(least, estimate);
  }
}

test("random networks: no schedule gets worse with more SRAM", () => {
  for (const [i, model] of fc.sample(arbitraryQuantizedModel({ maxSteps: 6 }), { numRuns: 40, seed: 1 }).entries()) {
    const parameters = {
      agents: [1, 4][i % 2],
      "array.rows": 8,
      "array.cols": 8,
      "array.accumulatorBytes": [1024, 4096, 4096][i % 3],
      "dram.bytesPerCycle": [0.5, 2, 8][i % 3],
    };
    expectNoneWorse(estimates(model, parameters, [4, 8, 16, 32, 64]));
  }
});

test("weights that just fit leave no room for stripes", () => {
  const net = new NetworkBuilder(
    "wide",
    randomParameters("wide", 1),
    "x",
    defaultPreprocess({ height: 16, width: 26, channels: 3 }, "test"),
  );
  const output = net.conv("b", net.conv("a", net.input, 384, 1), 48, 3, { pads: [1, 1, 1, 1] });
  const model = quantize(net.finish(output, null), { seed: 1 });
  // 16 output channels have 55 KB of weights
  expectNoneWorse(estimates(model, { agents: 1, "array.accumulatorBytes": 4096 }, [72, 80, 96]));
});
