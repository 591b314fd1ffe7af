/** Barriers between layers: what one agent stored, another may load only after all agents have stored. */
import { instruction } from "../../isa/index.ts";
import type { Draft } from "../../kernels/index.ts";

/**
 * Puts a `sync` before every load of a tensor stored since the last one. The frame begins with one that holds back its
 * stores until the loads of the frame before have ended, for frames that overlap.
 */
export function placeBarriers(drafts: readonly Draft[]): Draft[] {
  const out: Draft[] = [];
  const stored = new Set<number>();
  const barrier = (near: Draft, after: readonly ("load" | "store")[], before: "load" | "store") =>
    out.push({
      instruction: instruction("sync", { after, before: [before] }),
      views: {},
      layer: near.layer,
      tile: near.tile,
    });
  if (drafts.length > 0) barrier(drafts[0], ["load", "store"], "store");
  for (const draft of drafts) {
    if (draft.instruction.op === "load" && stored.has(draft.views.dst.tensor)) {
      barrier(draft, ["store"], "load");
      stored.clear();
    }
    if (draft.instruction.op === "store") stored.add(draft.views.src.tensor);
    out.push(draft);
  }
  return out;
}
