/** One frame's instructions, still without addresses: the steps of the schedule, each by the group it is about. */
import type { Machine, NetworkOutput } from "../../isa/index.ts";
import { type Draft, followedExponent, measuredExponent, type Place, setRegister } from "../../kernels/index.ts";
import type { QuantizedModel } from "../quantized-model.ts";
import { Pool } from "./buffers.ts";
import type { Persistent } from "./conv-emit.ts";
import type { PlannedGroup } from "./planned-group.ts";
import type { Scaling } from "./scaling.ts";
import type { Step } from "./scaling-registers.ts";
import { addHostConstants, tellHost, toldOutput } from "./tell-host.ts";
import type { TensorTable } from "./tensors.ts";

export interface FrameParts {
  readonly model: QuantizedModel;
  readonly machine: Machine;
  /** by group, with the name of its layer */
  readonly groups: readonly { readonly name: string; readonly planned: PlannedGroup }[];
  readonly scaling: Scaling;
  readonly tensors: TensorTable;
}

export interface Frame {
  readonly drafts: readonly Draft[];
  readonly persistent: Persistent;
  /** Buffers that are in use at the same time, in order. */
  readonly pools: readonly Pool[];
  /** The network's outputs as the host is to read them. */
  readonly outputs: readonly NetworkOutput[];
}

/** Also gives the tensors of the network their places in DRAM. @throws RapError when there are too few registers */
export function emitFrame({ model, machine, groups, scaling, tensors }: FrameParts): Frame {
  const { steps, kept } = scaling.schedule();
  const host = steps.some(({ kind }) => kind === "told") ? addHostConstants(tensors) : null;
  tensors.activations(model);

  const persistent: Persistent = { pool: new Pool("resident"), loads: [], areas: new Map() };
  const inAllAgents = (layer: number): Place => ({
    grid: { gridY: machine.parameters.agents, gridX: 1 },
    layer,
    tile: 0,
  });
  // the first frame has none before it: it takes the static exponents
  for (const { register, group } of kept) persistent.loads.push(setRegister(inAllAgents(group), register, 0));
  const pools: Pool[] = [];
  const poolOf = (group: number): Pool => {
    const pool = new Pool(groups[group].name);
    pools.push(pool);
    return pool;
  };
  const outputs = new Map(model.host.outputs.map((output) => [output.tensor, output]));
  const draftsOf = ({ kind, group, registers, exponent, tensor }: Step): Draft[] => {
    const { inputs, output: register, histogram } = registers;
    switch (kind) {
      case "whole":
      case "measure":
      case "finish": {
        const { emit } = groups[group].planned;
        return emit({ layer: group, pass: kind, registers, buffers: poolOf(group), persistent });
      }
      case "measured": {
        const { tensors: sharing, low, high, clipLog2 } = exponent!;
        const bits = tensors.quantized(sharing[0]).format === "u8" ? 8 : 7;
        const rule = { histogram: histogram!, bits, clipLog2: clipLog2!, low, high };
        return measuredExponent(inAllAgents(group), { register, ...rule });
      }
      case "followed": {
        const { low, high } = exponent!;
        return followedExponent(inAllAgents(group), { register, a: inputs[0], b: inputs[1], low, high });
      }
      case "told": {
        const { output, scale } = toldOutput(outputs.get(tensor!)!, tensors);
        outputs.set(output.tensor, output);
        return tellHost(host!, scale, inputs[0], group, poolOf(group));
      }
    }
  };
  const drafts = steps.flatMap(draftsOf);
  return {
    drafts,
    persistent,
    pools: pools.filter(({ buffers }) => buffers.length > 0),
    outputs: [...outputs.values()],
  };
}
