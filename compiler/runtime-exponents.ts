/**
 * Which tensors of a quantized model get an exponent at run time, within which limits. The model's integers stay as they
 * are: a run-time exponent is a distance from the static one, so that distance 0 is the static model.
 */
import { FORMAT_MAX, FORMAT_MIN } from "../isa/index.ts";
import { Classes } from "./quantize/classes.ts";
import type { QAdd, QConv, QTensor, QuantizedModel, RuntimeExponent, RuntimeScaling } from "./quantized-model.ts";
import { addFault, convFault, FIXED, type LimitFault, type Limits } from "./runtime-limits.ts";

/** How far an exponent may move where nothing else limits it: a factor of 64 in brightness either way. */
export const RUNTIME_LIMIT = 6;

/** Tensors whose integers pass unchanged from one to the other, and who writes them. */
interface ScaleClass {
  readonly tensors: readonly QTensor[];
  readonly writers: readonly (QConv | QAdd)[];
}

/** @param clipLog2 at most one value in 2^clipLog2 of tensors sharing an exponent may saturate */
export function withRuntimeExponents(
  model: QuantizedModel,
  mode: RuntimeScaling["mode"],
  clipLog2: (writers: readonly QConv[]) => number,
): QuantizedModel {
  let classes = movableClasses(model);
  if (mode === "dynamic") classes = decidable(model, classes);
  const exponents = classes.map(({ tensors, writers }) => ({
    tensors: tensors.map(({ name }) => name),
    low: -RUNTIME_LIMIT,
    high: RUNTIME_LIMIT,
    clipLog2: isMeasured(writers) ? clipLog2(writers) : null,
  }));
  narrow(model, exponents);
  return { ...model, runtime: { mode, exponents } };
}

function isMeasured(writers: ScaleClass["writers"]): writers is readonly QConv[] {
  return writers.every(({ op }) => op === "conv");
}

/** Classes that can have a run-time exponent, in the model's order. */
export function movableClasses(model: QuantizedModel): ScaleClass[] {
  const tensors = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
  const joined = new Classes();
  for (const { op, inputs, output } of model.nodes)
    if (op === "pool" || op === "concat") for (const input of inputs) joined.join(input, output);
  const several = new Set(
    model.host.outputs.filter(({ exponents }) => exponents.some((f) => f !== exponents[0])).map(({ tensor }) => tensor),
  );
  const found = new Map<string, ScaleClass>();
  for (const [key, names] of joined.members(tensors.keys())) {
    const writers = model.nodes.filter(
      (node): node is QConv | QAdd => (node.op === "conv" || node.op === "add") && names.includes(node.output),
    );
    const members = names.map((name) => tensors.get(name)!);
    const isMovable =
      !names.includes(model.host.input.tensor) &&
      members.every(({ name, format }) => format !== "i32" && !several.has(name)) &&
      writers.every((writer) => isScaleFree(writer, tensors.get(writer.output)!)) &&
      (isMeasured(writers) || writers.length === 1);
    if (isMovable) found.set(key, { tensors: members, writers });
  }
  // an addition has nothing to follow where both operands are fixed
  for (const { op, inputs, output } of model.nodes) {
    if (op !== "add" || !found.has(joined.of(output))) continue;
    if (inputs.every((input) => !found.has(joined.of(input)))) found.delete(joined.of(output));
  }
  return [...found.values()];
}

/** A ReLU or no clamp means the same at every exponent; the bounds of a Clip are integers at one. */
function isScaleFree({ low, high }: QConv | QAdd, { format }: QTensor): boolean {
  return (low === 0 || low === FORMAT_MIN[format]) && high === FORMAT_MAX[format];
}

/**
 * The classes whose exponents can be known in time: all accumulators of a class must be there before one of its tensors
 * is. Where a class needs a tensor of its own first, it keeps its static exponent.
 */
function decidable(model: QuantizedModel, classes: readonly ScaleClass[]): ScaleClass[] {
  const left = [...classes];
  for (;;) {
    const stuck = firstUndecided(
      model,
      left.map(({ tensors }) => tensors.map(({ name }) => name)),
    );
    if (stuck < 0) return left;
    left.splice(stuck, 1);
  }
}

/** Index of the first class that the order of computing cannot decide, or -1. */
export function firstUndecided(model: QuantizedModel, classes: readonly (readonly string[])[]): number {
  const classOf = new Map(classes.flatMap((names, i) => names.map((name) => [name, i] as const)));
  const known = new Set([model.tensors[0].name]);
  const decided = new Set<number>();
  const canRun = ({ inputs }: { readonly inputs: readonly string[] }) => inputs.every((input) => known.has(input));
  for (let before = -1; before < known.size + decided.size; ) {
    before = known.size + decided.size;
    classes.forEach((_, i) => {
      const writers = model.nodes.filter(
        ({ op, output }) => (op === "conv" || op === "add") && classOf.get(output) === i,
      );
      if (writers.every(canRun)) decided.add(i);
    });
    for (const node of model.nodes) {
      const own = classOf.get(node.output);
      if (canRun(node) && (own === undefined || decided.has(own))) known.add(node.output);
    }
  }
  return classes.findIndex((_, i) => !decided.has(i));
}

/** Draws limits in until nothing can overflow and every shift exists: one by one, always the widest that could help. */
function narrow(model: QuantizedModel, exponents: { tensors: readonly string[]; low: number; high: number }[]): void {
  const ends = (name: string, end: "low" | "high") =>
    exponents.filter(({ tensors, [end]: limit }) => tensors.includes(name) && limit !== 0).map((one) => ({ one, end }));
  for (let changed = true; changed; ) {
    changed = false;
    for (const { fault, inputs, output } of limitFaults(model, exponents)) {
      const [widest] = [
        ...inputs.flatMap((name) => fault.inputEnds.flatMap((end) => ends(name, end))),
        ...(fault.outputEnd === null ? [] : ends(output, fault.outputEnd)),
      ].sort((a, b) => Math.abs(b.one[b.end]) - Math.abs(a.one[a.end]));
      if (widest === undefined) continue;
      widest.one[widest.end] -= Math.sign(widest.one[widest.end]);
      changed = true;
    }
  }
}

/** Every layer at which run-time exponents may go too far. */
export function limitFaults(
  model: QuantizedModel,
  exponents: readonly Pick<RuntimeExponent, "tensors" | "low" | "high">[],
): { readonly fault: LimitFault; readonly inputs: readonly string[]; readonly output: string }[] {
  const tensors = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
  const limitsOf = (name: string): Limits => exponents.find((one) => one.tensors.includes(name)) ?? FIXED;
  const operand = (name: string) => ({ exponent: tensors.get(name)!.exponent, limits: limitsOf(name) });
  return model.nodes.flatMap((node) => {
    const { inputs, output } = node;
    if ([...inputs, output].every((name) => isFixed(limitsOf(name)))) return [];
    let fault: LimitFault | null = null;
    if (node.op === "conv") {
      const to = tensors.get(output)!.format === "i32" ? null : limitsOf(output);
      fault = convFault(node, tensors.get(node.inputs[0])!, limitsOf(node.inputs[0]), to);
    } else if (node.op === "add")
      fault = addFault(node, operand(node.inputs[0]), operand(node.inputs[1]), operand(output));
    return fault === null ? [] : [{ fault, inputs, output }];
  });
}

const isFixed = ({ low, high }: Limits) => low === 0 && high === 0;
