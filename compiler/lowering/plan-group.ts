/** One group's plan: its constants and tiling now, its instructions later, when all tensors have their places. */
import { FORMAT_BYTES, INSTRUCTION_BYTES, RapError } from "../../isa/index.ts";
import { addTile, copyTile, type Geometry, poolTile } from "../../kernels/index.ts";
import type { QPool } from "../quantized-model.ts";
import { emitConv } from "./conv-emit.ts";
import { type ConvShape, convInstructions } from "./conv-plan.ts";
import { ConvProgram, poolExtents, poolMode } from "./conv-program.ts";
import { planDynamicConv } from "./dynamic-conv.ts";
import {
  type ElementwiseShape,
  elementwiseInstructions,
  emitElementwise,
  planElementwise,
  type TileKernel,
} from "./elementwise.ts";
import type { ConvGroup, Group, Placement } from "./groups.ts";
import type { PlanContext, PlannedGroup } from "./planned-group.ts";
import type { Registers } from "./scaling-registers.ts";

export function planGroup(group: Group, context: PlanContext): PlannedGroup {
  switch (group.kind) {
    case "conv":
      return planConvGroup(group, context);
    case "pool":
      return planPoolGroup(group.pool, context);
    case "add":
      return planAddGroup(group, context);
    case "copy":
      return planCopyGroup(group, context);
  }
}

/** What an instruction's fields can hold. @throws RapError naming the layer */
function checkGeometry(
  name: string,
  geometry: Geometry & { dilation?: readonly [number, number] },
  strideMax: number,
): void {
  const limits: [string, readonly number[], number][] = [
    ["kernel", geometry.kernel, 255],
    ["stride", geometry.stride, strideMax],
    ["padding", geometry.pads, 255],
    ["dilation", geometry.dilation ?? [], 15],
  ];
  for (const [what, values, max] of limits) {
    const wrong = values.find((value) => value > max);
    if (wrong !== undefined) throw new RapError(`${name}: ${what} ${wrong}: an instruction holds at most ${max}`);
  }
}

function planConvGroup(group: ConvGroup, context: PlanContext): PlannedGroup {
  const { conv, pool, output } = group;
  const { machine, plans, tensors, scaling } = context;
  checkGeometry(conv.name, conv, 15);
  if (pool) checkGeometry(pool.name, pool, 255);
  const input = tensors.quantized(conv.inputs[0]);
  const result = tensors.quantized(conv.output);
  const final = pool ? poolExtents(result, pool) : result;
  const shape: ConvShape = {
    name: conv.name,
    input,
    output: { height: result.height, width: result.width, channels: result.channels },
    final: { height: final.height, width: final.width },
    finalBytes: result.format === "i32" ? 4 : 1,
    isKept: false,
    geometry: conv,
    pool,
    groups: conv.groups,
    inChannels: input.channels,
    channelsFollow: tensors.channelsFollow(output),
  };
  const together = scaling.mode === "dynamic" ? scaling.measuredWith(conv.output) : [];
  if (together.length > 0) return planDynamicConv({ group, shape, isShared: together.length > 1 }, context);
  const plan = plans.of(shape, context.sramBytes, context.persistentWeights);
  const program = new ConvProgram(group, plan.chunk, context);
  const instructions = convInstructions(shape, plan, machine);
  return {
    instructions,
    cycles: plan.cycles,
    dramBytes: plan.dramBytes + INSTRUCTION_BYTES * instructions,
    secondPass: null,
    emit: ({ layer, registers, buffers, persistent }) =>
      emitConv(program.job(shape, plan, layer, registers), buffers, persistent).drafts,
  };
}

/** Plans a group without weights from its operands and the tile's instruction. */
function planElementwiseGroup(
  name: string,
  inputs: readonly string[],
  output: Placement,
  result: { height: number; width: number; channels: number },
  window: Geometry | null,
  context: PlanContext,
  kernel: (tensor: number, channelOffset: number, registers: Registers) => TileKernel,
): PlannedGroup {
  const { tensors, machine } = context;
  const operand = (place: Placement, id: number) => ({
    id,
    tensor: tensors.quantized(place.root),
    offset: place.offset,
  });
  const shapeWith = (idOf: (root: string) => number): ElementwiseShape => ({
    name,
    inputs: inputs.map((input) => operand(tensors.placementOf(input), idOf(tensors.placementOf(input).root))),
    output: operand(output, idOf(output.root)),
    height: result.height,
    width: result.width,
    channels: result.channels,
    window,
  });
  const plan = planElementwise(
    shapeWith(() => -1),
    machine,
    context.sramBytes,
  );
  const emit: PlannedGroup["emit"] = ({ layer, buffers, registers }) => {
    const shape = shapeWith((root) => tensors.idOf(root));
    const { offset } = shape.inputs[0];
    // boxes count channels as the source does, so the tensor that clips them has the source's channels before its own
    const clip = tensors.virtual(
      name,
      result.height,
      result.width,
      offset + result.channels,
      shape.output.tensor.format,
    );
    return emitElementwise(shape, plan, machine, layer, buffers, kernel(clip, output.offset - offset, registers));
  };
  const instructions = elementwiseInstructions(
    shapeWith(() => -1),
    plan,
  );
  const operands = inputs.map((input) => tensors.quantized(input));
  return {
    instructions,
    secondPass: null,
    cycles: plan.cycles,
    dramBytes: [...operands, { ...result, format: tensors.quantized(output.root).format }].reduce(
      (sum, { height, width, channels, format }) => sum + height * width * channels * FORMAT_BYTES[format],
      INSTRUCTION_BYTES * instructions,
    ),
    emit,
  };
}

function planPoolGroup(pool: QPool, context: PlanContext): PlannedGroup {
  checkGeometry(pool.name, pool, 255);
  const { tensors } = context;
  return planElementwiseGroup(
    pool.name,
    pool.inputs,
    tensors.placementOf(pool.output),
    tensors.quantized(pool.output),
    pool,
    context,
    (tensor, channelOffset) => (place, tp, sources, dst, axes) =>
      poolTile(place, {
        src: sources[0],
        dst,
        tensor,
        ...axes,
        c: sources[0].c,
        tp,
        channelOffset,
        mode: poolMode(pool),
        geometry: pool,
      }),
  );
}

function planAddGroup({ add }: Extract<Group, { kind: "add" }>, context: PlanContext): PlannedGroup {
  const { tensors } = context;
  const [a, b, out] = [...add.inputs, add.output].map((name) => tensors.quantized(name).exponent);
  return planElementwiseGroup(
    add.name,
    add.inputs,
    tensors.placementOf(add.output),
    tensors.quantized(add.output),
    null,
    context,
    (tensor, channelOffset, { inputs: registers, output }) =>
      (place, tp, sources, dst, axes) =>
        addTile(place, {
          a: sources[0],
          b: sources[1],
          dst,
          tensor,
          ...axes,
          tp,
          channelOffset,
          exponentA: a,
          exponentB: b,
          exponentOut: out,
          registerA: registers[0],
          registerB: registers[1],
          registerOut: output,
          low: add.low,
          high: add.high,
        }),
  );
}

function planCopyGroup(group: Extract<Group, { kind: "copy" }>, context: PlanContext): PlannedGroup {
  const { tensors } = context;
  const source = tensors.quantized(group.input);
  return planElementwiseGroup(
    `${group.name}:${group.input}`,
    [group.input],
    tensors.rootPlacement(group.output),
    source,
    null,
    context,
    (_, channelOffset) => (place, __, sources, dst) => copyTile(place, sources[0], dst, channelOffset),
  );
}
