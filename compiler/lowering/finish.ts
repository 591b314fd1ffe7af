/** From drafts to a stream: view registers are given out, least recently used first, and view instructions put in. */
import {
  type BoundInstruction,
  type Instruction,
  type InstructionOf,
  instruction,
  VIEW_REGISTERS,
} from "../../isa/index.ts";
import type { Draft, Grid, TileView } from "../../kernels/index.ts";

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

/** Instructions with register numbers, and for each the index of the bound instruction it comes from. */
export function assignViews(stream: readonly BoundInstruction[]): { instructions: Instruction[]; origin: number[] } {
  const instructions: Instruction[] = [];
  const origin: number[] = [];
  const held = new Map<string, { register: number; used: number }>();
  const keys = new Map<InstructionOf<"view">, string>();
  const keyOf = (view: InstructionOf<"view">): string => {
    let key = keys.get(view);
    if (key === undefined) {
      key = JSON.stringify(view);
      keys.set(view, key);
    }
    return key;
  };
  stream.forEach(({ instruction, views }, i) => {
    const registers: Record<string, number> = {};
    for (const [field, view] of Object.entries(views)) {
      const key = keyOf(view);
      let entry = held.get(key);
      if (entry === undefined) {
        const register = freeRegister(held);
        entry = { register, used: i };
        held.set(key, entry);
        instructions.push({ ...view, view: register });
        origin.push(i);
      }
      entry.used = i;
      registers[field] = entry.register;
    }
    instructions.push({ ...instruction, ...registers } as Instruction);
    origin.push(i);
  });
  return { instructions, origin };
}

function freeRegister(held: Map<string, { register: number; used: number }>): number {
  if (held.size < VIEW_REGISTERS) return held.size;
  let oldest: [string, { register: number; used: number }] | null = null;
  for (const entry of held) if (oldest === null || entry[1].used < oldest[1].used) oldest = entry;
  held.delete(oldest![0]);
  return oldest![1].register;
}
