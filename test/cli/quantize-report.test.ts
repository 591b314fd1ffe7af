// rapsim quantize --report: text, JSON by its schema, CSV, one safe page; and what is refused.
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { QuantizationReport } from "../../report/quantization-report.ts";
import { writeOnnx } from "../compiler/onnx-writer.ts";
import { faultsAgainst } from "../report/schema-faults.ts";
import { rapsim, temporaryFolder } from "./harness.ts";

const { path, remove } = temporaryFolder();
afterAll(remove);

const HOSTILE = `"><script>alert('x')</script>\u202e&\u0007`;

/** One convolution with a detection head, whose names would break a page. */
function hostileNetwork(): Uint8Array {
  const weights = Float32Array.from({ length: 8 * 3 * 4 }, (_, i) => Math.sin(i) / 64);
  return writeOnnx({
    input: [1, 3, 32, 64],
    nodes: [
      {
        op: "Conv",
        name: HOSTILE,
        inputs: ["x", "w", "b"],
        attributes: { kernel_shape: [2, 2], strides: [8, 8], pads: [0, 0, 0, 0] },
      },
    ],
    initializers: {
      w: { dims: [8, 3, 2, 2], values: weights },
      b: { dims: [8], values: [0, 0.5, 0, 1, 0, 0, 0, 0] },
    },
  });
}

const files = ["r.json", "r.csv", "r.html"].map(path);
const model = path("net.onnx");

beforeAll(async () => {
  writeFileSync(model, hostileNetwork());
  const head = {
    kind: "convdet",
    tensor: "y",
    grid: [4, 8],
    anchorsPerCell: 1,
    classes: ["car", "<b>", "cyclist"],
    channels: { classScores: [0, 3], confidence: [3, 4], boxDeltas: [4, 8] },
    anchors: [[16, 16]],
  };
  writeFileSync(
    path("net.json"),
    JSON.stringify({ input: { colorOrder: "RGB", mean: [128, 128, 128], scale: 1 / 32 }, head }),
  );
  const reports = files.flatMap((file) => ["--report", file]);
  const { code, stderr } = await rapsim(["quantize", model, "-o", path("net.rapq"), ...reports]);
  expect([code, stderr]).toEqual([0, ""]);
});

describe("what is written", () => {
  const report = () => JSON.parse(readFileSync(files[0], "utf8")) as QuantizationReport;

  test("JSON by its schema", () => {
    const { layers, head, worstChannels, network } = report();
    expect(faultsAgainst("quantization.schema.json")(report())).toEqual([]);
    expect(faultsAgainst("quantization.schema.json")({ ...report(), surprise: 1 })).not.toEqual([]);
    expect(layers.map(({ op }) => op)).toEqual(["input", "conv"]);
    expect(network).toMatchObject({ trained: true, options: { activations: "i8", head: "i32" } });
    for (const part of ["classScores", "confidence", "boxDeltas"] as const) expect(head?.[part]).toBeGreaterThan(20);
    const named = worstChannels.cumulative.map(({ name }) => name.slice(name.lastIndexOf("[")));
    expect(named).toEqual(expect.arrayContaining([expect.stringMatching(/^\[\d\] \(score of car, anchor 0\)$/)]));
  });

  test("CSV: a row for every layer, all of one length", () => {
    const [header, ...rows] = readFileSync(files[1], "utf8").trimEnd().split("\n");
    expect(header).toContain("activations.cumulative.sqnrDb");
    expect(rows).toHaveLength(2);
    expect(rows[0].split(",")).toHaveLength(header.split(",").length);
  });

  test("a page that fetches nothing, runs nothing, and shows hostile names as text", () => {
    const page = readFileSync(files[2], "utf8").replaceAll("\n", " ");
    expect(page.length).toBeLessThan(2e6);
    expect(page).not.toMatch(/<script|<img|<link|<iframe|https?:|url\(|@import|\bon\w+=|<b>"/i);
    expect(page).toContain("default-src 'none'");
    expect(page).toContain("&#34;&#62;&#60;script&#62;alert(&#39;x&#39;)&#60;/script&#62;?&#38;?");
    expect(page).not.toMatch(/[\u202e\p{Cc}]|NaN|undefined|Infinity/u);
    expect(page).toContain("prefers-color-scheme: dark");
    expect(page.match(/aria-label="(weights|activations): values before and after/g)).toHaveLength(3);
    for (const tag of ["div", "section", "svg", "figure", "table", "bdi", "p"]) {
      const count = (what: RegExp) => page.match(what)?.length ?? 0;
      expect(count(new RegExp(`<${tag}[ >]`, "g")), tag).toBe(count(new RegExp(`</${tag}>`, "g")));
    }
  });

  test("text, without control characters", async () => {
    const { code, stdout, stderr } = await rapsim(["quantize", model, "-o", path("again.rapq"), "--report"]);
    expect([code, stderr]).toEqual([0, ""]);
    for (const words of ["From input to head", "alone dB", "Worst channels", "class scores", "again.rapq"])
      expect(stdout).toContain(words);
    expect(stdout).not.toMatch(/NaN|undefined|Infinity/);
    expect(stdout.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
    expect(readFileSync(path("again.rapq"))).toEqual(readFileSync(path("net.rapq")));
  });
});

describe("a network that is quantized already", () => {
  test("is compared with the float network it was made of", async () => {
    const again = path("rapq.json");
    const { code, stderr } = await rapsim(["quantize", path("net.rapq"), "--float", model, "--report", again]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(readFileSync(again, "utf8"))).toEqual(JSON.parse(readFileSync(files[0], "utf8")));
  });

  test.each([
    [
      ["net.rapq", "-o", "x.rapq", "--report"],
      1,
      "net.rapq: is quantized already; give the float network it was made of (--float)",
    ],
    [
      ["net.rapq", "--report", "--float", "tiny"],
      1,
      "tiny: is not the network that 'net' was quantized from (net.onnx",
    ],
    [["net.rapq", "--float", "net.onnx"], 2, "--float is for --report; add --report"],
    [["net.onnx", "-o", "-", "--report"], 2, "--report and --output both write to standard output"],
    [["net.onnx", "-o", "x.rapq", "--report", "r.pdf"], 2, "--report: 'r.pdf' ends in none of .json, .csv, .html"],
    [["net.onnx", "-o", "x.rapq", "--report", "net.json"], 2, "--report would overwrite"],
  ])("%s", async (argv, expected, says) => {
    const files = /^(net|x)\./;
    const placed = argv.map((word) => (files.test(word) ? path(word) : word));
    const { code, stdout, stderr } = await rapsim(["quantize", ...placed]);
    expect([code, stdout, stderr]).toEqual([expected, "", expect.stringContaining(says)]);
  });
});
