// rapsim tradeoff: does each row say what eval and run say of the same settings, and is a row that is done kept?
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { QUANTIZE_AXES } from "../../cli/model-options.ts";
import type { EvaluationReport } from "../../report/eval-report.ts";
import type { Report } from "../../report/report.ts";
import type { TradeoffReport } from "../../report/tradeoff-report.ts";
import { faultsAgainst } from "../report/schema-faults.ts";
import { labelText, name, network, PHOTOS, photograph, sidecar } from "./color-detector.ts";
import { rapsim, temporaryFolder } from "./harness.ts";

const { path, remove } = temporaryFolder();
afterAll(remove);
const model = path("net.onnx");
const kitti = path("kitti");

beforeAll(async () => {
  writeFileSync(model, network());
  writeFileSync(path("net.json"), JSON.stringify(sidecar));
  for (const part of ["image_2", "label_2"]) mkdirSync(join(kitti, part), { recursive: true });
  for (const [i, cells] of PHOTOS.entries()) {
    await photograph(join(kitti, "image_2", `${name(i)}.png`), cells);
    writeFileSync(join(kitti, "label_2", `${name(i)}.txt`), labelText(cells));
  }
});

const table = (...argv: string[]) => rapsim(["tradeoff", model, "--dataset", kitti, "--threads", "1", ...argv]);
async function report(...argv: string[]): Promise<TradeoffReport> {
  const { code, stdout, stderr } = await table("--json", "-", ...argv);
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout);
}

const formats = QUANTIZE_AXES.activations.length * QUANTIZE_AXES.head.length;
/** Nothing is calibrated without pictures. */
const everyRow = formats * (QUANTIZE_AXES.scaling.length - 1);

describe("the table", () => {
  test("has a row for every combination, as its schema says", async () => {
    const whole = await report();
    expect(faultsAgainst("tradeoff.schema.json")(whole)).toEqual([]);
    expect(whole.rows).toHaveLength(everyRow);
    expect(new Set(whole.rows.map(({ settings }) => JSON.stringify(settings))).size).toBe(everyRow);
    expect(whole.float.levels).toHaveLength(9);
  });

  test("has rows with calibrated scales where there are pictures", async () => {
    const { rows, options } = await report(
      "--calibration",
      join(kitti, "image_2"),
      "--scaling",
      "calibrated,static",
      "--head",
      "i8",
    );
    expect(rows.map(({ settings }) => Object.values(settings).join("-"))).toEqual([
      "static-i8-i8",
      "static-u8-i8",
      "calibrated-i8-i8",
      "calibrated-u8-i8",
    ]);
    expect(options.calibration).toBe(join(kitti, "image_2"));
  });

  test("says of a row what eval and run say", async () => {
    const { rows, float } = await report(
      ...["--scaling", "static", "--activations", "u8", "--head", "i8", "--machine", "rap-small"],
    );
    expect(rows.map(({ settings }) => settings)).toEqual([expect.objectContaining({ activations: "u8", head: "i8" })]);
    const [{ precision, difference, agreement, headSqnrDb, frame }] = rows;
    const settings = ["--activations", "u8", "--head", "i8"];
    const argv = ["--dataset", kitti, "--float", model, "--threads", "1", "--json", "-"];
    const evaluated = JSON.parse((await rapsim(["eval", model, ...settings, ...argv])).stdout) as EvaluationReport;
    expect({ precision, difference, agreement, headSqnrDb, float: float.mean }).toEqual({
      precision: {
        mean: evaluated.mean.int8,
        levels: evaluated.levels.map((level) => ({
          class: level.class,
          difficulty: level.difficulty,
          value: level.int8.value,
        })),
      },
      difference: evaluated.mean.difference,
      agreement: evaluated.agreement,
      headSqnrDb: evaluated.headSqnrDb,
      float: evaluated.mean.float,
    });
    const program = path("net.bin");
    expect((await rapsim(["compile", model, "--machine", "rap-small", ...settings, "-o", program])).code).toBe(0);
    const totals = async (frames: string) => {
      const { stdout } = await rapsim(["run", program, "--mode", "timing", "--frames", frames, "--json", "-"]);
      return (JSON.parse(stdout) as Report).totals!;
    };
    const [one, two] = [await totals("1"), await totals("2")];
    expect(frame.cycles).toBe(two.cycles - one.cycles);
    expect(frame.dramBytes).toBe(two.dramReadBytes + two.dramWriteBytes - one.dramReadBytes - one.dramWriteBytes);
    expect(frame.millijoules).toBeCloseTo((two.energyPj.total - one.energyPj.total) / 1e9, 12);
  });

  test("as text and CSV", async () => {
    const file = path("table.csv");
    const { code, stdout, stderr } = await table("--head", "i32", "--csv", file);
    expect([code, stderr]).toEqual([0, ""]);
    for (const words of ["net.onnx on rap-e: 4 photographs", "activations", "found %", "mJ", "float has"]) {
      expect(stdout).toContain(words);
    }
    expect(stdout).not.toMatch(/NaN|undefined/);
    const [header, ...rows] = readFileSync(file, "utf8").trimEnd().split("\n");
    expect(header).toContain("ap.car.easy");
    expect(rows).toHaveLength(everyRow / QUANTIZE_AXES.head.length);
  });
});

describe("a folder of rows", () => {
  test("what is done is not done again, what is missing is", async () => {
    const output = path("table");
    const whole = await report("-o", output, "--resume");
    const folders = readdirSync(output).filter((file) => file !== "tradeoff.json");
    expect(folders).toHaveLength(everyRow);
    // a number of ours stays
    const [first, second] = folders.map((folder) => join(output, folder, "row.json"));
    const kept = readFileSync(first, "utf8");
    const ours = JSON.parse(kept);
    ours.row.frame.cycles = 123456789;
    writeFileSync(first, JSON.stringify(ours));
    rmSync(second);
    const again = await report("-o", output, "--resume");
    expect(again.rows.map(({ frame }) => frame.cycles)).toContain(123456789);
    expect(existsSync(second)).toBe(true);
    writeFileSync(first, kept);
    expect(await report("-o", output, "--resume")).toEqual(whole);
    writeFileSync(first, "{");
    expect(await table("-o", output, "--resume")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("row.json: not a row; remove it"),
    });
  });

  test("of the same table only", async () => {
    const output = path("same");
    await report("-o", output, "--scaling", "static", "--activations", "i8", "--head", "i8");
    for (const [argv, says] of [
      [[], "same: holds a table; go on with it (--resume)"],
      [["--resume", "--threshold", "0.1"], "same: its table is of another model, machine, data set or threshold"],
      [["--resume", "--machine", "rap-small"], "same: its table is of another model, machine"],
      [["--resume", "--seed", "2"], "same: its table is of another model, machine"],
    ] as const) {
      const { code, stderr } = await table("-o", output, ...argv);
      expect([code, stderr]).toEqual([1, expect.stringContaining(says)]);
    }
  });

  test("a photograph that cannot be read ends it with its name, and the rest is kept", async () => {
    const broken = path("broken");
    for (const part of ["image_2", "label_2"]) mkdirSync(join(broken, part), { recursive: true });
    for (const i of [0, 1]) {
      writeFileSync(
        join(broken, "image_2", `${name(i)}.png`),
        i === 0 ? readFileSync(join(kitti, "image_2", "000000.png")) : "no",
      );
      writeFileSync(join(broken, "label_2", `${name(i)}.txt`), "");
    }
    const { code, stderr } = await rapsim([
      "tradeoff",
      model,
      "--dataset",
      broken,
      "--threads",
      "1",
      "-o",
      path("rest"),
    ]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^1 of 2 photographs could not be evaluated; the first: .*000001\.png/),
    ]);
    const [row] = readdirSync(path("rest")).filter((file) => file !== "tradeoff.json");
    expect(readdirSync(join(path("rest"), row, "int8", "data"))).toEqual(["000000.txt"]);
  });
});

test.each([
  [["--scaling", "calibrated"], 2, "--scaling calibrated needs pictures: add --calibration DIR"],
  [["--scaling", "static", "--calibration", "x"], 2, "--calibration is for rows with scaling calibrated"],
  [["--activations", "i8,i4"], 2, "--activations: 'i4' is not one of i8, u8"],
  [["--json", "-", "--csv", "-"], 2, "--csv and --json both write to standard output"],
  [["--resume"], 2, "--resume needs the folder to go on in"],
])("refused: %s", async (argv, expected, says) => {
  const { code, stderr } = await table(...argv);
  expect([code, stderr]).toEqual([expected, expect.stringContaining(says)]);
});
