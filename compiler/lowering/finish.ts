/** From drafts to a stream: view registers are given out, least recently used first, view instructions and fences put in. */
import { type Instruction, instruction, UNIT_KINDS, unitKindOf, VIEW_REGISTERS, WAIT_SLOTS } from "../../isa/index.ts";
import type { Draft } from "../../kernels/index.ts";
import type { Binder, ViewInstruction } from "./binder.ts";
import type { Synchronization } from "./dependencies.ts";

/**
 * Instructions with register numbers, waits and signals, and for each the index of the draft it comes from. The drafts are used up: it is their
 * own instructions that are completed, since copies would take as much memory again.
 */
export function finishStream(
  drafts: readonly Draft[],
  binder: Binder,
  { waits, signals }: Pick<Synchronization, "waits" | "signals"> = { waits: [], signals: [] },
): { instructions: Instruction[]; origin: number[] } {
  const instructions: Instruction[] = [];
  const origin: number[] = [];
  const registers = new ViewRegisters();
  drafts.forEach((draft, i) => {
    const { instruction, views } = binder.bind(draft);
    const push = (item: Instruction) => {
      instructions.push(item);
      origin.push(i);
    };
    // where an instruction has more than fit, fences stand before or behind it
    const before = slotsOf(waits[i]);
    const after = slotsOf(signals[i]);
    for (const ids of before.slice(0, -1)) push(fence(instruction, { waits: ids }));
    const given: Record<string, unknown> = { waits: before[before.length - 1], signals: after[0] };
    for (const field in views) {
      const view = views[field];
      let entry = registers.get(view);
      if (entry === undefined) {
        entry = registers.take(view);
        push({ ...view, view: entry.register });
      }
      entry.used = i;
      given[field] = entry.register;
    }
    push(Object.assign(instruction, given));
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
