// rapsim sweep: is each row what compile and run say, is what is done kept, and is a failure a row?
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Report } from "../../report/report.ts";
import type { Row } from "../../sweep/index.ts";
import { labelText, name, network, PHOTOS, photograph, sidecar } from "../cli/color-detector.ts";
import { rapsim, temporaryFolder } from "../cli/harness.ts";
import { faultsAgainst } from "../report/schema-faults.ts";

const { path, remove } = temporaryFolder();
afterAll(remove);

const SPACE = `name: t
settings: { network: tiny }
axes:
  agents: [1, 2]
  dram.bytesPerCycle: [2, 8]
  optimize: [0, 1]
`;
let serial = 0;
function spaceFile(text: string): string {
  const file = path(`space${serial++}.yaml`);
  writeFileSync(file, text);
  return file;
}
async function sweep(text: string, folder: string, ...more: string[]): Promise<Row[]> {
  const { code, stderr } = await rapsim(["sweep", spaceFile(text), "-o", path(folder), ...more]);
  expect([code, stderr]).toEqual([0, ""]);
  return rowsOf(folder);
}
/** Do the command lines that --best prints give the rows' figures again? */
async function repeatsByHand(space: string, folder: string, rows: readonly Row[]): Promise<void> {
  const { stdout } = await rapsim(["sweep", spaceFile(space), "-o", path(folder), "--best"]);
  const commands = [...stdout.matchAll(/^ {2}rapsim (.*)$/gm)].map(([, line]) => line.split(" "));
  expect(commands.length).toBeGreaterThan(0);
  for (const argv of commands) {
    const at = argv.map((word) => (/^point-\d+\.bin$/.test(word) ? path(word) : word));
    const more = argv[0] === "run" ? ["--json", path("r.json")] : [];
    expect((await rapsim([...at, ...more])).code).toBe(0);
    if (argv[0] !== "run") continue;
    const { totals }: Report = JSON.parse(readFileSync(path("r.json"), "utf8"));
    const index = Number(/point-(\d+)/.exec(argv[1])![1]);
    expect(rows[index].figures).toMatchObject({
      framesPerSecond: totals!.framesPerSecond,
      cycles: totals!.cycles,
      millijoulesPerFrame: totals!.energyPj.total / 1e9,
      dramBytesPerFrame: totals!.dramReadBytes + totals!.dramWriteBytes,
      areaMm2: totals!.areaMm2.total,
    });
  }
}

const text = (folder: string, file = "results.jsonl") => readFileSync(path(`${folder}/${file}`), "utf8");
const rowsOf = (folder: string): Row[] =>
  text(folder)
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

let rows: Row[];
beforeAll(async () => {
  rows = await sweep(SPACE, "whole", "--best");
});

describe("rows", () => {
  test("are as their schema says, in order, one for each point", () => {
    expect(rows.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    for (const row of rows) expect(faultsAgainst("sweep-row.schema.json")(row)).toEqual([]);
    expect(rows[5].settings).toEqual({ agents: 2, "dram.bytesPerCycle": 2, optimize: 1 });
  });

  test("the table has the same", () => {
    const [head, ...lines] = text("whole", "results.csv").trimEnd().split("\n");
    expect(head).toMatch(
      /^index,settings\.agents,settings\.dram\.bytesPerCycle,settings\.optimize,figures\.framesPerSecond,/,
    );
    expect(lines).toHaveLength(8);
    expect(lines[5]).toMatch(/^5,2,2,1,/);
  });

  test("are what the command lines on the front say by hand", () => repeatsByHand(SPACE, "whole", rows));

  test("so they are where the compiler chooses between programs by their time", async () => {
    const space = "name: t\nsettings: { network: tiny }\naxes:\n  agents: [16]\n";
    await repeatsByHand(space, "chosen", await sweep(space, "chosen"));
  });

  test("machines on the front are files that compile takes", async () => {
    const files = readdirSync(path("whole/best"));
    expect(files.length).toBeGreaterThan(0);
    const machine = path(`whole/best/${files[0]}`);
    expect((await rapsim(["compile", "tiny", "--machine", machine, "-o", path("best.bin")])).code).toBe(0);
  });

  test("frames and a program for each point's own rates, as run has them", async () => {
    const own = `name: t\nsettings: { network: tiny }\naxes:\n  dram.bytesPerCycle: [2, 8]\nframes: 3\noverlapFrames: true\ncompileFor: machine\n`;
    const [first] = await sweep(own, "own");
    expect((await rapsim(["compile", "tiny", "--set", "dram.bytesPerCycle=2", "-o", path("own.bin")])).code).toBe(0);
    const run = [
      "run",
      path("own.bin"),
      "--mode",
      "timing",
      "--frames",
      "3",
      "--overlap-frames",
      "--json",
      path("own.json"),
    ];
    expect((await rapsim(run)).code).toBe(0);
    const { totals }: Report = JSON.parse(readFileSync(path("own.json"), "utf8"));
    expect(first.figures).toMatchObject({
      framesPerSecond: totals!.framesPerSecond,
      millijoulesPerFrame: totals!.energyPj.total / 3 / 1e9,
    });
  });
});

describe("going on", () => {
  test("a folder with a sweep is not begun again without --resume", async () => {
    const { code, stderr } = await rapsim(["sweep", spaceFile(SPACE), "-o", path("whole")]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("holds a sweep; go on with it (--resume)")]);
  });

  test("--resume where there is nothing to resume says so, and begins; --best begins in silence", async () => {
    const argv = (folder: string) => ["sweep", spaceFile(SPACE), "-o", path(folder), "--limit", "1"];
    const resumed = await rapsim([...argv("nothing"), "--resume"]);
    expect([resumed.code, resumed.stderr]).toEqual([
      0,
      expect.stringMatching(/WARN: nothing to resume: the folder holds no sweep yet; beginning one .*nothing/),
    ]);
    expect(rowsOf("nothing")).toHaveLength(1);
    expect(await rapsim([...argv("best"), "--best"])).toMatchObject({ code: 0, stderr: "" });
  });

  test("nor gone on with as another one", async () => {
    const other = await rapsim([
      "sweep",
      spaceFile(SPACE.replace("[2, 8]", "[2, 9]")),
      "-o",
      path("whole"),
      "--resume",
    ]);
    expect([other.code, other.stderr]).toEqual([1, expect.stringContaining("its sweep is of another space")]);
  });

  test.each([0, 1, 500, 1500, 2200])("after a kill that left %d bytes: the same file", async (bytes) => {
    const folder = `cut${bytes}`;
    cpSync(path("whole"), path(folder), { recursive: true });
    truncateSync(path(`${folder}/results.jsonl`), bytes);
    await sweep(SPACE, folder, "--resume");
    expect(text(folder)).toBe(text("whole"));
  });

  test("rows that are there are not evaluated again", async () => {
    await sweep(SPACE, "kept", "--limit", "3");
    const first = rowsOf("kept");
    expect(first).toHaveLength(3);
    // a mark that only a kept row still bears
    writeFileSync(path("kept/results.jsonl"), text("kept").replace('"error":null', '"error":"kept"'));
    const later = await sweep(SPACE, "kept", "--resume");
    expect(later.map(({ error }) => error)).toEqual(["kept", ...Array(7).fill(null)]);
  });

  test("a line that is no row is refused by number", async () => {
    await sweep(SPACE, "broken", "--limit", "2");
    appendFileSync(path("broken/results.jsonl"), '{"index":-1}\n');
    const { code, stderr } = await rapsim(["sweep", spaceFile(SPACE), "-o", path("broken"), "--resume"]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("results.jsonl:3: not a row of a sweep")]);
  });
});

describe("failures", () => {
  test("are rows; the others are evaluated", async () => {
    const failing = `name: t\nsettings: { network: tiny }\naxes:\n  sram.bytes: [4096, 262144]\n  array.accumulatorBytes: [64, 32768]\n`;
    const found = await sweep(failing, "failing");
    expect(found.map(({ error }) => error === null)).toContain(true);
    // 64 bytes of accumulators: one row of 16 columns; 4096 bytes of SRAM are too few for some layer
    const errors = found.filter(({ error }) => error !== null);
    for (const { error, figures } of errors) expect([typeof error, figures]).toEqual(["string", null]);
    expect(existsSync(path("failing/report.html"))).toBe(true);
  });

  test("a network that is not one fails its points", async () => {
    writeFileSync(path("broken.onnx"), "no network");
    const found = await sweep(`name: t\naxes:\n  network: [tiny, broken.onnx]\n`, "networks");
    expect(found.map(({ error }) => error)).toEqual([null, expect.stringContaining("broken.onnx")]);
  });

  test("nothing but failures is a failure", async () => {
    const hopeless = spaceFile(
      `name: t\nsettings: { network: tiny }\naxes:\n  array.cols: [256]\n  array.accumulatorBytes: [64]\n`,
    );
    const { code, stderr } = await rapsim(["sweep", hopeless, "-o", path("hopeless")]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("none of 1 points could be evaluated; the first: ")]);
  });
});

describe("a search", () => {
  const SEARCH = `name: t
settings: { network: tiny }
axes:
  agents: { from: 1, to: 4, step: 1 }
  array.rows: [4, 8, 16]
  dram.bytesPerCycle: { from: 1, to: 16, count: 16 }
constraints: [agents * array.rows <= 32]
limits: [averagePowerW < 10]
sampling: { method: search, population: 6, generations: 3 }
objectives: { framesPerSecond: maximize, areaMm2: minimize }
`;
  test("finds, in a part of the grid, points that nothing in it beats, and goes on from any row", async () => {
    const found = await sweep(SEARCH, "search");
    expect(found.length).toBeGreaterThan(6);
    expect(found.length).toBeLessThanOrEqual(18);
    expect(new Set(found.map(({ settings }) => JSON.stringify(settings))).size).toBe(found.length);
    cpSync(path("search"), path("again"), { recursive: true });
    truncateSync(path("again/results.jsonl"), 3000);
    await sweep(SEARCH, "again", "--resume");
    expect(text("again")).toBe(text("search"));
  });
});

describe("wrong use", () => {
  test.each([
    ["", "--output: a folder for the results is needed"],
    ["-o out --workers 0", "--workers: '0' is not a whole number"],
    ["-o out --workers 2 --redis redis://h", "--workers has no effect with --redis"],
    ["-o out --redis http://u:hush@h", "--redis: must be redis://host:port"],
    ["-o out --redis nonsense:hush", "--redis: must be redis://host:port"],
    ["-o out --redis redis://u:hush%zz@h", "--redis: in a user or password, % is written %25"],
    ["-o out --limit x", "--limit: 'x' is not a whole number"],
  ])("sweep space.yaml %s", async (argv, message) => {
    const { code, stderr } = await rapsim(["sweep", spaceFile(SPACE), ...argv.split(" ").filter(Boolean)]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(stderr).not.toContain("hush");
  });

  test.each([
    [
      "settings: { network: none.onnx }",
      /space\d+\.yaml:4: network '.*none\.onnx': cannot be read: no such file or folder; built-in networks are squeezedet,/,
    ],
    ["dataset: { folder: none }", /space\d+\.yaml:4: .*none: no such folder; a KITTI data set has/],
    ["calibration: none", /space\d+\.yaml:4: .*none/],
  ])("what a space file names and is not there is refused by line: %s", async (line, message) => {
    const argv = ["sweep", spaceFile(`name: t\naxes:\n  agents: [1]\n${line}\n`), "-o", path("absent")];
    expect(await rapsim(argv)).toMatchObject({ code: 1, stderr: expect.stringMatching(message) });
  });

  test("a worker needs to know where", async () => {
    const { code, stderr } = await rapsim(["worker"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("--redis: where the queue is, is needed")]);
  });

  test("Redis that is not there is one clear error without the password", async () => {
    const argv = ["sweep", spaceFile(SPACE), "-o", path("away/out"), "--redis", "redis://me:hush@127.0.0.1:1"];
    const { code, stderr } = await rapsim(argv);
    expect([code, stderr]).toEqual([
      1,
      "redis://127.0.0.1:1: Redis cannot be used: nothing listens there; start redis-server, or give another address\n",
    ]);
    expect(existsSync(path("away"))).toBe(false);
  });
});

describe("a data set", () => {
  test("gives each way of quantizing the precision that eval measures", async () => {
    writeFileSync(path("net.onnx"), network());
    writeFileSync(path("net.json"), JSON.stringify(sidecar));
    for (const part of ["image_2", "label_2"]) mkdirSync(path(`kitti/${part}`), { recursive: true });
    for (const [i, cells] of PHOTOS.entries()) {
      await photograph(path(`kitti/image_2/${name(i)}.png`), cells);
      writeFileSync(path(`kitti/label_2/${name(i)}.txt`), labelText(cells));
    }
    const found = await sweep(
      "name: t\nsettings: { network: net.onnx }\naxes:\n  activations: [i8, u8]\n  agents: [1, 2]\ndataset: { folder: kitti }\nobjectives: { meanAp: maximize, millijoulesPerFrame: minimize }\nlimits: [meanAp > 0.01]\n",
      "precise",
      "--workers",
      "1",
    );
    const argv = ["eval", path("net.onnx"), "--dataset", path("kitti"), "--threads", "1", "--json", "-"];
    const means = [];
    for (const activations of ["i8", "u8"]) {
      const { stdout } = await rapsim([...argv, "--activations", activations]);
      const mean: number = JSON.parse(stdout).mean.int8.value;
      means.push(mean, mean);
    }
    expect(found.map(({ figures }) => figures!.meanAp)).toEqual(means);
  });
});
