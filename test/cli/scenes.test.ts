// Does `rapsim scenes` write what `rapsim eval` reads, the same each time, and nothing over other people's files?
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { makeScene, readImage, readKittiFolder } from "../../host/index.ts";
import { rapsim, temporaryFolder } from "./harness.ts";

const { path, remove } = temporaryFolder();
afterAll(remove);

test("writes pictures and labels in KITTI's layout", async () => {
  const folder = path("scenes");
  const { code, stdout, stderr } = await rapsim(["scenes", "--seed", "9", "--count", "2", "-o", folder]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^\S+: 2 scenes of seed 9 with \d+ labelled objects\n$/);
  const photos = await readKittiFolder(folder);
  expect(photos.map(({ name }) => name)).toEqual(["000000", "000001"]);
  const scene = makeScene(9, 1);
  expect(Buffer.from((await readImage(photos[1].image)).rgb).equals(Buffer.from(scene.image.rgb))).toBe(true);
  expect(photos[1].labels.length).toBe(scene.labels.length);
});

test("writes the same bytes again, and the same first scenes of a longer series", async () => {
  for (const [name, count] of [
    ["one", "1"],
    ["two", "2"],
  ] as const) {
    expect((await rapsim(["scenes", "--seed", "3", "--count", count, "-o", path(name)])).code).toBe(0);
  }
  for (const file of ["image_2/000000.png", "label_2/000000.txt"]) {
    expect(readFileSync(path(`one/${file}`)).equals(readFileSync(path(`two/${file}`)))).toBe(true);
  }
  expect(readdirSync(path("two/image_2"))).toEqual(["000000.png", "000001.png"]);
});

test("refuses a folder that holds pictures", async () => {
  mkdirSync(path("full/image_2"), { recursive: true });
  writeFileSync(path("full/image_2/mine.png"), "");
  const { code, stderr } = await rapsim(["scenes", "-o", path("full")]);
  expect(code).toBe(1);
  expect(stderr).toContain("full/image_2: holds 1 files already; name a new folder, or empty this one");
});

test.each([
  [["-o", "-"], "-: standard output takes no folder; give one by name"],
  [[], "--output: missing; name the folder for the scenes"],
  [["-o", "x", "--count", "0"], "--count: '0' is not a whole number 1..1000000"],
  [["-o", "x", "--seed", "-1"], "--seed: '-1' is not a whole number 0..2147483647"],
])("refuses %j", async (options, message) => {
  const { code, stderr } = await rapsim(["scenes", ...options]);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});
