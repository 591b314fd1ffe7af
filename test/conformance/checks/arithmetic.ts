/** Values: compiled programs against a reference that shares no code with them, and against a second execution path. */
import { compileModel, type QuantizedModel } from "../../../compiler/index.ts";
import { Random } from "../../../compiler/random.ts";
import { type CheckedProgram, checkProgram, loadPreset } from "../../../isa/index.ts";
import { assembleProbes, type Elements, Execution, type ExecutionOptions, type Probe } from "../../../sim/index.ts";
import { runReference } from "../../reference/index.ts";
import type { Check } from "../check.ts";
import type { Lab } from "../lab.ts";

const SEEDS = [1, 2, 3, 4];
const MACHINES = ["rap-e", "rap-small", "peer-onnxim-ws32"];

function randomInput(model: QuantizedModel, seed: number): Int8Array {
  const { height, width, channels } = model.host.input;
  const random = new Random(seed);
  return Int8Array.from({ length: height * width * channels }, () => random.integer(-128, 127));
}

interface Values {
  readonly outputs: ReadonlyMap<string, Elements>;
  /** int32 accumulators by layer */
  readonly accumulators: ReadonlyMap<string, Elements>;
  readonly errors: readonly string[];
}

function valuesOf(checked: CheckedProgram, input: Int8Array, kernels: ExecutionOptions["kernels"] = "wasm"): Values {
  const execution = new Execution(checked, { kernels });
  const probes: Probe[] = [];
  execution.onProbe = (probe) => probes.push(probe);
  const outputs = execution.runFrame(input);
  const { layers, errors } = assembleProbes(checked.program, probes);
  return { outputs, accumulators: new Map([...layers.values()].map(({ name, values }) => [name, values])), errors };
}

/** Elements that differ, and how many were compared. A missing tensor differs in all. */
function compare(
  ours: ReadonlyMap<string, Elements>,
  expected: ReadonlyMap<string, Elements>,
  names: Iterable<string>,
) {
  let different = 0;
  let compared = 0;
  for (const name of names) {
    const [a, b] = [ours.get(name), expected.get(name)!];
    compared += b.length;
    for (let i = 0; i < b.length; i++) if (a?.[i] !== b[i]) different++;
  }
  return { different, compared };
}

function againstReference(lab: Lab, network: string, seed: number, machine: string) {
  const model = lab.network(network, seed);
  const input = randomInput(model, seed);
  const checked = checkProgram(compileModel(model, loadPreset(machine)), machine);
  const ours = valuesOf(checked, input);
  const expected = runReference(model, input);
  const outputs = compare(ours.outputs, expected.tensors, ours.outputs.keys());
  const accumulators = compare(ours.accumulators, expected.accumulators, expected.accumulators.keys());
  return {
    different: outputs.different + accumulators.different + ours.errors.length,
    compared: outputs.compared + accumulators.compared,
  };
}

export const ARITHMETIC_CHECKS: readonly Check[] = [
  {
    id: "values",
    claim: "outputs and int32 accumulators of compiled networks, bit for bit",
    against: "test/reference: plain loops written from docs/arithmetic.md",
    allowed: { unit: "differences", most: 0 },
    run(lab) {
      const runs = SEEDS.flatMap((seed) => MACHINES.map((machine) => againstReference(lab, "tiny", seed, machine)));
      const compared = runs.reduce((sum, run) => sum + run.compared, 0);
      const different = runs.reduce((sum, run) => sum + run.different, 0);
      return {
        error: different,
        detail: `${compared} values: ${SEEDS.length} networks on ${MACHINES.length} machines`,
      };
    },
  },
  {
    id: "values-squeezenet",
    claim: "outputs and int32 accumulators of SqueezeNet on rap-e, bit for bit",
    against: "test/reference: plain loops written from docs/arithmetic.md",
    allowed: { unit: "differences", most: 0 },
    slow: true,
    run(lab) {
      const { different, compared } = againstReference(lab, "squeezenet", 1, "rap-e");
      return { error: different, detail: `${compared} values` };
    },
  },
  {
    id: "second-path",
    claim: "inner loops in WebAssembly, bit for bit",
    against: "their twins in plain TypeScript",
    allowed: { unit: "differences", most: 0 },
    run(lab) {
      const checked = lab.program("tiny", "rap-e");
      const input = randomInput(lab.network("tiny"), 5);
      const [wasm, twin] = (["wasm", "twin"] as const).map((kernels) => valuesOf(checked, input, kernels));
      const accumulators = compare(wasm.accumulators, twin.accumulators, twin.accumulators.keys());
      const outputs = compare(wasm.outputs, twin.outputs, twin.outputs.keys());
      return {
        error: accumulators.different + outputs.different,
        detail: `${accumulators.compared + outputs.compared} values`,
      };
    },
  },
];
