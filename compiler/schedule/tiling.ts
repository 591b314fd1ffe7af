/** The best way to cut a phase's result into stripes. */
import type { Cut, Keeping, PhaseCost, PhaseModel } from "./cost.ts";

export interface TilingEffort {
  /** stripe heights and column widths tried per phase */
  readonly stripeHeights: number;
  readonly columnCuts: number;
  /** how many times sizes around the best are tried, each time nearer to it */
  readonly refinements: number;
}

export interface Tiling extends Keeping {
  readonly stripeRows: number;
  readonly stripeCols: number;
  readonly cost: PhaseCost;
}

export interface TilingRequest {
  readonly model: PhaseModel;
  /** the result's rows and columns per agent */
  readonly height: number;
  readonly width: number;
  readonly effort: TilingEffort;
  readonly freeBytes: number;
  readonly score: (cost: PhaseCost) => number;
  /** results may be stored piece by piece as they are made */
  readonly canStorePieces: boolean;
  /** weights may be loaded again for every stripe */
  readonly canStream: boolean;
  /** with resident weights up to this, streamed ones are not tried */
  readonly goodScore: number;
}

/** The tiling with the lowest score and the one behind it, or null when none fits. */
export function bestTiling(request: TilingRequest): { best: Tiling; second: Tiling | null } | null {
  const { model, height, width, effort, freeBytes, score } = request;
  const widths = spread(width, effort.columnCuts);
  const heights = spread(height, effort.stripeHeights);
  const rowsOf = remembered((size) => model.rows(size));
  const colsOf = remembered((size) => model.cols(size));
  const found = new Podium();
  for (const weightsResident of request.canStream ? [true, false] : [true]) {
    if (found.best !== null && score(found.best.cost) <= request.goodScore) break;
    // streamed weights pay for every stripe
    const tall = weightsResident ? heights : heights.filter((size) => size >= height / 8);
    for (const storeStripes of request.canStorePieces ? [true, false] : [true]) {
      const keeping = { weightsResident, storeStripes };
      const consider = (stripeRows: number, stripeCols: number): boolean => {
        const cost = model.cost(rowsOf(stripeRows), colsOf(stripeCols), keeping, freeBytes);
        if (cost !== null) found.enter(score(cost), () => ({ stripeRows, stripeCols, ...keeping, cost }));
        return cost !== null;
      };
      // a stripe that does not fit has no larger ones that do
      for (const cols of widths) {
        const firstTooTall = tall.findIndex((rows) => !consider(rows, cols));
        if (firstTooTall === 0) break;
      }
      if (found.best?.storeStripes !== storeStripes || found.best.weightsResident !== weightsResident) continue;
      const [tried, triedCols] = [new Set(tall), new Set(widths)];
      for (let i = 0; i < effort.refinements; i++) {
        const { stripeRows, stripeCols }: Tiling = found.best;
        for (const rows of between(stripeRows, tried, height)) consider(rows, stripeCols);
        for (const cols of between(stripeCols, triedCols, width)) consider(stripeRows, cols);
      }
    }
  }
  return found.best === null ? null : { best: found.best, second: found.second };
}

/** The best two. */
class Podium {
  best: Tiling | null = null;
  second: Tiling | null = null;
  private bestScore = Number.POSITIVE_INFINITY;
  private secondScore = Number.POSITIVE_INFINITY;

  enter(score: number, tiling: () => Tiling): void {
    if (score >= this.secondScore) return;
    if (score >= this.bestScore) {
      this.second = tiling();
      this.secondScore = score;
      return;
    }
    this.second = this.best;
    this.secondScore = this.bestScore;
    this.best = tiling();
    this.bestScore = score;
  }
}

function remembered(cutOf: (size: number) => Cut): (size: number) => Cut {
  const known = new Map<number, Cut>();
  return (size) => {
    const cut = known.get(size) ?? cutOf(size);
    known.set(size, cut);
    return cut;
  };
}

/** Sizes tried, ascending: they cut the whole evenly, each about as many times larger than the one before. */
function spread(size: number, count: number): number[] {
  const picked = new Set<number>();
  for (let i = 0; i < count; i++) picked.add(Math.ceil(size / Math.round(size ** (i / Math.max(1, count - 1)))));
  return [...picked].reverse();
}

/** Sizes halfway from one to those tried next to it, which they join. */
function between(size: number, tried: Set<number>, whole: number): number[] {
  const below = Math.max(0, ...[...tried].filter((other) => other < size));
  const above = Math.min(whole, ...[...tried].filter((other) => other > size));
  const found: number[] = [];
  for (const other of [below, above]) {
    const middle = Math.ceil(whole / Math.ceil(whole / Math.round(Math.sqrt(size * Math.max(1, other)))));
    if (tried.has(middle)) continue;
    tried.add(middle);
    found.push(middle);
  }
  return found;
}
