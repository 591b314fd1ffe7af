// Does a compiled program with run-time exponents compute what the document says, frame after frame, on any machine?
import fc from "fast-check";
import { expect } from "vitest";
import { compileModel, decodeRapq, encodeRapq } from "../../compiler/index.ts";
import { SECOND_PASSES, type SecondPass } from "../../compiler/lowering/second-pass.ts";
import type { QuantizedModel } from "../../compiler/quantized-model.ts";
import { withRuntimeExponents } from "../../compiler/runtime-exponents.ts";
import {
  agentWork,
  type CheckedProgram,
  checkProgram,
  decodeProgram,
  encodeProgram,
  type Program,
  RapError,
} from "../../isa/index.ts";
import { Execution, ProbeAssembler } from "../../sim/functional/index.ts";
import { checkLaws } from "../../sim/laws.ts";
import { findRaces } from "../../sim/races/index.ts";
import { simulateTiming } from "../../sim/timing/index.ts";
import { arbitraryMachineShape, arbitraryModelWithInput, type Elements } from "../arbitrary/quantized-model.ts";
import { runReference } from "../reference/index.ts";
import { machineOf } from "./lowering-property.ts";

export interface RuntimeCoverage {
  refused: number;
  /** Frames in which some exponent is not the static one. */
  moved: number;
  readonly secondPasses: Record<SecondPass, number>;
}

/** The scale the host is told of an output, or undefined when it is constant. */
function expectedScale(
  model: QuantizedModel,
  output: QuantizedModel["host"]["outputs"][number],
  distances: readonly number[],
) {
  const writer = model.nodes.find((node) => node.output === output.tensor)!;
  const owner = output.format === "i32" ? writer.inputs[0] : output.tensor;
  const index = model.runtime!.exponents.findIndex(({ tensors }) => tensors.includes(owner));
  return index < 0 ? undefined : Int32Array.of(2 ** (16 + distances[index]));
}

/** The same picture darker, and another one: exponents should follow. */
function framesOf(input: Elements): Elements[] {
  return [input, input.map((value) => value >> 3), input.map((value, i) => value >> ((i >> 4) & 3)), input];
}

function compileOrRefuse(model: QuantizedModel, compile: () => Program): Program | null {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof RapError)) throw error;
    expect(error.message).toMatch(/fits .* free SRAM|tiles are too small|registers/);
    expect(model.nodes.length).toBeGreaterThan(0);
    return null;
  }
}

/** Every accumulator of a measured layer is counted by one range instruction of one agent, however tiles overlap. */
function checkCountedOnce({ program, bound }: CheckedProgram): void {
  const counted = new Map<number, Uint8Array>();
  for (const item of bound) {
    if (item.instruction.op !== "range") continue;
    const { height, width, channels } = program.tensors[item.instruction.tensor];
    const counts = counted.get(item.instruction.tensor) ?? new Uint8Array(height * width * channels);
    counted.set(item.instruction.tensor, counts);
    for (let agent = 0; agent < program.machine.parameters.agents; agent++) {
      const work = agentWork(program, item, agent);
      if (work === null) continue;
      const { y0, y1, x0, x1, c0, c1 } = work.box;
      for (let y = y0; y < y1; y++)
        for (let x = x0; x < x1; x++) for (let c = c0; c < c1; c++) counts[(y * width + x) * channels + c]++;
    }
  }
  for (const [tensor, counts] of counted) expect([tensor, new Set(counts)]).toEqual([tensor, new Set([1])]);
}

/** Values of several frames equal the reference's; no races; laws hold in time. */
export function checkRuntimeFrames(model: QuantizedModel, checked: CheckedProgram, input: Elements): boolean {
  const { program } = checked;
  checkCountedOnce(checked);
  for (const overlapFrames of [false, true]) {
    expect(findRaces(checked, { overlapFrames }).map(String)).toEqual([]);
    expect(checkLaws(checked, simulateTiming(checked, { frames: 3, overlapFrames }))).toEqual([]);
  }
  const executions = [new Execution(checked), new Execution(checked, { kernels: "twin" })];
  let previous: readonly number[] = [];
  let hasMoved = false;
  for (const [frame, values] of framesOf(input).entries()) {
    const expected = runReference(model, values, previous);
    previous = expected.measured;
    hasMoved ||= expected.distances.some((distance) => distance !== 0);
    for (const execution of executions) {
      const probes = new ProbeAssembler(program);
      execution.onProbe = (probe) => probes.add(probe);
      const outputs = execution.runFrame(values);
      for (const output of program.host.outputs) {
        const { tensor, runtimeScale } = output;
        expect([frame, tensor, outputs.get(tensor)]).toEqual([frame, tensor, expected.tensors.get(tensor)]);
        const scale = runtimeScale === undefined ? undefined : outputs.get(runtimeScale);
        expect([frame, tensor, scale]).toEqual([frame, tensor, expectedScale(model, output, expected.distances)]);
      }
      const assembled = probes.finish();
      expect(assembled.errors).toEqual([]);
      for (const { name, values: accumulators } of assembled.layers.values())
        expect([frame, name, accumulators]).toEqual([frame, name, expected.accumulators.get(name)]);
      expect(assembled.layers.size).toBe(expected.accumulators.size);
    }
  }
  return hasMoved;
}

/** Random models with run-time exponents on random machines, whichever way layers are finished. */
export function checkRandomRuntimeExponents(runs: number): RuntimeCoverage {
  const coverage: RuntimeCoverage = { refused: 0, moved: 0, secondPasses: { recompute: 0, keep: 0, spill: 0 } };
  const scaling = fc.record({
    mode: fc.constantFrom("dynamic" as const, "delayed" as const),
    clipLog2: fc.nat(12),
    secondPass: fc.constantFrom(undefined, ...SECOND_PASSES),
  });
  fc.assert(
    fc.property(
      arbitraryModelWithInput(),
      arbitraryMachineShape,
      scaling,
      ({ model: plain, input }, shape, choices) => {
        const made = withRuntimeExponents(plain, choices.mode, () => choices.clipLog2);
        const model = decodeRapq(encodeRapq(made), "test");
        expect(model.runtime).toEqual(made.runtime);
        const { secondPass } = choices;
        const program = compileOrRefuse(model, () =>
          compileModel(model, machineOf(shape), secondPass === undefined ? {} : { secondPass }),
        );
        if (program === null) {
          coverage.refused++;
          return;
        }
        for (const way of SECOND_PASSES) coverage.secondPasses[way] += Number(program.provenance.options[way] ?? 0);
        const checked = checkProgram(decodeProgram(encodeProgram(program), "test"), "test");
        if (checkRuntimeFrames(model, checked, input)) coverage.moved++;
      },
    ),
    { numRuns: runs },
  );
  return coverage;
}
