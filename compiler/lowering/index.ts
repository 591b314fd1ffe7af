/** Lowering: a quantized model and a machine become a program. The stages, in order, are the body of `lower`. */
import { type Machine, PACKINGS, type Packing, type Program, RapError } from "../../isa/index.ts";
import type { QuantizedModel } from "../quantized-model.ts";
import type { SearchEffort } from "../schedule/search.ts";
import { assemble, layerOf } from "./assemble.ts";
import { placeBarriers } from "./barriers.ts";
import { allocate, allocatePersistent, checkAllocation } from "./buffers.ts";
import { emitFrame } from "./frame.ts";
import { lowerFused } from "./fused.ts";
import { groupModel } from "./groups.ts";
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
  /** 0: layer by layer through DRAM; 1: fused phases; 2: the same, with a wider search. Default 1. */
  readonly optimize?: 0 | 1 | 2;
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

const EFFORTS: Readonly<Record<1 | 2, SearchEffort>> = {
  1: { stripeHeights: 5, columnCuts: 3, longestGrid: 4 },
  2: { stripeHeights: 10, columnCuts: 8, longestGrid: 256 },
};

/** Weights may take this part of SRAM for good. */
const PERSISTENT_SHARE = 0.5;

/** A longer program means tiles so small that the machine is no match for the network. */
const MAX_INSTRUCTIONS = 2 ** 18;

/** Compiles a quantized model for a machine. @throws RapError naming the layer that does not fit */
export function compileModel(model: QuantizedModel, machine: Machine, options: CompileOptions = {}): Program {
  const packing = packingOf(machine, options.packing);
  const progress = options.onProgress ?? (() => {});
  // run-time exponents are known only after a whole layer, so it goes through DRAM
  if (options.optimize !== 0 && model.runtime === undefined) {
    const program = lowerFused(model, machine, { packing, effort: EFFORTS[options.optimize ?? 1], progress });
    if (program !== null) return program;
  }
  let refusal: RapError | null = null;
  for (const strategy of STRATEGIES) {
    if (
      strategy.persistentWeights &&
      persistentBytes(model, machine) > machine.parameters["sram.bytes"] * PERSISTENT_SHARE
    )
      continue;
    try {
      return lower(model, machine, packing, options.secondPass, progress, strategy);
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

/** @throws RapError when the machine's feeder cannot do it */
function packingOf(machine: Machine, wanted: Packing | undefined): Packing {
  const feeder = machine.parameters["array.feeder"];
  const packing = wanted ?? feeder;
  if (PACKINGS.indexOf(packing) > PACKINGS.indexOf(feeder)) {
    throw new RapError(
      `packing ${packing}: the feeder of machine ${machine.name} does ${feeder} (array.feeder); choose another packing or machine`,
    );
  }
  return packing;
}

function lower(
  model: QuantizedModel,
  machine: Machine,
  packing: Packing,
  secondPass: SecondPass | undefined,
  progress: (stage: string, fraction: number) => void,
  strategy: Strategy,
): Program {
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
