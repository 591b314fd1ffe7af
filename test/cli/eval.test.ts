// rapsim eval, on a small network and small photographs made here: numbers, files, resuming, and what it refuses.
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeProgram, encodeProgram } from "../../isa/index.ts";
import type { EvaluationReport } from "../../report/eval-report.ts";
import { faultsAgainst } from "../report/schema-faults.ts";
import { HEIGHT, labelText, name, network, PHOTOS, photograph, SCALE, sidecar, WIDTH } from "./color-detector.ts";
import { rapsim, temporaryFolder } from "./harness.ts";

const { path, remove } = temporaryFolder();
afterAll(remove);

/** A data set of the four photographs; `change` spoils it. */
async function dataset(folder: string, change: (file: (name: string) => string) => void = () => {}): Promise<string> {
  const root = path(folder);
  for (const part of ["image_2", "label_2"]) mkdirSync(join(root, part), { recursive: true });
  for (const [i, cells] of PHOTOS.entries()) {
    const image = join(root, "image_2", `${name(i)}.png`);
    if (folder === "kitti") await photograph(image, cells);
    else copyFileSync(path(`kitti/image_2/${name(i)}.png`), image);
    writeFileSync(join(root, "label_2", `${name(i)}.txt`), labelText(cells));
  }
  change((file) => join(root, file));
  return root;
}

let kitti = "";
const [model, program] = [path("net.onnx"), path("net.bin")];

beforeAll(async () => {
  writeFileSync(model, network());
  writeFileSync(path("net.json"), JSON.stringify(sidecar));
  kitti = await dataset("kitti");
  expect((await rapsim(["compile", model, "-o", program])).stderr).toBe("");
});

const evaluation = (...argv: string[]) => rapsim(["eval", program, "--threads", "1", ...argv]);
const schemaFaults = faultsAgainst("eval.schema.json");
/** The report, which keeps to the published schema. */
async function report(...argv: string[]): Promise<EvaluationReport> {
  const { code, stdout, stderr } = await evaluation("--json", "-", ...argv);
  expect([code, stderr]).toEqual([0, ""]);
  expect(schemaFaults(JSON.parse(stdout))).toEqual([]);
  return JSON.parse(stdout);
}

describe("what comes out", () => {
  test("average precision of each class and level, INT8 beside float", async () => {
    const {
      levels,
      mean,
      dataset: of,
      agreement,
      float,
      failures,
    } = await report("--dataset", kitti, "--float", model);
    expect(of).toMatchObject({ photos: 4, evaluated: 4, split: null });
    expect([float?.name, failures]).toEqual(["net.onnx", []]);
    // the network finds everything: n objects make n samples of precision 1, of which every fourth counts
    const ap = (objects: number) => expect.closeTo(Math.ceil(objects / 4) / 11, 3);
    for (const [i, objects] of [3, 3, 3, 2, 2, 2, 1, 1, 1].entries()) {
      expect(levels[i]).toMatchObject({
        class: ["car", "pedestrian", "cyclist"][Math.floor(i / 3)],
        difficulty: ["easy", "moderate", "hard"][i % 3],
        objects,
        int8: { value: ap(objects) },
        float: { value: ap(objects) },
      });
      expect(levels[i].int8.curve).toHaveLength(41);
    }
    expect(mean.int8.value).toBeCloseTo(1 / 11, 3);
    expect(mean.difference?.value).toBeCloseTo(0, 6);
    expect(agreement).toMatchObject({ floatBoxes: 6, matched: 6, int8Boxes: 6, confirmed: 6 });
    expect(agreement?.meanIou).toBeGreaterThan(0.9);
  });

  test("options of quantizing are for networks; the head's noise shows what they cost", async () => {
    const argv = ["--dataset", kitti, "--threads", "1", "--float"];
    const { code, stderr } = await rapsim(["eval", program, "--head", "i8", ...argv, model]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^--head is for a network; .*net\.bin is a program/)]);
    // float's pixels are 10 % larger: a tenth of the scores, 20 log10(1.1 / 0.1) = 20.83 dB, less what the integers add
    const off = path("off.onnx");
    writeFileSync(off, network());
    writeFileSync(
      path("off.json"),
      JSON.stringify({ ...sidecar, input: { ...sidecar.input, scale: sidecar.input.scale * 1.1 } }),
    );
    const { stdout } = await rapsim(["eval", model, "--head", "i8", "--json", "-", ...argv, off]);
    const { headSqnrDb, program: of } = JSON.parse(stdout) as EvaluationReport;
    expect(schemaFaults(JSON.parse(stdout))).toEqual([]);
    expect(of.provenance.options.head).toBe("i8");
    expect(headSqnrDb).toMatchObject({ classScores: expect.closeTo(20.4, 0), boxDeltas: null });
    const { stdout: text } = await rapsim(["eval", model, "--head", "i8", ...argv, off]);
    expect(text).toMatch(/signal to noise of the head: class scores 20\.\d dB, confidences \d+\.\d dB/);
    expect((await report("--dataset", kitti)).headSqnrDb).toBeNull();
  });

  test("40 points", async () => {
    const { points, levels } = await report("--dataset", kitti, "--points", "40");
    expect(points).toBe(40);
    // three objects: samples at recall 0, 1/40 and 2/40; the first is not averaged
    expect(levels[0]).toMatchObject({ int8: { value: expect.closeTo(2 / 40, 6) }, float: null, difference: null });
  });

  test("a table for people", async () => {
    const { code, stdout, stderr } = await evaluation("--dataset", kitti, "--float", model);
    expect([code, stderr]).toEqual([0, ""]);
    for (const words of ["Average precision, %", "INT8", "float", "pedestrian", "mean", "6 of 6 (100.00 %)"])
      expect(stdout).toContain(words);
    expect(stdout).not.toMatch(/NaN|undefined/);
  });

  test("a network that is compiled on the way, and photographs in `training`", async () => {
    mkdirSync(path("whole"));
    for (const part of ["image_2", "label_2"]) {
      mkdirSync(path(`whole/training/${part}`), { recursive: true });
      for (const file of readdirSync(join(kitti, part))) {
        copyFileSync(join(kitti, part, file), path(`whole/training/${part}/${file}`));
      }
    }
    const { code, stdout } = await rapsim(["eval", model, "--dataset", path("whole"), "--threads", "1"]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("4 photographs")]);
  });

  test("the split's photographs in the split's order", async () => {
    writeFileSync(path("split.txt"), "2\n000000\n\n");
    const { dataset: of, levels } = await report("--dataset", kitti, "--split", path("split.txt"));
    expect(of).toMatchObject({ photos: 2, evaluated: 2 });
    expect(levels.map(({ objects }) => objects)).toEqual([2, 2, 2, 2, 2, 2, 1, 1, 1]);
  });

  test("a class without objects has no precision", async () => {
    writeFileSync(path("one.txt"), "1\n");
    const { levels, mean } = await report("--dataset", kitti, "--split", path("one.txt"));
    expect(levels.map(({ int8 }) => int8.value === null)).toEqual([false, false, false, ...new Array(6).fill(true)]);
    expect(mean.int8.value).toBeCloseTo(1 / 11, 6);
  });

  test("a folder of detections, curves and pictures", async () => {
    const output = path("result");
    const { worst } = await report("--dataset", kitti, "--float", model, "-o", output);
    expect(worst).toEqual([]);
    expect(readdirSync(output).sort()).toEqual([
      "evaluation.json",
      "float",
      "head",
      "int8",
      "manifest.json",
      "precision-recall.svg",
    ]);
    expect(readdirSync(join(output, "int8", "data"))).toEqual(PHOTOS.map((_, i) => `${name(i)}.txt`));
    expect(readFileSync(join(output, "int8", "data", "000001.txt"), "utf8")).toMatch(/^car -1 -1 -10 .* 0\.\d{6}\n$/);
    expect(readFileSync(join(output, "int8", "data", "000003.txt"), "utf8")).toBe("");
    const svg = await sharp(join(output, "precision-recall.svg")).metadata();
    expect(svg.width).toBeGreaterThan(500);
    expect(JSON.parse(readFileSync(join(output, "evaluation.json"), "utf8"))).toMatchObject({
      schema: "rapsim.evaluation/1",
    });
  });

  test("pictures of the worst disagreements, the worst first", async () => {
    const output = path("worst");
    await report("--dataset", kitti, "--float", model, "-o", output);
    // INT8 loses one box, and three
    for (const i of [1, 0]) writeFileSync(join(output, "int8", "data", `${name(i)}.txt`), "");
    const { worst } = await report(...["--dataset", kitti, "--float", model, "-o", output, "--resume", "--worst", "2"]);
    expect(worst.map(({ photo, disagreement }) => [photo, Math.round(disagreement)])).toEqual([
      ["000000", 3],
      ["000001", 1],
    ]);
    const pictures = readdirSync(join(output, "worst"));
    expect(pictures).toEqual(["1-000000.png", "2-000001.png"]);
    // one above the other, each under its caption
    const { width, height } = await sharp(join(output, "worst", pictures[0])).metadata();
    expect(width).toBe(WIDTH * SCALE);
    expect(height).toBeGreaterThan(2 * HEIGHT * SCALE);
  });
});

describe("resuming", () => {
  const detections = (output: string, network: string, i: number) => join(output, network, "data", `${name(i)}.txt`);

  test("repeats nothing, computes what is missing, and gives the same numbers", async () => {
    const output = path("resumed");
    const whole = await report("--dataset", kitti, "--float", model, "-o", output);
    // what is there is not computed again: a line of ours stays
    const ours = "car -1 -1 -10 500.00 0.00 520.00 20.00 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.999999\n";
    const kept = readFileSync(detections(output, "int8", 1), "utf8");
    writeFileSync(detections(output, "int8", 1), ours);
    rmSync(detections(output, "int8", 2));
    rmSync(detections(output, "float", 0));
    const again = await report("--dataset", kitti, "--float", model, "-o", output, "--resume");
    expect(readFileSync(detections(output, "int8", 1), "utf8")).toBe(ours);
    expect(again.mean.int8.value).not.toBe(whole.mean.int8.value);
    expect(again.mean.float).toEqual(whole.mean.float);
    expect(existsSync(detections(output, "int8", 2))).toBe(true);
    writeFileSync(detections(output, "int8", 1), kept);
    expect(await report("--dataset", kitti, "--float", model, "-o", output, "--resume")).toEqual(whole);
  });

  test("begins where there is nothing, takes float in later, and goes on without it", async () => {
    const output = path("later");
    const alone = await report("--dataset", kitti, "-o", output, "--resume");
    expect(alone.float).toBeNull();
    const both = await report("--dataset", kitti, "-o", output, "--resume", "--float", model);
    expect(both.mean.int8).toEqual(alone.mean.int8);
    expect(both.mean.float?.value).toBeCloseTo(1 / 11, 3);
    expect(await report("--dataset", kitti, "-o", output, "--resume")).toEqual(alone);
    // float's detections are still there
    expect(await report("--dataset", kitti, "-o", output, "--resume", "--float", model)).toEqual(both);
  });

  test("integers that depend on the photographs before start over", async () => {
    const decoded = decodeProgram(readFileSync(program), program);
    const { options, ...provenance } = decoded.provenance;
    const delayed = path("delayed.bin");
    const changed = { ...decoded, provenance: { ...provenance, options: { ...options, scaling: "delayed" } } };
    writeFileSync(delayed, encodeProgram(changed));
    const output = path("ordered");
    const argv = ["eval", delayed, "--dataset", kitti, "--float", model, "-o", output, "--resume", "--threads", "2"];
    expect((await rapsim(argv)).code).toBe(0);
    const kept = readFileSync(detections(output, "int8", 0), "utf8");
    for (const network of ["int8", "float"]) writeFileSync(detections(output, network, 0), "");
    expect((await rapsim(argv)).code).toBe(0);
    expect(readFileSync(detections(output, "int8", 0), "utf8")).toBe("");
    rmSync(detections(output, "int8", 2));
    expect((await rapsim(argv)).code).toBe(0);
    expect(readFileSync(detections(output, "int8", 0), "utf8")).toBe(kept);
    expect(readFileSync(detections(output, "float", 0), "utf8")).toBe("");
  });

  test("only of the same evaluation", async () => {
    const output = path("same");
    await report("--dataset", kitti, "-o", output);
    const other = path("other.bin");
    expect((await rapsim(["compile", model, "--machine", "rap-small", "-o", other])).code).toBe(0);
    const copy = await dataset("copy");
    for (const [argv, says] of [
      [["eval", program, "--dataset", kitti], "same: holds an evaluation; go on with it (--resume)"],
      [["eval", other, "--dataset", kitti, "--resume"], "was begun with program net (SHA-256"],
      [["eval", program, "--dataset", copy, "--resume"], "was begun with data set"],
      [["eval", program, "--dataset", kitti, "--resume", "--threshold", "0.1"], "with threshold 0.005, not 0.1"],
    ] as const) {
      const { code, stderr } = await rapsim([...argv, "-o", output, "--threads", "1"]);
      expect([code, stderr]).toEqual([1, expect.stringContaining(says)]);
    }
    writeFileSync(join(output, "manifest.json"), "{}");
    const { stderr } = await evaluation("--dataset", kitti, "-o", output, "--resume");
    expect(stderr).toContain("manifest.json: not the manifest of an evaluation");
  });

  test("by one process at a time", async () => {
    const output = path("locked");
    mkdirSync(output);
    const lock = join(output, "lock-00000000-0000-4000-8000-000000000000.json");
    const holder = { host: "node7", boot: null, pidNamespace: null, pid: 7, startTicks: null };
    writeFileSync(lock, JSON.stringify({ ...holder, since: "2026-01-01T00:00:00Z" }));
    const { code, stderr } = await evaluation("--dataset", kitti, "-o", output);
    expect([code, stderr]).toEqual([1, expect.stringContaining("in use by another rapsim eval, process 7 on node7")]);
    rmSync(lock);
    await report("--dataset", kitti, "-o", output);
    expect(readdirSync(output).filter((file) => file.startsWith("lock"))).toEqual([]);
  });
});

describe("what is refused, in one line", () => {
  const bad = "Car 0 0 0 1 2 x 4 0 0 0 0 0 0 0\n";
  const split = (text: string) => (file: (name: string) => string) => writeFileSync(file("split.txt"), text);
  test.each<[string, (file: (name: string) => string) => void, string[], string]>([
    [
      "without labels",
      (at) => rmSync(at("label_2"), { recursive: true }),
      [],
      ": no folder label_2 in it; a KITTI data set has",
    ],
    ["without photographs", (at) => rmSync(at("image_2"), { recursive: true }), [], ": no folder image_2 in it"],
    [
      "with fewer labels than photographs",
      (at) => [1, 3].map((i) => rmSync(at(`label_2/${name(i)}.txt`))),
      [],
      "label_2: no label for 2 of 4 photographs (000001, 000003); add the labels, or name",
    ],
    [
      "with an empty folder",
      (at) => PHOTOS.map((_, i) => rmSync(at(`image_2/${name(i)}.png`))),
      [],
      "image_2: no pictures among its 0 files",
    ],
    [
      "with a wrong label",
      (at) => writeFileSync(at("label_2/000002.txt"), `${labelText([["Car", 0, 0]])}${bad}`),
      [],
      "label_2/000002.txt:2: column 7 (x1) 'x' is not a number",
    ],
    [
      "with results for labels",
      (at) => writeFileSync(at("label_2/000002.txt"), labelText([["Car", 0, 0]]).replace("\n", " 0.5\n")),
      [],
      "label_2/000002.txt: has scores; a label has 15 columns",
    ],
    ["with a missing split entry", split("0\n7\n"), ["--split"], "split.txt:2: no photograph '7' in"],
    [
      "with a split entry twice",
      split("0\n1\n000000\n"),
      ["--split"],
      "split.txt:3: '000000' stands in line 1 already",
    ],
    ["with an empty split", split("\n"), ["--split"], "split.txt: names no photograph"],
    ["with no split", () => {}, ["--split"], "split.txt: no such file; a split file is needed"],
  ])("a data set %s", async (title, change, options, says) => {
    const root = await dataset(title.replaceAll(" ", "-"), change);
    const argv = options.flatMap((option) => [option, join(root, "split.txt")]);
    const { code, stdout, stderr } = await evaluation("--dataset", root, ...argv);
    expect([code, stdout, stderr]).toEqual([1, "", expect.stringContaining(says)]);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });

  test("a folder that is not there", async () => {
    const { code, stderr } = await evaluation("--dataset", path("nowhere"));
    expect([code, stderr]).toEqual([1, expect.stringContaining("nowhere: no such folder; a KITTI data set has")]);
  });

  test.each([
    [["--worst", "2", "--float", "net.onnx"], "--worst needs a folder for its pictures"],
    [["--worst", "2", "-o", "x"], "--worst needs a network to compare with"],
    [["--resume"], "--resume needs the folder to go on in"],
    [["--points", "12"], "--points: '12' is not one of 11, 40"],
    [["--threads", "0"], "--threads: '0' is not a whole number"],
  ])("options %s", async (argv, says) => {
    const { code, stderr } = await rapsim(["eval", program, "--dataset", kitti, ...argv]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(says)]);
  });

  test("no data set", async () => {
    const { code, stderr } = await rapsim(["eval", program]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("--dataset: a folder with photographs and labels")]);
  });

  test("networks that cannot be compared with labels, or with each other", async () => {
    const variant = (file: string, head: object | undefined) => {
      writeFileSync(path(`${file}.onnx`), network());
      writeFileSync(path(`${file}.json`), JSON.stringify({ ...sidecar, head }));
      return path(`${file}.onnx`);
    };
    const animals = variant("animals", { ...sidecar.head, classes: ["cat", "dog", "cow"] });
    const partly = variant("partly", { ...sidecar.head, classes: ["car", "pedestrian", "cow"] });
    const headless = variant("headless", undefined);
    for (const [argv, says] of [
      [[animals], "finds cat, dog, cow; KITTI's labels are of car, pedestrian, cyclist"],
      [[headless], "has no detection head; only detections can be compared with labels"],
      [[model, "--float", headless], "headless.onnx: has no detection head; describe it in headless.json"],
      [[model, "--float", partly], "finds car, pedestrian, the program car, pedestrian, cyclist"],
      [[model, "--float", program], "net.bin: "],
    ] as const) {
      const { code, stderr } = await rapsim(["eval", ...argv, "--dataset", kitti, "--threads", "1"]);
      expect([code, stderr]).toEqual([1, expect.stringContaining(says)]);
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    }
  });
});

describe("a photograph that cannot be read", () => {
  test("is reported at the end; the rest is evaluated", async () => {
    const root = await dataset("damaged", (at) => {
      const file = readFileSync(at("image_2/000001.png"));
      writeFileSync(at("image_2/000001.png"), file.subarray(0, file.length / 2));
    });
    const output = path("damaged-result");
    const { code, stdout, stderr } = await evaluation("--dataset", root, "-o", output, "--json", "-");
    const { dataset: of, levels, failures } = JSON.parse(stdout) as EvaluationReport;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^1 of 4 photographs could not be evaluated; the first: .*000001\.png: .*\n$/);
    expect(of).toMatchObject({ photos: 4, evaluated: 3 });
    expect(levels[0].objects).toBe(2);
    expect(failures).toEqual([{ photo: "000001", message: expect.stringContaining("damaged or cut short") }]);
    const { stdout: text } = await evaluation("--dataset", root);
    expect(text).toContain("1 photograph could not be evaluated");
    // mended, it is all that is left to do
    copyFileSync(join(kitti, "image_2", "000001.png"), join(root, "image_2", "000001.png"));
    expect((await report("--dataset", root, "-o", output, "--resume")).dataset.evaluated).toBe(4);
  });

  test("nor any other: that is all there is to say", async () => {
    const root = await dataset("unreadable", (at) => {
      for (const i of PHOTOS.keys()) writeFileSync(at(`image_2/${name(i)}.png`), "not a picture");
    });
    const { code, stdout, stderr } = await evaluation("--dataset", root);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^none of 4 photographs could be evaluated; the first: .*000000\.png: .*\n$/);
  });
});

const bin = fileURLToPath(new URL("../../dist/bin/rapsim.js", import.meta.url));
const isBuilt = existsSync(fileURLToPath(new URL("../../dist/cli/eval-worker.js", import.meta.url)));

describe.skipIf(!isBuilt)(`as a process, in threads${isBuilt ? "" : " (skipped: npm run build makes it)"}`, () => {
  interface Ended {
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
  }
  /** Runs the build; `onLog` sees standard error as it comes. */
  function run(
    argv: readonly string[],
    onLog: (log: string, end: (signal: NodeJS.Signals) => void) => void = () => {},
  ): Promise<Ended> {
    const child = spawn(process.execPath, [bin, "eval", program, "--threads", "2", "--log-level", "info", ...argv]);
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk;
      onLog(stderr, (signal) => child.kill(signal));
    });
    return new Promise((done) => child.on("close", (code) => done({ code, stdout, stderr })));
  }

  test("gives what one thread gives", async () => {
    const { code, stdout } = await run(["--dataset", kitti, "--float", model, "--json", "-"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(await report("--dataset", kitti, "--float", model));
  });

  /** A data set that takes a while. */
  async function longDataset(folder: string, photos: number): Promise<string> {
    const root = await dataset(folder);
    for (let i = PHOTOS.length; i < photos; i++) {
      copyFileSync(join(kitti, "image_2", "000000.png"), join(root, "image_2", `${name(i)}.png`));
      copyFileSync(join(kitti, "label_2", "000000.txt"), join(root, "label_2", `${name(i)}.txt`));
    }
    return root;
  }

  test("killed, again and again, it loses and repeats nothing", async () => {
    const root = await longDataset("killed", 20);
    const output = path("killed-result");
    const argv = ["--dataset", root, "--float", model, "-o", output, "--resume", "--json", path("killed.json")];
    const kept = () => ["int8", "float", "head"].map((of) => readdirSync(join(output, of, "data")).length);
    for (const lines of [1, 5]) {
      const { code } = await run(argv, (log, kill) => {
        if ((log.match(/photograph evaluated/g)?.length ?? 0) >= lines) kill("SIGKILL");
      });
      expect(code).toBeNull();
    }
    const before = kept();
    for (const count of before) expect(count).toBeGreaterThanOrEqual(1 + 5);
    writeFileSync(join(output, "int8", "data", "000019.txt.123.0.tmp"), "Car 0.");
    const { code, stderr } = await run(argv);
    expect(code).toBe(0);
    expect(kept()).toEqual([20, 20, 20]);
    // a photograph counts as open when any of its three results is missing
    expect(stderr.match(/photograph evaluated/g)!.length).toBeLessThanOrEqual(20 - Math.min(...before) + 1);
    const whole = await report("--dataset", root, "--float", model);
    expect(JSON.parse(readFileSync(path("killed.json"), "utf8"))).toEqual(whole);
  });

  test("interrupted, it keeps what it has and goes on from there", async () => {
    const root = await longDataset("long", 400);
    const output = path("long-result");
    let isInterrupted = false;
    const first = await run(["--dataset", root, "-o", output], (log, interrupt) => {
      if (isInterrupted || !log.includes("photograph evaluated")) return;
      isInterrupted = true;
      interrupt("SIGINT");
    });
    expect([first.code, first.stdout]).toEqual([130, ""]);
    const done = Number(/interrupted; (\d+) of 400 photographs are done: go on with --resume/.exec(first.stderr)?.[1]);
    const files = readdirSync(join(output, "int8", "data"));
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(400);
    expect(files.length).toBeGreaterThanOrEqual(done);
    expect(files.every((file) => /^\d{6}\.txt$/.test(file))).toBe(true);
    const second = await run(["--dataset", root, "-o", output, "--resume"]);
    expect(second.code).toBe(0);
    expect(second.stdout).toContain("400 photographs");
    expect(second.stderr.match(/photograph evaluated/g)).toHaveLength(400 - files.length);
  });
});
