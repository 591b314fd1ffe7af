/** Lowering by phases: the schedule is searched, then every phase emits its instructions. */
import { type Machine, type Packing, type Program, RapError } from "../../isa/index.ts";
import type { Draft } from "../../kernels/index.ts";
import type { QuantizedModel } from "../quantized-model.ts";
import { type Network, networkOf } from "../schedule/operators.ts";
import { ratesOf } from "../schedule/rates.ts";
import { type LayerCost, Search, type SearchEffort } from "../schedule/search.ts";
import type { Step } from "../schedule/steps.ts";
import { type Allocated, assemble, layerOf } from "./assemble.ts";
import { checkAllocation, Pool } from "./buffers.ts";
import { describeSchedule } from "./describe-schedule.ts";
import { exchangeMargins } from "./exchange.ts";
import { type Group, groupModel } from "./groups.ts";
import { type PartView, partsOf, toExchange } from "./parts.ts";
import { PhaseEmitter, type PhaseItem } from "./phase-emit.ts";
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

export interface FusedProgram {
  readonly program: Program;
  readonly estimatedCycles: number;
}

/** The program, or null when no schedule fits. */
export function lowerFused(model: QuantizedModel, machine: Machine, options: FusedOptions): FusedProgram | null {
  const sramBytes = machine.parameters["sram.bytes"];
  for (const share of SRAM_SHARES) {
    const allocated = lowerWithin(model, machine, options, Math.floor(sramBytes * share));
    if (allocated === null) return null;
    if (allocated === "too large") continue;
    checkAllocation(allocated.drafts, [], sramBytes);
    const program = assemble(allocated, { packing: options.packing }, options.progress);
    return { program, estimatedCycles: allocated.estimatedCycles };
  }
  return null;
}

/** Null: there is no schedule. Too large: the schedule found takes more SRAM than there is. */
function lowerWithin(
  model: QuantizedModel,
  machine: Machine,
  { packing, effort, progress }: FusedOptions,
  sramBytes: number,
): (Allocated & Pick<FusedProgram, "estimatedCycles">) | null | "too large" {
  const grouped = groupModel(model, false);
  const { groups } = grouped;
  const network = networkOf(model, grouped);
  const tensors = new TensorTable(model, grouped);
  const scaling = new Scaling(model, grouped);
  const pooled = new Map(
    groupModel(model, true).groups.flatMap((group) =>
      group.kind === "conv" && group.pool?.inputs[0] === group.conv.output ? [[group.conv, group] as const] : [],
    ),
  );
  /** Operators first..end as one group: one of them, or a convolution and its pooling. */
  const groupOf = (first: number, end: number): Group | null => {
    const group = groups[first];
    if (end === first + 1) return group;
    const both = group.kind === "conv" ? pooled.get(group.conv) : undefined;
    const next = groups[first + 1];
    return both !== undefined && next.kind === "pool" && next.pool === both.pool ? both : null;
  };
  const layer = (group: Group, table: TensorTable): PlannedGroup =>
    planGroup(group, {
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
  const known = new Map<Group, LayerCost | null>();
  const layerCost = (first: number, end: number): LayerCost | null => {
    const group = groupOf(first, end);
    if (group === null) return null;
    if (!known.has(group)) known.set(group, planLayerCost(group));
    return known.get(group)!;
  };
  const planLayerCost = (group: Group): LayerCost | null => {
    try {
      const { cycles, dramBytes } = layer(group, scratch);
      // the layer planner knows neither refreshes nor how long transfers take to start
      return { cycles: cycles * slowdown, dramBytes };
    } catch (error) {
      if (error instanceof RapError) return null;
      throw error;
    }
  };
  const search = new Search({ network, machine, packing, sramBytes, effort, layerCost });
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
      const planned = layer(groupOf(step.first, step.end)!, tensors);
      const pool = new Pool(layerOf(groups[step.first]).name);
      const turn = { layer: step.first, pass: "whole", registers: NO_REGISTERS, buffers: pool } as const;
      return () => {
        const drafts = planned.emit({ ...turn, persistent: { pool, loads: [], areas: new Map() } });
        const isPooling = ({ instruction }: Draft) => step.end > step.first + 1 && instruction.op === "pool";
        const own = drafts.map((draft) => (isPooling(draft) ? { ...draft, layer: step.first + 1 } : draft));
        return [{ constants: [], drafts: own }];
      };
    }
    const emitter = new PhaseEmitter({ ...context, name: `phase${i}` }, step.shape, step.choice);
    emitter.addConstants();
    return () => emitter.emit();
  });
  const inSram = sramRoots(steps, network);
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
    schedule: describeSchedule(legs),
    outputs: model.host.outputs,
    estimatedCycles: steps.reduce((sum, step) => sum + (step.kind === "phase" ? step.cost : step).cycles, 0),
  };
}

/** Tensors that never lie in DRAM: made and used within one phase, or kept in parts. */
function sramRoots(steps: readonly Step[], { operators }: Network): Set<string> {
  const roots = new Set<string>();
  for (const step of steps) {
    if (step.kind === "layer") {
      // a pooling works on its convolution's tiles
      for (let i = step.first; i < step.end - 1; i++) roots.add(operators[i].output.root);
      continue;
    }
    for (const [name, { kind }] of step.shape.uses)
      if (kind === "within" || step.choice.homes.get(name) === "sram") roots.add(name);
  }
  return roots;
}
