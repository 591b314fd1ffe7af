// Do the files of the bundle run alike with what V8 made of them, without it, and with what is not V8's?
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Bundle } from "../../cli/bundle.ts";

const folder = mkdtempSync(join(tmpdir(), "rapsim-"));
afterAll(() => rmSync(folder, { recursive: true }));

writeFileSync(join(folder, "package.json"), '{ "type": "commonjs" }');
writeFileSync(
  join(folder, "a.js"),
  `const { twice } = require("./b.js");
const { basename } = require("node:path");
exports.of = async (n) => [basename(__filename), twice(n), (await importPackage("node:path")).sep.length];`,
);
writeFileSync(join(folder, "b.js"), "exports.twice = (n) => 2 * n;");

interface A {
  of(n: number): Promise<unknown[]>;
}
const results = () => (new Bundle(folder).load("a.js") as A).of(21);
const expected = ["a.js", 42, 1];
const caches = () => readdirSync(folder).filter((name) => name.endsWith(".cache"));

test("without a cache, with one, and with another", async () => {
  expect(await results()).toEqual(expected);
  const bundle = new Bundle(folder);
  await (bundle.load("a.js") as A).of(1);
  bundle.writeCaches();
  expect(caches()).toEqual(["a.js.cache", "b.js.cache"]);
  expect(await results()).toEqual(expected);

  for (const name of caches()) {
    const path = join(folder, name);
    const whole = readFileSync(path);
    writeFileSync(path, whole.subarray(0, whole.length / 2));
    expect(await results()).toEqual(expected);
    for (const at of [4, 200, whole.length - 1]) {
      const damaged = Buffer.from(whole);
      damaged[at] ^= 1;
      writeFileSync(path, damaged);
      expect(await results()).toEqual(expected);
    }
    writeFileSync(path, "");
    expect(await results()).toEqual(expected);
  }
});

test("of another source, though as long", async () => {
  const bundle = new Bundle(folder);
  await (bundle.load("a.js") as A).of(1);
  bundle.writeCaches();
  writeFileSync(join(folder, "b.js"), "exports.twice = (n) => 3 * n;");
  expect(await results()).toEqual(["a.js", 63, 1]);
});

test("a file is run once, whoever requires it", () => {
  const bundle = new Bundle(folder);
  expect(bundle.load("b.js")).toBe(bundle.load("b.js"));
});
