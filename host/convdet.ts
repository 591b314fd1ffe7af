/** SqueezeDet's detection head: grid values become boxes (docs/host.md has the formulas). */
import { type ConvDetHead, clamp, RapError } from "../isa/index.ts";
import { type Box, boxIou, type Detection } from "./box.ts";

/** What may differ from the head's own settings at each run. */
export interface DecodeOptions {
  /** A box is kept when its score is above this. */
  readonly threshold?: number | undefined;
  /** How many boxes, highest score first, go into the suppression. */
  readonly topBoxes?: number | undefined;
  /** Of two boxes of a class that overlap by more than this, the one with the lower score goes. */
  readonly nmsIou?: number | undefined;
}

/** exp(t), but from t = 1 on the straight line e * t, so that a wild size stays finite. */
export function safeExp(t: number): number {
  return t <= 1 ? Math.exp(t) : Math.E * t;
}

function sigmoid(t: number): number {
  return 1 / (1 + Math.exp(-t));
}

/** Checks that the head's parts fit each other and the tensor; returns the tensor's channel count. */
function checkHead(head: ConvDetHead, valueCount: number): number {
  const { anchorsPerCell, classes, anchors, tensor } = head;
  if (anchors.length !== anchorsPerCell) {
    throw new RapError(
      `head ${tensor}: ${anchors.length} anchors; anchorsPerCell says ${anchorsPerCell}. Mend the head's description`,
    );
  }
  const wanted = {
    classScores: anchorsPerCell * classes.length,
    confidence: anchorsPerCell,
    boxDeltas: anchorsPerCell * 4,
  };
  const cells = head.grid[0] * head.grid[1];
  const channels = valueCount / cells;
  for (const part of ["classScores", "confidence", "boxDeltas"] as const) {
    const [from, to] = head.channels[part];
    if (to - from !== wanted[part]) {
      throw new RapError(
        `head ${tensor}: channels.${part} ${from}..${to} are ${to - from}; ${anchorsPerCell} anchors and ` +
          `${classes.length} classes take ${wanted[part]}. Mend the head's description`,
      );
    }
    if (!Number.isInteger(channels) || to > channels) {
      throw new RapError(
        `head ${tensor}: ${valueCount} values; ${head.grid[0]} x ${head.grid[1]} cells with channels up to ${to} ` +
          "take more, or another multiple. Give the tensor that the head names",
      );
    }
  }
  return channels;
}

/** Non-maximum suppression within each class. The result is sorted by score; equal scores keep their order. */
export function suppress(detections: readonly Detection[], nmsIou: number): Detection[] {
  const kept: Detection[] = [];
  for (const candidate of [...detections].sort((a, b) => b.score - a.score)) {
    const hidden = kept.some((other) => other.class === candidate.class && boxIou(other.box, candidate.box) > nmsIou);
    if (!hidden) kept.push(candidate);
  }
  return kept;
}

/** A candidate box: where its anchor is and what it scores. */
interface Candidate {
  readonly cell: number;
  readonly anchor: number;
  readonly classIndex: number;
  readonly score: number;
}

/** Every anchor whose score is above the threshold, in the order of the grid. */
function candidates(head: ConvDetHead, values: Float32Array, channels: number, threshold: number): Candidate[] {
  const cells = head.grid[0] * head.grid[1];
  const classCount = head.classes.length;
  const found: Candidate[] = [];
  for (let cell = 0; cell < cells; cell++) {
    for (let anchor = 0; anchor < head.anchorsPerCell; anchor++) {
      const confidence = sigmoid(values[cell * channels + head.channels.confidence[0] + anchor]);
      // A probability is at most 1, so the score cannot be above the confidence.
      if (!(confidence > threshold)) continue;
      const scores = cell * channels + head.channels.classScores[0] + anchor * classCount;
      let best = 0;
      for (let c = 1; c < classCount; c++) if (values[scores + c] > values[scores + best]) best = c;
      let sum = 0;
      for (let c = 0; c < classCount; c++) sum += Math.exp(values[scores + c] - values[scores + best]);
      const score = confidence / sum;
      if (score > threshold) found.push({ cell, anchor, classIndex: best, score });
    }
  }
  return found;
}

/**
 * Boxes of a ConvDet head. values: real numbers [gridH, gridW, C] -> detections in pixels of the photograph, highest
 * score first. Options left out are the head's own. @throws RapError when head and values do not fit
 */
export function decodeConvDet(
  head: ConvDetHead,
  values: Float32Array,
  inputWidth: number,
  inputHeight: number,
  imageWidth: number,
  imageHeight: number,
  options: DecodeOptions = {},
): Detection[] {
  const channels = checkHead(head, values.length);
  const [gridHeight, gridWidth] = head.grid;
  const top = candidates(head, values, channels, options.threshold ?? head.confidenceThreshold)
    .sort((a, b) => b.score - a.score)
    .slice(0, options.topBoxes ?? head.topBoxes);
  const toX = (x: number) => (clamp(x, 0, inputWidth - 1) * imageWidth) / inputWidth;
  const toY = (y: number) => (clamp(y, 0, inputHeight - 1) * imageHeight) / inputHeight;
  const detections = top.map(({ cell, anchor, classIndex, score }): Detection => {
    const deltas = cell * channels + head.channels.boxDeltas[0] + anchor * 4;
    const [anchorWidth, anchorHeight] = head.anchors[anchor];
    const centreX = (((cell % gridWidth) + 1) * inputWidth) / (gridWidth + 1) + values[deltas] * anchorWidth;
    const centreY =
      ((Math.floor(cell / gridWidth) + 1) * inputHeight) / (gridHeight + 1) + values[deltas + 1] * anchorHeight;
    const halfWidth = (anchorWidth * safeExp(values[deltas + 2])) / 2;
    const halfHeight = (anchorHeight * safeExp(values[deltas + 3])) / 2;
    const box: Box = [
      toX(centreX - halfWidth),
      toY(centreY - halfHeight),
      toX(centreX + halfWidth),
      toY(centreY + halfHeight),
    ];
    return { class: head.classes[classIndex], score, box };
  });
  return suppress(detections, options.nmsIou ?? head.nmsIou);
}
