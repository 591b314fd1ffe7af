/**
 * What lies in one agent's SRAM, when: seen from the accesses of the instructions in the order of their time. Bytes live from the
 * start of the instruction that writes them to the end of the last one that reads them before others take their place.
 */
import { type CheckedProgram, effects, type Region } from "../isa/index.ts";
import type { TimelineRow } from "./recording.ts";

/** Bytes of SRAM that were written and read at about the same times. */
export interface SramBuffer {
  readonly address: number;
  readonly bytes: number;
  readonly startCycle: number;
  readonly endCycle: number;
  /** that wrote it */
  readonly layer: string;
  /** whose elements lie there; `` where an instruction writes none */
  readonly tensor: string;
}

export interface SramMap {
  readonly agent: number;
  /** of the agent's SRAM */
  readonly bytes: number;
  /** Contents are told apart in pieces of so many bytes. */
  readonly pieceBytes: number;
  /** In order of start, then of address. */
  readonly buffers: readonly SramBuffer[];
}

/** Bytes are told apart in pieces of so many, or a part of the whole SRAM that gives enough rows to draw. */
const LEAST_PIECE_BYTES = 64;
const MOST_PIECES = 1024;

/** The life of one piece's content. */
interface Life {
  readonly start: number;
  end: number;
  readonly layer: string;
  readonly tensor: string;
  isRead: boolean;
}

export function sramMapOf({ program, bound }: CheckedProgram, rows: readonly TimelineRow[], agent: number): SramMap {
  const bytes = program.machine.parameters["sram.bytes"];
  const pieceBytes = Math.max(LEAST_PIECE_BYTES, Math.ceil(bytes / MOST_PIECES));
  const living: (Life | undefined)[] = new Array(Math.ceil(bytes / pieceBytes));
  const lives: Life[][] = Array.from(living, () => []);

  const written = (piece: number, row: TimelineRow, tensor: string) => {
    const life = living[piece];
    if (life !== undefined && !life.isRead && life.tensor === tensor) {
      life.end = Math.max(life.end, row.endCycle);
      return;
    }
    const next = { start: row.startCycle, end: row.endCycle, layer: row.layer, tensor, isRead: false };
    if (life !== undefined) life.end = Math.min(life.end, next.start);
    living[piece] = next;
    lives[piece].push(next);
  };
  const read = (piece: number, row: TimelineRow) => {
    const life = living[piece];
    if (life === undefined) return;
    life.end = Math.max(life.end, row.endCycle);
    life.isRead = true;
  };

  const sorted = [...rows].sort((a, b) => a.startCycle - b.startCycle || a.index - b.index);
  for (const row of sorted) {
    // only copies write to another agent's SRAM
    if (row.agent !== agent && row.op !== "copy") continue;
    const { views } = bound[row.index];
    const tensor = "dst" in views ? program.tensors[views.dst.tensor].name : "";
    const accesses = effects(program, bound[row.index], row.agent).filter(
      (a) => a.space === "sram" && a.agent === agent,
    );
    for (const { region } of accesses.filter(({ write }) => !write)) {
      eachPiece(region, pieceBytes, (piece) => read(piece, row));
    }
    for (const { region } of accesses.filter(({ write }) => write)) {
      eachPiece(region, pieceBytes, (piece) => written(piece, row, tensor));
    }
  }
  return { agent, bytes, pieceBytes, buffers: buffersOf(lives, pieceBytes) };
}

/** Every piece that a region touches, once for each of its rows. */
function eachPiece(
  { base, n0, pitch0, n1, pitch1, bytes }: Region,
  pieceBytes: number,
  visit: (piece: number) => void,
) {
  for (let i = 0; i < n0; i++) {
    let done = -1;
    for (let j = 0; j < n1; j++) {
      const from = base + i * pitch0 + j * pitch1;
      const last = Math.floor((from + bytes - 1) / pieceBytes);
      for (let piece = Math.max(done + 1, Math.floor(from / pieceBytes)); piece <= last; piece++) visit(piece);
      done = last;
    }
  }
}

/** Neighbouring pieces with the same tensor that began and ended at the same times, together. */
function buffersOf(lives: readonly (readonly Life[])[], pieceBytes: number): SramBuffer[] {
  const buffers: SramBuffer[] = [];
  let open = new Map<string, { address: number; life: Life }>();
  for (let piece = 0; piece <= lives.length; piece++) {
    const next: typeof open = new Map();
    for (const life of lives[piece] ?? []) {
      const key = `${life.start} ${life.end} ${life.tensor}`;
      next.set(key, open.get(key) ?? { address: piece * pieceBytes, life });
    }
    for (const [key, { address, life }] of open) {
      if (next.has(key)) continue;
      const { start: startCycle, end: endCycle, layer, tensor } = life;
      buffers.push({ address, bytes: piece * pieceBytes - address, startCycle, endCycle, layer, tensor });
    }
    open = next;
  }
  return buffers.sort((a, b) => a.startCycle - b.startCycle || a.address - b.address);
}

/** The changes of how many bytes live, in order of time: one for each cycle at which there is any. */
export function liveBytes(buffers: readonly SramBuffer[]): { readonly cycle: number; readonly bytes: number }[] {
  const changes = new Map<number, number>();
  for (const { startCycle, endCycle, bytes } of buffers) {
    changes.set(startCycle, (changes.get(startCycle) ?? 0) + bytes);
    changes.set(endCycle, (changes.get(endCycle) ?? 0) - bytes);
  }
  let sum = 0;
  return [...changes]
    .sort(([a], [b]) => a - b)
    .map(([cycle, change]) => {
      sum += change;
      return { cycle, bytes: sum };
    });
}
