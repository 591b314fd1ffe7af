// Do the scaling modes reach the program from the command line, and is a wrong calibration refused in one message?
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import sharp from "sharp";
import { afterAll, describe, expect, test } from "vitest";
import { decodeRapq } from "../../compiler/index.ts";
import { allInstructions, decodeProgram } from "../../isa/index.ts";
import { smallPicture } from "../support/small-picture.ts";
import { rapsim, temporaryFolder } from "./harness.ts";

const { path, remove } = temporaryFolder();
afterAll(remove);

async function succeed(...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await rapsim(argv);
  expect([code, stderr]).toEqual([0, ""]);
  return stdout;
}

/** A folder of small pictures. */
async function pictures(name: string, seeds: readonly number[], darker = 1): Promise<string> {
  mkdirSync(path(name));
  for (const seed of seeds) {
    const { width, height, rgb } = smallPicture(40, 30, seed);
    const data = Buffer.from(rgb.map((value) => value / darker));
    await sharp(data, { raw: { width, height, channels: 3 } }).toFile(path(`${name}/${seed}.png`));
  }
  return path(name);
}

describe("run-time modes", () => {
  test.each(["dynamic", "delayed"])("%s: compiled, described, run over several frames without races", async (mode) => {
    const program = path(`${mode}.bin`);
    expect(await succeed("compile", "tiny", "--scaling", mode, "-o", program)).toContain(`${mode} scaling`);
    const decoded = decodeProgram(readFileSync(program), program);
    expect(decoded.provenance.options.scaling).toBe(mode);
    expect(allInstructions(decoded).some(({ op }) => op === "range")).toBe(true);
    expect(await succeed("info", program)).toContain(`scaling       ${mode}: exponents follow`);
    const folder = await pictures(`${mode}-pictures`, [1, 2, 3], 4);
    const frames = ["--frames", "3", "--overlap-frames", "--check-races"];
    const report = await succeed("run", program, "--image", folder, ...frames);
    expect(report).toContain(`${mode} scaling`);
    expect(report).toContain("No races");
  });

  test("a quantized network keeps its mode, and says how many exponents move", async () => {
    expect(await succeed("quantize", "tiny", "--scaling", "dynamic", "-o", path("tiny.rapq"))).toContain(
      "dynamic scaling",
    );
    const { exponents } = decodeRapq(readFileSync(path("tiny.rapq")), "tiny").runtime!;
    expect(await succeed("info", path("tiny.rapq"))).toContain(`${exponents.length} run-time exponents`);
    await succeed("compile", path("tiny.rapq"), "-o", path("from-rapq.bin"));
    const { provenance } = decodeProgram(readFileSync(path("from-rapq.bin")), "from-rapq");
    expect(provenance.options.scaling).toBe("dynamic");
    const { code, stderr } = await rapsim(["compile", path("tiny.rapq"), "--scaling", "static"]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("is quantized already; scaling")]);
  });

  test("the host reads a frame's scale: outputs are about as large as the static ones", async () => {
    const extremes = async (program: string, image: string) => {
      const text = await succeed("run", program, "--image", image, "--mode", "functional", "--json", "-");
      const [{ minimum, maximum }] = JSON.parse(text).outputs;
      return maximum - minimum;
    };
    const image = `${await pictures("one", [5])}/5.png`;
    await succeed("compile", "tiny", "-o", path("static.bin"));
    await succeed("compile", "tiny", "--scaling", "dynamic", "-o", path("moving.bin"));
    const [fixed, moving] = [await extremes(path("static.bin"), image), await extremes(path("moving.bin"), image)];
    expect(moving / fixed).toBeGreaterThan(0.8);
    expect(moving / fixed).toBeLessThan(1.25);
  });
});

describe("calibrated", () => {
  const compile = (...argv: string[]) => rapsim(["quantize", "tiny", "-o", path("c.rapq"), ...argv]);

  test("takes the pictures of a folder, 16 at most, and says which", async () => {
    const seeds = Array.from({ length: 18 }, (_, i) => i + 10);
    const folder = await pictures("many", seeds);
    expect((await compile("--scaling", "calibrated", "--calibration", folder)).code).toBe(0);
    const { options } = decodeRapq(readFileSync(path("c.rapq")), "c").provenance;
    expect(options).toMatchObject({ scaling: "calibrated", calibrationPictures: 16 });
    expect(options.calibrationSha256).toMatch(/^[0-9a-f]{64}$/);
  });

  test("other pictures, other exponents", async () => {
    const exponents = async (folder: string) => {
      expect((await compile("--scaling", "calibrated", "--calibration", folder)).code).toBe(0);
      return decodeRapq(readFileSync(path("c.rapq")), "c").tensors.map(({ exponent }) => exponent);
    };
    expect(await exponents(await pictures("bright", [1, 2]))).not.toEqual(
      await exponents(await pictures("dark", [1, 2], 100)),
    );
  });

  const refused = async (folder: string) => {
    const { code, stdout, stderr } = await compile("--scaling", "calibrated", "--calibration", folder);
    expect([code, stdout, stderr.trim().split("\n").length]).toEqual([1, "", 1]);
    return stderr;
  };

  test("no such folder, an empty one, a picture that cannot be read", async () => {
    expect(await refused(path("nowhere"))).toContain("nowhere: no such file or folder");
    mkdirSync(path("empty"));
    expect(await refused(path("empty"))).toContain("empty: no pictures among its 0 files");
    const folder = await pictures("broken", [1]);
    writeFileSync(`${folder}/bad.png`, "not a picture");
    expect(await refused(folder)).toContain("bad.png: its first bytes are those of neither PNG nor JPEG");
  });

  test.each([
    [["--scaling", "calibrated"], "--scaling calibrated needs pictures: add --calibration DIR"],
    [["--calibration", "x"], "--calibration goes with --scaling calibrated"],
    [["--scaling", "dynamic", "--calibration", "x"], "--calibration goes with --scaling calibrated"],
    [["--scaling", "sometimes"], "static, calibrated, dynamic, delayed"],
  ])("%s is wrong usage", async (argv, message) => {
    const { code, stderr } = await compile(...argv);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
