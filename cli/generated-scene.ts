/** The picture that `rapsim run` takes when it is given none: a road scene, of which it is known what it shows. */
import { type Detection, DIFFICULTIES, type Image, type KittiObject, makeScene, matchBoxes } from "../host/index.ts";
import type { ReportObject } from "../report/report.ts";

export const GENERATED_NAME = "(generated scene)";

/** A seed that no network of ours was trained on, and its first scene that shows all three classes. */
const SEED = 1000;
const INDEX = 1;

/** A detection belongs to an object from this intersection over union on. */
const MIN_IOU = 0.5;

export interface PictureContent {
  readonly image: Image;
  /** null: nobody knows */
  readonly labels: readonly KittiObject[] | null;
}

let drawn: PictureContent | undefined;

/** Drawn once: a run with a page shows what it has run. */
export function generatedScene(): PictureContent {
  drawn ??= makeScene(SEED, INDEX);
  return drawn;
}

/** The objects of KITTI's hard level whose class the network knows, and how well each was found. */
export function foundObjects(
  labels: readonly KittiObject[],
  classes: readonly string[],
  detections: readonly Detection[],
): ReportObject[] {
  const known = new Set(classes.map((name) => name.toLowerCase()));
  const { minHeight, maxOcclusion, maxTruncation } = DIFFICULTIES.at(-1)!;
  const asked = labels.filter(
    ({ class: name, box, occluded, truncated }) =>
      known.has(name.toLowerCase()) &&
      box[3] - box[1] >= minHeight &&
      occluded <= maxOcclusion &&
      truncated <= maxTruncation,
  );
  const { ious } = matchBoxes(asked, detections, MIN_IOU);
  return asked.map(({ class: name, box }, i) => ({ class: name.toLowerCase(), box, iou: ious[i] }));
}
