// Is every mistake in a sidecar named by its place in the JSON?
import { expect, test } from "vitest";
import { importOnnx } from "../../compiler/onnx.ts";
import { parseSidecar } from "../../compiler/sidecar.ts";
import { numbers, writeOnnx } from "./onnx-writer.ts";

/** A 3 x 4 grid of 2 anchors with 3 classes: 6 class scores, 2 confidences, 8 box deltas. */
const onnx = writeOnnx({
  nodes: [{ op: "Conv", inputs: ["x", "w"] }],
  initializers: { w: { dims: [16, 3, 3, 3], values: numbers(432) } },
});
const vector = writeOnnx({
  nodes: [
    { op: "GlobalAveragePool", inputs: ["x"], output: "p" },
    { op: "Flatten", inputs: ["p"] },
  ],
});

const head = {
  kind: "convdet",
  tensor: "y",
  grid: [3, 4],
  anchorsPerCell: 2,
  classes: ["car", "pedestrian", "cyclist"],
  channels: { classScores: [0, 6], confidence: [6, 8], boxDeltas: [8, 16] },
  anchors: [
    [1, 1],
    [2, 2],
  ],
  decode: "a free text",
};
const input = {
  name: "x",
  layout: "NCHW",
  shape: [1, 3, 5, 6],
  colorOrder: "BGR",
  mean: [1, 2, 3],
  scale: 1,
  resize: "free text",
};

const read = (sidecar: unknown, model = onnx) =>
  importOnnx(model, "net.onnx", parseSidecar(Buffer.from(JSON.stringify(sidecar)), "net.json"));

test("preprocessing and head come from the file, thresholds from the publication where it says none, free text is dropped", () => {
  const graph = read({ network: "mine", input, head, comment: "free text" });
  expect(graph.preprocess).toEqual({ height: 5, width: 6, channels: 3, colorOrder: "BGR", mean: [1, 2, 3], scale: 1 });
  const { decode: _, ...kept } = head;
  expect(graph.head).toEqual({ ...kept, confidenceThreshold: 0.4, topBoxes: 64, nmsIou: 0.4 });
});

test("a classifier's labels", () => {
  const classes = ["cat", "dog", "bird"];
  const made = { kind: "classes", tensor: "y", classes, softmax: false, topK: 3 };
  expect(read({ head: { kind: "classes", classes } }, vector).head).toEqual(made);
  expect(read({ head: { kind: "classes", classes, topK: 1, softmax: true } }, vector).head).toEqual({
    ...made,
    topK: 1,
    softmax: true,
  });
});

const REFUSED: [string, unknown, Uint8Array, string][] = [
  [
    "a number for a text",
    { network: 5 },
    onnx,
    "net.json: network = 5: Invalid input: expected string, received number",
  ],
  [
    "a misspelt key",
    { head: { ...head, confidenceTreshold: 0.4 } },
    onnx,
    "net.json: head.confidenceTreshold = 0.4: not a known key (a remark must be a text); known: kind, tensor, grid, ",
  ],
  [
    "a text among anchors",
    {
      head: {
        ...head,
        anchors: [
          [1, 1],
          [2, "2"],
        ],
      },
    },
    onnx,
    'net.json: head.anchors[1][1] = "2": Invalid input: expected number',
  ],
  ["an unknown head", { head: { ...head, kind: "yolo" } }, onnx, 'net.json: head.kind = "yolo": Invalid'],
  [
    "another layout",
    { input: { ...input, layout: "NHWC" } },
    onnx,
    'net.json: input.layout = "NHWC": Invalid input: expected "NCHW"',
  ],
  ["a scale of 0", { input: { ...input, scale: 0 } }, onnx, "net.json: input.scale = 0: Too small"],
  [
    "a missing mean",
    { input: { colorOrder: "RGB", scale: 1 } },
    onnx,
    "net.json: input.mean: Invalid input: expected array",
  ],
  [
    "another input",
    { input: { ...input, name: "image" } },
    onnx,
    "net.json: input.name: 'image'; the model's input is 'x'",
  ],
  [
    "another shape",
    { input: { ...input, shape: [1, 3, 6, 5] } },
    onnx,
    "net.json: input.shape: [1,3,6,5]; the model's input is [1,3,5,6]",
  ],
  [
    "one mean",
    { input: { ...input, mean: [1] } },
    onnx,
    "net.json: input.mean: 1 values; the model's input has 3 channels",
  ],
  [
    "another tensor",
    { head: { ...head, tensor: "z" } },
    onnx,
    "net.json: head.tensor: 'z' is not an output of the network; known: y",
  ],
  ["another grid", { head: { ...head, grid: [4, 3] } }, onnx, "net.json: head.grid: 4x3; 'y' is 3x4"],
  [
    "too few anchors",
    { head: { ...head, anchors: [[1, 1]] } },
    onnx,
    "net.json: head.anchors: 1 anchors; anchorsPerCell is 2",
  ],
  [
    "too few channels",
    { head: { ...head, channels: { ...head.channels, confidence: [6, 7] } } },
    onnx,
    "net.json: head.channels.confidence: [6, 7] is 1 channels; 2 anchors x 1 are 2",
  ],
  [
    "channels that are not there",
    { head: { ...head, channels: { ...head.channels, boxDeltas: [9, 17] } } },
    onnx,
    "net.json: head.channels.boxDeltas: ends at 17; 'y' has 16 channels",
  ],
  [
    "channels used twice",
    { head: { ...head, channels: { ...head.channels, boxDeltas: [7, 15] } } },
    onnx,
    "net.json: head.channels.boxDeltas: channel 7 also belongs to confidence",
  ],
  [
    "labels for a picture",
    { head: { kind: "classes", classes: ["a"] } },
    onnx,
    "net.json: head.kind: classes needs a 1x1 output; 'y' is 3x4",
  ],
  [
    "too few labels",
    { head: { kind: "classes", classes: ["a"] } },
    vector,
    "net.json: head.classes: 1 names; 'y' has 3 channels",
  ],
];
test.each(REFUSED)("%s is refused", (_, sidecar, model, message) =>
  expect(() => read(sidecar, model)).toThrow(message),
);

test("what is not JSON is refused", () => {
  expect(() => parseSidecar(Buffer.from("{ mean: 1 }"), "net.json")).toThrow("net.json: not JSON (");
  expect(() => parseSidecar(Buffer.from([0xff, 0xfe]), "net.json")).toThrow("net.json: not JSON (");
});
