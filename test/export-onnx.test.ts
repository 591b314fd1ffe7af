// Does the exported ONNX model give the reference's integers in onnxruntime, every one? What else is in the file?
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { exportOnnx } from "../compiler/export-onnx.ts";
import { loadModel } from "../compiler/index.ts";
import { DATA_TYPES, type GraphProto, modelType } from "../compiler/onnx/schema.ts";
import type { QConv, QNode, QPool, QTensor, QuantizedModel } from "../compiler/quantized-model.ts";
import { hostSectionSchema, RapError } from "../isa/index.ts";
import { arbitraryModelWithInput } from "./arbitrary/quantized-model.ts";
import { rapsim, temporaryFolder } from "./cli/harness.ts";
import { IntegerModel } from "./oracle/integer-model.ts";
import { type Elements, runReference } from "./reference/index.ts";

const bytes = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** Runs the export in onnxruntime and compares every output with the reference, type and values. */
async function expectEqual(model: QuantizedModel, input: Elements): Promise<void> {
  const { tensors } = runReference(model, input);
  const exported = await IntegerModel.load(exportOnnx(model));
  try {
    const results = await exported.run(input, model.tensors[0]);
    expect([...results.keys()].sort()).toEqual(model.host.outputs.map(({ tensor }) => tensor).sort());
    for (const [name, values] of results) {
      const wanted = tensors.get(name)!;
      expect(values.constructor).toBe(wanted.constructor);
      if (Buffer.compare(bytes(values), bytes(wanted)) === 0) continue;
      const at = wanted.findIndex((value, i) => value !== values[i]);
      expect.fail(`${name}[${at}] is ${values[at]}, the reference has ${wanted[at]}`);
    }
  } finally {
    await exported.release();
  }
}

/** The same network with every tensor an output. */
function withAllOutputs(model: QuantizedModel): QuantizedModel {
  const described = new Map(model.host.outputs.map((output) => [output.tensor, output]));
  const outputs = model.tensors.slice(1).map((tensor) => ({
    exponents: new Array<number>(tensor.channels).fill(tensor.exponent),
    ...described.get(tensor.name),
    ...shapeOf(tensor),
    tensor: tensor.name,
  }));
  return { ...model, host: { ...model.host, outputs } };
}

const shapeOf = ({ height, width, channels, format }: QTensor) => ({ height, width, channels, format });

describe("random models", () => {
  test("every output is the reference's", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryModelWithInput(), ({ model, input }) => expectEqual(model, input)),
      { numRuns: 60 },
    );
  });

  test("every tensor on the way is the reference's", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryModelWithInput(), ({ model, input }) => expectEqual(withAllOutputs(model), input)),
      { numRuns: 30 },
    );
  });
});

interface Case {
  readonly input: Omit<QTensor, "name" | "exponent">;
  readonly output: Omit<QTensor, "name" | "exponent">;
  readonly node: Omit<QConv, "name" | "inputs" | "output"> | Omit<QPool, "name" | "inputs" | "output">;
}

function oneNode({ input, output, node }: Case, names = { input: "in", node: "layer", output: "out" }): QuantizedModel {
  const tensors = [
    { ...input, name: names.input, exponent: 0 },
    { ...output, name: names.output, exponent: 0 },
  ];
  const exponents = new Array<number>(output.channels).fill(0);
  return {
    name: "one node",
    tensors,
    nodes: [{ ...node, name: names.node, inputs: [names.input], output: names.output } as QNode],
    host: {
      input: { ...input, tensor: names.input, exponent: 0, colorOrder: "RGB", mean: [0], scale: 1 } as never,
      outputs: [{ ...output, tensor: names.output, exponents }],
      head: null,
      trained: false,
    },
    provenance: { source: "test", sourceSha256: "", rapsim: "", options: {} },
  };
}

const window = { stride: [1, 1], dilation: [1, 1], pads: [0, 0, 0, 0] } as const;
const FULL = { i8: { low: -128, high: 127 }, u8: { low: 0, high: 255 }, i32: { low: 0, high: 0 } };

/** One input channel, one row of `entries` per output channel: every shift, ties, both signs, up to 2^30. */
function shiftTable(format: "i8" | "u8", slope: QConv["slope"]): QuantizedModel {
  const entries: { weight: number; bias: number; biasShift: number; shift: number }[] = [];
  for (let shift = -8; shift <= 31; shift++) {
    for (const weight of [1, -128]) {
      for (const bias of [0, 1, -1, 127, -128]) {
        for (const biasShift of [-3, Math.min(23, Math.max(0, shift - 1)), 23])
          entries.push({ weight, bias, biasShift, shift });
      }
    }
  }
  const channels = entries.length;
  const column = (of: (entry: (typeof entries)[number]) => number) => Int8Array.from(entries, of);
  return oneNode({
    input: { height: 16, width: 16, channels: 1, format: "i8" },
    output: { height: 16, width: 16, channels, format },
    node: {
      op: "conv",
      kernel: [1, 1],
      ...window,
      groups: 1,
      weights: column(({ weight }) => weight),
      bias: column(({ bias }) => bias),
      biasShift: column(({ biasShift }) => biasShift),
      shift: column(({ shift }) => shift),
      accExponents: new Int8Array(channels),
      ...FULL[format],
      slope,
    },
  });
}

const ALL_BYTES = Int8Array.from({ length: 256 }, (_, i) => i);

describe("the shift unit: every shift of every int8 value, ties and large biases", () => {
  test.each([
    ["i8", null],
    ["u8", null],
    ["i8", { a: 1, b: 0 }],
    ["i8", { a: 1, b: 1 }],
    ["i8", { a: 4, b: 6 }],
    ["i8", { a: 31, b: 31 }],
  ] as const)("%s, slope %o", (format, slope) => expectEqual(shiftTable(format, slope), ALL_BYTES));
});

/** 2 x 65535 channels of -128: the largest sums there are, in both directions, and biases that saturate them. */
function extremes(format: "i8" | "u8" | "i32"): QuantizedModel {
  const entries = [-128, 127].flatMap((weight) =>
    [0, 127, -128].flatMap((bias) => [31, 30, 24, 0].map((shift) => ({ weight, bias, shift }))),
  );
  const channels = entries.length;
  return oneNode({
    input: { height: 1, width: 2, channels: 65535, format: "i8" },
    output: { height: 1, width: 1, channels, format },
    node: {
      op: "conv",
      kernel: [1, 2],
      ...window,
      groups: 1,
      weights: Int8Array.from({ length: 2 * 65535 * channels }, (_, i) => entries[Math.floor(i / 131070)].weight),
      bias: Int8Array.from(entries, ({ bias }) => bias),
      biasShift: new Int8Array(channels).fill(23),
      shift: Int8Array.from(entries, ({ shift }) => shift),
      accExponents: new Int8Array(channels),
      ...FULL[format],
      slope: null,
    },
  });
}

test.each(["i8", "u8", "i32"] as const)("the ends of int32, %s output", (format) =>
  expectEqual(extremes(format), new Int8Array(131070).fill(-128)),
);

describe("average pooling at its extremes", () => {
  // up to 511 elements are averaged in int32, more in int64
  test.each([
    ["i8", 22, 23, false],
    ["u8", 7, 73, false],
    ["u8", 7, 73, true],
    ["i8", 24, 24, false],
    ["u8", 33, 35, true],
  ] as const)("%s, %i x %i, padding counted: %s", async (format, rows, columns, countPadding) => {
    const shape = { height: rows, width: columns, channels: 2, format };
    const pads = [rows - 1, 1, 0, columns - 2] as const;
    const node = { op: "pool", mode: "average", countPadding, kernel: [rows, columns], stride: [2, 1], pads } as const;
    const height = Math.floor((rows - 1) / 2) + 1;
    const model = oneNode({ input: shape, output: { ...shape, height, width: columns }, node });
    const length = 2 * rows * columns;
    const fill = (value: (i: number) => number) =>
      format === "u8"
        ? Uint8Array.from({ length }, (_, i) => value(i))
        : Int8Array.from({ length }, (_, i) => value(i));
    const [low, high] = format === "u8" ? [0, 255] : [-128, 127];
    for (const values of [fill(() => low), fill(() => high), fill((i) => (i % 4 < 2 ? low : high)), fill((i) => 7 * i)])
      await expectEqual(model, values);
  });
});

function decoded(model: QuantizedModel) {
  const proto = modelType.decode(exportOnnx(model)) as unknown as {
    graph: GraphProto;
    opsetImport: { domain: string; version: number }[];
    metadataProps: { key: string; value: string }[];
  };
  return proto;
}

describe("the file", () => {
  const model = shiftTable("i8", null);

  test("has the model's names and shapes, and its layers' names", () => {
    const { graph } = decoded(model);
    const [value] = graph.input;
    expect(value.name).toBe("in");
    expect(value.type?.tensorType?.shape?.dim.map(({ dimValue }) => dimValue)).toEqual([1, 1, 16, 16]);
    expect(DATA_TYPES[value.type!.tensorType!.elemType]).toBe("int8");
    expect(graph.node.find(({ opType }) => opType === "ConvInteger")?.name).toBe("layer");
    for (const { name } of graph.node) expect(name).toMatch(/^layer(\/|$)/);
  });

  test("uses standard operators of opset 13 only, none of them in floats", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(arbitraryModelWithInput(), ({ model }) => {
        const { graph, opsetImport } = decoded(model);
        expect(opsetImport).toMatchObject([{ domain: "", version: 13 }]);
        for (const { opType, domain } of graph.node) seen.add(`${domain}${opType}`);
        const types = [...graph.initializer.map(({ dataType }) => dataType)];
        for (const { opType, attribute } of graph.node) if (opType === "Cast") types.push(attribute[0].i);
        for (const type of types) expect(["int8", "uint8", "int32", "int64"]).toContain(DATA_TYPES[type]);
      }),
      { numRuns: 100 },
    );
    const operators = "Add Cast Clip Concat ConvInteger Div Max MaxPool Min Mod Mul Sub".split(" ");
    expect([...seen].sort()).toEqual(operators);
  });

  test("carries what integers do not say: exponents, preprocessing, head, origin", () => {
    const { metadataProps } = decoded(model);
    expect(metadataProps.map(({ key }) => key)).toEqual(["rapsim"]);
    const { schema, host, exponents, provenance } = JSON.parse(metadataProps[0].value);
    expect(schema).toBe("rapsim.onnx/1");
    expect(exponents).toEqual({ in: 0, out: 0 });
    expect(hostSectionSchema.parse(host)).toEqual(model.host);
    expect(provenance).toEqual(model.provenance);
  });

  test("keeps tensors' names apart from those it makes", async () => {
    const { input, output, node } = {
      input: shapeOf(model.tensors[0]),
      output: shapeOf(model.tensors[1]),
      node: model.nodes[0] as QConv,
    };
    const names = { input: "layer/bias", node: "layer", output: "int32:1" };
    await expectEqual(oneNode({ input, output, node }, names), ALL_BYTES);
  });
});

describe("refusals", () => {
  test("sums that could leave int32", () => {
    const model = extremes("i8");
    const wider = { ...model.tensors[0], width: 3 };
    const node = model.nodes[0] as QConv;
    const weights = new Int8Array((node.weights.length / 2) * 3).fill(-128);
    const wide: QuantizedModel = {
      ...model,
      tensors: [wider, model.tensors[1]],
      nodes: [{ ...node, kernel: [1, 3], weights }],
      host: { ...model.host, input: { ...model.host.input, width: 3 } },
    };
    expect(() => exportOnnx(wide)).toThrow(
      new RapError(
        "one node: 'layer': its sums could leave int32; no model that rapsim quantize makes has such weights",
      ),
    );
  });

  test("windows that lie in the padding altogether", () => {
    const shape = { height: 2, width: 2, channels: 1, format: "i8" } as const;
    const node = {
      op: "pool",
      mode: "max",
      countPadding: false,
      kernel: [1, 2],
      stride: [1, 1],
      pads: [1, 0, 0, 0],
    } as const;
    const model = oneNode({ input: shape, output: { ...shape, height: 3, width: 1 }, node });
    expect(() => exportOnnx(model)).toThrow(
      "one node: 'layer': padding 1,0,0,0 of a 1x2 window; padding must be smaller than the window",
    );
  });

  test("a model that does not hold together", () => {
    const model = shiftTable("i8", null);
    const broken = { ...model, nodes: [{ ...(model.nodes[0] as QConv), low: -200 }] };
    expect(() => exportOnnx(broken)).toThrow("one node: 'layer': clamp -200..127 does not fit format i8");
  });
});

describe("rapsim export", () => {
  const { path, remove } = temporaryFolder();
  afterAll(remove);

  test("a .rapq file: the integers in it", async () => {
    expect(await rapsim(["quantize", "tiny", "-o", path("tiny.rapq")])).toMatchObject({ code: 0, stderr: "" });
    const { code, stdout, stderr } = await rapsim(["export", path("tiny.rapq"), "--onnx", path("tiny.onnx")]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^.*tiny\.onnx: tiny, \d+ layers, .* weights, .* a frame, .* bytes\n$/);
    const model = loadModel(path("tiny.rapq"));
    const file = readFileSync(path("tiny.onnx"));
    expect(Buffer.compare(file, exportOnnx(model))).toBe(0);
    const { height, width, channels } = model.host.input;
    await expectEqual(
      model,
      Int8Array.from({ length: height * width * channels }, (_, i) => 37 * i),
    );
  });

  test("a network by name, quantized on the way, with its options", async () => {
    const line = ["export", "tiny", "--activations", "u8", "--head", "i8", "--onnx", path("u8.onnx")];
    expect(await rapsim(line)).toMatchObject({ code: 0, stderr: "" });
    const model = loadModel("tiny", { activations: "u8", head: "i8" });
    expect(Buffer.compare(readFileSync(path("u8.onnx")), exportOnnx(model))).toBe(0);
  });

  test.each([
    ["without a file to write", ["tiny"], 2, "--onnx: missing; name the file to write: --onnx out.onnx"],
    ["over its input", [path("m.rapq"), "--onnx", path("m.rapq")], 2, "which MODEL names"],
    ["into a folder that is not there", ["tiny", "--onnx", path("no/x.onnx")], 1, "cannot be written: no folder"],
    ["of a network that is not there", ["nothing", "--onnx", path("x.onnx")], 1, "no such file, and no built-in"],
    ["of what is no network", [path("text"), "--onnx", path("x.onnx")], 1, "not an ONNX file"],
  ])("%s", async (_name, args, wanted, message) => {
    writeFileSync(path("text"), "these are words, not a network\n");
    const { code, stdout, stderr } = await rapsim(["export", ...args]);
    expect([code, stdout]).toEqual([wanted, ""]);
    expect(stderr).toContain(message);
    expect(existsSync(path("x.onnx"))).toBe(false);
  });

  test("refuses its own kind as input: the .rapq file holds more", async () => {
    writeFileSync(path("own.onnx"), exportOnnx(shiftTable("i8", null)));
    const { code, stderr } = await rapsim(["export", path("own.onnx"), "--onnx", path("again.onnx")]);
    expect(code).toBe(1);
    expect(stderr).toContain("node layer (ConvInteger): operators on integers are not read");
  });
});
