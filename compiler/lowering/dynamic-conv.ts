/** A convolution whose exponent is chosen from this frame's accumulators: measured first, then finished. */
import type { KeptTile } from "./conv-emit.ts";
import { emitConv } from "./conv-emit.ts";
import { type ConvShape, convInstructions, convSizes } from "./conv-plan.ts";
import { addTable, ConvProgram, shiftEntries } from "./conv-program.ts";
import { type ElementwiseShape, elementwiseInstructions } from "./elementwise.ts";
import type { ConvGroup } from "./groups.ts";
import type { PlanContext, PlannedGroup, Turn } from "./planned-group.ts";
import { planPasses, planRescaling, type Rescaling, rescaleKept, rescaleSpilled } from "./second-pass.ts";

interface DynamicConv {
  readonly group: ConvGroup;
  readonly shape: ConvShape;
  /** Other convolutions share the exponent. */
  readonly isShared: boolean;
}

export function planDynamicConv({ group, shape: whole, isShared }: DynamicConv, context: PlanContext): PlannedGroup {
  const { conv } = group;
  const { machine, tensors } = context;
  const result = tensors.quantized(conv.output);
  const placement = tensors.placementOf(group.output);
  const rescaling = (spilled: number, destination: number): ElementwiseShape => ({
    name: conv.name,
    inputs: [{ id: spilled, tensor: { channels: result.channels, format: "i32" }, offset: 0 }],
    output: { id: destination, tensor: tensors.quantized(placement.root), offset: placement.offset },
    height: result.height,
    width: result.width,
    channels: result.channels,
    window: null,
  });
  const request = { ...context, shape: whole, rescaling: rescaling(-1, -1), isShared, preferred: context.secondPass };
  const { way, shape, plan } = planPasses(request);
  const program = new ConvProgram(group, plan.chunk, context);
  const once = convInstructions(shape, plan, machine);
  const { dramBytes } = plan;
  if (way === "recompute") {
    const emit = ({ pass, layer, registers, buffers, persistent }: Turn) =>
      emitConv(program.job(shape, plan, layer, registers, { measuresOnly: pass === "measure" }), buffers, persistent)
        .drafts;
    return { instructions: 2 * once, cycles: 2 * plan.cycles, dramBytes, secondPass: way, emit };
  }

  // biases are in the int32 values already
  const unbiased = shiftEntries(conv).map(({ shift }) => ({ bias: 0, biasShift: 0, shift }));
  const table = addTable(`${conv.name}/unbiased table`, unbiased, tensors);
  const { low, high, slope } = conv;
  const rescalingJob = ({ layer, registers }: Turn, spilled: number): Rescaling => ({
    shape: rescaling(spilled, tensors.idOf(placement.root)),
    table,
    tensor: program.clips.conv,
    epilogue: { low, high, slope },
    registers,
    machine,
    layer,
  });
  if (way === "keep") {
    const { keptBytes: bytes, keptSlots: count } = convSizes(shape, plan, machine);
    // buffers of both passes are of one pool, so that neither takes the other's place
    let first: { readonly kept: readonly KeptTile[]; readonly buffers: Turn["buffers"] } | null = null;
    const emit = (turn: Turn) => {
      if (turn.pass === "finish")
        return rescaleKept(rescalingJob(turn, -1), first!.kept, { bytes, count }, first!.buffers);
      const { drafts, kept } = emitConv(
        program.job(shape, plan, turn.layer, turn.registers),
        turn.buffers,
        turn.persistent,
      );
      first = { kept, buffers: turn.buffers };
      return drafts;
    };
    return { instructions: 2 * once, cycles: plan.cycles, dramBytes, secondPass: way, emit };
  }
  const rescalingPlan = planRescaling(request.rescaling, context);
  let spilled: number | null = null;
  const emit = (turn: Turn) => {
    spilled ??= tensors.intermediate(`${conv.name}/int32 spilled`, result, "i32", "intermediate");
    if (turn.pass === "finish") return rescaleSpilled(rescalingJob(turn, spilled), rescalingPlan, turn.buffers);
    return emitConv(program.job(shape, plan, turn.layer, turn.registers, { spilled }), turn.buffers, turn.persistent)
      .drafts;
  };
  return {
    instructions: once + elementwiseInstructions(request.rescaling, rescalingPlan),
    cycles: plan.cycles + rescalingPlan.cycles,
    dramBytes,
    secondPass: way,
    emit,
  };
}
