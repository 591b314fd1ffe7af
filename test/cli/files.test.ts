// Are files written whole or not at all, and unwritable ones refused beforehand?
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { checkDistinct, checkWritable, prepareFolder, readInput, writeOutput } from "../../cli/files.ts";
import { RapError } from "../../isa/index.ts";
import { CapturedOutput, temporaryFolder } from "./harness.ts";

const { path, remove } = temporaryFolder();
afterAll(remove);
const io = () => ({ stdout: new CapturedOutput(), stderr: new CapturedOutput(), env: {} });
const leftovers = () => readdirSync(path(".")).filter((name) => name.endsWith(".tmp"));

describe("writing", () => {
  test("a new file, and again over the old one, with its mode", async () => {
    await writeOutput(path("a"), "one", io());
    chmodSync(path("a"), 0o640);
    await writeOutput(path("a"), Buffer.from("two"), io());
    expect(readFileSync(path("a"), "utf8")).toBe("two");
    expect(statSync(path("a")).mode & 0o777).toBe(0o640);
    expect(leftovers()).toEqual([]);
  });

  test("through a link: the link stays", async () => {
    writeFileSync(path("real"), "old");
    symlinkSync(path("real"), path("link"));
    await writeOutput(path("link"), "new", io());
    expect(lstatSync(path("link")).isSymbolicLink()).toBe(true);
    expect(readFileSync(path("real"), "utf8")).toBe("new");
  });

  test("to a device: the device stays", async () => {
    await checkWritable("/dev/null");
    await writeOutput("/dev/null", "gone", io());
    expect(lstatSync("/dev/null").isCharacterDevice()).toBe(true);
  });

  test.skipIf(!existsSync("/dev/full"))("to a device that is full", async () => {
    await expect(writeOutput("/dev/full", "x", io())).rejects.toThrow(
      "/dev/full: cannot be written: no space left on the device",
    );
  });

  test("to standard output", async () => {
    const streams = io();
    await writeOutput("-", "text", streams);
    expect(streams.stdout.text).toBe("text");
  });

  test("what fails leaves nothing behind", async () => {
    mkdirSync(path("folder"));
    await expect(writeOutput(path("folder"), "x", io())).rejects.toThrow(RapError);
    expect(leftovers()).toEqual([]);
    expect(readdirSync(path("folder"))).toEqual([]);
  });
});

describe("checking beforehand", () => {
  test("leaves no trace", async () => {
    await checkWritable(path("later"));
    expect(readdirSync(path("."))).not.toContain("later");
    expect(leftovers()).toEqual([]);
  });

  test.each([
    ["none/such", /cannot be written: no folder/],
    ["folder2", /is a folder; a file is to be written/],
    ["file2/under", /cannot be written: a part of the path is not a folder/],
    ["x".repeat(300), /cannot be written: the name is too long/],
  ])("refuses %s", async (name, message) => {
    mkdirSync(path("folder2"), { recursive: true });
    writeFileSync(path("file2"), "");
    await expect(checkWritable(path(name))).rejects.toThrow(message);
  });

  test("a folder to write into is made; a file is none", async () => {
    await prepareFolder(path("deep/er"));
    expect(statSync(path("deep/er")).isDirectory()).toBe(true);
    writeFileSync(path("file3"), "");
    await expect(prepareFolder(path("file3"))).rejects.toThrow("file3: is not a folder");
  });

  test.each([
    ["file2/under", "cannot be made: a part of the path is not a folder"],
    ["x".repeat(300), "cannot be made: the name is too long"],
    ["nowhere", "cannot be made: something of that name is there"],
  ])("refuses the folder %.10s", async (name, message) => {
    writeFileSync(path("file2"), "");
    if (name === "nowhere") symlinkSync(path("missing"), path(name));
    await expect(prepareFolder(path(name))).rejects.toThrow(message);
  });

  // Node's own recursive mkdir would never return
  test.skipIf(!existsSync("/proc/self"))("so is one in /proc, at once", async () => {
    await expect(prepareFolder("/proc/none/such")).rejects.toThrow(
      "/proc/none: cannot be made: nothing can be made in /proc; give another folder",
    );
  });

  test("outputs may not meet each other or an input, by whatever name", async () => {
    writeFileSync(path("input"), "");
    symlinkSync(path("input"), path("alias"));
    const out = (name: string | undefined) => ({ option: "--json", path: name });
    const input = [{ option: "PROGRAM", path: path("input") }];
    await expect(checkDistinct([out(path("alias"))], input)).rejects.toThrow(
      /--json would overwrite .*alias, which PROGRAM names/,
    );
    await checkDistinct([out(path("other")), { option: "--csv", path: path("third") }, out(undefined)], input);
    await checkDistinct([out("/dev/null"), { option: "--csv", path: "/dev/null" }], input);
  });
});

describe("reading", () => {
  test("bytes as they are", async () => {
    writeFileSync(path("bytes"), Buffer.from([1, 2, 255]));
    expect([...(await readInput(path("bytes"), "a program"))]).toEqual([1, 2, 255]);
  });

  test.each([
    ["missing", "cannot be read: no such file or folder"],
    [".", "is a folder; a program is needed"],
    ["big", "3 bytes; a program has at most 2"],
  ])("refuses %s", async (name, message) => {
    writeFileSync(path("big"), "123");
    await expect(readInput(path(name), "a program", 2)).rejects.toThrow(message);
  });

  test("a name with control characters stays one line", async () => {
    await expect(readInput(path("a\nb"), "a program")).rejects.toThrow(/a\?b: cannot be read/);
  });
});
