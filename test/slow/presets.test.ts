// The built-in networks on every machine of the family and on the peers' machines: the same values, no races, all laws.
import { beforeAll, describe, expect, test } from "vitest";
import { buildNetwork } from "../../compiler/builders.ts";
import { compileModel, type QuantizedModel, quantize } from "../../compiler/index.ts";
import { assemble, checkProgram, disassemble, encodeProgram, loadPreset, presetNames } from "../../isa/index.ts";
import { checkLaws, Execution, findRaces, simulateTiming } from "../../sim/index.ts";
import { runReference } from "../reference/index.ts";
import { tooWide } from "../support/eight-bits.ts";

const SEED = 7;
/** A race check of a program this long takes minutes; shorter ones of the same machine are checked. */
const MAX_RACE_CHECKED = 20_000;

for (const network of ["tiny", "squeezenet", "squeezedet"]) {
  describe(network, () => {
    let model: QuantizedModel;
    let input: Int8Array;
    let expected: ReturnType<typeof runReference>;

    beforeAll(() => {
      model = quantize(buildNetwork(network, { seed: SEED }), { seed: SEED });
      const { height, width, channels } = model.host.input;
      input = Int8Array.from({ length: height * width * channels }, (_, i) => Math.imul(i + 1, 2654435761) >> 24);
      expected = runReference(model, input);
    });

    test.each(presetNames())("on %s", (preset) => {
      const program = compileModel(model, loadPreset(preset));
      expect(tooWide(program)).toEqual([]);
      const file = encodeProgram(program);
      expect(Buffer.compare(encodeProgram(assemble(disassemble(program), "program.s")), file)).toBe(0);
      const checked = checkProgram(program, preset);
      for (const [name, values] of new Execution(checked).runFrame(input)) {
        expect(Buffer.compare(bytes(values), bytes(expected.tensors.get(name)!)), name).toBe(0);
      }
      const timing = simulateTiming(checked, {});
      expect(checkLaws(checked, timing)).toEqual([]);
      expect(checkLaws(checked, simulateTiming(checked, { frames: 2, overlapFrames: true }))).toEqual([]);
      if (program.body.length <= MAX_RACE_CHECKED) {
        for (const overlapFrames of [false, true])
          expect(findRaces(checked, { overlapFrames }).map(String)).toEqual([]);
      }
      const { latencyCycles, dramReadBytes, dramWriteBytes, macs } = timing.totals;
      console.log(
        `${network} on ${preset}: ${latencyCycles} cycles, ${((dramReadBytes + dramWriteBytes) / 1e6).toFixed(1)} MB, ${macs} MACs`,
      );
    });

    test.each(presetNames())("layer by layer on %s: all laws", (preset) => {
      const checked = checkProgram(compileModel(model, loadPreset(preset), { optimize: 0 }), preset);
      for (const options of [{}, { frames: 2, overlapFrames: true }])
        expect(checkLaws(checked, simulateTiming(checked, options))).toEqual([]);
    });
  });
}

function bytes(values: Int8Array | Uint8Array | Int32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
