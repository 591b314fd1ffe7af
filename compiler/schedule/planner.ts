/** The best way to do some operators as one phase: on a grid, with homes for the tensors that cross its border. */
import type { Machine, Packing } from "../../isa/index.ts";
import { aligned } from "../lowering/buffers.ts";
import { splits } from "../lowering/splits.ts";
import { margins, Parts } from "./agent-parts.ts";
import { leastCost, PhaseModel } from "./cost.ts";
import { type Network, type Operator, slice } from "./operators.ts";
import { colNeeds, coversResults, type Home, type PhaseShape, phaseShape, rowNeeds, type Tile } from "./phase.ts";
import { Cuts } from "./pieces.ts";
import { type PlannedPhase, scoreOf } from "./steps.ts";
import { bestTiling, type Tiling, type TilingEffort } from "./tiling.ts";

/** A convolution's output channels are made in so many goes at most. */
const MOST_SLICES = 16;
/** Where resident weights score within this of what no way undercuts, others are not tried: their estimates err more. */
const GOOD_ENOUGH = 2.35;

export type GridShape = readonly [y: number, x: number];

export interface PlannerInput {
  readonly network: Network;
  readonly machine: Machine;
  readonly packing: Packing;
  /** SRAM per agent that schedules may take */
  readonly sramBytes: number;
  readonly effort: TilingEffort;
}

/** A phase that is wanted. */
export interface Wanted {
  readonly shape: PhaseShape;
  readonly first: number;
  readonly end: number;
  readonly grid: GridShape;
  readonly homes: ReadonlyMap<string, Home>;
  /** some tensor lies in SRAM before or behind it, so parts say what an agent's tile is */
  readonly usesSram: boolean;
}

export class Planner {
  private readonly parts = new Map<string, Parts>();
  private readonly choices = new Map<string, readonly PlannedPhase[] | null>();
  private readonly cuts: Cuts;

  constructor(private readonly input: PlannerInput) {
    this.cuts = new Cuts(input);
  }

  /** The best tiling of operators as one phase, or of slices of a single one; null when none fits. */
  choose(wanted: Wanted): readonly PlannedPhase[] | null {
    const { shape, first, end, grid, homes } = wanted;
    const key = `${first},${end},${keyOf(grid, homes)}`;
    const known = this.choices.get(key);
    if (known !== undefined) return known;
    const whole = this.plan(wanted);
    let best: readonly PlannedPhase[] | null = whole === null ? null : [whole];
    if (end === first + 1 && (best === null || !this.isWithin(GOOD_ENOUGH, best))) {
      const sliced = this.planSlices(shape.operators[0], wanted);
      if (sliced !== null && (best === null || this.scoreOf(sliced) < this.scoreOf(best))) best = sliced;
    }
    this.choices.set(key, best);
    return best;
  }

  /** Whether phases with resident weights score within a factor of what no way to do the same operators undercuts. */
  isWithin(factor: number, phases: readonly PlannedPhase[]): boolean {
    if (!phases.every(({ choice }) => choice.weightsResident)) return false;
    const { machine } = this.input;
    const least = phases.reduce(
      (sum, { shape, choice }) => sum + scoreOf(leastCost(shape, choice, machine), machine),
      0,
    );
    return this.scoreOf(phases) <= factor * least;
  }

  scoreOf(phases: readonly PlannedPhase[]): number {
    return phases.reduce((sum, { cost }) => sum + scoreOf(cost, this.input.machine), 0);
  }

  /** A convolution whose weights do not fit, some output channels at a time: its input is read again for each. */
  private planSlices(operator: Operator, wanted: Wanted): PlannedPhase[] | null {
    const { group, output } = operator;
    if (group.kind !== "conv" || group.conv.groups > 1) return null;
    const cols = this.input.machine.parameters["array.cols"];
    const blocks = Math.ceil(output.channels / cols);
    let best: PlannedPhase[] | null = null;
    for (const perSlice of splits(blocks).slice(1, MOST_SLICES)) {
      const phases = this.planSlicesOf(operator, perSlice * cols, wanted);
      if (phases === null) continue;
      // smaller weights leave room for larger stripes, up to a point
      if (best !== null && this.scoreOf(phases) >= this.scoreOf(best)) break;
      best = phases;
    }
    return best;
  }

  private planSlicesOf(operator: Operator, channels: number, wanted: Wanted): PlannedPhase[] | null {
    const { first } = wanted;
    const phases: PlannedPhase[] = [];
    for (let channel = 0; channel < operator.output.channels; channel += channels) {
      const count = Math.min(channels, operator.output.channels - channel);
      const shape = phaseShape(this.input.network, first, first + 1, [slice(operator, channel, count)])!;
      const before = phases.at(-1);
      const phase: PlannedPhase | null =
        before?.shape.operators[0].output.channels === count
          ? { ...before, shape }
          : this.plan({ ...wanted, shape }, true);
      if (phase === null) return null;
      phases.push(phase);
    }
    return phases;
  }

  /** @param residentOnly weights are not streamed */
  private plan({ shape, first, end, grid, homes, usesSram }: Wanted, residentOnly = false): PlannedPhase | null {
    const { network, effort, machine } = this.input;
    const [gridY, gridX] = grid;
    const result = network.roots.get(shape.operators[shape.operators.length - 1].output.root)!;
    const parts = this.partsOf(grid);
    const tile = usesSram
      ? parts.of(result.name)
      : { height: Math.ceil(result.height / gridY), width: Math.ceil(result.width / gridX) };
    if (tile === null || !coversResults(shape, { gridY, gridX, tile })) return null;
    let freeBytes = this.input.sramBytes;
    for (const [name, home] of homes) {
      if (home !== "sram") continue;
      const bytes = this.partBytes(name, shape, tile, parts, grid);
      if (bytes === null) return null;
      freeBytes -= bytes;
    }
    const fixed = { first, end, gridY, gridX, tile, homes };
    const found = bestTiling({
      model: new PhaseModel(shape, fixed, this.input, this.cuts),
      ...tile,
      effort,
      freeBytes,
      score: (cost) => scoreOf(cost, machine),
      canStorePieces: canStorePieces(shape, homes),
      canStream: !residentOnly,
      goodScore: GOOD_ENOUGH * scoreOf(leastCost(shape, fixed, machine), machine),
    });
    if (found === null) return null;
    const planned = ({ cost, ...tiling }: Tiling) => ({ choice: { ...fixed, ...tiling }, cost });
    return {
      kind: "phase",
      shape,
      ...planned(found.best),
      second: found.second === null ? null : planned(found.second),
    };
  }

  private partsOf([gridY, gridX]: GridShape): Parts {
    const key = `${gridY}x${gridX}`;
    const parts = this.parts.get(key) ?? new Parts(this.input.network, gridY, gridX);
    this.parts.set(key, parts);
    return parts;
  }

  /** SRAM an agent's part of a tensor takes with its margins, or null when they reach beyond the neighbour. */
  private partBytes(
    name: string,
    shape: PhaseShape,
    tile: Tile,
    parts: Parts,
    [gridY, gridX]: GridShape,
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

export function keyOf(grid: GridShape | null, homes: ReadonlyMap<string, Home>): string {
  return `${grid ?? ""}:${[...homes]
    .map(([name, home]) => `${name}=${home}`)
    .sort()
    .join()}`;
}
