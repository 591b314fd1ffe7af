/** How many of one list's boxes another list finds. */
import { type Box, boxIou } from "./box.ts";

interface ClassBox {
  readonly class: string;
  readonly box: Box;
}

/** matched of total reference boxes, and the mean IoU of the matched ones (0 when there are none). */
export interface MatchResult {
  readonly matched: number;
  readonly total: number;
  readonly meanIou: number;
  /** Of each reference box with its match; 0: it has none. */
  readonly ious: readonly number[];
}

/**
 * Pairs boxes of one class (upper and lower case alike, as in KITTI's own program) that overlap by minIou or more: the best
 * pair first, then the best of what is left, so each box is used once.
 */
export function matchBoxes(reference: readonly ClassBox[], found: readonly ClassBox[], minIou = 0.5): MatchResult {
  const pairs: { r: number; f: number; iou: number }[] = [];
  for (const [r, wanted] of reference.entries()) {
    for (const [f, box] of found.entries()) {
      if (wanted.class.toLowerCase() !== box.class.toLowerCase()) continue;
      const iou = boxIou(wanted.box, box.box);
      if (iou > 0 && iou >= minIou) pairs.push({ r, f, iou });
    }
  }
  pairs.sort((a, b) => b.iou - a.iou);
  const ious = reference.map(() => 0);
  const usedFound = new Set<number>();
  let matched = 0;
  let sum = 0;
  for (const { r, f, iou } of pairs) {
    if (ious[r] > 0 || usedFound.has(f)) continue;
    ious[r] = iou;
    usedFound.add(f);
    sum += iou;
    matched++;
  }
  return { matched, total: reference.length, meanIou: matched === 0 ? 0 : sum / matched, ious };
}
