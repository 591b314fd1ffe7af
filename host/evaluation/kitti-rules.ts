/** Which objects KITTI's 2D benchmark asks for: its classes and levels of difficulty (evaluate_object of its development kit). */

/** An evaluated class. Names compare without regard to upper and lower case. */
export interface KittiClass {
  readonly name: string;
  /** A detection belongs to an object when they overlap by more than this (intersection over union). */
  readonly minOverlap: number;
  /** Objects of this class are neither asked for nor wrong to find; null: there is none. */
  readonly neighbour: string | null;
}

export const KITTI_CLASSES: readonly KittiClass[] = [
  { name: "car", minOverlap: 0.7, neighbour: "van" },
  { name: "pedestrian", minOverlap: 0.5, neighbour: "person_sitting" },
  { name: "cyclist", minOverlap: 0.5, neighbour: null },
];

/** Labels of this class mark regions in which nothing counts as wrong. */
export const DONT_CARE = "dontcare";

/** A level of difficulty: objects that are smaller, more hidden or cut off further are not asked for. */
export interface Difficulty {
  readonly name: string;
  /** pixels of the photograph */
  readonly minHeight: number;
  /** 0 visible, 1 partly, 2 largely hidden */
  readonly maxOcclusion: number;
  /** part of the object outside the photograph, 0..1 */
  readonly maxTruncation: number;
}

export const DIFFICULTIES: readonly Difficulty[] = [
  { name: "easy", minHeight: 40, maxOcclusion: 0, maxTruncation: 0.15 },
  { name: "moderate", minHeight: 25, maxOcclusion: 1, maxTruncation: 0.3 },
  { name: "hard", minHeight: 25, maxOcclusion: 2, maxTruncation: 0.5 },
];

/**
 * What becomes of detections below the level's minimum height. counted: like any other, as in KITTI's original program;
 * ignored: neither right nor wrong, as since its correction of April 2017.
 */
export type SmallDetections = "counted" | "ignored";
