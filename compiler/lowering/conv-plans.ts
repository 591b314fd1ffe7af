/** Tilings of convolutions, each searched for once: both searches for phases, their layers and the layer planner ask for the same ones. */
import { type Machine, type Packing, RapError } from "../../isa/index.ts";
import { type ConvPlan, type ConvShape, planConv } from "./conv-plan.ts";

/** Of one compilation. */
export class ConvPlans {
  private readonly known = new Map<ConvShape["geometry"], Map<string, ConvPlan | RapError>>();

  constructor(
    private readonly machine: Machine,
    private readonly packing: Packing,
  ) {}

  /** As `planConv`. @param shape of a convolution of the network: all else about it follows from what the key holds */
  of(shape: ConvShape, sramBytes: number, persistentWeights: boolean): ConvPlan {
    const plans = this.known.get(shape.geometry) ?? new Map<string, ConvPlan | RapError>();
    this.known.set(shape.geometry, plans);
    const { pool, finalBytes, isKept, channelsFollow } = shape;
    const key = [pool !== null, finalBytes, isKept, channelsFollow, sramBytes, persistentWeights].join();
    const plan = plans.get(key) ?? this.plan(shape, sramBytes, persistentWeights);
    plans.set(key, plan);
    if (plan instanceof RapError) throw plan;
    return plan;
  }

  private plan(shape: ConvShape, sramBytes: number, persistentWeights: boolean): ConvPlan | RapError {
    try {
      return planConv(shape, this.machine, this.packing, sramBytes, persistentWeights);
    } catch (error) {
      if (error instanceof RapError) return error;
      throw error;
    }
  }
}
