// Do the built-in networks have the geometry of the papers, and does a name or a path lead to a model?
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BUILT_IN_NETWORKS, buildNetwork } from "../../compiler/builders.ts";
import { loadModel } from "../../compiler/front-end.ts";
import { countMacs, countWeights, shapeText } from "../../compiler/graph.ts";
import { simplify } from "../../compiler/passes/index.ts";
import { encodeRapq } from "../../compiler/rapq.ts";
import { RAPSIM_VERSION } from "../../compiler/version.ts";
import packageJson from "../../package.json" with { type: "json" };
import { numbers, writeOnnx } from "./onnx-writer.ts";

const GEOMETRY: Record<string, { macs: number; weights: number; biases: number; output: string; convs: number }> = {
  // 2,077,376 weights: 1,728 in conv1, 1,577,984 in ten fire modules, 497,664 in conv12
  squeezedet: { macs: 5_283_053_568, weights: 2_077_376, biases: 4_744, output: "24x78x72", convs: 32 },
  // torchvision's squeezenet1_1 has 1,235,496 parameters, 3,944 of them biases, and 349 million MACs
  squeezenet: { macs: 349_151_936, weights: 1_231_552, biases: 3_944, output: "1x1x1000", convs: 26 },
  // 256 pixels x 432 weights + 64 x (128 + 128 + 1,152) + 64 x 9,216 + 1 x 5,120
  tiny: { macs: 795_648, weights: 16_176, biases: 98, output: "1x1x10", convs: 6 },
};

test.each(Object.keys(GEOMETRY))("%s has its geometry", (name) => {
  const graph = simplify(buildNetwork(name));
  const convs = graph.nodes.filter((node) => node.op === "conv");
  expect({
    macs: countMacs(graph),
    weights: countWeights(graph),
    biases: convs.reduce((sum, { bias }) => sum + bias.length, 0),
    output: shapeText(graph.tensors.get(graph.outputs[0])!),
    convs: convs.length,
  }).toEqual(GEOMETRY[name]);
  expect(graph.trained).toBe(name === "squeezedet");
});

test("all built-ins stand above; another name is refused with the list", () => {
  expect(BUILT_IN_NETWORKS).toEqual(Object.keys(GEOMETRY));
  expect(() => buildNetwork("yolo")).toThrow(
    "network 'yolo': no built-in of this name; known: squeezedet, squeezenet, tiny",
  );
});

test("a seed gives the same weights every time, another seed others", () => {
  const weightsOf = (seed: number) =>
    buildNetwork("tiny", { seed }).nodes.flatMap((node) => (node.op === "conv" ? [...node.weights] : []));
  expect(weightsOf(3)).toEqual(weightsOf(3));
  expect(weightsOf(3)).not.toEqual(weightsOf(4));
  expect(buildNetwork("tiny", { seed: 3 }).source.sha256).not.toBe(buildNetwork("tiny", { seed: 4 }).source.sha256);
  // pinned: programs compiled yesterday and today are comparable
  expect(
    weightsOf(1)
      .slice(0, 3)
      .map((value) => value.toFixed(6)),
  ).toEqual(["0.065199", "0.274859", "0.171911"]);
});

test("weights have the deviation sqrt(2 / fan-in) (He et al. 2015)", () => {
  const conv3 = buildNetwork("tiny").nodes.find(({ name }) => name === "conv3")!;
  if (conv3.op !== "conv") throw new Error("conv3 is no convolution");
  const variance = conv3.weights.reduce((sum, weight) => sum + weight * weight, 0) / conv3.weights.length;
  expect(variance / (2 / (3 * 3 * 32))).toBeCloseTo(1, 1);
});

test("the version in provenance is the package's", () => expect(RAPSIM_VERSION).toBe(packageJson.version));

describe("loading a model", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "rapsim-models-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const put = (name: string, content: Uint8Array | string) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const onnx = writeOnnx({
    input: [1, 3, 8, 8],
    nodes: [{ op: "Conv", inputs: ["x", "w"], name: "only" }],
    initializers: { w: { dims: [2, 3, 3, 3], values: numbers(54) } },
  });

  test("by a built-in's name", () => {
    const fractions: number[] = [];
    const model = loadModel("tiny", { seed: 2, onProgress: (fraction) => fractions.push(fraction) });
    expect(model).toMatchObject({
      name: "tiny",
      host: { trained: false },
      provenance: { source: "tiny", options: { seed: 2 } },
    });
    expect(fractions.at(-1)).toBe(1);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  });

  test("from an ONNX file with a sidecar, and from the .rapq file made of it", () => {
    put("net.json", JSON.stringify({ input: { colorOrder: "BGR", mean: [1, 2, 3], scale: 0.5, note: "free text" } }));
    const model = loadModel(put("net.onnx", onnx));
    // pixels reach from -3 to 254; 254 becomes 127.49 / 2, which f = 1 just holds
    const scale = expect.closeTo(127.49 / 2 / 254, 9);
    expect(model.host.input).toMatchObject({ colorOrder: "BGR", mean: [1, 2, 3], scale, height: 8, width: 8 });
    expect(model.tensors[0].factor).toBeCloseTo(127.49 / 254, 9);
    expect(model.host).toMatchObject({ trained: true, head: null, outputs: [{ tensor: "y", format: "i32" }] });
    const file = put("net.rapq", encodeRapq(model));
    expect(loadModel(file)).toEqual(model);
    expect(() => loadModel(file, { head: "i8" })).toThrow("net.rapq: is quantized already; head cannot be changed");
  });

  test("what is no model is refused", () => {
    expect(() => loadModel("squeezedett")).toThrow(
      "model 'squeezedett': no such file, and no built-in network of this name; built-in: squeezedet, squeezenet, tiny",
    );
    expect(() => loadModel(put("page.onnx", "<html>"))).toThrow("page.onnx: not an ONNX file");
    put("bad.json", "{");
    expect(() => loadModel(put("bad.onnx", onnx))).toThrow("bad.json: not JSON");
  });
});
