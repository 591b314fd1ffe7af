/** Lowering: a quantized model and a machine become a program. The stages, in order, are the body of `lower`. */
import {
  checkProgram,
  instruction,
  type Machine,
  NO_LAYER,
  PACKINGS,
  type Packing,
  type Program,
  type ProgramLayer,
  RapError,
  type SourceRef,
} from "../../isa/index.ts";
import type { Draft } from "../../kernels/index.ts";
import type { QuantizedModel } from "../quantized-model.ts";
import { placeBarriers } from "./barriers.ts";
import { allocate, allocatePersistent, checkAllocation } from "./buffers.ts";
import { synchronize } from "./dependencies.ts";
import { assignViews, bindDraft } from "./finish.ts";
import { emitFrame } from "./frame.ts";
import { type Group, groupModel } from "./groups.ts";
import { planGroup } from "./plan-group.ts";
import type { PlannedGroup } from "./planned-group.ts";
import { Scaling } from "./scaling.ts";
import { SECOND_PASSES, type SecondPass } from "./second-pass.ts";
import { TensorTable } from "./tensors.ts";

export interface CompileOptions {
  /** How kernel taps share array rows; what the machine's feeder does by default. */
  readonly packing?: Packing;
  /** How layers with a dynamic exponent are finished, wherever it is possible; what is cheapest by default. */
  readonly secondPass?: SecondPass;
  readonly onProgress?: (stage: string, fraction: number) => void;
}

interface Strategy {
  /** Pooling is done on the tiles of the convolution before it. */
  readonly fusePooling: boolean;
  /** All weights are loaded once, before the first frame. */
  readonly persistentWeights: boolean;
}

/** From the fastest to the one that needs least SRAM; the first that fits is taken. */
const STRATEGIES: readonly Strategy[] = [
  { fusePooling: true, persistentWeights: true },
  { fusePooling: true, persistentWeights: false },
  { fusePooling: false, persistentWeights: false },
];

/** Weights may take this part of SRAM for good. */
const PERSISTENT_SHARE = 0.5;

/** A longer program means tiles so small that the machine is no match for the network. */
const MAX_INSTRUCTIONS = 2 ** 18;

/** Compiles a quantized model for a machine. @throws RapError naming the layer that does not fit */
export function compileModel(model: QuantizedModel, machine: Machine, options: CompileOptions = {}): Program {
  let refusal: RapError | null = null;
  for (const strategy of STRATEGIES) {
    if (
      strategy.persistentWeights &&
      persistentBytes(model, machine) > machine.parameters["sram.bytes"] * PERSISTENT_SHARE
    )
      continue;
    try {
      return lower(model, machine, options, strategy);
    } catch (error) {
      if (!(error instanceof RapError)) throw error;
      refusal = error;
    }
  }
  throw refusal!;
}

/** SRAM all weights and shift tables would take in every agent. */
function persistentBytes(model: QuantizedModel, machine: Machine): number {
  const cols = machine.parameters["array.cols"];
  let bytes = 0;
  for (const node of model.nodes) {
    if (node.op !== "conv") continue;
    const blocks = Math.ceil(node.bias.length / cols);
    bytes +=
      Math.ceil(((node.weights.length / node.bias.length) * cols * blocks) / 64) * 64 +
      Math.ceil((blocks * cols * 4) / 64) * 64;
  }
  return bytes;
}

function lower(model: QuantizedModel, machine: Machine, options: CompileOptions, strategy: Strategy): Program {
  const feeder = machine.parameters["array.feeder"];
  const packing = options.packing ?? feeder;
  if (PACKINGS.indexOf(packing) > PACKINGS.indexOf(feeder)) {
    throw new RapError(
      `packing ${packing}: the feeder of machine ${machine.name} does ${feeder} (array.feeder); choose another packing or machine`,
    );
  }
  const progress = options.onProgress ?? (() => {});
  const sramBytes = machine.parameters["sram.bytes"];
  const base = strategy.persistentWeights ? persistentBytes(model, machine) : 0;

  const { groups, placements } = groupModel(model, strategy.fusePooling);
  const tensors = new TensorTable(model, { groups, placements });
  const scaling = new Scaling(model, { groups, placements });
  let instructions = 0;
  const planned = groups.map((group, i) => {
    progress("schedule", i / groups.length);
    const plan = planGroup(group, {
      scaling,
      secondPass: options.secondPass,
      machine,
      packing,
      tensors,
      sramBytes: sramBytes - base,
      persistentWeights: strategy.persistentWeights,
    });
    instructions += plan.instructions;
    if (instructions > MAX_INSTRUCTIONS) {
      throw new RapError(
        `${layerOf(group).name}: up to this layer the network takes ${instructions} instructions on machine ${machine.name}, more than ${MAX_INSTRUCTIONS}; its tiles are too small: make sram.bytes or array.accumulatorBytes larger`,
      );
    }
    return plan;
  });
  const frame = emitFrame({
    model,
    machine,
    groups: groups.map((group, i) => ({ name: layerOf(group).name, planned: planned[i] })),
    scaling,
    tensors,
  });
  const { persistent, pools, outputs } = frame;
  const drafts = placeBarriers(frame.drafts);
  const persistentEnd = allocatePersistent(persistent.pool.buffers, 0);
  allocate(
    pools.map(({ buffers }) => buffers),
    persistentEnd,
    sramBytes,
  );
  checkAllocation(drafts, persistent.pool.buffers, sramBytes);

  progress("synchronize", 0.9);
  const synchronized = synchronize({ machine, tensors: tensors.list }, drafts.map(bindDraft));
  const body = assignViews(synchronized.frame);
  const prologue = assignViews(persistent.loads.map(bindDraft));
  const refsOf = (origin: readonly number[], list: readonly Draft[]): SourceRef[] =>
    origin.map((i) => ({ layer: list[i].layer, tile: Math.min(list[i].tile, 65535) }));
  const halt = instruction("halt", {});
  const end: SourceRef = { layer: NO_LAYER, tile: 0 };
  const hasPrologue = prologue.instructions.length > 0;
  const program: Program = {
    name: model.name,
    machine,
    tensors: tensors.list,
    semaphores: synchronized.semaphores,
    prologue: hasPrologue ? [...prologue.instructions, halt] : [],
    body: [...body.instructions, halt],
    sourceMap: [
      ...(hasPrologue ? [...refsOf(prologue.origin, persistent.loads), end] : []),
      ...refsOf(
        body.origin.map((i) => synchronized.origin[i]),
        drafts,
      ),
      end,
    ],
    layers: groups.map(layerOf),
    constants: tensors.constants,
    constantsAddress: 0,
    dramBytes: tensors.dramBytes,
    persistent: persistent.pool.buffers.map(({ name, address, bytes }) => ({ name, address, bytes })),
    host: { ...model.host, outputs: [...outputs] },
    provenance: {
      ...model.provenance,
      options: {
        ...model.provenance.options,
        packing,
        fusePooling: strategy.fusePooling,
        persistentWeights: strategy.persistentWeights,
        ...secondPassCounts(planned),
      },
    },
  };
  progress("check", 0.95);
  checkProgram(program, model.name);
  progress("done", 1);
  return program;
}

/** How many layers with dynamic exponents are finished in which way. */
function secondPassCounts(planned: readonly PlannedGroup[]): Record<string, number> {
  const counts = SECOND_PASSES.map(
    (way) => [way, planned.filter(({ secondPass }) => secondPass === way).length] as const,
  );
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

function layerOf(group: Group): ProgramLayer {
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
