// A network that finds coloured cells on black photographs, all made here, with labels: small enough for any test.
import sharp from "sharp";
import { writeOnnx } from "../compiler/onnx-writer.ts";

const CELL = 8;
/** Side of the anchor. */
const ANCHOR = 16;
const [ROWS, COLUMNS] = [4, 8];
export const [HEIGHT, WIDTH] = [ROWS * CELL, COLUMNS * CELL];

/**
 * One convolution over cells of 8 x 8: the confidence rises with the brightness, three class scores with the three
 * colours, and box deltas are 0. Channels: class scores 0..2, confidence 3, deltas 4..7.
 */
export function network(): Uint8Array {
  const taps = CELL * CELL;
  const weights = new Float32Array(8 * 3 * taps);
  // means over the cell of (pixel - 128) / 32: -4 for black, 4 for a colour in full; the confidence is their sum + 4
  for (let c = 0; c < 3; c++) weights.fill(2 / taps, (c * 3 + c) * taps, (c * 3 + c + 1) * taps);
  weights.fill(1 / taps, 3 * 3 * taps, 4 * 3 * taps);
  return writeOnnx({
    input: [1, 3, HEIGHT, WIDTH],
    nodes: [
      {
        op: "Conv",
        inputs: ["x", "w", "b"],
        attributes: { kernel_shape: [CELL, CELL], strides: [CELL, CELL], pads: [0, 0, 0, 0] },
      },
    ],
    initializers: {
      w: { dims: [8, 3, CELL, CELL], values: weights },
      b: { dims: [8], values: [0, 0, 0, 4, 0, 0, 0, 0] },
    },
  });
}

export const sidecar = {
  input: { colorOrder: "RGB", mean: [128, 128, 128], scale: 1 / 32 },
  head: {
    kind: "convdet",
    tensor: "y",
    grid: [ROWS, COLUMNS],
    anchorsPerCell: 1,
    classes: ["car", "pedestrian", "cyclist"],
    channels: { classScores: [0, 3], confidence: [3, 4], boxDeltas: [4, 8] },
    anchors: [[ANCHOR, ANCHOR]],
  },
};

/** Pixels of a photograph for each of the network's. */
export const SCALE = 4;

/** Where the network sees a cell's anchor, in pixels of the photograph. */
function anchorBox(row: number, column: number): number[] {
  const [x, y] = [((column + 1) * WIDTH) / (COLUMNS + 1), ((row + 1) * HEIGHT) / (ROWS + 1)];
  return [x - ANCHOR / 2, y - ANCHOR / 2, x + ANCHOR / 2, y + ANCHOR / 2].map((value) => value * SCALE);
}

const COLORS = { Car: "#ff4040", Pedestrian: "#40ff40", Cyclist: "#4040ff" } as const;
type Class = keyof typeof COLORS;

/** Cells that shine in the colour of a class, on black. */
export async function photograph(file: string, cells: readonly [Class, number, number][]): Promise<void> {
  const side = CELL * SCALE;
  const rectangles = cells.map(
    ([name, row, column]) =>
      `<rect x="${column * side}" y="${row * side}" width="${side}" height="${side}" fill="${COLORS[name]}"/>`,
  );
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH * SCALE}" height="${HEIGHT * SCALE}"><rect width="100%" height="100%"/>${rectangles.join("")}</svg>`;
  await sharp(Buffer.from(svg)).removeAlpha().png().toFile(file);
}

export function labelText(cells: readonly [Class, number, number][]): string {
  return cells
    .map(([name, row, column]) => `${name} 0.00 0 0 ${anchorBox(row, column).join(" ")} 0 0 0 0 0 0 0\n`)
    .join("");
}

export const PHOTOS: readonly (readonly [Class, number, number][])[] = [
  [
    ["Car", 1, 1],
    ["Pedestrian", 1, 4],
    ["Cyclist", 2, 6],
  ],
  [["Car", 2, 2]],
  [
    ["Pedestrian", 0, 5],
    ["Car", 3, 1],
  ],
  [],
];
/** Of a photograph's files. */
export const name = (i: number) => String(i).padStart(6, "0");
