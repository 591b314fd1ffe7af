/** The best way to cut a phase's result into stripes. */
import type { Cut, Keeping, PhaseCost, PhaseModel } from "./cost.ts";

export interface TilingEffort {
  /** stripe heights and column widths tried per phase */
  readonly stripeHeights: number;
  readonly columnCuts: number;
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
  /** weights that do not fit may be loaded again for every stripe */
  readonly canStream: boolean;
}

/** The tiling with the lowest score and the one behind it, or null when none fits. */
export function bestTiling(request: TilingRequest): { best: Tiling; second: Tiling | null } | null {
  const { model, height, width, effort, freeBytes, score } = request;
  const widths = spread(width, effort.columnCuts).map((size) => model.cols(size));
  const heights = spread(height, effort.stripeHeights).map((size) => model.rows(size));
  for (const weightsResident of request.canStream ? [true, false] : [true]) {
    // streamed weights pay for every stripe
    const tall = weightsResident ? heights : heights.filter(({ size }) => size >= height / 8);
    const found: { best: Tiling; score: number; second: Tiling | null; secondScore: number }[] = [];
    const consider = (rows: Cut, cols: Cut, storeStripes: boolean): boolean => {
      const cost = model.cost(rows, cols, { weightsResident, storeStripes }, freeBytes);
      if (cost === null) return false;
      const own = score(cost);
      const tiling = { stripeRows: rows.size, stripeCols: cols.size, weightsResident, storeStripes, cost };
      const [known] = found;
      if (known === undefined)
        found.push({ best: tiling, score: own, second: null, secondScore: Number.POSITIVE_INFINITY });
      else if (own < known.score) found[0] = { best: tiling, score: own, second: known.best, secondScore: known.score };
      else if (own < known.secondScore) found[0] = { ...known, second: tiling, secondScore: own };
      return true;
    };
    for (const storeStripes of request.canStorePieces ? [true, false] : [true]) {
      // a stripe that does not fit has no larger ones that do
      for (const cols of widths) {
        const firstTooTall = tall.findIndex((rows) => !consider(rows, cols, storeStripes));
        if (firstTooTall === 0) break;
      }
    }
    if (found.length > 0) return found[0];
  }
  return null;
}

/** Sizes tried, ascending: they cut the whole evenly, each about as many times larger than the one before. */
function spread(size: number, count: number): number[] {
  const picked = new Set<number>();
  for (let i = 0; i < count; i++) picked.add(Math.ceil(size / Math.round(size ** (i / Math.max(1, count - 1)))));
  return [...picked].reverse();
}
