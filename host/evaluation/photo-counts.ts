/** One photograph judged by KITTI's rules at one level of difficulty: how many detections are right or wrong above each score. */
import { type Box, boxIou, type Detection } from "../box.ts";
import type { KittiObject } from "../kitti.ts";
import { type Difficulty, DONT_CARE, type KittiClass, type SmallDetections } from "./kitti-rules.ts";

/** What is known of a photograph and what was found on it. */
export interface EvaluatedPhoto {
  readonly labels: readonly KittiObject[];
  readonly detections: readonly Detection[];
}

/** From this score downwards, and until the next step, so many detections are right (tp) and wrong (fp). */
export interface CountStep {
  readonly score: number;
  readonly tp: number;
  readonly fp: number;
}

export interface PhotoCounts {
  /** Objects that are asked for. */
  readonly objects: number;
  /** Scores at which these objects are found, as far as they are; the recall is sampled at them. */
  readonly hits: readonly number[];
  /** Highest score first. */
  readonly steps: readonly CountStep[];
}

/** wanted: counts when found and when not. ignored: may be found, counts neither way. */
type Role = "wanted" | "ignored";

interface Labelled {
  readonly box: Box;
  readonly role: Role;
}

interface Found extends Labelled {
  readonly score: number;
}

/** A photograph's boxes as far as they matter for one class and difficulty, and which of them overlap. */
interface Scene {
  readonly labels: readonly Labelled[];
  readonly found: readonly Found[];
  /** [label][found]: IoU if it exceeds the class's minimum, else 0 */
  readonly overlaps: readonly Float64Array[];
  /** Detections that regions of no interest cover. */
  readonly covered: readonly boolean[];
}

const sameName = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

/** The part of a box that a region covers, 0..1. */
function coveredPart([x0, y0, x1, y1]: Box, region: Box): number {
  const width = Math.min(x1, region[2]) - Math.max(x0, region[0]);
  const height = Math.min(y1, region[3]) - Math.max(y0, region[1]);
  return width > 0 && height > 0 ? (width * height) / ((x1 - x0) * (y1 - y0)) : 0;
}

function labelRole(label: KittiObject, kittiClass: KittiClass, level: Difficulty): Role | null {
  if (kittiClass.neighbour !== null && sameName(label.class, kittiClass.neighbour)) return "ignored";
  if (!sameName(label.class, kittiClass.name)) return null;
  const height = label.box[3] - label.box[1];
  const tooHard =
    label.occluded > level.maxOcclusion || label.truncated > level.maxTruncation || height < level.minHeight;
  return tooHard ? "ignored" : "wanted";
}

/** @param minHeight smaller detections are ignored */
function foundRole({ class: name, box }: Detection, kittiClass: KittiClass, minHeight: number): Role | null {
  // KITTI's program asks for the height first: a small detection may be given to an object whatever its class
  if (box[3] - box[1] < minHeight) return "ignored";
  return sameName(name, kittiClass.name) ? "wanted" : null;
}

function sceneOf(
  { labels, detections }: EvaluatedPhoto,
  kittiClass: KittiClass,
  level: Difficulty,
  small: SmallDetections,
): Scene {
  const minHeight = small === "ignored" ? level.minHeight : 0;
  const known = labels.flatMap((label): Labelled[] => {
    const role = labelRole(label, kittiClass, level);
    return role === null ? [] : [{ box: label.box, role }];
  });
  const found = detections.flatMap((detection): Found[] => {
    const role = foundRole(detection, kittiClass, minHeight);
    return role === null ? [] : [{ box: detection.box, score: detection.score, role }];
  });
  const regions = labels.filter((label) => sameName(label.class, DONT_CARE));
  return {
    labels: known,
    found,
    overlaps: known.map((label) =>
      Float64Array.from(found, ({ box }) => {
        const iou = boxIou(box, label.box);
        return iou > kittiClass.minOverlap ? iou : 0;
      }),
    ),
    covered: found.map(({ box }) => regions.some((region) => coveredPart(box, region.box) > kittiClass.minOverlap)),
  };
}

const NONE = -1;

/** Of the free detections on a label the one with the highest score. */
function bestByScore({ found, overlaps }: Scene, label: number, taken: readonly boolean[]): number {
  let best = NONE;
  for (const [i, { score }] of found.entries()) {
    if (taken[i] || overlaps[label][i] === 0) continue;
    if (best === NONE || score > found[best].score) best = i;
  }
  return best;
}

/** Of the free detections on a label the one that overlaps most; an ignored one, the first, only when there is no other. */
function bestByOverlap({ found, overlaps }: Scene, label: number, taken: readonly boolean[]): number {
  let best = NONE;
  for (const [i, { role }] of found.entries()) {
    if (taken[i] || overlaps[label][i] === 0) continue;
    const better =
      best === NONE ||
      (role === "wanted" && (found[best].role === "ignored" || overlaps[label][i] > overlaps[label][best]));
    if (better) best = i;
  }
  return best;
}

/** Gives each label, in the file's order, a detection; `taken` tells those that are given. @returns the right ones */
function assign(scene: Scene, pick: typeof bestByScore, taken: boolean[]): number[] {
  const right: number[] = [];
  for (const [label, { role }] of scene.labels.entries()) {
    const best = pick(scene, label, taken);
    if (best === NONE) continue;
    taken[best] = true;
    if (role === "wanted" && scene.found[best].role === "wanted") right.push(best);
  }
  return right;
}

/** What is right and wrong among the detections with this score or more. */
function countAbove(scene: Scene, score: number): CountStep {
  const taken = scene.found.map((one) => one.score < score);
  const tp = assign(scene, bestByOverlap, taken).length;
  const fp = scene.found.filter(({ role }, i) => role === "wanted" && !taken[i] && !scene.covered[i]).length;
  return { score, tp, fp };
}

/** Judges a photograph for one class at one level of difficulty. */
export function countPhoto(
  photo: EvaluatedPhoto,
  kittiClass: KittiClass,
  level: Difficulty,
  small: SmallDetections,
): PhotoCounts {
  const scene = sceneOf(photo, kittiClass, level, small);
  const right = assign(
    scene,
    bestByScore,
    scene.found.map(() => false),
  );
  // counts change at a detection's score and nowhere else
  const scores = [...new Set(scene.found.map(({ score }) => score))].sort((a, b) => b - a);
  return {
    objects: scene.labels.filter(({ role }) => role === "wanted").length,
    hits: right.map((i) => scene.found[i].score),
    steps: scores.map((score) => countAbove(scene, score)),
  };
}
