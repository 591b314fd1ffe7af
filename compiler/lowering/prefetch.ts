/** The stream of a schedule: constants are loaded some pieces of work early, across the borders of phases where SRAM has room. */
import type { Machine } from "../../isa/index.ts";
import type { Buffer, Draft } from "../../kernels/index.ts";
import { weightBytes } from "../schedule/phase.ts";
import type { Step } from "../schedule/steps.ts";
import { placeBarriers } from "./barriers.ts";
import { allocateByUse, type BufferUse } from "./buffers.ts";
import type { PhaseItem } from "./phase-emit.ts";

/** Constants are loaded this many pieces of work ahead. */
const LOAD_AHEAD = 2;

/**
 * All work in program order, with addresses; null when it takes more SRAM than there is. A phase's first constants begin as early in the
 * phase before as their loading takes, or a little ahead, or with the phase itself: the earliest for which SRAM has room.
 * @param items of each step
 */
export function withPrefetch(
  items: readonly (readonly PhaseItem[])[],
  steps: readonly Step[],
  machine: Machine,
): Draft[] | null {
  const stream = new Stream(items);
  const fits = (leads: readonly number[]) => allocateByUse(stream.uses(leads)) <= machine.parameters["sram.bytes"];
  const early = steps.map((step, i) => leadOf(step, steps[i - 1], items[i - 1]?.length ?? 0, machine));
  if (fits(early)) return stream.drafts(early);
  const leads = steps.map(() => 0);
  if (!fits(leads)) return null;
  for (let i = 1; i < steps.length; i++) {
    for (const lead of new Set([early[i], LOAD_AHEAD])) {
      leads[i] = lead;
      if (fits(leads)) break;
      leads[i] = 0;
    }
  }
  // addresses are those of the last try
  fits(leads);
  return stream.drafts(leads);
}

/** Pieces of work of the phase before that take as long as loading a phase's resident weights. */
function leadOf(step: Step, before: Step | undefined, pieces: number, machine: Machine): number {
  if (step.kind !== "phase" || before?.kind !== "phase" || !step.choice.weightsResident) return LOAD_AHEAD;
  const loadCycles = weightBytes(step.shape, machine) / machine.parameters["dram.bytesPerCycle"];
  return LOAD_AHEAD + Math.ceil(pieces * Math.min(1, loadCycles / before.cost.cycles));
}

/** A piece of work that loads constants, by its place in the stream. */
interface ConstantLoads {
  readonly step: number;
  /** the step's first piece */
  readonly start: number;
  readonly piece: number;
  /** none of the step's pieces before it loads any */
  readonly isFirst: boolean;
  readonly constants: readonly Draft[];
}

/** Work whose constants may be loaded earlier or later. */
class Stream {
  private readonly all: readonly PhaseItem[];
  private readonly loads: ConstantLoads[] = [];
  /** position of each piece's first draft, constants not counted */
  private readonly positions: number[] = [];
  /** of buffers by everything but loads of constants */
  private readonly fixed = new Map<Buffer, BufferUse>();

  constructor(items: readonly (readonly PhaseItem[])[]) {
    this.all = items.flat();
    let start = 0;
    items.forEach((own, step) => {
      const first = own.findIndex(({ constants }) => constants.length > 0);
      own.forEach(({ constants }, i) => {
        if (constants.length > 0) this.loads.push({ step, start, piece: start + i, isFirst: i === first, constants });
      });
      start += own.length;
    });
    let position = 0;
    for (const { drafts } of this.all) {
      this.positions.push(position);
      for (const draft of drafts) widen(this.fixed, draft, position++);
    }
  }

  /** When each buffer is in use. @param leads of each step: how many pieces its first constants go ahead; 0: none go before the step */
  uses(leads: readonly number[]): Map<Buffer, BufferUse> {
    const uses = new Map<Buffer, BufferUse>();
    for (const [buffer, use] of this.fixed) uses.set(buffer, { ...use });
    // between the drafts of two pieces
    this.place(leads, (constant, piece) => widen(uses, constant, this.positions[piece] - 0.5));
    return uses;
  }

  drafts(leads: readonly number[]): Draft[] {
    const early: Draft[][] = this.all.map(() => []);
    this.place(leads, (constant, piece) => early[piece].push(constant));
    return placeBarriers(this.all.flatMap(({ drafts }, i) => [...early[i], ...drafts]));
  }

  private place(leads: readonly number[], at: (constant: Draft, piece: number) => void): void {
    for (const { step, start, piece, isFirst, constants } of this.loads) {
      const floor = leads[step] === 0 ? start : 0;
      const early = isFirst ? start - leads[step] : piece - LOAD_AHEAD;
      for (const constant of constants) at(constant, Math.max(floor, early));
    }
  }
}

function widen(uses: Map<Buffer, BufferUse>, { views }: Draft, at: number): void {
  for (const field in views) {
    const { buffer } = views[field];
    const use = uses.get(buffer);
    if (use === undefined) uses.set(buffer, { first: at, last: at });
    else {
      use.first = Math.min(use.first, at);
      use.last = Math.max(use.last, at);
    }
  }
}
