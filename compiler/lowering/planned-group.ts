/** What planning a group is given, and what comes of it. */
import type { Machine, Packing } from "../../isa/index.ts";
import type { Draft } from "../../kernels/index.ts";
import type { Pool } from "./buffers.ts";
import type { Persistent } from "./conv-emit.ts";
import type { ConvPlans } from "./conv-plans.ts";
import type { Scaling } from "./scaling.ts";
import type { Pass, Registers } from "./scaling-registers.ts";
import type { SecondPass } from "./second-pass.ts";
import type { TensorTable } from "./tensors.ts";

export interface PlanContext {
  readonly scaling: Scaling;
  readonly secondPass: SecondPass | undefined;
  readonly machine: Machine;
  readonly packing: Packing;
  readonly plans: ConvPlans;
  readonly tensors: TensorTable;
  /** SRAM free in every agent */
  readonly sramBytes: number;
  readonly persistentWeights: boolean;
}

/** What a group is told when it is its turn. */
export interface Turn {
  readonly layer: number;
  readonly pass: Pass;
  readonly registers: Registers;
  /** where its buffers come from */
  readonly buffers: Pool;
  readonly persistent: Persistent;
}

/** A group planned: how many instructions it takes, about, and how to make them. */
export interface PlannedGroup {
  readonly instructions: number;
  /** estimated */
  readonly cycles: number;
  /** estimated, of one pass */
  readonly dramBytes: number;
  /** How a measured layer is finished; null: it is done in one pass. */
  readonly secondPass: SecondPass | null;
  readonly emit: (turn: Turn) => Draft[];
}
