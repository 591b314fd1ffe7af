import { createHash } from "node:crypto";
import { expect } from "vitest";
import type { CheckedProgram } from "../../isa/index.ts";
import { type Elements, Execution, type Probe } from "../../sim/functional/index.ts";

export interface FrameResult {
  readonly outputs: ReadonlyMap<string, Elements>;
  readonly probes: readonly Probe[];
  /** Scalar registers of each agent after the frame. */
  readonly scalars: readonly Int32Array[];
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Runs frames with both kernels; everything seen, all SRAM included, must be equal. */
export function runBoth(checked: CheckedProgram, inputs: readonly (Int8Array | Uint8Array)[]): FrameResult[] {
  const { agents } = checked.program.machine.parameters;
  const agentList = Array.from({ length: agents }, (_, agent) => agent);
  const [wasm, twin] = (["wasm", "twin"] as const).map((kernels) => {
    const execution = new Execution(checked, { kernels });
    return inputs.map((input) => {
      const probes: Probe[] = [];
      execution.onProbe = (probe) => probes.push(probe);
      const outputs = execution.runFrame(input);
      const scalars = agentList.map((agent) => execution.readScalars(agent));
      return { outputs, probes, scalars, sram: agentList.map((agent) => sha256(execution.readSram(agent))) };
    });
  });
  expect(wasm).toEqual(twin);
  return wasm;
}

/** One frame's output of a program with one output. */
export function runOne(checked: CheckedProgram, input: Int8Array | Uint8Array): Elements {
  return [...runBoth(checked, [input])[0].outputs.values()][0];
}
