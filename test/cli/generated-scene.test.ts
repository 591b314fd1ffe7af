// Of the objects that a scene shows, which are asked for, and which of those were found?
import { expect, test } from "vitest";
import { foundObjects, generatedScene } from "../../cli/generated-scene.ts";
import type { Box, KittiObject } from "../../host/index.ts";

function label(name: string, box: Box, given: Partial<KittiObject> = {}): KittiObject {
  const nowhere = { alpha: 0, dimensions: [1, 1, 1], location: [0, 0, 10], rotation: 0, score: null } as const;
  return { class: name, truncated: 0, occluded: 0, box, ...nowhere, ...given };
}

const SEEN: Box = [0, 0, 40, 40];

test.each([
  ["a car", label("Car", SEEN), true],
  ["25 pixels high", label("Car", [0, 0, 40, 25]), true],
  ["lower", label("Car", [0, 0, 40, 24.9]), false],
  ["largely hidden", label("Car", SEEN, { occluded: 2 }), true],
  ["hidden further", label("Car", SEEN, { occluded: 3 }), false],
  ["half outside of the picture", label("Car", SEEN, { truncated: 0.5 }), true],
  ["more than half outside", label("Car", SEEN, { truncated: 0.51 }), false],
  ["a class that the network does not know", label("Van", SEEN), false],
])("%s", (_, one, isAsked) => {
  expect(foundObjects([one], ["car", "pedestrian"], []).map(({ iou }) => iou)).toEqual(isAsked ? [0] : []);
});

test("what was found has its overlap, what was missed has none", () => {
  const labels = [label("Car", SEEN), label("Pedestrian", [100, 0, 120, 60])];
  const found = [{ class: "car", score: 0.9, box: [0, 0, 40, 50] as const }];
  expect(foundObjects(labels, ["car", "pedestrian"], found)).toEqual([
    { class: "car", box: SEEN, iou: 0.8 },
    { class: "pedestrian", box: [100, 0, 120, 60], iou: 0 },
  ]);
});

test("the scene shows something of each class that the built-in network looks for", () => {
  const classes = ["car", "pedestrian", "cyclist"];
  const asked = foundObjects(generatedScene().labels!, classes, []);
  expect(new Set(asked.map(({ class: name }) => name))).toEqual(new Set(classes));
});
