// Is a file of the wrong kind named for what it is, with what to do about it? Does a changed machine say so in its name?
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { drawBoxes } from "../../host/index.ts";
import { decodeProgram } from "../../isa/index.ts";
import { smallPicture } from "../support/small-picture.ts";
import { rapsim, temporaryFolder } from "./harness.ts";

const { path, remove } = temporaryFolder();
afterAll(remove);

beforeAll(async () => {
  writeFileSync(path("a.png"), await drawBoxes(smallPicture(32, 32, 1), []));
  writeFileSync(path("a.jpg"), Uint8Array.of(0xff, 0xd8, 0xff, 0xe0));
  expect((await rapsim(["quantize", "tiny", "-o", path("tiny.rapq")])).code).toBe(0);
  expect((await rapsim(["compile", path("tiny.rapq"), "--set", "agents=8", "-o", path("tiny.bin")])).code).toBe(0);
});

test.each([
  ["run", "a.png", "a.png: is a PNG picture; pictures go to --image"],
  ["run", "a.jpg", "a.jpg: is a JPEG picture; pictures go to --image"],
  ["compile", "a.png", "a.png: is a PNG picture; pictures go to --image"],
  ["quantize", "a.png", "a.png: is a PNG picture"],
  ["disasm", "tiny.rapq", "tiny.rapq: is a quantized network; compile it first: rapsim compile "],
  ["disasm", "a.png", "a.png: is a PNG picture"],
  ["asm", "tiny.bin", "tiny.bin: is a program; it is assembled already; rapsim disasm "],
  ["asm", "tiny.rapq", "tiny.rapq: is a quantized network; compile it: rapsim compile "],
])("rapsim %s %s", async (command, file, says) => {
  const output = command === "run" ? [] : ["-o", path("out")];
  const { code, stdout, stderr } = await rapsim([command, path(file), ...output]);
  expect([code, stdout, stderr]).toEqual([1, "", expect.stringContaining(says)]);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
});

test("a machine with changed parameters says so, through assembly text and back, and once more at run time", async () => {
  const named = "rap-e (agents=8)";
  expect(decodeProgram(readFileSync(path("tiny.bin")), "tiny.bin").machine.name).toBe(named);
  expect((await rapsim(["disasm", path("tiny.bin"), "-o", path("tiny.s")])).code).toBe(0);
  expect((await rapsim(["asm", path("tiny.s"), "-o", path("again.bin")])).stderr).toBe("");
  expect(readFileSync(path("again.bin"))).toEqual(readFileSync(path("tiny.bin")));
  const { stdout } = await rapsim(["run", path("tiny.bin"), "--mode", "timing", "--set", "clockHz=2e9"]);
  expect(stdout).toContain("tiny on rap-e (agents=8, clockHz=2000000000)");
  const same = await rapsim(["run", path("tiny.bin"), "--mode", "timing", "--set", "clockHz=1e9"]);
  expect(same.stdout).toContain(`tiny on ${named}`);
});
