/** The invariants of a quantized model: what lowering and the machine's arithmetic rely on. */
import { ADD_SHIFT_MAX, FORMAT_MAX, FORMAT_MIN, RapError, SHIFT_MAX, SHIFT_MIN } from "../isa/index.ts";
import type { QNode, QTensor, QuantizedModel, RuntimeScaling } from "./quantized-model.ts";
import { firstUndecided, limitFaults, movableClasses } from "./runtime-exponents.ts";

const BIAS_SHIFT_MIN = -31;
const BIAS_SHIFT_MAX = 23;

type Fail = (rule: string) => never;

/** @param place named in messages. @throws RapError naming the node and the rule */
export function verifyQuantizedModel(model: QuantizedModel, place: string): void {
  const refuse =
    (what: string): Fail =>
    (rule) => {
      throw new RapError(`${place}: ${what}: ${rule}`);
    };
  const tensors = new Map<string, QTensor>();
  for (const tensor of model.tensors) {
    if (tensors.has(tensor.name)) refuse(`tensor '${tensor.name}'`)("stands twice");
    tensors.set(tensor.name, tensor);
  }
  const { input, outputs, head } = model.host;
  const known = new Set([model.tensors[0].name]);
  if (input.tensor !== model.tensors[0].name)
    refuse("host.input")(`'${input.tensor}' is not the first tensor '${model.tensors[0].name}'`);
  sameShape(refuse("host.input"), model.tensors[0], input);
  for (const node of model.nodes) {
    const fail = refuse(`'${node.name}'`);
    const inputsOf = node.inputs.map((name) =>
      known.has(name) ? tensors.get(name)! : fail(`reads '${name}', which nothing before it makes`),
    );
    const output = tensors.get(node.output) ?? fail(`writes '${node.output}', which is not a tensor of the model`);
    if (known.has(output.name)) fail(`writes '${output.name}' a second time`);
    verifyNode(fail, node, inputsOf, output);
    known.add(output.name);
  }
  const written = new Set(model.nodes.map(({ output }) => output));
  for (const output of outputs) {
    const fail = refuse(`host.outputs '${output.tensor}'`);
    const tensor = (written.has(output.tensor) ? tensors.get(output.tensor) : undefined) ?? fail("nothing makes it");
    sameShape(fail, tensor, output);
    if (output.exponents.length !== tensor.channels)
      fail(`${output.exponents.length} exponents for ${tensor.channels} channels`);
  }
  if (head !== null && !outputs.some(({ tensor }) => tensor === head.tensor))
    refuse("host.head")(`'${head.tensor}' is not an output`);
  if (model.runtime !== undefined) verifyRuntime(model, model.runtime, refuse("runtime"));
}

function verifyRuntime(model: QuantizedModel, { mode, exponents }: RuntimeScaling, fail: Fail): void {
  const classes = new Map(movableClasses(model).map((one) => [one.tensors[0].name, one]));
  for (const { tensors, clipLog2 } of exponents) {
    const one = classes.get(tensors[0]) ?? fail(`'${tensors[0]}' cannot have an exponent of its own at run time`);
    classes.delete(tensors[0]);
    if (one.tensors.length !== tensors.length || one.tensors.some(({ name }, i) => name !== tensors[i]))
      fail(`'${tensors[0]}' shares its exponent with other tensors than those given`);
    const isSum = one.writers.some(({ op }) => op === "add");
    if (isSum !== (clipLog2 === null))
      fail(`'${tensors[0]}': ${isSum ? "a sum follows its operands; clipLog2 must be null" : "clipLog2 is missing"}`);
  }
  const stuck = firstUndecided(
    model,
    exponents.map(({ tensors }) => tensors),
  );
  if (mode === "dynamic" && stuck >= 0) fail(`'${exponents[stuck].tensors[0]}' is needed before its exponent is known`);
  for (const { fault, output } of limitFaults(model, exponents)) fail(`'${output}': ${fault.rule}`);
}

function sameShape(
  fail: Fail,
  tensor: QTensor,
  other: { height: number; width: number; channels: number; format: string },
): void {
  if (
    tensor.height !== other.height ||
    tensor.width !== other.width ||
    tensor.channels !== other.channels ||
    tensor.format !== other.format
  ) {
    fail(`shape or format differs from tensor '${tensor.name}'`);
  }
}

function verifyNode(fail: Fail, node: QNode, inputs: readonly QTensor[], output: QTensor): void {
  if (inputs.some(({ format }) => format === "i32")) fail("reads int32 values; operators take 8 bits");
  if (node.op !== "conv" && output.format === "i32") fail("writes int32 values; only a convolution can");
  switch (node.op) {
    case "conv": {
      windowShape(fail, inputs[0], output, node, node.dilation);
      for (const shift of node.shift)
        if (shift < SHIFT_MIN || shift > SHIFT_MAX) fail(`shift ${shift} is not in ${SHIFT_MIN}..${SHIFT_MAX}`);
      for (const shift of node.biasShift) {
        if (shift < BIAS_SHIFT_MIN || shift > BIAS_SHIFT_MAX)
          fail(`bias shift ${shift} is not in ${BIAS_SHIFT_MIN}..${BIAS_SHIFT_MAX}`);
      }
      if (output.format !== "i32") clampFits(fail, node, output);
      break;
    }
    case "pool":
      windowShape(fail, inputs[0], output, node, [1, 1]);
      if (output.channels !== inputs[0].channels) fail("pooling changes the number of channels");
      sharedScale(fail, inputs, output);
      break;
    case "add": {
      const [a, b] = inputs;
      for (const tensor of [b, output]) {
        if (tensor.height !== a.height || tensor.width !== a.width || tensor.channels !== a.channels)
          fail("operands and result differ in shape");
      }
      if (a.format !== b.format) fail(`operands have formats ${a.format} and ${b.format}`);
      if (Math.abs(a.exponent - b.exponent) > ADD_SHIFT_MAX)
        fail(`operands' exponents ${a.exponent} and ${b.exponent} are more than ${ADD_SHIFT_MAX} apart`);
      clampFits(fail, node, output);
      break;
    }
    case "concat":
      if (inputs.reduce((sum, { channels }) => sum + channels, 0) !== output.channels)
        fail("the parts' channels do not add up to the result's");
      if (inputs.some(({ height, width }) => height !== output.height || width !== output.width))
        fail("parts and result differ in height or width");
      sharedScale(fail, inputs, output);
      break;
  }
}

function sharedScale(fail: Fail, inputs: readonly QTensor[], output: QTensor): void {
  if (inputs.some(({ format, exponent }) => format !== output.format || exponent !== output.exponent)) {
    fail("input and result differ in format or exponent");
  }
}

function clampFits(fail: Fail, { low, high }: { low: number; high: number }, { format }: QTensor): void {
  if (low > high || low < FORMAT_MIN[format] || high > FORMAT_MAX[format])
    fail(`clamp ${low}..${high} does not fit format ${format}`);
}

function windowShape(
  fail: Fail,
  input: QTensor,
  output: QTensor,
  { kernel, stride, pads }: { kernel: readonly number[]; stride: readonly number[]; pads: readonly number[] },
  dilation: readonly number[],
): void {
  const extent = (size: number, axis: 0 | 1) =>
    Math.floor((size + pads[axis] + pads[axis + 2] - (kernel[axis] - 1) * dilation[axis] - 1) / stride[axis]) + 1;
  const [height, width] = [extent(input.height, 0), extent(input.width, 1)];
  if (height !== output.height || width !== output.width)
    fail(`gives ${height} x ${width}, but its tensor is ${output.height} x ${output.width}`);
}
