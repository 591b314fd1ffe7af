import {
  type CheckedProgram,
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
import { meetings } from "./meetings.ts";
import { mapMemory } from "./memory-map.ts";
import { type Part, preparePart, runSteps } from "./part.ts";
import type { ProbeListener } from "./probes.ts";
import { COMMANDS, type Member, startTeam } from "./team.ts";

/** A tensor's elements in its format's array type, [height, width, channels]. */
export type Elements = Int8Array | Uint8Array | Int32Array;

/** The inner loops: WebAssembly SIMD, or the plain TypeScript that checks it. */
const KERNELS = { wasm: createWasmKernels, twin: createTwinKernels } satisfies Record<
  string,
  (memoryBytes: number) => Kernels
>;

export interface ExecutionOptions {
  readonly kernels?: keyof typeof KERNELS;
  /** Threads that share the agents, of wasm kernels and without probes; default 1. Values are the same with any number. */
  readonly threads?: number;
}

/**
 * A chip running a program's values, without time. All state lies in one linear memory (memory-map.ts) and persists
 * from frame to frame. Instructions run in program order, each in all agents: a legal order, as checkProgram proved. Threads
 * keep to it wherever agents see each other's memory (meetings.ts).
 */
export class Execution {
  readonly program: Program;
  private readonly part: Part;
  /** Null: one thread runs all agents. */
  private readonly leader: Member | null;
  private prologueDone = false;

  /** @throws RapError when the program's memories do not fit 4 GiB */
  constructor(checked: CheckedProgram, { kernels: implementation = "wasm", threads = 1 }: ExecutionOptions = {}) {
    const { program } = checked;
    this.program = program;
    const { end } = mapMemory(program);
    const kernels = KERNELS[implementation](end);
    const count = implementation === "wasm" ? Math.min(threads, program.machine.parameters.agents) : 1;
    if (count === 1) {
      this.leader = null;
      this.part = preparePart(checked, kernels, end, null);
    } else {
      const plan = meetings(checked, count);
      const member = startTeam(checked, plan, kernels.memory, count);
      this.leader = member;
      this.part = preparePart(checked, kernels, end, { member, plan });
      member.ready(this.part.end);
      member.awaitTeam(program.name);
    }
    this.dram(program.constantsAddress, program.constants.length).set(program.constants);
  }

  /** Called at every shift with its int32 values; null: nobody listens and nothing is copied. One thread alone has probes. */
  set onProbe(listener: ProbeListener | null) {
    if (listener !== null && this.leader !== null) throw new Error("probes of an execution in several threads");
    this.part.chip.probe.listener = listener;
  }

  /** Loads what stays resident between frames; the second call does nothing. */
  runPrologue(): void {
    if (this.prologueDone) return;
    this.prologueDone = true;
    this.run("prologue");
  }

  private run(stream: "prologue" | "body"): void {
    this.leader?.command(COMMANDS[stream]);
    runSteps(this.part[stream]);
  }

  /** Ends its other threads, if it has any; it can run no more frames then. */
  close(): void {
    this.leader?.command(COMMANDS.end);
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
    this.run("body");
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
    const { map, kernels } = this.part.chip;
    const bytes = this.program.machine.parameters["sram.bytes"];
    return new Uint8Array(kernels.memory.buffer, map.sram(agent), bytes).slice();
  }

  /** A copy of an agent's scalar registers. */
  readScalars(agent: number): Int32Array {
    return this.part.chip.scalars.slice(agent * SCALAR_REGISTERS, (agent + 1) * SCALAR_REGISTERS);
  }

  private dram(address: number, bytes: number): Uint8Array {
    const { map, kernels } = this.part.chip;
    return new Uint8Array(kernels.memory.buffer, map.dram + address, bytes);
  }

  private tensorNamed(name: string): ProgramTensor {
    const tensor = this.program.tensors.find((candidate) => candidate.name === name);
    if (tensor === undefined) throw new RapError(`program '${this.program.name}' has no tensor '${name}'`);
    return tensor;
  }
}
