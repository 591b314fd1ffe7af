/**
 * Dynamic exponents: a layer's accumulators must all have been seen before the first of them can be shifted to 8 bits. What
 * becomes of them meanwhile is chosen layer by layer, by the estimated cost.
 */
import { type Machine, type Packing, RapError } from "../../isa/index.ts";
import {
  axis,
  type Draft,
  loadTile,
  shiftTile,
  storeTile,
  type TileView,
  tileView,
  within,
} from "../../kernels/index.ts";
import { aligned, type Pool } from "./buffers.ts";
import type { ConvEpilogue, KeptTile } from "./conv-emit.ts";
import { type ConvPlan, type ConvShape, measuringCycles } from "./conv-plan.ts";
import type { ConvPlans } from "./conv-plans.ts";
import { type ElementwisePlan, type ElementwiseShape, emitElementwise, planElementwise } from "./elementwise.ts";
import type { Registers } from "./scaling-registers.ts";

/**
 * recompute: the convolution is done twice. keep: int32 values stay in SRAM. spill: they go to DRAM and back. The last two
 * are for layers without a pooling in the group; keep also needs an exponent of the layer's own.
 */
export const SECOND_PASSES = ["recompute", "keep", "spill"] as const;
export type SecondPass = (typeof SECOND_PASSES)[number];

export interface PlannedPasses {
  readonly way: SecondPass;
  readonly shape: ConvShape;
  readonly plan: ConvPlan;
}

export interface PassRequest {
  readonly shape: ConvShape;
  /** The result as int32 values come back from DRAM. */
  readonly rescaling: ElementwiseShape;
  /** Other layers share the exponent and are measured in between. */
  readonly isShared: boolean;
  readonly machine: Machine;
  readonly packing: Packing;
  readonly plans: ConvPlans;
  readonly sramBytes: number;
  readonly persistentWeights: boolean;
  /** Taken wherever it is possible. */
  readonly preferred: SecondPass | undefined;
}

/** The cheapest way that fits. @throws RapError naming the layer when none does */
export function planPasses(request: PassRequest): PlannedPasses {
  const { preferred } = request;
  const found = SECOND_PASSES.flatMap((way) => {
    try {
      const planned = PLANNERS[way](request);
      return planned === null ? [] : [{ way, ...planned }];
    } catch (error) {
      if (error instanceof RapError && way !== "recompute") return [];
      throw error;
    }
  });
  return found.find(({ way }) => way === preferred) ?? found.reduce((a, b) => (b.cycles < a.cycles ? b : a));
}

type Planner = (request: PassRequest) => (Omit<PlannedPasses, "way"> & { readonly cycles: number }) | null;

const planShape = (shape: ConvShape, { plans, sramBytes, persistentWeights }: PassRequest) =>
  plans.of(shape, sramBytes, persistentWeights);

const PLANNERS: Readonly<Record<SecondPass, Planner>> = {
  recompute: (request) => {
    const { shape, machine, packing } = request;
    const plan = planShape(shape, request);
    return { shape, plan, cycles: plan.cycles + measuringCycles(shape, plan, machine, packing) };
  },
  keep: (request) => {
    if (request.shape.pool !== null || request.isShared) return null;
    const shape: ConvShape = { ...request.shape, finalBytes: 4, isKept: true };
    const plan = planShape(shape, request);
    return { shape, plan, cycles: plan.cycles };
  },
  spill: (request) => {
    if (request.shape.pool !== null) return null;
    const shape: ConvShape = { ...request.shape, finalBytes: 4, channelsFollow: false };
    const plan = planShape(shape, request);
    return { shape, plan, cycles: plan.cycles + planRescaling(request.rescaling, request).cycles };
  },
};

const tableBytes = ({ channels }: { readonly channels: number }) => channels * 4;

export function planRescaling(
  shape: ElementwiseShape,
  { machine, sramBytes }: { readonly machine: Machine; readonly sramBytes: number },
): ElementwisePlan {
  return planElementwise(shape, machine, sramBytes - aligned(tableBytes(shape)));
}

/** What shifting int32 values to bytes needs to know. */
export interface Rescaling {
  readonly shape: ElementwiseShape;
  /** Shift table without biases: they are in the values already. */
  readonly table: number;
  /** clips the boxes */
  readonly tensor: number;
  readonly epilogue: ConvEpilogue;
  readonly registers: Registers;
  readonly machine: Machine;
  readonly layer: number;
}

/** The table in SRAM, and the load that brings it to all agents. */
function loadTable({ shape, table, machine, layer }: Rescaling, buffers: Pool): { view: TileView; load: Draft } {
  const [buffer] = buffers.slots("table", tableBytes(shape), 1);
  const view = tileView(table, "i8", axis(0, 1), axis(0, shape.channels), axis(0, 4), buffer);
  const grid = { gridY: machine.parameters.agents, gridX: 1 };
  return { view, load: loadTile({ grid, layer, tile: 0 }, view, "all") };
}

const shiftedAs = ({ tensor, epilogue, registers, shape }: Rescaling) => ({
  tensor,
  accRow: 0,
  channelOffset: shape.output.offset,
  ...epilogue,
  exponentIn: registers.inputs[0],
  exponentOut: registers.output,
});

/** int32 values from DRAM to bytes. */
export function rescaleSpilled(job: Rescaling, plan: ElementwisePlan, buffers: Pool): Draft[] {
  const { view: table, load } = loadTable(job, buffers);
  const drafts = emitElementwise(job.shape, plan, job.machine, job.layer, buffers, (place, tp, [src], dst, axes) =>
    shiftTile(place, { src, table, dst, tp, ...axes, ...shiftedAs(job) }),
  );
  return [load, ...drafts];
}

/** int32 tiles in SRAM to bytes. @param slots buffers that the bytes take in turn */
export function rescaleKept(
  job: Rescaling,
  kept: readonly KeptTile[],
  slots: { readonly bytes: number; readonly count: number },
  buffers: Pool,
): Draft[] {
  const { output } = job.shape;
  const { view: table, load } = loadTable(job, buffers);
  const outputs = buffers.slots("rescaled", slots.bytes, slots.count);
  const drafts = kept.flatMap(({ place, view: src }, i) => {
    const { y, x, c } = src;
    const moved = within(c, output.offset, c.extent);
    const dst = tileView(output.id, output.tensor.format, y, x, moved, outputs[i % outputs.length]);
    const tp = i % job.machine.parameters["agent.tensorProcessors"];
    return [shiftTile(place, { src, table, dst, tp, y, x, c, ...shiftedAs(job) }), storeTile(place, dst)];
  });
  return [load, ...drafts];
}
