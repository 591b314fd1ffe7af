/**
 * Which operators are done together, and how: dynamic programming over the cuts between phases. The state at a cut is where the tensors
 * that cross it lie; SRAM parts tie the phases on both sides to one grid of agents.
 */
import { type Machine, peakMacsPerCycle } from "../../isa/index.ts";
import { divisorPairs } from "../lowering/splits.ts";
import type { PhaseCost } from "./cost.ts";
import type { Network, Operator, Root } from "./operators.ts";
import { type Home, type PhaseShape, phaseShape } from "./phase.ts";
import { type GridShape, keyOf, Planner, type PlannerInput } from "./planner.ts";
import { type Leg, type Step, scoreOf } from "./steps.ts";
import type { TilingEffort } from "./tiling.ts";

/** Operators in one phase at most. */
const LONGEST_PHASE = 14;
/** A phase within this of what no way undercuts is not tried as a layer by itself. */
const GOOD_PHASE = 1.25;
/** The layer planner's estimates err more: beside a phase whose weights fit, a layer must win by this. */
const LAYER_HANDICAP = 1.15;

export interface SearchEffort extends TilingEffort {
  /** grids of agents at most this many times longer one way than the other */
  readonly longestGrid: number;
}

export interface SearchInput extends PlannerInput {
  readonly effort: SearchEffort;
  /** What operators first..end take as one layer by itself, or null when they are none or it does not fit. */
  readonly layerCost: (first: number, end: number) => LayerCost | null;
}

export type LayerCost = Pick<PhaseCost, "cycles" | "dramBytes">;

interface State {
  /** of SRAM parts; null when everything lies in DRAM */
  readonly grid: GridShape | null;
  readonly homes: ReadonlyMap<string, Home>;
  readonly cost: number;
  readonly at: number;
  readonly from: State | null;
  readonly steps: readonly Step[];
  /** the best of those that lost against this one */
  readonly rival: { readonly first: number; readonly cost: number } | null;
}

export class Search {
  private readonly shapes = new Map<number, PhaseShape | null>();
  private readonly planner: Planner;
  private readonly grids: readonly GridShape[];

  constructor(private readonly input: SearchInput) {
    this.planner = new Planner(input);
    const { agents } = input.machine.parameters;
    const longest = Math.max(input.effort.longestGrid, agents < 4 ? agents : 0);
    this.grids = divisorPairs(agents).filter(([y, x]) => y <= longest * x && x <= longest * y);
  }

  /** The schedule with the least estimated time, or null when nothing fits. */
  run(onFraction: (fraction: number) => void): Leg[] | null {
    const { network } = this.input;
    const count = network.operators.length;
    const states: Map<string, State>[] = Array.from({ length: count + 1 }, () => new Map());
    states[0].set("", { grid: null, homes: new Map(), cost: 0, at: 0, from: null, steps: [], rival: null });
    for (let at = 0; at < count; at++) {
      for (const state of states[at].values()) this.leave(state, at, states);
      onFraction((at + 1) / count);
    }
    let best: State | null = null;
    for (const state of states[count].values()) if (best === null || state.cost < best.cost) best = state;
    if (best === null) return null;
    const legs: Leg[] = [];
    for (let state: State = best; state.from !== null; state = state.from) {
      const { rival, cost, steps } = state;
      legs.unshift({ steps, other: rival === null ? null : { first: rival.first, moreCycles: rival.cost - cost } });
    }
    return legs;
  }

  private leave(state: State, at: number, states: Map<string, State>[]): void {
    const { network } = this.input;
    const count = network.operators.length;
    if (state.grid === null && at + 2 <= count && this.isSmall(at)) this.enterLayer(state, at, at + 2, states[at + 2]);
    for (let end = at + 1; end <= Math.min(count, at + LONGEST_PHASE); end++) {
      const shape = this.shape(at, end);
      if (shape === null) {
        if (end === at + 1 && state.grid === null) this.enterLayer(state, at, end, states[end]);
        continue;
      }
      const outputs = [...shape.uses.values()].filter(({ kind }) => kind === "output");
      let fitted = false;
      let [isGood, fitsWell] = [false, false];
      for (const home of ["sram", "dram"] as const) {
        const homes = new Map(state.homes);
        homes.set(network.operators[0].inputs[0].root, "dram");
        for (const { root } of outputs)
          homes.set(root.name, state.homes.get(root.name) ?? (root.external ? "dram" : home));
        if (home === "sram" && outputs.every(({ root }) => homes.get(root.name) === "dram")) continue;
        const usesSram =
          [...homes].some(([name, at]) => at === "sram" && this.isLive(network.roots.get(name)!, end)) ||
          [...state.homes.values()].includes("sram");
        const grids = state.grid !== null ? [state.grid] : this.grids;
        const live = new Map([...homes].filter(([name]) => this.isLive(network.roots.get(name)!, end)));
        const tied = [...live.values()].includes("sram");
        const least = state.cost + this.idealCycles(at, end);
        let cheapest: { cost: number; next: State } | null = null;
        for (const grid of grids) {
          // a way that cannot win is not worth its search
          const known = states[end].get(keyOf(tied ? grid : null, live));
          if (known !== undefined && known.cost <= least && end > at + 1) {
            fitted = true;
            continue;
          }
          const found = this.planner.choose({ shape, first: at, end, grid, homes, usesSram });
          if (found === null) continue;
          fitted = true;
          if (this.planner.isWithin(GOOD_PHASE, found)) isGood = true;
          if (found.every(({ choice }) => choice.weightsResident)) fitsWell = true;
          const cost = state.cost + this.planner.scoreOf(found);
          const next: State = {
            grid: tied ? grid : null,
            homes: live,
            cost,
            at: end,
            rival: null,
            from: state,
            steps: found,
          };
          if (tied) this.enter(states[end], next);
          else if (cheapest === null || cost < cheapest.cost) cheapest = { cost, next };
        }
        if (cheapest !== null) this.enter(states[end], cheapest.next);
      }
      const isSmall = this.isSmall(at);
      if (end === at + 1 && state.grid === null && (!isGood || isSmall))
        this.enterLayer(state, at, end, states[end], fitsWell && !isSmall ? LAYER_HANDICAP : 1);
      if (!fitted && end > at + 4) break;
    }
  }

  private enterLayer(state: State, at: number, end: number, states: Map<string, State>, handicap = 1): void {
    const { network } = this.input;
    const layer = this.input.layerCost(at, end);
    if (layer === null) return;
    const homes = new Map(state.homes);
    homes.set(network.operators[end - 1].output.root, "dram");
    const live = new Map([...homes].filter(([name]) => this.isLive(network.roots.get(name)!, end)));
    this.enter(states, {
      grid: null,
      homes: live,
      cost: state.cost + handicap * scoreOf(layer, this.input.machine),
      at: end,
      rival: null,
      from: state,
      steps: [{ kind: "layer", first: at, end, cycles: layer.cycles }],
    });
  }

  /** Too few pixels to share out: a layer may divide output channels instead. */
  private isSmall(at: number): boolean {
    const { height, width } = this.input.network.roots.get(this.input.network.operators[at].output.root)!;
    return height * width < 16 * this.input.machine.parameters.agents;
  }

  private isLive(root: Root, cut: number): boolean {
    const started = root.writers.length === 0 || root.writers[0] < cut;
    return started && (root.readers.some((index) => index >= cut) || root.writers.some((index) => index >= cut));
  }

  private enter(states: Map<string, State>, state: State): void {
    const key = keyOf(state.grid, state.homes);
    const known = states.get(key);
    const rivalOf = (loser: State) => ({ first: loser.from!.at, cost: loser.cost });
    const better = (a: State["rival"], b: State["rival"]) => (a === null || (b !== null && b.cost < a.cost) ? b : a);
    if (known === undefined) states.set(key, state);
    else if (state.cost < known.cost) states.set(key, { ...state, rival: better(known.rival, rivalOf(known)) });
    else states.set(key, { ...known, rival: better(known.rival, rivalOf(state)) });
  }

  /** Cycles operators take at the arrays' and the lanes' full speed. */
  private idealCycles(first: number, end: number): number {
    if (this.ideal === null) {
      const { network, machine } = this.input;
      this.ideal = [0];
      for (const operator of network.operators)
        this.ideal.push(this.ideal[operator.index] + idealCycles(operator, network, machine));
    }
    return this.ideal[end] - this.ideal[first];
  }
  private ideal: number[] | null = null;

  private shape(first: number, end: number): PhaseShape | null {
    const key = first * 65536 + end;
    const known = this.shapes.get(key);
    if (known !== undefined) return known;
    const shape = phaseShape(this.input.network, first, end);
    this.shapes.set(key, shape);
    return shape;
  }
}

function idealCycles({ group, output }: Operator, { roots }: Network, machine: Machine): number {
  if (group.kind !== "conv") return 0;
  const { height, width } = roots.get(output.root)!;
  return (height * width * group.conv.weights.length) / peakMacsPerCycle(machine);
}
