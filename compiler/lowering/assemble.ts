/** The last stages: instructions with buffers become a program with semaphores, registers and a source map. */
import {
  checkProgram,
  instruction,
  type Machine,
  type NetworkOutput,
  NO_LAYER,
  type Program,
  type ProgramLayer,
  type ScheduleStep,
  type SourceRef,
} from "../../isa/index.ts";
import type { Draft } from "../../kernels/index.ts";
import type { QuantizedModel } from "../quantized-model.ts";
import { Binder } from "./binder.ts";
import type { Pool } from "./buffers.ts";
import { synchronize } from "./dependencies.ts";
import { finishStream } from "./finish.ts";
import type { Group } from "./groups.ts";
import type { TensorTable } from "./tensors.ts";

export interface Allocated {
  readonly model: QuantizedModel;
  readonly machine: Machine;
  readonly tensors: TensorTable;
  readonly layers: readonly ProgramLayer[];
  /** one frame, in program order, all buffers with addresses */
  readonly drafts: readonly Draft[];
  /** buffers filled once, before the first frame, and the loads that fill them */
  readonly persistent: { readonly pool: Pool; readonly loads: readonly Draft[] };
  readonly schedule: readonly ScheduleStep[];
  /** as the host is to read them */
  readonly outputs: readonly NetworkOutput[];
}

/** @param options of the compiler, for the provenance */
export function assemble(
  { model, machine, tensors, layers, drafts, persistent, schedule, outputs }: Allocated,
  options: Readonly<Record<string, string | number | boolean>>,
  progress: (stage: string, fraction: number) => void,
): Program {
  progress("synchronize", 0.9);
  const binder = new Binder();
  const synchronization = synchronize({ machine, tensors: tensors.list }, drafts, binder);
  const body = finishStream(drafts, binder, synchronization);
  const prologue = finishStream(persistent.loads, binder);
  const refsOf = (origin: readonly number[], list: readonly Draft[]): SourceRef[] =>
    origin.map((i) => ({ layer: list[i].layer, tile: Math.min(list[i].tile, 65535) }));
  const halt = instruction("halt", {});
  const end: SourceRef = { layer: NO_LAYER, tile: 0 };
  const hasPrologue = prologue.instructions.length > 0;
  const program: Program = {
    name: model.name,
    machine,
    tensors: tensors.list,
    semaphores: synchronization.semaphores,
    prologue: hasPrologue ? [...prologue.instructions, halt] : [],
    body: [...body.instructions, halt],
    sourceMap: [
      ...(hasPrologue ? [...refsOf(prologue.origin, persistent.loads), end] : []),
      ...refsOf(body.origin, drafts),
      end,
    ],
    layers,
    constants: tensors.constants,
    constantsAddress: 0,
    dramBytes: tensors.dramBytes,
    persistent: persistent.pool.buffers.map(({ name, address, bytes }) => ({ name, address, bytes })),
    schedule,
    host: { ...model.host, outputs: [...outputs] },
    provenance: { ...model.provenance, options: { ...model.provenance.options, ...options } },
  };
  progress("check", 0.95);
  checkProgram(program, model.name);
  progress("done", 1);
  return program;
}

export function layerOf(group: Group): ProgramLayer {
  switch (group.kind) {
    case "conv":
      return { name: group.conv.name, op: "conv", fused: group.pool ? [group.pool.name] : [] };
    case "pool":
      return { name: group.pool.name, op: group.pool.mode === "max" ? "max pool" : "average pool", fused: [] };
    case "add":
      return { name: group.add.name, op: "add", fused: [] };
    case "copy":
      return { name: `${group.name}:${group.input}`, op: "copy", fused: [] };
  }
}
