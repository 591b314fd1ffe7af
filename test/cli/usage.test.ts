// Is every wrong command line refused in one line that names what is wrong, before any work?
import { describe, expect, test } from "vitest";
import { RAPSIM_VERSION } from "../../compiler/version.ts";
import { CapturedOutput, rapsim } from "./harness.ts";

const COMMANDS = ["run", "compile", "quantize", "info", "disasm", "asm", "machines"];

test("help names every command, and each command helps itself", async () => {
  const { code, stdout } = await rapsim(["--help"]);
  expect(code).toBe(0);
  for (const command of COMMANDS) {
    expect(stdout).toContain(`rapsim ${command}`);
    const own = await rapsim([command, "--help"]);
    expect([own.code, own.stderr]).toEqual([0, ""]);
    expect(own.stdout).toContain("Everywhere:");
    expect(own.stdout.split("\n").filter((line) => line.length > 100)).toEqual([]);
  }
});

test("version", async () => {
  expect(await rapsim(["--version"])).toEqual({ code: 0, stdout: `${RAPSIM_VERSION}\n`, stderr: "" });
});

describe("wrong usage: exit code 2, one line, where to read more", () => {
  const cases: readonly (readonly [argv: string, says: string])[] = [
    ["", "no command given; known: run, compile"],
    ["runn", "unknown command; did you mean run?"],
    ["frobnicate", "unknown option or argument: frobnicate"],
    ["run -", "-: standard input is not read in place of a program"],
    ["asm -", "-: standard input is not read in place of a source"],
    ["--frobnicate", "unknown option or argument: frobnicate"],
    ["run --frobnicate", "unknown option or argument: frobnicate"],
    ["run a.bin b.bin", "unknown option or argument: b.bin"],
    ["run --no-overlap-frames", "unknown option or argument: no-overlap-frames"],
    ["run --json", "--json: its value is missing"],
    ["run --json a --json b", "--json: given 2 times"],
    ["run --image=", "--image: empty"],
    ["run --mode fast", "--mode: 'fast' is not one of full, timing, functional"],
    ["run --kernels gpu", "--kernels: 'gpu' is not one of wasm, twin"],
    ["run --threshold high", "--threshold: 'high' is not a number 0..1"],
    ["run --threshold 1.5", "--threshold: '1.5' is not a number 0..1"],
    ["run --frames 0", "--frames: '0' is not a whole number 1..10000"],
    ["run --frames 1.5", "--frames: '1.5' is not a whole number 1..10000"],
    ["run --frames Infinity", "--frames: 'Infinity'"],
    ["run --overlap-frames", "--overlap-frames needs at least two frames"],
    ["run --mode timing --image a.png", "--image has no effect with --mode timing"],
    ["run --mode timing --boxes a.png", "--boxes has no effect with --mode timing"],
    ["run --mode timing --threads 2", "--threads has no effect with --mode timing"],
    ["run --threads 0", "--threads: '0' is not a whole number 1..256"],
    ["run --threads 2 --dump here", "--threads: accumulators are dumped by one thread alone"],
    ["run --threads 2 --kernels twin", "--threads: the twin kernels run in one thread alone"],
    ["run --mode functional --frames 2", "--frames has no effect with --mode functional"],
    ["run --mode functional --csv a.csv", "--csv has no effect with --mode functional"],
    ["run --json - --csv -", "--csv and --json both write to standard output"],
    ["run --json same --csv same", "--csv would overwrite same, which --json names"],
    ["run --json p.bin p.bin", "--json would overwrite p.bin, which PROGRAM names"],
    ["run --boxes found.gif", "--boxes: pictures are written as PNG"],
    ["run --set agents=8", "--set: agents belongs to the structure"],
    ["run --set clock=1", "--set: clock is not a machine parameter; did you mean clockHz? rapsim machines --show"],
    ["run --set xyzzy=1", "--set: xyzzy is not a machine parameter; known: agents,"],
    ["machines --show rap-x", "--show: 'rap-x' is not one of "],
    ["run --set clockHz=fast", '--set: clockHz = "fast": must be a number'],
    ["run --set clockHz", "--set: 'clockHz' is not of the form key=value"],
    ["run --log-level loud", "--log-level: 'loud' is not one of silent, error"],
    ["compile", "a file or name is missing"],
    ["compile tiny --packing tight", "--packing: 'tight' is not one of perTap, kernelRow, full"],
    ["compile tiny --seed -1", "--seed: '-1' is not a whole number"],
    ["compile tiny --set array.cols=17", "--set: array.cols = 17: must be a multiple of 4"],
    ["compile tiny --set agents=256 --set sram.bytes=67108864", "--set: 256 agents"],
    ["quantize tiny --head f32", "--head: 'f32' is not one of i32, i8"],
    ["disasm", "a file or name is missing"],
    ["machines rap-e", "unknown option or argument: rap-e"],
  ];
  test.each(cases)("rapsim %s", async (line, says) => {
    const argv = line.split(" ").filter((word) => word !== "");
    const { code, stdout, stderr } = await rapsim(argv);
    expect(stderr).toContain(says);
    const known = COMMANDS.includes(argv[0]) ? ` ${argv[0]}` : "";
    expect(stderr.trimEnd().split("\n")).toHaveLength(2);
    expect(stderr).toMatch(new RegExp(`\nsee rapsim${known} --help\n$`));
    expect([code, stdout]).toEqual([2, ""]);
  });
});

describe("wrong inputs: exit code 1, one line", () => {
  test.each([
    ["run missing.bin", "missing.bin: no such file; make one: rapsim compile missing -o missing.bin"],
    ["run --image missing.png", "missing.png: no such file or folder"],
    ["info missing.bin", "missing.bin: cannot be read: no such file or folder"],
    ["info test", "test: is a folder; a program or quantized network is needed"],
    [
      "info package.json",
      'neither a program nor a quantized network (it begins with neither "RAPSIMPG" nor "RAPSIMQM")',
    ],
    ["disasm package.json", "package.json: offset 0: not a rapsim program"],
    ["run --json no/such/folder/r.json", "no/such/folder/r.json: cannot be written: no folder"],
    ["run --csv test", "test: is a folder; a file is to be written"],
    ["compile tiny -o no/such/t.bin", "no/such/t.bin: cannot be written: no folder"],
    ["compile tiny --machine rap-x", "machine 'rap-x': no such preset or file; presets: "],
  ])("rapsim %s", async (line, says) => {
    const { code, stdout, stderr } = await rapsim(line.split(" "));
    expect(stderr).toContain(says);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect([code, stdout]).toEqual([1, ""]);
  });
});

describe("streams", () => {
  test("a closed pipe is no error and no noise", async () => {
    const stdout = new CapturedOutput({ error: "EPIPE" });
    expect(await rapsim(["machines"], { stdout })).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("a full device under standard output is said", async () => {
    const { code, stderr } = await rapsim(["machines"], { stdout: new CapturedOutput({ error: "ENOSPC" }) });
    expect([code, stderr]).toEqual([1, "standard output: no space left on the device\n"]);
  });

  test("with --log-json an error is a JSON line", async () => {
    const { stderr } = await rapsim(["info", "missing.bin", "--log-json"]);
    expect(JSON.parse(stderr)).toMatchObject({ level: 60, msg: expect.stringContaining("missing.bin") });
  });

  test("a narrow terminal gets narrow help", async () => {
    const stdout = new CapturedOutput({ isTTY: true, columns: 70 });
    await rapsim(["run", "--help"], { stdout });
    expect(stdout.text).toContain("--check-races");
    const options = stdout.text.split("\n").filter((line) => /^ +--/.test(line));
    expect(options.filter((line) => line.length > 70)).toEqual([]);
  });
});
