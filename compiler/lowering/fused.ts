/** Lowering by phases: the schedule is searched, then every phase emits its instructions. */
import { type Machine, type Packing, type Program, RapError } from "../../isa/index.ts";
import type { Draft } from "../../kernels/index.ts";
import type { QConv, QuantizedModel } from "../quantized-model.ts";
import { type Network, networkOf } from "../schedule/operators.ts";
import { keyOf } from "../schedule/planner.ts";
import { ratesOf } from "../schedule/rates.ts";
import { type LayerCost, Search, type SearchEffort } from "../schedule/search.ts";
import type { Leg, Step } from "../schedule/steps.ts";
import { assemble, layerOf } from "./assemble.ts";
import { checkAllocation, Pool } from "./buffers.ts";
import type { ConvPlans } from "./conv-plans.ts";
import { describeSchedule } from "./describe-schedule.ts";
import { exchangeMargins } from "./exchange.ts";
import { type ConvGroup, type Group, type GroupedModel, groupModel } from "./groups.ts";
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
  readonly plans: ConvPlans;
  readonly progress: (stage: string, fraction: number) => void;
}

export interface FusedProgram {
  readonly program: Program;
  readonly estimatedCycles: number;
}

/** Phases for one model and machine: what searches of any effort share is made once. */
export class FusedLowering {
  private readonly grouped: GroupedModel;
  private readonly network: Network;
  private readonly scaling: Scaling;
  /** convolutions whose pooling can be done on their tiles */
  private readonly pooled: ReadonlyMap<QConv, ConvGroup>;
  private readonly layerCosts = new Map<string, LayerCost | null>();
  /** by schedule */
  private readonly lowered = new Map<string, FusedProgram | "too large">();

  constructor(
    private readonly model: QuantizedModel,
    private readonly machine: Machine,
    private readonly options: FusedOptions,
  ) {
    this.grouped = groupModel(model, false);
    this.network = networkOf(model, this.grouped);
    this.scaling = new Scaling(model, this.grouped);
    this.pooled = new Map(
      groupModel(model, true).groups.flatMap((group) =>
        group.kind === "conv" && group.pool?.inputs[0] === group.conv.output ? [[group.conv, group] as const] : [],
      ),
    );
  }

  /** The program, or null when no schedule fits. Equal schedules give the same program. */
  lower(effort: SearchEffort): FusedProgram | null {
    const sramBytes = this.machine.parameters["sram.bytes"];
    for (const share of SRAM_SHARES) {
      const freeBytes = Math.floor(sramBytes * share);
      const legs = this.search(effort, freeBytes);
      if (legs === null) return null;
      const key = scheduleKey(legs, freeBytes);
      const lowered = this.lowered.get(key) ?? this.emit(legs, freeBytes);
      this.lowered.set(key, lowered);
      if (lowered !== "too large") return lowered;
    }
    return null;
  }

  private search(effort: SearchEffort, sramBytes: number): Leg[] | null {
    const { network, machine } = this;
    const { packing, progress } = this.options;
    const scratch = new TensorTable(this.model, this.grouped);
    const layerCost = (first: number, end: number): LayerCost | null => {
      const key = `${first},${end},${sramBytes}`;
      const known = this.layerCosts.get(key);
      if (known !== undefined) return known;
      const cost = this.layerCost(first, end, scratch, sramBytes);
      this.layerCosts.set(key, cost);
      return cost;
    };
    const search = new Search({ network, machine, packing, sramBytes, effort, layerCost });
    return search.run((fraction) => progress("schedule", fraction));
  }

  /** Operators first..end as one group: one of them, or a convolution and its pooling; null when they are none. */
  private groupOf(first: number, end: number): Group | null {
    const { groups } = this.grouped;
    const group = groups[first];
    if (end === first + 1) return group;
    const both = group.kind === "conv" ? this.pooled.get(group.conv) : undefined;
    const next = groups[first + 1];
    return both !== undefined && next.kind === "pool" && next.pool === both.pool ? both : null;
  }

  private layer(group: Group, tensors: TensorTable, sramBytes: number): PlannedGroup {
    const { scaling, machine } = this;
    const { packing, plans } = this.options;
    const fixed = { secondPass: undefined, persistentWeights: false };
    return planGroup(group, { scaling, machine, packing, plans, tensors, sramBytes, ...fixed });
  }

  private layerCost(first: number, end: number, scratch: TensorTable, sramBytes: number): LayerCost | null {
    const group = this.groupOf(first, end);
    if (group === null) return null;
    try {
      const { cycles, dramBytes } = this.layer(group, scratch, sramBytes);
      // the layer planner knows neither refreshes nor how long transfers take to start
      const slowdown = this.machine.parameters["dram.bytesPerCycle"] / ratesOf(this.machine).dram;
      return { cycles: cycles * slowdown, dramBytes };
    } catch (error) {
      if (error instanceof RapError) return null;
      throw error;
    }
  }

  /** Too large: the schedule takes more SRAM than there is. */
  private emit(legs: readonly Leg[], sramBytes: number): FusedProgram | "too large" {
    const { model, machine, grouped, network } = this;
    const { packing, progress } = this.options;
    const { groups } = grouped;
    const steps = legs.flatMap(({ steps: of }) => of);
    const tensors = new TensorTable(model, grouped);
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
        const planned = this.layer(this.groupOf(step.first, step.end)!, tensors, sramBytes);
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
    const drafts = withPrefetch(items, steps, machine);
    if (drafts === null) return "too large";
    checkAllocation(drafts, [], machine.parameters["sram.bytes"]);
    const layers = groups.map(layerOf);
    const { outputs } = model.host;
    const schedule = describeSchedule(legs);
    return {
      program: assemble(
        { model, machine, tensors, layers, drafts, persistent, schedule, outputs },
        { packing },
        progress,
      ),
      estimatedCycles: steps.reduce((sum, step) => sum + (step.kind === "phase" ? step.cost : step).cycles, 0),
    };
  }
}

/** Equal for schedules that become the same instructions. */
function scheduleKey(legs: readonly Leg[], sramBytes: number): string {
  const keys = legs.flatMap(({ steps }) =>
    steps.map((step) => {
      // layers are tiled for the SRAM there is
      if (step.kind === "layer") return [step.first, step.end, sramBytes];
      const { choice, shape } = step;
      return [{ ...choice, homes: keyOf(null, choice.homes) }, shape.operators.map(({ firstChannel }) => firstChannel)];
    }),
  );
  return JSON.stringify(keys);
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
