/** Lowering layer by layer: every layer's result goes through DRAM. */
import { FORMAT_BYTES, type Machine, type Packing, type Program, RapError } from "../../isa/index.ts";
import type { QuantizedModel } from "../quantized-model.ts";
import { assemble, layerOf } from "./assemble.ts";
import { placeBarriers } from "./barriers.ts";
import { allocate, allocatePersistent, checkAllocation } from "./buffers.ts";
import type { ConvPlans } from "./conv-plans.ts";
import { emitFrame } from "./frame.ts";
import { type GroupedModel, groupModel } from "./groups.ts";
import { planGroup } from "./plan-group.ts";
import type { PlannedGroup } from "./planned-group.ts";
import { Scaling } from "./scaling.ts";
import { SECOND_PASSES, type SecondPass } from "./second-pass.ts";
import { TensorTable } from "./tensors.ts";

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

export interface LayeredOptions {
  readonly packing: Packing;
  readonly plans: ConvPlans;
  readonly secondPass: SecondPass | undefined;
  readonly progress: (stage: string, fraction: number) => void;
  /** instructions, about, above which no program is wanted */
  readonly atMostInstructions?: number;
}

/** The program, or null when it would be too long. @throws RapError naming the layer that does not fit */
export function lowerLayered(model: QuantizedModel, machine: Machine, options: LayeredOptions): Program | null {
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

/** Cycles that no program layer by layer undercuts: every group's operands and result cross DRAM. */
export function layeredFloor(model: QuantizedModel, machine: Machine): number {
  const tensors = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
  const bytesOf = (name: string) => {
    const { height, width, channels, format } = tensors.get(name)!;
    return height * width * channels * FORMAT_BYTES[format];
  };
  let bytes = 0;
  for (const group of groupModel(model, true).groups) {
    if (group.kind === "copy") bytes += 2 * bytesOf(group.input);
    else bytes += operandsOf(group).reduce((sum, name) => sum + bytesOf(name), bytesOf(group.output));
  }
  return bytes / machine.parameters["dram.bytesPerCycle"];
}

function operandsOf(group: Exclude<GroupedModel["groups"][number], { kind: "copy" }>): readonly string[] {
  switch (group.kind) {
    case "conv":
      return group.conv.inputs;
    case "pool":
      return group.pool.inputs;
    case "add":
      return group.add.inputs;
  }
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

function lower(
  model: QuantizedModel,
  machine: Machine,
  { packing, plans, secondPass, progress, atMostInstructions = Number.POSITIVE_INFINITY }: LayeredOptions,
  strategy: Strategy,
): Program | null {
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
      secondPass,
      machine,
      packing,
      plans,
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
  if (instructions > atMostInstructions) return null;
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

  return assemble(
    { model, machine, tensors, layers: groups.map(layerOf), drafts, persistent, schedule: [], outputs },
    {
      packing,
      fusePooling: strategy.fusePooling,
      persistentWeights: strategy.persistentWeights,
      ...secondPassCounts(planned),
    },
    progress,
  );
}

/** How many layers with dynamic exponents are finished in which way. */
function secondPassCounts(planned: readonly PlannedGroup[]): Record<string, number> {
  const counts = SECOND_PASSES.map(
    (way) => [way, planned.filter(({ secondPass }) => secondPass === way).length] as const,
  );
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}
