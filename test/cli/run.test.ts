// Does a program run from the command line: every mode, every output, one small hand-written program?
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeProgram, machineSha256, type Program, sha256, withParameters } from "../../isa/index.ts";
import type { Report } from "../../report/index.ts";
import { loadProgram, programText } from "../programs/index.ts";
import { schemaFaults } from "../report/schema-faults.ts";
import { CapturedOutput, rapsim, temporaryFolder } from "./harness.ts";

const { path, remove } = temporaryFolder();
afterAll(remove);

/** Threads run what `npm run build` has made. */
const areThreadsBuilt = existsSync(new URL("../../dist/sim/functional/agents-worker.js", import.meta.url));

const program = loadProgram("tiny");
/** The same with its 4 x 4 x 16 output read as boxes: one anchor per cell, one class. */
const detector: Program = {
  ...program,
  host: {
    ...program.host,
    head: {
      kind: "convdet",
      tensor: program.host.outputs[0].tensor,
      grid: [4, 4],
      anchorsPerCell: 1,
      classes: ["thing"],
      channels: { classScores: [0, 1], confidence: [1, 2], boxDeltas: [2, 6] },
      anchors: [[4, 4]],
      confidenceThreshold: 0.4,
      topBoxes: 64,
      nmsIou: 0.4,
    },
  },
};

const save = (name: string, file: Uint8Array | string) => {
  writeFileSync(path(name), file);
  return path(name);
};
const [tiny, boxed] = [save("tiny.bin", encodeProgram(program)), save("boxed.bin", encodeProgram(detector))];

beforeAll(async () => {
  const { prepareFolder } = await import("../../cli/files.ts");
  await prepareFolder(path("pictures"));
  for (const [name, red] of [
    ["a.png", 0],
    ["b.jpg", 255],
  ] as const) {
    await sharp({ create: { width: 20, height: 10, channels: 3, background: { r: red, g: 99, b: 20 } } }).toFile(
      path(`pictures/${name}`),
    );
  }
});

async function succeed(...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await rapsim(argv);
  expect([code, stderr]).toEqual([0, ""]);
  return stdout;
}
const report = async (...argv: string[]): Promise<Report> => JSON.parse(await succeed("run", ...argv, "--json", "-"));

describe("what comes out", () => {
  test("text on standard output, nothing on standard error", async () => {
    const text = await succeed("run", tiny);
    for (const words of ["tiny on rap-small: 1 frame", "frames/s", "pool1", "Layers", "Not modelled"])
      expect(text).toContain(words);
  });

  test("JSON names program and machine by their hashes", async () => {
    const { program: of, machine, mode, frames } = await report(tiny);
    expect(of.sha256).toBe(sha256(readFileSync(tiny)));
    expect(machine.sha256).toBe(machineSha256(program.machine));
    expect([mode, frames]).toEqual(["full", 1]);
  });

  test.each([["full"], ["timing"], ["functional"]])("JSON in mode %s is as the schema says", async (mode) => {
    expect(schemaFaults(await report(tiny, "--mode", mode))).toEqual([]);
    expect(schemaFaults(await report(boxed, "--mode", mode))).toEqual([]);
  });

  test("JSON and CSV files beside the text", async () => {
    const text = await succeed("run", tiny, "--json", path("r.json"), "--csv", path("r.csv"));
    expect(text).toContain("Layers");
    expect(JSON.parse(readFileSync(path("r.json"), "utf8"))).toEqual(await report(tiny));
    expect(readFileSync(path("r.csv"), "utf8")).toBe(await succeed("run", tiny, "--csv", "-"));
  });

  test("twice the same run, twice the same bytes", async () => {
    expect(await succeed("run", tiny, "--json", "-")).toBe(await succeed("run", tiny, "--json", "-"));
  });

  test("on a terminal: colours, a bar on standard error, and no wider than the terminal", async () => {
    const [stdout, stderr] = [
      new CapturedOutput({ isTTY: true, columns: 72 }),
      new CapturedOutput({ isTTY: true, columns: 72 }),
    ];
    await rapsim(["run", tiny], { stdout, stderr });
    expect(stdout.text).toContain("\x1b[1m");
    expect(stderr.text).toContain("values");
    expect(
      stripVTControlCharacters(stdout.text)
        .split("\n")
        .filter((line) => [...line].length > 72),
    ).toEqual([]);
    const plain = new CapturedOutput({ isTTY: true, columns: 72 });
    await rapsim(["run", tiny], { stdout: plain, stderr, env: { NO_COLOR: "1" } });
    expect(plain.text).not.toContain("\x1b");
  });

  test("logs on standard error when asked for, as JSON too", async () => {
    const { stderr } = await rapsim(["run", tiny, "--log-level", "info", "--log-json"]);
    const lines = stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ msg }) => msg)).toEqual(["values computed", "timed"]);
    expect((await rapsim(["run", tiny, "--log-level", "info"])).stderr).toMatch(/INFO.*: timed/);
  });
});

describe("modes", () => {
  test("timing gives the time of a full run, and no values", async () => {
    const [full, timing] = [await report(tiny), await report(tiny, "--mode", "timing")];
    expect(timing.totals).toEqual(full.totals);
    expect([timing.images, timing.outputs]).toEqual([[], []]);
  });

  test.skipIf(!areThreadsBuilt)("several threads give the same values, picture by picture", async () => {
    const argv = [boxed, "--mode", "functional", "--image", path("pictures")];
    expect(await report(...argv, "--threads", "2")).toEqual(await report(...argv));
  });

  test("functional gives the values of a full run, and no time; both kernels the same bits", async () => {
    const full = await report(tiny);
    for (const kernels of ["wasm", "twin"]) {
      const values = await report(tiny, "--mode", "functional", "--kernels", kernels);
      expect(values.outputs).toEqual(full.outputs);
      expect([values.totals, values.layers, values.notModelled]).toEqual([null, [], []]);
    }
  });

  test("frames", async () => {
    const [one, four] = [
      await report(tiny),
      await report(tiny, "--frames", "4", "--overlap-frames", "--mode", "timing"),
    ];
    expect([four.frames, four.overlapFrames]).toEqual([4, true]);
    expect(four.totals?.macs).toBe(4 * (one.totals?.macs ?? 0));
  });
});

test("--set changes rates: other time, another machine hash, the same program and bits", async () => {
  const [before, after] = [
    await report(tiny),
    await report(tiny, "--set", "dram.bytesPerCycle=8", "--set", "clockHz=2e9"),
  ];
  expect(after.totals?.cycles).toBeLessThan(before.totals?.cycles ?? 0);
  const machine = withParameters(program.machine, { "dram.bytesPerCycle": 8, clockHz: 2e9 }, "test");
  const name = "rap-small (dram.bytesPerCycle=8, clockHz=2000000000)";
  expect(after.machine).toEqual({ name, sha256: machineSha256(machine), parameters: machine.parameters });
  expect([after.program, after.outputs]).toEqual([before.program, before.outputs]);
});

describe("pictures", () => {
  test("a folder: values for each, in order, the time once", async () => {
    const { images, outputs, frames, totals } = await report(tiny, "--image", path("pictures"));
    const names = [path("pictures/a.png"), path("pictures/b.jpg")];
    expect(images).toEqual(names.map((image) => ({ image, width: 20, height: 10 })));
    expect(outputs.map(({ image }) => image)).toEqual(names);
    expect(outputs[0].sha256).not.toBe(outputs[1].sha256);
    expect(frames).toBe(1);
    expect(totals).toEqual((await report(tiny, "--mode", "timing")).totals);
    const alone = await report(tiny, "--image", names[1]);
    expect(alone.outputs[0].sha256).toBe(outputs[1].sha256);
  });

  test("boxes are drawn: one picture to a file, several to a folder", async () => {
    await succeed("run", boxed, "--image", path("pictures/a.png"), "--boxes", path("found.png"));
    expect(await sharp(path("found.png")).metadata()).toMatchObject({ format: "png", width: 20, height: 10 });
    await succeed("run", boxed, "--image", path("pictures"), "--boxes", path("found"));
    expect(readdirSync(path("found")).sort()).toEqual(["a.png", "b.png"]);
    const { code, stderr } = await rapsim(["run", boxed, "--image", path("pictures"), "--boxes", path("found.png")]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("2 pictures need a folder, not one file")]);
  });

  test("a higher threshold keeps no more detections, and only higher scores", async () => {
    const all = await report(boxed, "--threshold", "0");
    const some = await report(boxed, "--threshold", "0.9");
    expect(all.detections.length).toBeGreaterThan(0);
    expect(some.detections).toEqual(all.detections.filter(({ score }) => score > 0.9));
  });

  test.each(["--boxes", "--threshold"])("%s without a detection head is refused", async (option) => {
    const { code, stderr } = await rapsim(["run", tiny, option, option === "--boxes" ? path("x.png") : "0.5"]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(`^${option}: the program has no detection head\n`)]);
  });

  test("values of every layer are dumped, with several pictures into a folder for each", async () => {
    await succeed("run", tiny, "--dump", path("dump"));
    expect(readdirSync(path("dump")).sort()).toEqual(["conv1.acc.npy", "pool1.npy"]);
    await succeed("run", tiny, "--image", path("pictures"), "--dump", path("dumps"));
    expect(readdirSync(path("dumps")).sort()).toEqual(["a", "b"]);
  });
});

describe("races", () => {
  test("their absence is said", async () => {
    expect(await succeed("run", tiny, "--check-races")).toContain("No races");
    expect((await report(tiny, "--check-races")).races).toEqual([]);
  });

  test("a program with a race runs, names it, and fails", async () => {
    const racy = save(
      "racy.s",
      programText("tiny", ["waits=tabled,summed signals=shifted", "waits=tabled,summed"], [" waits=shifted", ""]),
    );
    await succeed("asm", racy, "-o", path("racy.bin"));
    const { code, stdout, stderr } = await rapsim(["run", path("racy.bin"), "--check-races"]);
    expect(stdout).toMatch(/\d races?\n {2}- sram of agent 0/);
    expect([code, stderr]).toEqual([
      1,
      `${path("racy.bin")}: accesses to the same memory race; the report lists them\n`,
    ]);
  });
});

describe("programs as files", () => {
  test("disasm and asm are each other's inverse", async () => {
    await succeed("disasm", tiny, "-o", path("again.s"));
    expect(await succeed("disasm", tiny)).toBe(readFileSync(path("again.s"), "utf8"));
    expect(await succeed("asm", path("again.s"), "-o", path("again.bin"))).toMatch(
      /again\.bin: tiny for rap-small, 2 layers, 13 instructions/,
    );
    expect(await succeed("disasm", path("again.bin"))).toBe(readFileSync(path("again.s"), "utf8"));
  });

  test("info says what is in it", async () => {
    const text = await succeed("info", tiny);
    for (const words of ["a rapsim program", "rap-small", "8 x 8 x 3 i8", "conv1", "13 instructions"])
      expect(text).toContain(words);
    expect(JSON.parse(await succeed("info", tiny, "--json"))).toMatchObject({
      kind: "program",
      sha256: sha256(readFileSync(tiny)),
      instructions: { prologue: 0, body: 13 },
    });
  });

  test.each([
    ["empty", (file: Uint8Array) => file.subarray(0, 0), "the file is empty"],
    ["cut short", (file: Uint8Array) => file.subarray(0, file.length / 2), "it is truncated"],
    ["changed", (file: Uint8Array) => file.map((byte, i) => (i === 200 ? byte ^ 1 : byte)), "CRC mismatch"],
  ])("a program that is %s is refused in one line", async (name, damage, says) => {
    const damaged = save(`${name}.bin`, damage(readFileSync(tiny)));
    for (const command of ["run", "info", "disasm"]) {
      const { code, stderr } = await rapsim([command, damaged]);
      expect(code).toBe(1);
      expect(stderr).toContain(says);
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    }
  });

  test("an error in assembly names file, line and column", async () => {
    const wrong = save("wrong.s", programText("tiny", ["packing=full", "packing=tight"]));
    const { code, stderr } = await rapsim(["asm", wrong, "-o", path("wrong.bin")]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/wrong\.s:\d+:\d+: .*'tight' is not one of/)]);
    expect(readdirSync(path("."))).not.toContain("wrong.bin");
  });
});
