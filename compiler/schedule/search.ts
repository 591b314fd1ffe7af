/**
 * Which operators are done together, and how: dynamic programming over the cuts between phases. The state at a cut is where the tensors
 * that cross it lie; SRAM parts tie the phases on both sides to one grid of agents.
 */
import { type Machine, type Packing, peakMacsPerCycle } from "../../isa/index.ts";
import { aligned } from "../lowering/buffers.ts";
import { divisorPairs, splits } from "../lowering/splits.ts";
import { type PhaseCost, phaseCost } from "./cost.ts";
import { type Network, type Operator, type Root, slice } from "./operators.ts";
import {
  colNeeds,
  coversResults,
  type Home,
  type PhaseChoice,
  type PhaseShape,
  phaseShape,
  rowNeeds,
  type Span,
  sampleCols,
  sampleRows,
  type Tile,
} from "./phase.ts";

/** Operators in one phase at most. */
const LONGEST_PHASE = 14;
/** Of two schedules that take as long, the one with less traffic; DRAM time hidden behind other work counts this much. */
const HIDDEN_TRAFFIC = 0.3;
/** A convolution's output channels are made in so many goes at most. */
const MOST_SLICES = 16;

export interface SearchEffort {
  /** stripe heights and column widths tried per phase */
  readonly stripeHeights: number;
  readonly columnCuts: number;
  /** grids of agents at most this many times longer one way than the other */
  readonly longestGrid: number;
}

export interface PlannedPhase {
  readonly kind: "phase";
  readonly shape: PhaseShape;
  readonly choice: PhaseChoice;
  readonly cost: PhaseCost;
  /** the tiling that came second */
  readonly second: { readonly choice: PhaseChoice; readonly cost: PhaseCost } | null;
}

/** An operator by itself through DRAM, tiled by the layer planner. */
export interface PlannedLayer {
  readonly kind: "layer";
  readonly operator: number;
  readonly cycles: number;
}

export type Step = PlannedPhase | PlannedLayer;

/** Steps that take a schedule from one cut to the next, and the best other way to that cut. */
export interface Leg {
  readonly steps: readonly Step[];
  /** first operator of the other way's last leg, and how many cycles more all of that way takes */
  readonly other: { readonly first: number; readonly moreCycles: number } | null;
}

export interface SearchInput {
  readonly network: Network;
  readonly machine: Machine;
  readonly packing: Packing;
  /** SRAM per agent that schedules may take */
  readonly sramBytes: number;
  readonly effort: SearchEffort;
  /** Estimated cycles of an operator by itself, or null when it does not fit. */
  readonly layerCycles: (operator: number) => number | null;
}

interface Wanted {
  readonly shape: PhaseShape;
  readonly first: number;
  readonly end: number;
  readonly grid: readonly [number, number];
  readonly homes: ReadonlyMap<string, Home>;
  readonly usesSram: boolean;
}

interface State {
  /** of SRAM parts; null when everything lies in DRAM */
  readonly grid: readonly [number, number] | null;
  readonly homes: ReadonlyMap<string, Home>;
  readonly cost: number;
  readonly at: number;
  readonly from: State | null;
  readonly steps: readonly Step[];
  /** the best of those that lost against this one */
  readonly rival: { readonly first: number; readonly cost: number } | null;
}

/** An agent's part of every tensor for a grid: parts of tensors with other strides cover the same part of the picture. */
class Parts {
  private readonly tiles = new Map<string, Tile | null>();

  constructor(network: Network, gridY: number, gridX: number) {
    const strides = new Map<string, readonly [number, number] | null>();
    for (const { inputs, output, window } of network.operators) {
      for (const { root } of inputs) {
        const from = strides.has(root) ? strides.get(root)! : ([1, 1] as const);
        strides.set(root, from);
        const { height, width } = network.roots.get(output.root)!;
        // a window over everything ends what can be shared out
        const spatial = from !== null && height >= gridY && width >= gridX;
        strides.set(output.root, spatial ? [from[0] * window.stride[0], from[1] * window.stride[1]] : null);
      }
    }
    let coarsest: readonly [number, number] = [1, 1];
    for (const stride of strides.values())
      if (stride !== null) coarsest = [Math.max(coarsest[0], stride[0]), Math.max(coarsest[1], stride[1])];
    let [height, width] = [1, 1];
    for (const [name, stride] of strides) {
      if (stride === null) continue;
      const root = network.roots.get(name)!;
      height = Math.max(height, Math.ceil((root.height * stride[0]) / (coarsest[0] * gridY)));
      width = Math.max(width, Math.ceil((root.width * stride[1]) / (coarsest[1] * gridX)));
    }
    for (const [name, stride] of strides) {
      const tile =
        stride === null || coarsest[0] % stride[0] !== 0 || coarsest[1] % stride[1] !== 0
          ? null
          : { height: (height * coarsest[0]) / stride[0], width: (width * coarsest[1]) / stride[1] };
      this.tiles.set(name, tile);
    }
  }

  of(root: string): Tile | null {
    return this.tiles.get(root) ?? null;
  }
}

/** How far needed rows or columns reach beyond a part; 0 where no agent lies beyond. */
export function margins(span: Span, size: number, agents: number): { before: number; after: number } {
  if (agents === 1) return { before: 0, after: 0 };
  return { before: Math.max(0, -span.lo), after: Math.max(0, span.hi - size) };
}

export class Search {
  private readonly shapes = new Map<number, PhaseShape | null>();
  private readonly parts = new Map<string, Parts>();
  private readonly choices = new Map<string, readonly PlannedPhase[] | null>();
  private readonly grids: readonly (readonly [number, number])[];

  constructor(private readonly input: SearchInput) {
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
    for (let end = at + 1; end <= Math.min(count, at + LONGEST_PHASE); end++) {
      const shape = this.shape(at, end);
      if (shape === null) {
        if (end === at + 1 && state.grid === null) this.enterLayer(state, at, states[end]);
        continue;
      }
      const outputs = [...shape.uses.values()].filter(({ kind }) => kind === "output");
      let fitted = false;
      let fitsWell = false;
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
          const found = this.choose(shape, at, end, grid, homes, usesSram);
          if (found === null) continue;
          fitted = true;
          if (found.every(({ choice }) => choice.weightsResident)) fitsWell = true;
          const cost = state.cost + this.scoreOf(found);
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
      if (end === at + 1 && state.grid === null && (!fitsWell || this.isSmall(at)))
        this.enterLayer(state, at, states[end]);
      if (!fitted && end > at + 4) break;
    }
  }

  private enterLayer(state: State, at: number, states: Map<string, State>): void {
    const { network } = this.input;
    const cycles = this.input.layerCycles(at);
    if (cycles === null) return;
    const homes = new Map(state.homes);
    homes.set(network.operators[at].output.root, "dram");
    const live = new Map([...homes].filter(([name]) => this.isLive(network.roots.get(name)!, at + 1)));
    this.enter(states, {
      grid: null,
      homes: live,
      cost:
        state.cost +
        cycles +
        (HIDDEN_TRAFFIC * this.layerBytes(at)) / this.input.machine.parameters["dram.bytesPerCycle"],
      at: at + 1,
      rival: null,
      from: state,
      steps: [{ kind: "layer", operator: at, cycles }],
    });
  }

  /** DRAM bytes of an operator by itself, at least. */
  private layerBytes(at: number): number {
    const { group, inputs, output } = this.input.network.operators[at];
    const bytes = ({ root, channels }: { root: string; channels: number }) => {
      const of = this.input.network.roots.get(root)!;
      return of.height * of.width * channels * of.bytes;
    };
    const weights = group.kind === "conv" ? group.conv.weights.length : 0;
    return weights + inputs.reduce((sum, input) => sum + bytes(input), bytes(output));
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

  private scoreOf(phases: readonly PlannedPhase[]): number {
    return phases.reduce((sum, { cost }) => sum + this.score(cost), 0);
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

  private score({ cycles, dramBytes }: PhaseCost): number {
    return cycles + (HIDDEN_TRAFFIC * dramBytes) / this.input.machine.parameters["dram.bytesPerCycle"];
  }

  private shape(first: number, end: number): PhaseShape | null {
    const key = first * 65536 + end;
    const known = this.shapes.get(key);
    if (known !== undefined) return known;
    const shape = phaseShape(this.input.network, first, end);
    this.shapes.set(key, shape);
    return shape;
  }

  private partsOf([gridY, gridX]: readonly [number, number]): Parts {
    const key = `${gridY}x${gridX}`;
    const parts = this.parts.get(key) ?? new Parts(this.input.network, gridY, gridX);
    this.parts.set(key, parts);
    return parts;
  }

  /** The best tiling of operators as one phase, or of slices of a single one; null when none fits. */
  private choose(
    shape: PhaseShape,
    first: number,
    end: number,
    grid: readonly [number, number],
    homes: ReadonlyMap<string, Home>,
    usesSram: boolean,
  ): readonly PlannedPhase[] | null {
    const key = `${first},${end},${keyOf(grid, homes)}`;
    const known = this.choices.get(key);
    if (known !== undefined) return known;
    const whole = this.plan({ shape, first, end, grid, homes, usesSram });
    let best: readonly PlannedPhase[] | null = whole === null ? null : [whole];
    if (end === first + 1 && (whole === null || !whole.choice.weightsResident)) {
      const sliced = this.planSlices(shape.operators[0], first, grid, homes, usesSram);
      if (sliced !== null && (best === null || this.scoreOf(sliced) < this.scoreOf(best))) best = sliced;
    }
    this.choices.set(key, best);
    return best;
  }

  /** A convolution whose weights do not fit, some output channels at a time: its input is read again for each. */
  private planSlices(
    operator: Operator,
    first: number,
    grid: readonly [number, number],
    homes: ReadonlyMap<string, Home>,
    usesSram: boolean,
  ): PlannedPhase[] | null {
    const { network, machine } = this.input;
    const { group, output } = operator;
    if (group.kind !== "conv" || group.conv.groups > 1) return null;
    const cols = machine.parameters["array.cols"];
    const blocks = Math.ceil(output.channels / cols);
    for (const perSlice of splits(blocks).slice(1, MOST_SLICES)) {
      const phases: PlannedPhase[] = [];
      for (let channel = 0; channel < output.channels; channel += perSlice * cols) {
        const part = slice(operator, channel, Math.min(perSlice * cols, output.channels - channel));
        const shape = phaseShape(network, first, first + 1, [part])!;
        const phase = this.plan({ shape, first, end: first + 1, grid, homes, usesSram }, true);
        if (phase === null) break;
        phases.push(phase);
      }
      if (phases.length === Math.ceil(blocks / perSlice)) return phases;
    }
    return null;
  }

  /** @param residentOnly weights are not streamed */
  private plan(wanted: Wanted, residentOnly = false): PlannedPhase | null {
    const { shape, first, end, grid, homes, usesSram } = wanted;
    const { network, effort } = this.input;
    const [gridY, gridX] = grid;
    const result = network.roots.get(shape.operators[shape.operators.length - 1].output.root)!;
    const parts = this.partsOf(grid);
    const tile = usesSram
      ? parts.of(result.name)
      : { height: Math.ceil(result.height / gridY), width: Math.ceil(result.width / gridX) };
    if (tile === null || !coversResults(shape, { gridY, gridX, tile })) return null;
    let free = this.input.sramBytes;
    for (const [name, home] of homes) {
      if (home !== "sram") continue;
      const bytes = this.partBytes(name, shape, tile, parts, grid);
      if (bytes === null) return null;
      free -= bytes;
    }
    const fixed = { first, end, gridY, gridX, tile, homes };
    const tiling = { gridY, gridX, tile };
    const widths = spread(tile.width, effort.columnCuts).map((size) => ({
      size,
      samples: sampleCols(shape, tiling, size),
    }));
    const heights = spread(tile.height, effort.stripeHeights).map((size) => ({
      size,
      samples: sampleRows(shape, tiling, size),
    }));
    const storing = canStorePieces(shape, homes) ? [true, false] : [true];
    let best: PlannedPhase | null = null;
    for (const weightsResident of residentOnly ? [true] : [true, false]) {
      // streamed weights pay for every stripe
      const tall = weightsResident ? heights : heights.filter(({ size }) => size >= tile.height / 8);
      for (const storeStripes of storing) {
        const consider = (width: (typeof widths)[0], height: (typeof heights)[0]): boolean => {
          const choice = { ...fixed, stripeRows: height.size, stripeCols: width.size, weightsResident, storeStripes };
          const cost = phaseCost(shape, choice, this.input, free, height.samples, width.samples);
          if (cost === null) return false;
          const beats = (other: { cost: PhaseCost } | null) =>
            other === null || this.score(cost) < this.score(other.cost);
          if (beats(best)) best = { kind: "phase", shape, choice, cost, second: best };
          else if (best !== null && beats(best.second)) best = { ...best, second: { choice, cost } };
          return true;
        };
        // a stripe that does not fit has no larger ones that do
        for (const width of widths) {
          const firstTooTall = tall.findIndex((height) => !consider(width, height));
          if (firstTooTall === 0) break;
        }
      }
      if (best !== null) break;
    }
    return best;
  }

  /** SRAM an agent's part of a tensor takes with its margins, or null when they reach beyond the neighbour. */
  private partBytes(
    name: string,
    shape: PhaseShape,
    tile: Tile,
    parts: Parts,
    [gridY, gridX]: readonly [number, number],
  ): number | null {
    const root = this.input.network.roots.get(name)!;
    const own = parts.of(name);
    if (own === null) return null;
    let [rows, cols] = [own.height, own.width];
    const use = shape.uses.get(name);
    if (use !== undefined) {
      if (tile.height * use.ratioY !== own.height || tile.width * use.ratioX !== own.width) return null;
      const y = margins(rowNeeds(shape, { gridY, gridX, tile }).get(name)!, own.height, gridY);
      const x = margins(colNeeds(shape, { gridY, gridX, tile }).get(name)!, own.width, gridX);
      if (Math.max(y.before, y.after) > own.height || Math.max(x.before, x.after) > own.width) return null;
      rows += y.before + y.after;
      cols += x.before + x.after;
    } else {
      // read later: most windows reach one element to each side
      rows += gridY > 1 ? 2 : 0;
      cols += gridX > 1 ? 2 : 0;
    }
    return aligned(rows * cols * root.channels * root.bytes);
  }
}

/** Whether all results for DRAM come from convolutions and are not read in the phase, so that pieces can be stored as they are made. */
function canStorePieces(shape: PhaseShape, homes: ReadonlyMap<string, Home>): boolean {
  let any = false;
  for (const use of shape.uses.values()) {
    if (use.kind !== "output" || homes.get(use.root.name) !== "dram") continue;
    if (use.isRead) return false;
    any = true;
  }
  return (
    any &&
    shape.operators.every(
      ({ group, output }) =>
        group.kind === "conv" || homes.get(output.root) !== "dram" || shape.uses.get(output.root)!.kind !== "output",
    )
  );
}

/** Sizes tried, ascending: they cut the whole evenly, each about as many times larger than the one before. */
function spread(size: number, count: number): number[] {
  const picked = new Set<number>();
  for (let i = 0; i < count; i++) picked.add(Math.ceil(size / Math.round(size ** (i / Math.max(1, count - 1)))));
  return [...picked].reverse();
}

function keyOf(grid: readonly [number, number] | null, homes: ReadonlyMap<string, Home>): string {
  return `${grid ?? ""}:${[...homes]
    .map(([name, home]) => `${name}=${home}`)
    .sort()
    .join()}`;
}

function idealCycles({ group, output }: Operator, { roots }: Network, machine: Machine): number {
  if (group.kind !== "conv") return 0;
  const { height, width } = roots.get(output.root)!;
  return (height * width * group.conv.weights.length) / peakMacsPerCycle(machine);
}
