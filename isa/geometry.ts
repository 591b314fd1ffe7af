/** Boxes in tensor coordinates, clipped per agent; tile views; strided byte regions and their overlap. */
import { FORMAT_BYTES, type Format } from "./numerics.ts";
import type { Axis, Instruction, InstructionOf } from "./table.ts";

/** What clips a box: a tensor's extents [height, width, channels]. */
export interface Extents {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Grid position of an agent under an instruction. */
export interface GridPosition {
  readonly iy: number;
  readonly ix: number;
}

/** Position of `agent` in the instruction's grid, or null when it lies outside and does no work. */
export function gridPosition(instruction: { gridY: number; gridX: number }, agent: number): GridPosition | null {
  const iy = Math.floor(agent / instruction.gridX);
  return iy < instruction.gridY ? { iy, ix: agent % instruction.gridX } : null;
}

/** Half-open box [y0, y1) x [x0, x1) x [c0, c1). */
export interface Box {
  readonly y0: number;
  readonly y1: number;
  readonly x0: number;
  readonly x1: number;
  readonly c0: number;
  readonly c1: number;
}

export function boxVolume(box: Box): number {
  return (box.y1 - box.y0) * (box.x1 - box.x0) * (box.c1 - box.c0);
}

/** Where an axis of a box or window starts, by the agent's place in the grid. */
export function startOf({ base, stepA, stepB }: Axis, iy: number, ix: number): number {
  return base + iy * stepA + ix * stepB;
}

/** Whether agents have it in different places. */
export function moves({ stepA, stepB }: Axis): boolean {
  return stepA !== 0 || stepB !== 0;
}

/** The box of an agent before clipping. */
export function unclippedBox({ y, x, c }: { y: Axis; x: Axis; c: Axis }, { iy, ix }: GridPosition): Box {
  const y0 = startOf(y, iy, ix);
  const x0 = startOf(x, iy, ix);
  const c0 = startOf(c, iy, ix);
  return { y0, y1: y0 + y.extent, x0, x1: x0 + x.extent, c0, c1: c0 + c.extent };
}

/** The part of a box inside a tensor, or null when nothing is left. */
export function clipBox(box: Box, extents: Extents): Box | null {
  if (isInTensor(box, extents) && boxVolume(box) > 0) return box;
  const clipped = {
    y0: Math.max(box.y0, 0),
    y1: Math.min(box.y1, extents.height),
    x0: Math.max(box.x0, 0),
    x1: Math.min(box.x1, extents.width),
    c0: Math.max(box.c0, 0),
    c1: Math.min(box.c1, extents.channels),
  };
  return clipped.y0 < clipped.y1 && clipped.x0 < clipped.x1 && clipped.c0 < clipped.c1 ? clipped : null;
}

/** A view register's contents as one agent sees it: window, address, pitches. */
export interface View {
  readonly tensor: number;
  readonly format: Format;
  readonly window: Box;
  readonly address: number;
  readonly rowPitch: number;
  readonly pixelPitch: number;
}

export function resolveView(instruction: InstructionOf<"view">, format: Format, at: GridPosition): View {
  return {
    tensor: instruction.tensor,
    format,
    window: unclippedBox(instruction, at),
    address: instruction.address,
    rowPitch: instruction.rowPitch,
    pixelPitch: instruction.pixelPitch,
  };
}

/** SRAM address of element (y, x, c). */
export function viewAddress(view: View, y: number, x: number, c: number): number {
  const { window } = view;
  return (
    view.address +
    (y - window.y0) * view.rowPitch +
    (x - window.x0) * view.pixelPitch +
    (c - window.c0) * FORMAT_BYTES[view.format]
  );
}

export function isInTensor(box: Box, { height, width, channels }: Extents): boolean {
  return box.y0 >= 0 && box.x0 >= 0 && box.c0 >= 0 && box.y1 <= height && box.x1 <= width && box.c1 <= channels;
}

export function isInside(box: Box, window: Box): boolean {
  return (
    box.y0 >= window.y0 &&
    box.y1 <= window.y1 &&
    box.x0 >= window.x0 &&
    box.x1 <= window.x1 &&
    box.c0 >= window.c0 &&
    box.c1 <= window.c1
  );
}

/**
 * Bytes touched by one access: n0 x n1 runs of `bytes`, run (i, j) at base + i * pitch0 + j * pitch1.
 * Runs ascend: pitch1 >= bytes or n1 = 1; pitch0 >= the span of one row or n0 = 1.
 */
export interface Region {
  readonly base: number;
  readonly n0: number;
  readonly pitch0: number;
  readonly n1: number;
  readonly pitch1: number;
  readonly bytes: number;
}

/** What is made of an access's bytes, given as for `Region`. */
export type OfRuns<T> = (base: number, n0: number, pitch0: number, n1: number, pitch1: number, bytes: number) => T;

/** The end of the last run; Infinity when the first begins before 0. */
export const endOfRuns: OfRuns<number> = (base, n0, pitch0, n1, pitch1, bytes) =>
  base < 0 ? Number.POSITIVE_INFINITY : base + (n0 - 1) * pitch0 + (n1 - 1) * pitch1 + bytes;

/** A region in its simplest form: runs that touch are joined. */
export function region(base: number, n0: number, pitch0: number, n1: number, pitch1: number, bytes: number): Region {
  let m1 = n1;
  let run = bytes;
  if (m1 === 1 || pitch1 === run) {
    run = m1 === 1 ? run : m1 * run;
    m1 = 1;
    if (n0 === 1 || pitch0 === run)
      return { base, n0: 1, pitch0: 0, n1: 1, pitch1: 0, bytes: n0 === 1 ? run : n0 * run };
    return { base, n0: 1, pitch0: 0, n1: n0, pitch1: pitch0, bytes: run };
  }
  if (n0 === 1) return { base, n0: 1, pitch0: 0, n1: m1, pitch1, bytes: run };
  return { base, n0, pitch0, n1: m1, pitch1, bytes: run };
}

export function regionEnd(r: Region): number {
  return r.base + (r.n0 - 1) * r.pitch0 + (r.n1 - 1) * r.pitch1 + r.bytes;
}

export function regionBytes(r: Region): number {
  return r.n0 * r.n1 * r.bytes;
}

/** Bytes of a view's box in SRAM. The box must be inside the window. */
export function viewRegion(view: View, box: Box): Region {
  return viewRuns(view, box, region);
}

export function viewRuns<T>(view: View, box: Box, make: OfRuns<T>): T {
  return make(
    viewAddress(view, box.y0, box.x0, box.c0),
    box.y1 - box.y0,
    view.rowPitch,
    box.x1 - box.x0,
    view.pixelPitch,
    (box.c1 - box.c0) * FORMAT_BYTES[view.format],
  );
}

/** A tensor in DRAM: dense [height][width][channels] from `address`. */
export interface DramTensor extends Extents {
  readonly format: Format;
  readonly address: number;
}

export function dramRegion(tensor: DramTensor, box: Box): Region {
  return dramRuns(tensor, box, region);
}

export function dramRuns<T>(tensor: DramTensor, box: Box, make: OfRuns<T>): T {
  const pixel = tensor.channels * FORMAT_BYTES[tensor.format];
  const row = tensor.width * pixel;
  return make(
    tensor.address + box.y0 * row + box.x0 * pixel + box.c0 * FORMAT_BYTES[tensor.format],
    box.y1 - box.y0,
    row,
    box.x1 - box.x0,
    pixel,
    (box.c1 - box.c0) * FORMAT_BYTES[tensor.format],
  );
}

/** Whether two rows of runs share a byte. */
function runsOverlap(
  a: number,
  na: number,
  pa: number,
  la: number,
  b: number,
  nb: number,
  pb: number,
  lb: number,
): boolean {
  if (a + (na - 1) * pa + la <= b || b + (nb - 1) * pb + lb <= a) return false;
  if (na === 1 && nb === 1) return true;
  let i = na > 1 && b > a ? Math.min(na - 1, Math.floor((b - a) / pa)) : 0;
  let j = nb > 1 && a > b ? Math.min(nb - 1, Math.floor((a - b) / pb)) : 0;
  while (i < na && j < nb) {
    const startA = a + i * pa;
    const startB = b + j * pb;
    if (startA + la <= startB) i++;
    else if (startB + lb <= startA) j++;
    else return true;
  }
  return false;
}

/** Whether two regions share a byte. Exact. */
export function regionsOverlap(a: Region, b: Region): boolean {
  if (regionEnd(a) <= b.base || regionEnd(b) <= a.base) return false;
  if (a.n0 === 1 && b.n0 === 1) return runsOverlap(a.base, a.n1, a.pitch1, a.bytes, b.base, b.n1, b.pitch1, b.bytes);
  const spanA = (a.n1 - 1) * a.pitch1 + a.bytes;
  const spanB = (b.n1 - 1) * b.pitch1 + b.bytes;
  let i = 0;
  let j = 0;
  while (i < a.n0 && j < b.n0) {
    const startA = a.base + i * a.pitch0;
    const startB = b.base + j * b.pitch0;
    if (startA + spanA <= startB) i++;
    else if (startB + spanB <= startA) j++;
    else {
      if (runsOverlap(startA, a.n1, a.pitch1, a.bytes, startB, b.n1, b.pitch1, b.bytes)) return true;
      // the row that ends first can meet no further row of the other
      if (startA + spanA < startB + spanB) i++;
      else j++;
    }
  }
  return false;
}

/**
 * Whether every byte of `inner` lies in `outer`. True is always right; false may be wrong when outer is in pieces and the
 * pitches of both differ.
 */
export function regionCovers(outer: Region, inner: Region): boolean {
  if (inner.base < outer.base || regionEnd(inner) > regionEnd(outer)) return false;
  if (outer.n0 === 1 && outer.n1 === 1) return true;
  if (inner.n0 > 1 && inner.pitch0 !== outer.pitch0) return false;
  if (inner.n1 > 1 && inner.pitch1 !== outer.pitch1) return false;
  // the run of outer that holds inner's first byte; from there on both go in step
  const offset = inner.base - outer.base;
  const row = outer.n0 === 1 ? 0 : Math.min(outer.n0 - 1, Math.floor(offset / outer.pitch0));
  const inRow = offset - row * outer.pitch0;
  const column = outer.n1 === 1 ? 0 : Math.min(outer.n1 - 1, Math.floor(inRow / outer.pitch1));
  const inRun = inRow - column * outer.pitch1;
  return row + inner.n0 <= outer.n0 && column + inner.n1 <= outer.n1 && inRun + inner.bytes <= outer.bytes;
}

/** Agents that share one multicast load with `agent`, ascending; just the agent when there is no multicast. */
export function multicastGroup(instruction: InstructionOf<"load">, agent: number): number[] {
  const { gridY, gridX, multicast } = instruction;
  const at = gridPosition(instruction, agent);
  if (at === null || multicast === "none") return [agent];
  const group: number[] = [];
  for (let iy = 0; iy < gridY; iy++) {
    for (let ix = 0; ix < gridX; ix++) {
      if (multicast === "all" || (multicast === "row" ? iy === at.iy : ix === at.ix)) group.push(iy * gridX + ix);
    }
  }
  return group;
}

/** The agent at a copy's grid offset from `agent`, or null when outside the grid. */
export function copyTarget(instruction: InstructionOf<"copy">, agent: number): number | null {
  const at = gridPosition(instruction, agent);
  if (at === null) return null;
  const iy = at.iy + instruction.offsetY;
  const ix = at.ix + instruction.offsetX;
  if (iy < 0 || iy >= instruction.gridY || ix < 0 || ix >= instruction.gridX) return null;
  return iy * instruction.gridX + ix;
}

/** True for instructions with a box. */
export function hasBox(instruction: Instruction): instruction is Extract<Instruction, { y: Axis }> {
  return "y" in instruction;
}
