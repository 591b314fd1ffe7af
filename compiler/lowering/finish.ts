/** From drafts to a stream: view registers are given out, least recently used first, view instructions and fences put in. */
import {
  type BoundInstruction,
  type Instruction,
  type InstructionOf,
  instruction,
  UNIT_KINDS,
  unitKindOf,
  VIEW_REGISTERS,
  WAIT_SLOTS,
} from "../../isa/index.ts";
import type { Draft, Grid, TileView } from "../../kernels/index.ts";
import type { Synchronization } from "./dependencies.ts";

/** Drafts with their views as view instructions (register 0 for now). The buffers must be allocated. */
export function bindDrafts(drafts: readonly Draft[]): BoundInstruction[] {
  // most views serve many instructions in turn
  const known = new Map<string, Map<TileView, InstructionOf<"view">>>();
  return drafts.map(({ instruction, views }) => {
    const { gridY, gridX } = instruction;
    const grid = `${gridY}x${gridX}`;
    let ofGrid = known.get(grid);
    if (ofGrid === undefined) {
      ofGrid = new Map();
      known.set(grid, ofGrid);
    }
    const bound: Record<string, InstructionOf<"view">> = {};
    for (const [field, view] of Object.entries(views)) {
      let made = ofGrid.get(view);
      if (made === undefined) {
        made = viewInstruction(view, { gridY, gridX });
        ofGrid.set(view, made);
      }
      bound[field] = made;
    }
    return { instruction, views: bound };
  });
}

function viewInstruction(
  { tensor, y, x, c, buffer, rowPitch, pixelPitch }: TileView,
  grid: Grid,
): InstructionOf<"view"> {
  return instruction("view", { ...grid, tensor, y, x, c, address: buffer.address, rowPitch, pixelPitch });
}

/** Instructions with register numbers, waits and signals, and for each the index of the bound instruction it comes from. */
export function finishStream(
  stream: readonly BoundInstruction[],
  { waits, signals }: Pick<Synchronization, "waits" | "signals"> = { waits: [], signals: [] },
): { instructions: Instruction[]; origin: number[] } {
  const instructions: Instruction[] = [];
  const origin: number[] = [];
  const registers = new ViewRegisters();
  stream.forEach(({ instruction, views }, i) => {
    const push = (item: Instruction) => {
      instructions.push(item);
      origin.push(i);
    };
    // where an instruction has more than fit, fences stand before or behind it
    const before = slotsOf(waits[i]);
    const after = slotsOf(signals[i]);
    for (const ids of before.slice(0, -1)) push(fence(instruction, { waits: ids }));
    const made: Record<string, unknown> = { ...instruction, waits: before[before.length - 1], signals: after[0] };
    for (const field in views) {
      const view = views[field];
      let entry = registers.get(view);
      if (entry === undefined) {
        entry = registers.take(view);
        push({ ...view, view: entry.register });
      }
      entry.used = i;
      made[field] = entry.register;
    }
    push(made as unknown as Instruction);
    for (const ids of after.slice(1)) push(fence(instruction, { signals: ids }));
  });
  return { instructions, origin };
}

const NONE: readonly number[] = [];

/** Semaphores in lots that an instruction has slots for. */
function slotsOf(ids = NONE): readonly (readonly number[])[] {
  if (ids.length <= WAIT_SLOTS) return [ids];
  return [ids.slice(0, WAIT_SLOTS), ...slotsOf(ids.slice(WAIT_SLOTS))];
}

/** In an instruction's unit. */
function fence(near: Instruction, given: Partial<Pick<Instruction, "waits" | "signals">>): Instruction {
  return instruction("fence", { unit: unitKindOf(near) ?? UNIT_KINDS[0], tp: near.tp, ...given });
}

type ViewInstruction = InstructionOf<"view">;

interface HeldView {
  readonly key: string;
  readonly register: number;
  /** index of the instruction that read it last */
  used: number;
}

class ViewRegisters {
  private readonly byKey = new Map<string, HeldView>();
  /** in the order in which they were given out */
  private readonly held: HeldView[] = [];
  private readonly keys = new Map<ViewInstruction, string>();

  /** The register that holds a view, or one with the same contents. */
  get(view: ViewInstruction): HeldView | undefined {
    return this.byKey.get(this.keyOf(view));
  }

  /** A free register for a view, or the one least recently used. */
  take(view: ViewInstruction): HeldView {
    let register = this.held.length;
    if (register === VIEW_REGISTERS) {
      const oldest = this.held.reduce((a, b) => (b.used < a.used ? b : a));
      this.held.splice(this.held.indexOf(oldest), 1);
      this.byKey.delete(oldest.key);
      register = oldest.register;
    }
    const entry = { key: this.keyOf(view), register, used: -1 };
    this.byKey.set(entry.key, entry);
    this.held.push(entry);
    return entry;
  }

  private keyOf(view: ViewInstruction): string {
    let key = this.keys.get(view);
    if (key === undefined) {
      key = JSON.stringify(view);
      this.keys.set(view, key);
    }
    return key;
  }
}
