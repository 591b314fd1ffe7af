/** One group's plan: its constants and tiling now, its instructions later, when all tensors have their places. */
import {
  type InstructionOf,
  type Machine,
  type Packing,
  packShiftTable,
  packWeights,
  RapError,
} from "../../isa/index.ts";
import { addTile, copyTile, type Draft, type Geometry, poolTile } from "../../kernels/index.ts";
import type { QConv, QPool, QuantizedModel } from "../quantized-model.ts";
import type { Pool } from "./buffers.ts";
import { type ConvEpilogue, type ConvJob, emitConv, type Persistent } from "./conv-emit.ts";
import { type ConvShape, convInstructions, planConv } from "./conv-plan.ts";
import {
  type ElementwiseShape,
  elementwiseInstructions,
  emitElementwise,
  planElementwise,
  type TileKernel,
} from "./elementwise.ts";
import type { ConvGroup, Group, Placement } from "./groups.ts";
import type { TensorTable } from "./tensors.ts";

export interface PlanContext {
  readonly model: QuantizedModel;
  readonly machine: Machine;
  readonly packing: Packing;
  readonly tensors: TensorTable;
  /** SRAM free in every agent */
  readonly sramBytes: number;
  readonly persistentWeights: boolean;
}

/** A group planned: how many instructions it takes, about, and how to make them, its buffers from `pool`. */
export interface PlannedGroup {
  readonly instructions: number;
  /** estimated time */
  readonly cycles: number;
  readonly emit: (layer: number, pool: Pool, persistent: Persistent) => Draft[];
}

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

export function poolMode(pool: QPool): InstructionOf<"pool">["mode"] {
  return pool.mode === "max" ? "max" : pool.countPadding ? "averageAll" : "average";
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

/** An int32 result is neither clamped nor activated. */
export const WIDE: ConvEpilogue = { low: 0, high: 0, slope: null };

function planConvGroup({ conv, pool, output }: ConvGroup, context: PlanContext): PlannedGroup {
  const { machine, packing, tensors } = context;
  const cols = machine.parameters["array.cols"];
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
    geometry: conv,
    pool,
    groups: conv.groups,
    inChannels: input.channels,
    channelsFollow: tensors.channelsFollow(output),
  };
  const plan = planConv(shape, machine, packing, context.sramBytes, context.persistentWeights);
  const ids = addConstants(conv, input.channels / conv.groups, plan.chunk, cols, tensors);
  const emit: PlannedGroup["emit"] = (layer, buffers, persistent) => {
    const source = tensors.placed(conv.inputs[0]);
    const destination = tensors.placed(output);
    const virtual = tensors.virtual(conv.name, result.height, result.width, result.channels, result.format);
    const pooled = pool
      ? tensors.virtual(`${conv.name}/${pool.name}`, final.height, final.width, result.channels, result.format)
      : virtual;
    const job: ConvJob = {
      shape,
      plan,
      tensors: {
        input: source.id,
        inputOffset: source.offset,
        inputFormat: input.format === "u8" ? "u8" : "i8",
        ...ids,
        conv: virtual,
        convFormat: result.format,
        pooled,
        destination: destination.id,
        destinationOffset: destination.offset,
      },
      epilogue: result.format === "i32" ? WIDE : { low: conv.low, high: conv.high, slope: conv.slope },
      poolMode: pool ? poolMode(pool) : "max",
      machine,
      packing,
      layer,
    };
    return emitConv(job, buffers, persistent);
  };
  return { instructions: convInstructions(shape, plan, machine), cycles: plan.cycles, emit };
}

function poolExtents(
  input: { height: number; width: number },
  { kernel, stride, pads }: QPool,
): { height: number; width: number } {
  return {
    height: Math.floor((input.height + pads[0] + pads[2] - kernel[0]) / stride[0]) + 1,
    width: Math.floor((input.width + pads[1] + pads[3] - kernel[1]) / stride[1]) + 1,
  };
}

export function addConstants(
  conv: QConv,
  groupIn: number,
  chunk: number,
  cols: number,
  tensors: TensorTable,
): { weights: number; table: number } {
  const [kernelY, kernelX] = conv.kernel;
  const outChannels = conv.bias.length;
  const packed = packWeights(conv.weights, { outChannels, kernelY, kernelX, inChannels: groupIn }, cols, chunk);
  const blocks = Math.ceil(outChannels / cols);
  const entries = Array.from(conv.bias, (bias, k) => ({ bias, biasShift: conv.biasShift[k], shift: conv.shift[k] }));
  return {
    weights: tensors.constant(
      `${conv.name}/weights`,
      blocks,
      kernelY * kernelX * groupIn,
      cols,
      new Uint8Array(packed.buffer),
    ),
    table: tensors.constant(`${conv.name}/table`, 1, outChannels, 4, packShiftTable(entries)),
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
  kernel: (tensor: number, channelOffset: number) => TileKernel,
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
  const emit: PlannedGroup["emit"] = (layer, buffers) => {
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
    return emitElementwise(shape, plan, machine, layer, buffers, kernel(clip, output.offset - offset));
  };
  return {
    instructions: elementwiseInstructions(
      shapeWith(() => -1),
      plan,
    ),
    cycles: plan.cycles,
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
    (tensor, channelOffset) => (place, tp, sources, dst, axes) =>
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
