/** Lowering by phases: the schedule is searched, then every phase emits its instructions. */
import { type Machine, type Packing, type Program, RapError, type ScheduleStep } from "../../isa/index.ts";
import type { QuantizedModel } from "../quantized-model.ts";
import type { PhaseCost } from "../schedule/cost.ts";
import { networkOf } from "../schedule/operators.ts";
import type { PhaseChoice } from "../schedule/phase.ts";
import { ratesOf } from "../schedule/rates.ts";
import { Search, type SearchEffort } from "../schedule/search.ts";
import type { Leg, Step } from "../schedule/steps.ts";
import { type Allocated, assemble, layerOf } from "./assemble.ts";
import { checkAllocation, Pool } from "./buffers.ts";
import { groupModel } from "./groups.ts";
import { type PartView, partsOf, toExchange } from "./parts.ts";
import { exchangeMargins, PhaseEmitter, type PhaseItem } from "./phase-emit.ts";
import { planGroup } from "./plan-group.ts";
import type { PlannedGroup } from "./planned-group.ts";
import { withPrefetch } from "./prefetch.ts";
import { Scaling } from "./scaling.ts";
import type { Registers } from "./scaling-registers.ts";
import { TensorTable } from "./tensors.ts";

/** Parts of SRAM that schedules may count on, tried in turn: what they overlap at their borders takes some more. */
const SRAM_SHARES = [1, 0.94, 0.88, 0.8, 0.7, 0.55];
/** Exponents are known beforehand. */
const NO_REGISTERS: Registers = { inputs: [0, 0], output: 0, histogram: null };

export interface FusedOptions {
  readonly packing: Packing;
  readonly effort: SearchEffort;
  readonly progress: (stage: string, fraction: number) => void;
}

/** The program, or null when no schedule fits. */
export function lowerFused(model: QuantizedModel, machine: Machine, options: FusedOptions): Program | null {
  const sramBytes = machine.parameters["sram.bytes"];
  for (const share of SRAM_SHARES) {
    const allocated = lowerWithin(model, machine, options, Math.floor(sramBytes * share));
    if (allocated === null) return null;
    if (allocated === "too large") continue;
    checkAllocation(allocated.drafts, [], sramBytes);
    return assemble(allocated, { packing: options.packing }, options.progress);
  }
  return null;
}

/** Null: there is no schedule. Too large: the schedule found takes more SRAM than there is. */
function lowerWithin(
  model: QuantizedModel,
  machine: Machine,
  { packing, effort, progress }: FusedOptions,
  sramBytes: number,
): Allocated | null | "too large" {
  const grouped = groupModel(model, false);
  const { groups } = grouped;
  const network = networkOf(model, grouped);
  const tensors = new TensorTable(model, grouped);
  const scaling = new Scaling(model, grouped);
  const layer = (index: number, table: TensorTable): PlannedGroup =>
    planGroup(groups[index], {
      scaling,
      secondPass: undefined,
      machine,
      packing,
      tensors: table,
      sramBytes,
      persistentWeights: false,
    });
  const scratch = new TensorTable(model, grouped);
  const slowdown = machine.parameters["dram.bytesPerCycle"] / ratesOf(machine).dram;
  const known = new Map<number, number | null>();
  const layerCycles = (index: number): number | null => {
    if (!known.has(index)) known.set(index, planLayerCycles(index));
    return known.get(index)!;
  };
  const planLayerCycles = (index: number): number | null => {
    try {
      // the layer planner knows neither refreshes nor how long transfers take to start
      return layer(index, scratch).cycles * slowdown;
    } catch (error) {
      if (error instanceof RapError) return null;
      throw error;
    }
  };
  const search = new Search({ network, machine, packing, sramBytes, effort, layerCycles });
  const legs = search.run((fraction) => progress("schedule", fraction));
  if (legs === null) return null;
  const steps = legs.flatMap(({ steps: of }) => of);

  const parts = new Map<string, PartView>();
  const context = {
    machine,
    packing,
    tensors,
    idOf: (root: string) => tensors.idOf(root),
    parts,
    constants: new Map(),
    virtuals: new Map(),
    exponentOf: (tensor: string) => tensors.quantized(tensor).exponent,
  };
  // constants first, then activations: all constants come before all activations in DRAM
  const emitters = steps.map((step, i): (() => PhaseItem[]) => {
    if (step.kind === "layer") {
      const planned = layer(step.operator, tensors);
      const pool = new Pool(layerOf(groups[step.operator]).name);
      const turn = { layer: step.operator, pass: "whole", registers: NO_REGISTERS, buffers: pool } as const;
      return () => [
        { constants: [], drafts: planned.emit({ ...turn, persistent: { pool, loads: [], areas: new Map() } }) },
      ];
    }
    const emitter = new PhaseEmitter({ ...context, name: `phase${i}` }, step.shape, step.choice);
    emitter.addConstants();
    return () => emitter.emit();
  });
  const inSram = sramRoots(steps);
  tensors.activations(model, (root) => inSram.has(root));
  for (const [name, part] of partsOf(steps, network, (root) => tensors.idOf(root))) parts.set(name, part);
  const filled = new Set<string>();
  const items = steps.map((step, i): PhaseItem[] => {
    const own = emitters[i]();
    if (step.kind === "layer") return own;
    const place = { grid: { gridY: step.choice.gridY, gridX: step.choice.gridX }, layer: step.choice.first, tile: 0 };
    const exchanges = toExchange(step, filled).flatMap((root) => exchangeMargins(parts.get(root)!, place));
    return exchanges.length > 0 ? [{ constants: [], drafts: exchanges }, ...own] : own;
  });
  const persistent = { pool: new Pool("resident"), loads: [] };
  const ordered = withPrefetch(items, steps, machine);
  if (ordered === null) return "too large";
  return {
    model,
    machine,
    tensors,
    layers: groups.map(layerOf),
    drafts: ordered,
    persistent,
    schedule: describe(legs),
    outputs: model.host.outputs,
  };
}

/** The schedule as the program keeps it, for people. */
function describe(legs: readonly Leg[]): ScheduleStep[] {
  const estimate = ({ cycles, dramBytes, bound }: PhaseCost) => ({
    cycles: Math.round(cycles),
    dramBytes: Math.round(dramBytes),
    bound,
  });
  const tiling = ({ stripeRows, stripeCols, weightsResident }: PhaseChoice) => ({
    stripe: [stripeRows, stripeCols] as [number, number],
    weights: weightsResident ? ("resident" as const) : ("streamed" as const),
  });
  return legs.flatMap(({ steps, other }) =>
    steps.flatMap((step): ScheduleStep[] => {
      if (step.kind === "layer") return [];
      const { shape, choice, cost, second } = step;
      const [operator] = shape.operators;
      const { group, output, firstChannel } = operator;
      const isSlice = group.kind === "conv" && output.channels < group.conv.bias.length;
      return [
        {
          layers: [choice.first, choice.end],
          channels: isSlice ? [firstChannel, output.channels] : null,
          grid: [choice.gridY, choice.gridX],
          tile: [choice.tile.height, choice.tile.width],
          ...tiling(choice),
          tensors: [...shape.uses.values()]
            .filter(({ kind }) => kind !== "within")
            .map(({ root: { name } }) => ({ name, home: choice.homes.get(name)! })),
          sramBytes: cost.sramBytes,
          estimate: estimate(cost),
          otherTiling: second === null ? null : { ...tiling(second.choice), estimate: estimate(second.cost) },
          otherCut: other === null ? null : { first: other.first, moreCycles: Math.round(other.moreCycles) },
        },
      ];
    }),
  );
}

/** Tensors that never lie in DRAM: made and used within one phase, or kept in parts. */
function sramRoots(steps: readonly Step[]): Set<string> {
  const roots = new Set<string>();
  for (const step of steps) {
    if (step.kind !== "phase") continue;
    for (const [name, { kind }] of step.shape.uses)
      if (kind === "within" || step.choice.homes.get(name) === "sram") roots.add(name);
  }
  return roots;
}
