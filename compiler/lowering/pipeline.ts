/** Software pipelining of a group's work: loads of the next item stand before the computing of this one. */
import type { Draft } from "../../kernels/index.ts";

export interface WorkItem {
  /** What must be loaded for this item and was not before. */
  readonly loads: Draft[];
  readonly compute: Draft[];
}

/** One stream from a group's items. Without prefetch there is one buffer of each kind, so loads wait for their turn. */
export function interleave(items: readonly WorkItem[], prefetch: boolean): Draft[] {
  const drafts: Draft[] = [];
  items.forEach((item, i) => {
    if (!prefetch || i === 0) drafts.push(...item.loads);
    if (prefetch && i + 1 < items.length) drafts.push(...items[i + 1].loads);
    drafts.push(...item.compute);
  });
  return drafts;
}
