// SqueezeDet in every mode and format: no operand of a MAC, a bias or an activation is wider than 8 bits.
import { describe, expect, test } from "vitest";
import { buildNetwork } from "../../compiler/builders.ts";
import { type Calibration, type CompileOptions, compileModel, quantize } from "../../compiler/index.ts";
import { SECOND_PASSES } from "../../compiler/lowering/second-pass.ts";
import { SCALING_MODES, type ScalingMode } from "../../compiler/quantize/scaling-modes.ts";
import { stimulus } from "../../compiler/stimuli.ts";
import { allInstructions, loadPreset } from "../../isa/index.ts";
import { readersOfWide, tooWide } from "../support/eight-bits.ts";

const graph = buildNetwork("squeezedet");
const machine = loadPreset("rap-e");
const calibration: Calibration = {
  pictures: 1,
  sha256: "",
  input: (index, preprocess) => stimulus(preprocess, 1, index),
};

/** What makes other programs of one model: fused or layer by layer; ways to finish layers with dynamic exponents. */
const PROGRAMS: Readonly<Record<ScalingMode, readonly CompileOptions[]>> = {
  static: [{ optimize: 0 }, { optimize: 1 }],
  calibrated: [{ optimize: 1 }],
  dynamic: SECOND_PASSES.map((secondPass) => ({ secondPass })),
  delayed: [{}],
};

describe.each(SCALING_MODES)("%s scaling", (scaling) => {
  describe.each(["i8", "u8"] as const)("%s activations", (activations) => {
    test.each(["i8", "i32"] as const)("%s head", (head) => {
      const pictures = scaling === "calibrated" ? { calibration } : {};
      const model = quantize(graph, { scaling, activations, head, ...pictures });
      for (const options of PROGRAMS[scaling]) {
        const program = compileModel(model, machine, options);
        expect(allInstructions(program).filter(({ op }) => op === "conv").length).toBeGreaterThan(30);
        expect(tooWide(program)).toEqual([]);
        expect(readersOfWide(program)).toEqual([]);
      }
    });
  });
});
