// Is what a user gave ever overwritten? Photographs above all.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { drawBoxes } from "../../host/index.ts";
import { presetText } from "../../isa/index.ts";
import { smallPicture } from "../support/small-picture.ts";
import { rapsim, temporaryFolder } from "./harness.ts";

const { path, remove } = temporaryFolder();
const picture = path("photos/a.png");
let before: Buffer;

beforeAll(async () => {
  mkdirSync(path("photos"));
  writeFileSync(picture, await drawBoxes(smallPicture(32, 16, 1), []));
  symlinkSync(path("photos"), path("link"));
  before = readFileSync(picture);
  writeFileSync(path("m.yaml"), presetText("rap-e"));
});
afterAll(remove);

test.each<[string, string[]]>([
  ["boxes into the pictures' own folder", ["--image", path("photos"), "--boxes", path("photos")]],
  ["boxes into it by another name", ["--image", path("photos"), "--boxes", path("link")]],
  ["boxes beside one of its pictures", ["--image", picture, "--boxes", path("photos")]],
  ["a report over one of several pictures", ["--image", path("photos"), "--json", picture]],
  ["a table over one of several pictures", ["--image", path("link"), "--csv", picture]],
])("%s: refused, and the picture is as it was", async (_, options) => {
  const { code, stderr } = await rapsim(["run", "squeezedet", ...options]);
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/^--(boxes|json|csv) would overwrite .*a\.png, which --image names\n/),
  ]);
  expect(readFileSync(picture).equals(before)).toBe(true);
});

test.each<[string, string[], RegExp]>([
  ["a program over the model's sidecar", ["compile", path("net.onnx"), "-o", path("net.json")], /MODEL's sidecar/],
  ["a quantized model over it", ["quantize", path("net.onnx"), "-o", path("net.json")], /MODEL's sidecar/],
  [
    "a program over the machine file",
    ["compile", "tiny", "--machine", path("m.yaml"), "-o", path("m.yaml")],
    /--machine/,
  ],
])("%s: refused", async (_, argv, message) => {
  const { code, stderr } = await rapsim(argv);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
});

test("a file's text cannot steer the terminal", async () => {
  writeFileSync(path("evil.s"), "no\u001b[31mt\u0007 an instruction\n");
  const { code, stderr } = await rapsim(["asm", path("evil.s"), "-o", path("x.bin")]);
  expect(code).toBe(1);
  expect(stderr.trimEnd()).not.toMatch(/\p{Cc}/u);
});
