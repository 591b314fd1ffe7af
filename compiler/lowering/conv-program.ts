/** A convolution group's constants and tensors in the program, and the jobs that its passes are. */
import { type InstructionOf, packShiftTable, packWeights, type ShiftEntry } from "../../isa/index.ts";
import type { QConv, QPool } from "../quantized-model.ts";
import type { ConvEpilogue, ConvJob, ConvScaling, ConvTensors } from "./conv-emit.ts";
import type { ConvPlan, ConvShape } from "./conv-plan.ts";
import type { ConvGroup } from "./groups.ts";
import type { PlanContext } from "./planned-group.ts";
import type { Registers } from "./scaling-registers.ts";
import type { TensorTable } from "./tensors.ts";

/** An int32 result is neither clamped nor activated. */
export const WIDE: ConvEpilogue = { low: 0, high: 0, slope: null };

/** Rows and columns that a pooling makes of a tensor. */
export function poolExtents(
  input: { height: number; width: number },
  { kernel, stride, pads }: QPool,
): { height: number; width: number } {
  return {
    height: Math.floor((input.height + pads[0] + pads[2] - kernel[0]) / stride[0]) + 1,
    width: Math.floor((input.width + pads[1] + pads[3] - kernel[1]) / stride[1]) + 1,
  };
}

export function poolMode(pool: QPool): InstructionOf<"pool">["mode"] {
  return pool.mode === "max" ? "max" : pool.countPadding ? "averageAll" : "average";
}

/** How a pass over a convolution differs from doing all of it at once. */
export interface PassOptions {
  readonly measuresOnly?: boolean;
  /** int32 results, to this tensor in DRAM. */
  readonly spilled?: number;
}

/** Constants are added at once; all else when first wanted, since tensors of the network come before. */
export class ConvProgram {
  private readonly weights: number;
  private readonly table: number;
  private virtual: { readonly conv: number; readonly pooled: number; readonly wide: number } | null = null;

  /** @param chunk input channels that a convolution instruction takes */
  constructor(
    private readonly group: ConvGroup,
    chunk: number,
    private readonly context: PlanContext,
  ) {
    const { conv } = group;
    const { tensors, machine } = context;
    const inChannels = tensors.quantized(conv.inputs[0]).channels / conv.groups;
    const { weights, table } = addConvConstants(conv, inChannels, chunk, machine.parameters["array.cols"], tensors);
    this.weights = weights;
    this.table = table;
  }

  /** Tensors that clip the boxes of the convolution and of its pooling, and hold int32 tiles in SRAM. */
  get clips(): { readonly conv: number; readonly pooled: number; readonly wide: number } {
    if (this.virtual !== null) return this.virtual;
    const { conv, pool } = this.group;
    const { tensors, scaling } = this.context;
    const { height, width, channels, format } = tensors.quantized(conv.output);
    const own = tensors.virtual(conv.name, height, width, channels, format);
    const final = pool && poolExtents({ height, width }, pool);
    const pooled = final
      ? tensors.virtual(`${conv.name}/${pool.name}`, final.height, final.width, channels, format)
      : own;
    const wide =
      scaling.mode === "dynamic" ? tensors.virtual(`${conv.name}/int32`, height, width, channels, "i32") : own;
    this.virtual = { conv: own, pooled, wide };
    return this.virtual;
  }

  job(shape: ConvShape, plan: ConvPlan, layer: number, registers: Registers, options: PassOptions = {}): ConvJob {
    const { group, context } = this;
    const { conv, pool } = group;
    const { machine, packing, tensors } = context;
    const { measuresOnly = false, spilled } = options;
    const { wide } = this.clips;
    const scaling: ConvScaling = {
      exponentIn: registers.inputs[0],
      exponentOut: registers.output,
      range: registers.histogram === null ? null : { histogram: registers.histogram, relu: conv.low === 0 },
      measuresOnly,
      wide,
    };
    const isWide = shape.isKept || spilled !== undefined || tensors.quantized(conv.output).format === "i32";
    return {
      shape,
      plan,
      tensors: this.tensors(spilled),
      epilogue: isWide ? WIDE : { low: conv.low, high: conv.high, slope: conv.slope },
      poolMode: pool ? poolMode(pool) : "max",
      machine,
      packing,
      layer,
      scaling,
    };
  }

  private tensors(spilled: number | undefined): ConvTensors {
    const { conv, output } = this.group;
    const { tensors } = this.context;
    const source = tensors.placed(conv.inputs[0]);
    const destination = tensors.placed(output);
    return {
      input: source.id,
      inputOffset: source.offset,
      inputFormat: tensors.quantized(conv.inputs[0]).format === "u8" ? "u8" : "i8",
      weights: this.weights,
      table: this.table,
      conv: this.clips.conv,
      convFormat: spilled === undefined ? tensors.quantized(conv.output).format : "i32",
      pooled: this.clips.pooled,
      destination: spilled ?? destination.id,
      destinationOffset: spilled === undefined ? destination.offset : 0,
    };
  }
}

/** Adds a convolution's weights and shift table. @param inChannels per group @param chunk of them per instruction */
export function addConvConstants(
  conv: QConv,
  inChannels: number,
  chunk: number,
  cols: number,
  tensors: TensorTable,
): { readonly weights: number; readonly table: number } {
  const [kernelY, kernelX] = conv.kernel;
  const outChannels = conv.bias.length;
  const packed = packWeights(conv.weights, { outChannels, kernelY, kernelX, inChannels }, cols, chunk);
  const [blocks, rows] = [Math.ceil(outChannels / cols), kernelY * kernelX * inChannels];
  return {
    weights: tensors.constant(`${conv.name}/weights`, blocks, rows, cols, new Uint8Array(packed.buffer)),
    table: addTable(`${conv.name}/table`, shiftEntries(conv), tensors),
  };
}

export function shiftEntries(conv: QConv): ShiftEntry[] {
  return Array.from(conv.bias, (bias, k) => ({ bias, biasShift: conv.biasShift[k], shift: conv.shift[k] }));
}

export function addTable(name: string, entries: readonly ShiftEntry[], tensors: TensorTable): number {
  return tensors.constant(name, 1, entries.length, 4, packShiftTable(entries));
}
