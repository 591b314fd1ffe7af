/**
 * A phase: consecutive operators done together, stripe by stripe, over a grid of agents. Every agent makes a tile of the phase's
 * result, cut into columns and these into stripes of rows; what lies between the operators stays in SRAM, of which only the rows
 * still needed. Rows and columns around an agent's tile that its windows reach are computed again (halo recomputation); from
 * stripe to stripe rows are kept (halo storage).
 */
import type { Machine } from "../../isa/index.ts";
import { aligned } from "../lowering/buffers.ts";
import type { Network, Operator, Part, Root, Window } from "./operators.ts";

/** Half-open, in coordinates of the agent at grid position (0, 0). */
export interface Span {
  readonly lo: number;
  readonly hi: number;
}

/** Where a tensor between phases lies: DRAM, or every agent's own part in its SRAM. */
export type Home = "dram" | "sram";

/** An agent's part of a tensor. */
export interface Tile {
  readonly height: number;
  readonly width: number;
}

export interface PhaseChoice {
  readonly first: number;
  /** one behind the last operator */
  readonly end: number;
  readonly gridY: number;
  readonly gridX: number;
  /** an agent's part of the last operator's result */
  readonly tile: Tile;
  /** rows of the result per stripe, and columns per pass over the tile */
  readonly stripeRows: number;
  readonly stripeCols: number;
  /** weights are loaded once for the phase, or for every stripe */
  readonly weightsResident: boolean;
  /** results for DRAM are stored stripe by stripe with all channels, or piece by piece as convolutions make them */
  readonly storeStripes: boolean;
  /** homes of tensors that cross the phase's border */
  readonly homes: ReadonlyMap<string, Home>;
}

export interface RootUse {
  readonly root: Root;
  /** result's stride over this tensor: rows and columns of it per row and column of the result */
  readonly ratioY: number;
  readonly ratioX: number;
  readonly channels: Span;
  /** within: made and used up in the phase; input, output: crosses its border; written in the phase when output */
  readonly kind: "within" | "input" | "output";
  /** read by an operator of the phase */
  readonly isRead: boolean;
}

/** What follows from which operators a phase holds, whatever its tiling. */
export interface PhaseShape {
  readonly operators: readonly Operator[];
  readonly uses: ReadonlyMap<string, RootUse>;
}

/** Rows or columns that a window reads for outputs `span`. */
export function windowSpan({ lo, hi }: Span, kernel: number, stride: number, pad: number, dilation: number): Span {
  return { lo: lo * stride - pad, hi: (hi - 1) * stride - pad + (kernel - 1) * dilation + 1 };
}

const rowsRead = (span: Span, w: Window) => windowSpan(span, w.kernel[0], w.stride[0], w.pads[0], w.dilation[0]);
const colsRead = (span: Span, w: Window) => windowSpan(span, w.kernel[1], w.stride[1], w.pads[1], w.dilation[1]);

/** The shape of operators first..end, or null when they cannot be one phase. @param operators others in their place: slices */
export function phaseShape(
  network: Network,
  first: number,
  end: number,
  operators = network.operators.slice(first, end),
): PhaseShape | null {
  const last = network.roots.get(operators[operators.length - 1].output.root)!;
  const ratios = new Map<string, readonly [number, number]>([[last.name, [1, 1]]]);
  const spans = new Map<string, { lo: number; hi: number }>();
  /** channels of each tensor that the phase makes */
  const written = new Map<string, number>();
  const read = new Set<string>();
  for (const { inputs, output } of operators) {
    for (const { root } of inputs) read.add(root);
    // a tensor is whole before anything reads it
    if (read.has(output.root)) return null;
  }
  for (const { inputs, output, window } of [...operators].reverse()) {
    const root = network.roots.get(output.root)!;
    let ratio = ratios.get(output.root);
    if (ratio === undefined) {
      if (root.height !== last.height || root.width !== last.width) return null;
      ratio = [1, 1];
      ratios.set(output.root, ratio);
    }
    written.set(output.root, (written.get(output.root) ?? 0) + output.channels);
    widen(spans, output.root, output);
    for (const input of inputs) {
      const [y, x] = [ratio[0] * window.stride[0], ratio[1] * window.stride[1]];
      const known = ratios.get(input.root);
      if (known !== undefined && (known[0] !== y || known[1] !== x)) return null;
      ratios.set(input.root, [y, x]);
      widen(spans, input.root, input);
    }
  }
  const uses = new Map<string, RootUse>();
  for (const [name, [ratioY, ratioX]] of ratios) {
    const root = network.roots.get(name)!;
    const inside = (index: number) => index >= first && index < end;
    const isWritten = written.has(name);
    const crosses = root.external || !root.writers.every(inside) || !root.readers.every(inside);
    // a part made here beside one made before must not be read here
    if (isWritten && read.has(name) && !root.writers.every(inside)) return null;
    const { lo, hi } = spans.get(name)!;
    // what is stored has no gaps
    if (isWritten && written.get(name) !== hi - lo) return null;
    const kind = !isWritten ? "input" : crosses ? "output" : "within";
    uses.set(name, { root, ratioY, ratioX, channels: { lo, hi }, kind, isRead: read.has(name) });
  }
  return { operators, uses };
}

function widen(spans: Map<string, { lo: number; hi: number }>, root: string, { offset, channels }: Part): void {
  const span = spans.get(root) ?? { lo: offset, hi: offset };
  spans.set(root, { lo: Math.min(span.lo, offset), hi: Math.max(span.hi, offset + channels) });
}

/** One direction, rows or columns. */
interface Direction {
  readonly ratio: (use: RootUse) => number;
  readonly extent: (root: Root) => number;
  readonly read: (span: Span, window: Window) => Span;
}
const ROWS: Direction = { ratio: (use) => use.ratioY, extent: (root) => root.height, read: rowsRead };
const COLS: Direction = { ratio: (use) => use.ratioX, extent: (root) => root.width, read: colsRead };

/**
 * Rows (or columns) of every tensor that a stretch of an agent's part of the result needs: its own share of the tensor, also where nothing
 * reads it, and what windows reach.
 * @param agents that share out the rows; @param size rows of the result that each has
 */
function needs(
  { operators, uses }: PhaseShape,
  result: Span,
  size: number,
  agents: number,
  { ratio, extent, read }: Direction,
): Map<string, Span> {
  const spans = new Map<string, Span>();
  for (const [name, use] of uses) {
    if (use.kind === "input") continue;
    const of = ratio(use);
    // rows at the tensor's end that no window of the result reaches belong to the last stretch
    const rest = result.hi === size ? Math.max(0, extent(use.root) - agents * size * of) : 0;
    spans.set(name, { lo: result.lo * of, hi: result.hi * of + rest });
  }
  for (const { inputs, output, window } of [...operators].reverse()) {
    const wanted = read(spans.get(output.root)!, window);
    for (const { root } of inputs) {
      const { lo, hi } = spans.get(root) ?? wanted;
      spans.set(root, { lo: Math.min(lo, wanted.lo), hi: Math.max(hi, wanted.hi) });
    }
  }
  return spans;
}

type Tiling = Pick<PhaseChoice, "gridY" | "gridX" | "tile">;

export const rowNeeds = (shape: PhaseShape, { tile, gridY }: Tiling, rows: Span = { lo: 0, hi: tile.height }) =>
  needs(shape, rows, tile.height, gridY, ROWS);
export const colNeeds = (shape: PhaseShape, { tile, gridX }: Tiling, cols: Span = { lo: 0, hi: tile.width }) =>
  needs(shape, cols, tile.width, gridX, COLS);

/** Whether the parts of all agents make up every result of the phase. */
export function coversResults({ uses }: PhaseShape, { tile, gridY, gridX }: Tiling): boolean {
  return [...uses.values()].every(
    ({ kind, root, ratioY, ratioX }) =>
      kind !== "output" || (gridY * tile.height * ratioY >= root.height && gridX * tile.width * ratioX >= root.width),
  );
}

/** Result rows of a stripe, and of every tensor the rows in SRAM, and of these the new ones. */
export interface StripeRows {
  readonly rows: Span;
  readonly needed: ReadonlyMap<string, Span>;
  readonly fresh: ReadonlyMap<string, Span>;
}

/** Result columns of a pass over an agent's tile, and the columns of every tensor. */
export interface StripeCols {
  readonly cols: Span;
  readonly columns: ReadonlyMap<string, Span>;
}

export type Stripe = StripeRows & StripeCols;

/** How many stripes there are down and across an agent's tile. */
export function stripeCounts({ tile, stripeRows, stripeCols }: PhaseChoice): { down: number; across: number } {
  return { down: Math.ceil(tile.height / stripeRows), across: Math.ceil(tile.width / stripeCols) };
}

function rowsAt(shape: PhaseShape, tiling: Tiling, stripeRows: number, i: number): StripeRows {
  const spanAt = (at: number) => ({ lo: at * stripeRows, hi: Math.min((at + 1) * stripeRows, tiling.tile.height) });
  const needed = rowNeeds(shape, tiling, spanAt(i));
  const before = i > 0 ? rowNeeds(shape, tiling, spanAt(i - 1)) : null;
  const fresh = new Map<string, Span>();
  for (const [name, { lo, hi }] of needed) {
    const done = before?.get(name)?.hi ?? lo;
    fresh.set(name, { lo: Math.min(Math.max(lo, done), hi), hi });
  }
  return { rows: spanAt(i), needed, fresh };
}

function colsAt(shape: PhaseShape, tiling: Tiling, stripeCols: number, i: number): StripeCols {
  const cols = { lo: i * stripeCols, hi: Math.min((i + 1) * stripeCols, tiling.tile.width) };
  return { cols, columns: colNeeds(shape, tiling, cols) };
}

/** All stripes of an agent's tile, top to bottom within columns. */
export function stripesOf(shape: PhaseShape, choice: PhaseChoice): Stripe[] {
  const { down, across } = stripeCounts(choice);
  const rows = Array.from({ length: down }, (_, i) => rowsAt(shape, choice, choice.stripeRows, i));
  return Array.from({ length: across }, (_, i) => colsAt(shape, choice, choice.stripeCols, i)).flatMap((cols) =>
    rows.map((row) => ({ ...row, ...cols })),
  );
}

/** Bytes of SRAM that a tensor's rows in a stripe take. */
export function useBytes({ root, channels }: RootUse, rows: Span, cols: Span): number {
  return (rows.hi - rows.lo) * (cols.hi - cols.lo) * (channels.hi - channels.lo) * root.bytes;
}

/** Whether a tensor of a phase has buffers of the phase's own. */
export function hasBuffer(use: RootUse, choice: Pick<PhaseChoice, "homes" | "storeStripes">): boolean {
  if (use.kind === "within") return true;
  if (choice.homes.get(use.root.name) === "sram") return false;
  return use.kind === "input" || choice.storeStripes || use.isRead;
}

/** Extents of a convolution's weights as they lie in SRAM, blocks of array.cols output channels. */
export function weightExtents({ group, output }: Operator, cols: number): { blocks: number; rows: number } | null {
  if (group.kind !== "conv") return null;
  const { bias, weights } = group.conv;
  return { blocks: Math.ceil(output.channels / cols), rows: weights.length / bias.length };
}

/** Bytes of a phase's shift tables. */
export function tableBytes(shape: PhaseShape): number {
  return shape.operators.reduce(
    (sum, { group, output }) => sum + (group.kind === "conv" ? aligned(output.channels * 4) : 0),
    0,
  );
}

/** All weights of a phase. */
export function weightBytes(shape: PhaseShape, machine: Machine): number {
  const cols = machine.parameters["array.cols"];
  return shape.operators.reduce((sum, operator) => {
    const extents = weightExtents(operator, cols);
    return sum + (extents === null ? 0 : aligned(extents.blocks * extents.rows * cols));
  }, 0);
}
