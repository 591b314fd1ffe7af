/** Tensors that stay in SRAM between phases: every agent holds its part, with margins that its neighbours fill. */
import { axis, type TileView, tileView } from "../../kernels/index.ts";
import { margins } from "../schedule/agent-parts.ts";
import type { Network } from "../schedule/operators.ts";
import { colNeeds, rowNeeds, type Tile } from "../schedule/phase.ts";
import type { PlannedPhase, Step } from "../schedule/steps.ts";
import { Pool } from "./buffers.ts";

export interface PartView {
  readonly view: TileView;
  readonly tile: Tile;
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

interface Reach {
  tile: Tile;
  top: number;
  bottom: number;
  left: number;
  right: number;
}

function reachOf({ shape, choice }: PlannedPhase, root: string): Reach {
  const use = shape.uses.get(root)!;
  const tile = { height: choice.tile.height * use.ratioY, width: choice.tile.width * use.ratioX };
  const y = margins(rowNeeds(shape, choice).get(root)!, tile.height, choice.gridY);
  const x = margins(colNeeds(shape, choice).get(root)!, tile.width, choice.gridX);
  return { tile, top: y.before, bottom: y.after, left: x.before, right: x.after };
}

/** All parts of a schedule. @param idOf program tensor of a root */
export function partsOf(
  steps: readonly Step[],
  network: Network,
  idOf: (root: string) => number,
): Map<string, PartView> {
  const reaches = new Map<string, Reach>();
  for (const step of steps) {
    if (step.kind !== "phase") continue;
    for (const name of step.shape.uses.keys()) {
      if (step.shape.uses.get(name)!.kind === "within" || step.choice.homes.get(name) !== "sram") continue;
      const reach = reachOf(step, name);
      const known = reaches.get(name) ?? reach;
      reaches.set(name, {
        tile: reach.tile,
        top: Math.max(known.top, reach.top),
        bottom: Math.max(known.bottom, reach.bottom),
        left: Math.max(known.left, reach.left),
        right: Math.max(known.right, reach.right),
      });
    }
  }
  const pool = new Pool("part");
  const parts = new Map<string, PartView>();
  for (const [name, { tile, top, bottom, left, right }] of reaches) {
    const { channels, bytes, format } = network.roots.get(name)!;
    const [height, width] = [top + tile.height + bottom, left + tile.width + right];
    const [buffer] = pool.slots(name, height * width * channels * bytes, 1);
    const y = axis(-top, height, tile.height, 0);
    const x = axis(-left, width, 0, tile.width);
    const view = tileView(idOf(name), format, y, x, axis(0, channels), buffer);
    parts.set(name, { view, tile, top, bottom, left, right });
  }
  return parts;
}

/**
 * Tensors whose margins a phase reads that are not filled before it.
 * @param filled those that are; grows by the phase's, and shrinks by what the phase makes a part of: that part's margins are not filled
 */
export function toExchange(phase: PlannedPhase, filled: Set<string>): string[] {
  const found: string[] = [];
  for (const use of phase.shape.uses.values()) {
    const { name } = use.root;
    if (use.kind === "output") filled.delete(name);
    if (use.kind !== "input" || phase.choice.homes.get(name) !== "sram" || filled.has(name)) continue;
    const { top, bottom, left, right } = reachOf(phase, name);
    if (top + bottom + left + right === 0) continue;
    filled.add(name);
    found.push(name);
  }
  return found;
}
