/** Drafts with view instructions in the place of their views. */
import { type BoundInstruction, type InstructionOf, instruction } from "../../isa/index.ts";
import type { Draft, Grid, TileView } from "../../kernels/index.ts";

export type ViewInstruction = InstructionOf<"view">;

/** View instructions (register 0 for now) for the views of drafts. The buffers must be allocated. */
export class Binder {
  /** most views serve many instructions in turn */
  private readonly known = new Map<number, Map<TileView, ViewInstruction>>();

  /** A draft with its views; programs are long, so none is kept. */
  bind({ instruction, views }: Draft): BoundInstruction {
    const { gridY, gridX } = instruction;
    const grid = gridY * 65536 + gridX;
    let ofGrid = this.known.get(grid);
    if (ofGrid === undefined) {
      ofGrid = new Map();
      this.known.set(grid, ofGrid);
    }
    const bound: Record<string, ViewInstruction> = {};
    for (const field in views) {
      const view = views[field];
      let made = ofGrid.get(view);
      if (made === undefined) {
        made = viewInstruction(view, { gridY, gridX });
        ofGrid.set(view, made);
      }
      bound[field] = made;
    }
    return { instruction, views: bound };
  }
}

function viewInstruction({ tensor, y, x, c, buffer, rowPitch, pixelPitch }: TileView, grid: Grid): ViewInstruction {
  return instruction("view", { ...grid, tensor, y, x, c, address: buffer.address, rowPitch, pixelPitch });
}
