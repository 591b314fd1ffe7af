// Does a network become a program from the command line, whichever way it comes in?
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { decodeProgram } from "../../isa/index.ts";
import type { Report } from "../../report/index.ts";
import { CapturedOutput, rapsim, temporaryFolder } from "./harness.ts";

const { path, remove } = temporaryFolder();
afterAll(remove);

async function succeed(...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await rapsim(argv);
  expect([code, stderr]).toEqual([0, ""]);
  return stdout;
}

/** Compiles the built-in `tiny`; its program. */
async function compiled(name: string, ...options: string[]) {
  await succeed("compile", "tiny", "-o", path(name), ...options);
  return decodeProgram(readFileSync(path(name)), name);
}
const outputs = async (program: string): Promise<Report["outputs"]> =>
  JSON.parse(await succeed("run", program, "--mode", "functional", "--json", "-")).outputs;

test("compile says what it wrote, and writes the same bytes twice, to a file or standard output", async () => {
  expect(await succeed("compile", "tiny", "-o", path("a.bin"))).toMatch(
    /a\.bin: tiny for rap-e, \d+ layers, [\d,]+ instructions, [\d,]+ bytes\n$/,
  );
  await succeed("compile", "tiny", "-o", path("b.bin"));
  expect(readFileSync(path("a.bin")).equals(readFileSync(path("b.bin")))).toBe(true);
  const stdout = new CapturedOutput();
  expect((await rapsim(["compile", "tiny", "-o", "-"], { stdout })).code).toBe(0);
  expect(Buffer.from(stdout.bytes).equals(readFileSync(path("a.bin")))).toBe(true);
});

test("options reach machine, quantizer and schedule", async () => {
  expect((await compiled("m.bin", "--machine", "rap-small")).machine.name).toBe("rap-small");
  const { parameters } = (await compiled("s.bin", "--set", "agents=2", "--set", "clockHz=5e8")).machine;
  expect([parameters.agents, parameters.clockHz]).toEqual([2, 5e8]);
  expect((await compiled("h.bin", "--head", "i8")).host.outputs[0].format).toBe("i8");
  expect((await compiled("w.bin", "--head", "i32")).host.outputs[0].format).toBe("i32");
  expect((await compiled("u.bin", "--activations", "u8")).tensors.some(({ format }) => format === "u8")).toBe(true);
  const packings = (program: Awaited<ReturnType<typeof compiled>>) =>
    new Set(program.body.flatMap((instruction) => (instruction.op === "conv" ? [instruction.packing] : [])));
  expect(packings(await compiled("p.bin", "--packing", "perTap"))).toEqual(new Set(["perTap"]));
});

test("another seed makes other weights", async () => {
  await compiled("1.bin", "--seed", "1");
  await compiled("2.bin", "--seed", "2");
  expect((await outputs(path("1.bin")))[0].sha256).not.toBe((await outputs(path("2.bin")))[0].sha256);
});

describe("a quantized network", () => {
  test("compiles to the same values as its float network, on whatever machine", async () => {
    expect(await succeed("quantize", "tiny", "-o", path("tiny.rapq"))).toMatch(
      /tiny\.rapq: tiny, \d+ layers, [\d,]+ weights/,
    );
    await succeed("compile", path("tiny.rapq"), "-o", path("q.bin"), "--machine", "rap-small");
    const expected = await outputs("tiny");
    expect(await outputs(path("q.bin"))).toEqual(expected);
    expect(await outputs(path("tiny.rapq"))).toEqual(expected);
  });

  test("info says what is in it", async () => {
    await succeed("quantize", "tiny", "-o", path("i.rapq"));
    const text = await succeed("info", path("i.rapq"));
    for (const words of ["a quantized network", "32 x 32 x 3", "classification", "conv1", "fire2"])
      expect(text).toContain(words);
    expect(JSON.parse(await succeed("info", path("i.rapq"), "--json"))).toMatchObject({ kind: "model", name: "tiny" });
  });
});

describe("refusals", () => {
  test.each([
    [
      "a name that is no built-in network",
      ["compile", "nonet", "-o", path("x.bin")],
      /nonet.*squeezedet, squeezenet, tiny/,
    ],
    ["a file that is no network", ["compile", path("text.onnx"), "-o", path("x.bin")], /text\.onnx/],
    ["a model over itself", ["quantize", path("text.onnx"), "-o", path("text.onnx")], /would overwrite/],
  ])("%s", async (_name, argv, says) => {
    writeFileSync(path("text.onnx"), "not a network");
    const { code, stderr } = await rapsim(argv);
    expect(stderr).toMatch(says);
    expect([1, 2]).toContain(code);
    expect(stderr).not.toContain("    at ");
  });
});

test("a program where a network is wanted", async () => {
  await succeed("compile", "tiny", "-o", path("done.bin"));
  const { code, stderr } = await rapsim(["compile", path("done.bin"), "-o", path("x.bin")]);
  expect([code, stderr]).toEqual([
    1,
    expect.stringContaining("done.bin: is a program already; run it with rapsim run"),
  ]);
});

test("an uncaught mistake of ours is code 70 with a stack", async () => {
  const broken = new CapturedOutput();
  broken.write = () => {
    throw new TypeError("broken stream");
  };
  const { code, stderr } = await rapsim(["machines"], { stdout: broken });
  expect(code).toBe(70);
  expect(stderr).toMatch(/TypeError: broken stream\n {4}at [\s\S]*Please report it/);
});
