import {
  agentWork,
  type CheckedProgram,
  HISTOGRAM_BINS,
  HISTOGRAM_REGISTERS,
  inDram,
  type Program,
  type ProgramTensor,
  RapError,
  SCALAR_REGISTERS,
  tensorBytes,
} from "../../isa/index.ts";
import type { Kernels } from "../kernel-api.ts";
import { createTwinKernels } from "../twin-kernels.ts";
import { createWasmKernels } from "../wasm-kernels.ts";
import type { Chip, Step } from "./chip.ts";
import { prepare } from "./execute.ts";
import { mapMemory } from "./memory-map.ts";
import type { ProbeListener } from "./probes.ts";
import { Scratch } from "./scratch.ts";
import { WeightCache } from "./weight-cache.ts";

/** A tensor's elements in its format's array type, [height, width, channels]. */
export type Elements = Int8Array | Uint8Array | Int32Array;

/** The inner loops: WebAssembly SIMD, or the plain TypeScript that checks it. */
const KERNELS = { wasm: createWasmKernels, twin: createTwinKernels } satisfies Record<
  string,
  (memoryBytes: number) => Kernels
>;

export interface ExecutionOptions {
  readonly kernels?: keyof typeof KERNELS;
}

/**
 * A chip running a program's values, without time. All state lies in one linear memory (memory-map.ts) and persists
 * from frame to frame. Instructions run in program order, each in all agents: a legal order, as checkProgram proved.
 */
export class Execution {
  readonly program: Program;
  private readonly chip: Chip;
  private readonly prologue: readonly Step[];
  private readonly body: readonly Step[];
  private prologueDone = false;

  /** @throws RapError when the program's memories do not fit 4 GiB */
  constructor(checked: CheckedProgram, { kernels = "wasm" }: ExecutionOptions = {}) {
    const { program } = checked;
    this.program = program;
    this.chip = createChip(program, kernels);
    const length = program.prologue.length;
    this.prologue = prepareStream(checked, this.chip, 0, length);
    this.body = prepareStream(checked, this.chip, length, checked.bound.length);
    this.chip.scratch.commit(this.chip.kernels.memory, `program '${program.name}'`);
    this.dram(program.constantsAddress, program.constants.length).set(program.constants);
  }

  /** Called at every shift with its int32 values; null: nobody listens and nothing is copied. */
  set onProbe(listener: ProbeListener | null) {
    this.chip.probe.listener = listener;
  }

  /** Loads what stays resident between frames; the second call does nothing. */
  runPrologue(): void {
    if (this.prologueDone) return;
    this.prologueDone = true;
    run(this.prologue);
  }

  /**
   * Runs one frame, and the prologue before the first. Returns the program's outputs, and their run-time scales, by tensor name.
   * @throws RapError when the input is not what the program takes
   */
  runFrame(input: Int8Array | Uint8Array): Map<string, Elements> {
    const { host, name } = this.program;
    const tensor = this.tensorNamed(host.input.tensor);
    const expected = host.input.format === "u8" ? Uint8Array : Int8Array;
    if (!(input instanceof expected) || input.length !== tensorBytes(tensor)) {
      throw new RapError(
        `program '${name}': input of ${input.length} ${input instanceof Uint8Array ? "u8" : "i8"} elements; '${tensor.name}' takes ${tensor.height} x ${tensor.width} x ${tensor.channels} ${host.input.format}`,
      );
    }
    this.runPrologue();
    this.dram(inDram(tensor).address, input.length).set(
      new Uint8Array(input.buffer, input.byteOffset, input.byteLength),
    );
    run(this.body);
    const outputs = host.outputs.flatMap(({ tensor, runtimeScale }) => [
      tensor,
      ...(runtimeScale ? [runtimeScale] : []),
    ]);
    return new Map(outputs.map((name) => [name, this.readTensor(name)]));
  }

  /** A copy of a tensor's bytes in DRAM as they are now. @throws RapError when it has no place there */
  readTensor(name: string): Elements {
    const tensor = this.tensorNamed(name);
    const bytes = this.dram(inDram(tensor).address, tensorBytes(tensor)).slice();
    if (tensor.format === "u8") return bytes;
    return tensor.format === "i8" ? new Int8Array(bytes.buffer) : new Int32Array(bytes.buffer);
  }

  /** A copy of an agent's whole SRAM. */
  readSram(agent: number): Uint8Array {
    const { map, kernels } = this.chip;
    const bytes = this.program.machine.parameters["sram.bytes"];
    return new Uint8Array(kernels.memory.buffer, map.sram(agent), bytes).slice();
  }

  /** A copy of an agent's scalar registers. */
  readScalars(agent: number): Int32Array {
    return this.chip.scalars.slice(agent * SCALAR_REGISTERS, (agent + 1) * SCALAR_REGISTERS);
  }

  private dram(address: number, bytes: number): Uint8Array {
    const { map, kernels } = this.chip;
    return new Uint8Array(kernels.memory.buffer, map.dram + address, bytes);
  }

  private tensorNamed(name: string): ProgramTensor {
    const tensor = this.program.tensors.find((candidate) => candidate.name === name);
    if (tensor === undefined) throw new RapError(`program '${this.program.name}' has no tensor '${name}'`);
    return tensor;
  }
}

function createChip(program: Program, implementation: keyof typeof KERNELS): Chip {
  const { agents, "array.cols": cols } = program.machine.parameters;
  const map = mapMemory(program);
  const kernels = KERNELS[implementation](map.end);
  const { buffer } = kernels.memory;
  const scratch = new Scratch(map.end);
  return {
    program,
    map,
    kernels,
    scratch,
    weights: new WeightCache(kernels, scratch, cols),
    scalars: new Int32Array(buffer, map.scalars, agents * SCALAR_REGISTERS),
    histograms: new Uint32Array(buffer, map.histograms, agents * HISTOGRAM_REGISTERS * HISTOGRAM_BINS),
    probe: { listener: null },
  };
}

function prepareStream({ program, bound }: CheckedProgram, chip: Chip, from: number, to: number): Step[] {
  const { agents } = program.machine.parameters;
  const steps: Step[] = [];
  for (let index = from; index < to; index++) {
    for (let agent = 0; agent < agents; agent++) {
      const work = agentWork(program, bound[index], agent);
      const step = prepare(bound[index].instruction, chip, { index, agent, work });
      if (step !== null) steps.push(step);
    }
  }
  return steps;
}

function run(steps: readonly Step[]): void {
  for (const step of steps) step();
}
