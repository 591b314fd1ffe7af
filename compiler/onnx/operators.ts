/** The ONNX operators that are read, one row each (docs/models.md holds the same list for users). */
import { type Activation, type FTensor, LINEAR, MAX_EXTENT, RELU, windowExtent } from "../graph.ts";
import type { Pads, Pair } from "../quantized-model.ts";
import type { Imported, NodeReader } from "./node.ts";

type Operator = (reader: NodeReader) => Imported;

export const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ["Add", add],
  ["AveragePool", (reader) => pool(reader, "average")],
  ["BatchNormalization", batchNorm],
  ["Clip", clip],
  ["Concat", concat],
  ["Constant", constant],
  ["Conv", conv],
  ["Dropout", dropout],
  ["Flatten", flatten],
  ["Gemm", gemm],
  ["GlobalAveragePool", globalAveragePool],
  ["Identity", identity],
  ["LeakyRelu", leakyRelu],
  ["MaxPool", (reader) => pool(reader, "max")],
  ["Relu", (reader) => activation(reader, RELU)],
  ["Reshape", reshape],
  ["Softmax", softmax],
]);

function conv(reader: NodeReader): Imported {
  const input = reader.image();
  const weights = reader.constant(1, "weights");
  const [outChannels, perGroup, rows, columns] = weights.dims;
  if (weights.dims.length !== 4 || !(weights.values instanceof Float32Array) || weights.values.length === 0) {
    return reader.fail(`weights with extents [${weights.dims}]; float32 [outputs, inputs, rows, columns] are needed`);
  }
  const groups = reader.int("group", 1);
  if (perGroup * groups !== input.channels) {
    reader.fail(
      `weights for ${perGroup} x ${groups} groups = ${perGroup * groups} input channels; '${input.name}' has ${input.channels}`,
    );
  }
  const kernel = reader.ints("kernel_shape", [rows, columns] as Pair);
  if (kernel[0] !== rows || kernel[1] !== columns)
    reader.fail(`kernel_shape [${kernel}], but the weights are ${rows}x${columns}`);
  const stride = reader.ints("strides", [1, 1] as Pair);
  const dilation = reader.ints("dilations", [1, 1] as Pair);
  const pads = readPads(reader, input, kernel, stride, dilation);
  const bias =
    reader.inputCount > 2 && reader.inputNames[2] !== ""
      ? reader.vector(2, "bias", outChannels)
      : new Float32Array(outChannels);
  const node = {
    op: "conv",
    inputs: [input.name],
    kernel: [rows, columns],
    stride,
    dilation,
    pads,
    groups,
    activation: LINEAR,
  } as const;
  return { node: { ...node, weights: toOutputRowsColumnsInput(weights.values, weights.dims), bias }, rank: 4 };
}

/** [K][C][R][S] -> [K][R][S][C] */
function toOutputRowsColumnsInput(
  weights: Float32Array,
  [outputs, inputs, rows, columns]: readonly number[],
): Float32Array {
  const taps = rows * columns;
  const out = new Float32Array(weights.length);
  for (let k = 0; k < outputs; k++) {
    for (let c = 0; c < inputs; c++) {
      for (let tap = 0; tap < taps; tap++) out[(k * taps + tap) * inputs + c] = weights[(k * inputs + c) * taps + tap];
    }
  }
  return out;
}

/** Explicit pads (top, left, bottom, right), or those that auto_pad stands for. */
function readPads(reader: NodeReader, input: FTensor, kernel: Pair, stride: Pair, dilation: Pair): Pads {
  const auto = reader.text("auto_pad", "NOTSET");
  const explicit = reader.ints("pads", [0, 0, 0, 0] as Pads);
  if (auto === "NOTSET") {
    if (explicit.some((pad) => pad < 0 || pad > MAX_EXTENT))
      reader.fail(`pads [${explicit}]; each must be 0 to ${MAX_EXTENT}`);
    return explicit;
  }
  if (explicit.some((pad) => pad !== 0)) reader.fail(`both pads [${explicit}] and auto_pad ${auto}; give one of them`);
  if (auto === "VALID") return [0, 0, 0, 0];
  if (auto !== "SAME_UPPER" && auto !== "SAME_LOWER")
    reader.fail(`auto_pad '${auto}'; known: NOTSET, SAME_LOWER, SAME_UPPER, VALID`);
  const extents = [input.height, input.width];
  const total = [0, 1].map((axis) => {
    const output = Math.ceil(extents[axis] / stride[axis]);
    return Math.max(0, (output - 1) * stride[axis] + dilation[axis] * (kernel[axis] - 1) + 1 - extents[axis]);
  });
  const less = total.map((sum) => Math.floor(sum / 2));
  const more = total.map((sum, axis) => sum - less[axis]);
  const [before, after] = auto === "SAME_UPPER" ? [less, more] : [more, less];
  return [before[0], before[1], after[0], after[1]];
}

function pool(reader: NodeReader, mode: "max" | "average"): Imported {
  const input = reader.image();
  if (!reader.has("kernel_shape")) reader.fail("kernel_shape is missing");
  const kernel = reader.ints("kernel_shape", [1, 1] as Pair);
  const stride = reader.ints("strides", [1, 1] as Pair);
  const dilation = reader.ints("dilations", [1, 1] as Pair);
  if (dilation.some((value) => value !== 1)) reader.fail(`dilations [${dilation}]; pooling windows are not dilated`);
  const countPadding = mode === "average" && reader.int("count_include_pad", 0) !== 0;
  if (mode === "max") reader.expectInt("storage_order", 0);
  let pads = readPads(reader, input, kernel, stride, dilation);
  if (reader.int("ceil_mode", 0) !== 0) {
    const longer = ceilPads(input, kernel, stride, pads);
    if (countPadding && longer.join() !== pads.join()) {
      reader.fail(
        "ceil_mode = 1 with count_include_pad = 1 counts padding that lies outside the declared pads; export with ceil_mode = 0",
      );
    }
    pads = longer;
  }
  return {
    node: { op: "pool", inputs: [input.name], mode, countPadding, global: false, kernel, stride, pads },
    rank: 4,
  };
}

/** ceil_mode as more padding at the bottom and right; a window that would begin behind the picture is dropped. */
function ceilPads(input: FTensor, kernel: Pair, stride: Pair, pads: Pads): Pads {
  const end = [input.height, input.width].map((extent, axis) => {
    const before = pads[axis];
    const after = pads[axis + 2];
    const windows = Math.ceil((extent + before + after - kernel[axis]) / stride[axis]) + 1;
    const kept = (windows - 1) * stride[axis] >= extent + before ? windows - 1 : windows;
    const floored = windowExtent(extent, kernel[axis], stride[axis], 1, before + after);
    return kept > floored ? (kept - 1) * stride[axis] + kernel[axis] - extent - before : after;
  });
  return [pads[0], pads[1], end[0], end[1]];
}

function globalAveragePool(reader: NodeReader): Imported {
  const input = reader.image();
  const node = { op: "pool", mode: "average", countPadding: false, global: true } as const;
  return { node: { ...node, inputs: [input.name], kernel: [1, 1], stride: [1, 1], pads: [0, 0, 0, 0] }, rank: 4 };
}

function add(reader: NodeReader): Imported {
  for (const index of [0, 1]) {
    if (reader.isConstant(index))
      reader.fail(
        `input '${reader.inputNames[index]}' is a constant; only the sum of two computed tensors is supported; fold it into a bias`,
      );
  }
  const [a, b] = [reader.tensor(0), reader.tensor(1)];
  if (a.rank !== b.rank) reader.fail(`adds tensors of rank ${a.rank} and ${b.rank}; the shapes must be equal`);
  return { node: { op: "add", inputs: [a.name, b.name], activation: LINEAR }, rank: a.rank };
}

function concat(reader: NodeReader): Imported {
  const inputs = reader.inputNames.map((_, i) => reader.tensor(i));
  if (inputs.length === 0) reader.fail("no inputs");
  const { rank } = inputs[0];
  if (inputs.some((input) => input.rank !== rank)) reader.fail("inputs of different ranks");
  if (!reader.has("axis")) reader.fail("axis is missing");
  const axis = reader.int("axis", 1);
  if (axis !== 1 && axis !== 1 - rank) reader.fail(`axis = ${axis}; only channels (axis 1) can be concatenated`);
  return { node: { op: "concat", inputs: inputs.map(({ name }) => name) }, rank };
}

function activation(reader: NodeReader, kind: Activation): Imported {
  const { name, rank } = reader.tensor();
  return { node: { op: "activation", inputs: [name], activation: kind }, rank };
}

function leakyRelu(reader: NodeReader): Imported {
  const slope = reader.float("alpha", 0.01);
  if (!(slope >= 0 && slope <= 1)) reader.fail(`alpha = ${slope}; a slope from 0 to 1 is supported`);
  return activation(reader, slope === 0 ? RELU : { ...LINEAR, slope });
}

function clip(reader: NodeReader): Imported {
  const bound = (index: number, name: string, standard: number) => {
    const given = reader.optionalConstant(index, name);
    return given === undefined ? reader.float(name, standard) : reader.scalar(given, name);
  };
  // the attribute's default is the largest float32
  const low = bound(1, "min", -Infinity);
  const high = bound(2, "max", Infinity);
  if (!(low < high)) reader.fail(`min = ${low}, max = ${high}; min must be below max`);
  return activation(reader, { low: low < -3e38 ? -Infinity : low, high: high > 3e38 ? Infinity : high, slope: 1 });
}

function batchNorm(reader: NodeReader): Imported {
  const input = reader.tensor();
  reader.ignore("momentum", "spatial");
  reader.expectInt("training_mode", 0);
  const epsilon = reader.float("epsilon", 1e-5);
  const [gamma, beta, mean, variance] = ["scale", "B", "mean", "var"].map((what, i) =>
    reader.vector(i + 1, what, input.channels),
  );
  if (variance.some((value) => value + epsilon <= 0)) reader.fail("var holds a negative value");
  const scale = gamma.map((value, c) => value / Math.sqrt(variance[c] + epsilon));
  const shift = beta.map((value, c) => value - mean[c] * scale[c]);
  return { node: { op: "batchnorm", inputs: [input.name], scale, shift }, rank: input.rank };
}

function gemm(reader: NodeReader): Imported {
  const input = reader.tensor();
  if (input.rank !== 2) reader.fail(`input '${input.name}' has rank 4; Gemm reads a vector, flatten first`);
  for (const name of ["alpha", "beta"]) {
    const value = reader.float(name, 1);
    if (value !== 1) reader.fail(`${name} = ${value}; only 1 is supported`);
  }
  reader.expectInt("transA", 0);
  const transposed = reader.int("transB", 0) !== 0;
  const { dims, values } = reader.constant(1, "weights");
  if (dims.length !== 2 || !(values instanceof Float32Array) || values.length === 0)
    return reader.fail(`weights with extents [${dims}]; a float32 matrix is needed`);
  const [outputs, inputs] = transposed ? dims : [dims[1], dims[0]];
  if (inputs !== input.channels) reader.fail(`weights for ${inputs} inputs; '${input.name}' has ${input.channels}`);
  const bias =
    reader.inputCount > 2 && reader.inputNames[2] !== ""
      ? reader.vector(2, "bias", outputs)
      : new Float32Array(outputs);
  const weights = transposed ? values : values.map((_, i) => values[(i % inputs) * outputs + Math.floor(i / inputs)]);
  return { node: { op: "gemm", inputs: [input.name], weights, bias }, rank: 2 };
}

function flatten(reader: NodeReader): Imported {
  const { name, rank } = reader.tensor();
  const axis = reader.int("axis", 1);
  if (axis !== 1 && axis !== 1 - rank) reader.fail(`axis = ${axis}; only 1 (keep the batch) is supported`);
  return { node: { op: rank === 4 ? "flatten" : "identity", inputs: [name] }, rank: 2 };
}

function reshape(reader: NodeReader): Imported {
  const { name, rank, height, width, channels } = reader.tensor();
  reader.expectInt("allowzero", 0);
  const shape = reader.constant(1, "shape");
  const target = [...shape.values];
  const from = rank === 4 ? [1, channels, height, width] : [1, channels];
  const count = channels * height * width;
  const known = target.map((extent, axis) => (extent === 0 ? (from[axis] ?? 0) : extent));
  const rest = known.reduce((product, extent) => (extent === -1 ? product : product * extent), 1);
  const full = known.map((extent) => (extent === -1 ? count / rest : extent));
  if (full.join() === from.join()) return { node: { op: "identity", inputs: [name] }, rank };
  if (full.length !== 2 || full[0] !== 1 || full[1] !== count) {
    reader.fail(`reshapes [${from}] to [${target}]; only flattening to [1, ${count}] is supported`);
  }
  return { node: { op: rank === 4 ? "flatten" : "identity", inputs: [name] }, rank: 2 };
}

function dropout(reader: NodeReader): Imported {
  reader.ignore("ratio", "seed", "is_test");
  const { name, rank } = reader.tensor();
  return { node: { op: "identity", inputs: [name] }, rank };
}

function identity(reader: NodeReader): Imported {
  if (reader.isConstant(0)) return { kind: "constant", constant: reader.constant(0, "value") };
  const { name, rank } = reader.tensor();
  return { node: { op: "identity", inputs: [name] }, rank };
}

function softmax(reader: NodeReader): Imported {
  const { name, rank } = reader.tensor();
  // opset 13 changed the default from 1 to the last axis
  const axis = reader.int("axis", reader.opset < 13 ? 1 : -1);
  if (axis !== 1 && axis !== 1 - rank)
    reader.fail(`axis = ${axis}; only a softmax over the classes (axis 1) is supported`);
  return { node: { op: "softmax", inputs: [name] }, rank };
}

function constant(reader: NodeReader): Imported {
  if (reader.has("value_float"))
    return { kind: "constant", constant: { dims: [], values: Float32Array.of(reader.float("value_float", 0)) } };
  if (reader.has("value_floats")) {
    const values = Float32Array.from(reader.floats("value_floats"));
    return { kind: "constant", constant: { dims: [values.length], values } };
  }
  return { kind: "constant", constant: reader.constantAttribute("value") };
}
