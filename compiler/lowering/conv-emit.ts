/** A convolution group's instructions from its plan: tiles, output-channel groups, strips and input chunks. */
import { type Axis, accumulatorRows, type LeakySlope, type Machine, type Packing } from "../../isa/index.ts";
import {
  type AccumulatorTile,
  axis,
  type Buffer,
  convTile,
  type Draft,
  inputAxes,
  loadTile,
  type Multicast,
  type Place,
  poolTile,
  rangeTile,
  shiftTile,
  storeTile,
  type TileView,
  tileView,
  within,
} from "../../kernels/index.ts";
import type { Pool } from "./buffers.ts";
import { type ConvPlan, type ConvShape, convSizes } from "./conv-plan.ts";
import { overlapOf, ownParts, type TileAxis } from "./measured-parts.ts";
import { interleave, type WorkItem } from "./pipeline.ts";

/** Program tensors a convolution group works on. */
export interface ConvTensors {
  /** the input's DRAM tensor and the channel its data starts at */
  readonly input: number;
  readonly inputOffset: number;
  readonly inputFormat: "i8" | "u8";
  readonly weights: number;
  readonly table: number;
  /** the convolution's own output: clips its boxes */
  readonly conv: number;
  readonly convFormat: "i8" | "u8" | "i32";
  /** clips the pooling's boxes */
  readonly pooled: number;
  /** the DRAM tensor written and the channel to start at */
  readonly destination: number;
  readonly destinationOffset: number;
}

/** What a group does besides when exponents are chosen at run time. */
export interface ConvScaling {
  /** Scalar registers of the input's and the output's exponent; 0: none. */
  readonly exponentIn: number;
  readonly exponentOut: number;
  readonly range: { readonly histogram: number; readonly relu: boolean } | null;
  /** Accumulators are only measured. */
  readonly measuresOnly: boolean;
  /** Where the shape says that int32 tiles are kept: their tensor. */
  readonly wide: number;
}

export interface ConvEpilogue {
  readonly low: number;
  readonly high: number;
  readonly slope: LeakySlope | null;
}

/** Buffers filled once, before the first frame, and what fills them. */
export interface Persistent {
  readonly pool: Pool;
  readonly loads: Draft[];
  /** Buffers of weights and of the shift table, by the weights' tensor. */
  readonly areas: Map<number, { readonly weights: Buffer[]; readonly table: Buffer }>;
}

/** Everything that stays the same over a convolution group. */
export interface ConvJob {
  readonly shape: ConvShape;
  readonly plan: ConvPlan;
  readonly tensors: ConvTensors;
  readonly epilogue: ConvEpilogue;
  readonly poolMode: "max" | "average" | "averageAll";
  readonly machine: Machine;
  readonly packing: Packing;
  readonly layer: number;
  readonly scaling: ConvScaling;
}

export interface EmittedConv {
  readonly drafts: Draft[];
  /** int32 tiles that stay in SRAM, where the shape says so */
  readonly kept: readonly KeptTile[];
}

/** An int32 tile that a shift made and nothing stored. */
export interface KeptTile {
  readonly place: Place;
  readonly view: TileView;
}

/** @param buffers where the group's own buffers come from */
export function emitConv(job: ConvJob, buffers: Pool, persistent: Persistent): EmittedConv {
  const emitter = new ConvEmitter(job, buffers, persistent);
  return { drafts: interleave(emitter.items(), job.plan.prefetch), kept: emitter.kept };
}

/** Buffers of one kind, used in turn. */
class Turns {
  private count = 0;
  constructor(private readonly buffers: readonly Buffer[]) {}

  next(): Buffer {
    return this.buffers[this.count++ % this.buffers.length];
  }
}

/** One final tile of every agent: where it lies, and what it needs loaded before its first convolution. */
interface Step {
  readonly place: Place;
  readonly finalY: Axis;
  readonly finalX: Axis;
  readonly convY: Axis;
  readonly convX: Axis;
  readonly inputY: Axis;
  readonly inputX: Axis;
  readonly pending: Draft[];
  /** for measuring */
  readonly rows: TileAxis;
  readonly columns: TileAxis;
}

/** Output channels of one pass over a tile, of every agent. */
interface ChannelGroup {
  readonly firstBlock: number;
  readonly blocks: number;
  readonly channels: Axis;
}

class ConvEmitter {
  private readonly sizes;
  private readonly cols: number;
  /** from one grid column's output channels to the next's */
  private readonly channelStep: number;
  private readonly weightMulticast: Multicast;
  private readonly inputMulticast: Multicast;
  private readonly inputs: Turns;
  private readonly weights: Turns;
  private readonly convOutputs: Turns;
  private readonly outputs: Turns;
  private readonly table: TileView;
  private readonly residentWeights: TileView;
  private readonly work: WorkItem[] = [];
  /** accumulator tiles given out: they alternate between tensor processors, then between halves */
  private accumulatorTiles = 0;
  /** weights and shift table are in SRAM from an earlier pass over the layer */
  private readonly isLoaded: boolean;
  readonly kept: KeptTile[] = [];

  constructor(
    private readonly job: ConvJob,
    buffers: Pool,
    private readonly persistent: Persistent,
  ) {
    const { shape, plan, tensors, machine } = job;
    this.cols = machine.parameters["array.cols"];
    this.sizes = convSizes(shape, plan, machine);
    const byColumns = plan.split === "columns";
    this.channelStep = byColumns ? 0 : plan.channels;
    this.weightMulticast = byColumns ? "all" : "column";
    this.inputMulticast = byColumns ? "none" : "row";
    const { sizes } = this;
    const known = persistent.areas.get(tensors.weights);
    this.isLoaded = known !== undefined;
    const weightPool = plan.persistentWeights ? persistent.pool : buffers;
    const weightBuffers =
      known?.weights ?? weightPool.slots(`${shape.name}/weights`, sizes.weightBytes, sizes.weightSlots);
    const tableBuffer = known?.table ?? weightPool.slots(`${shape.name}/table`, sizes.tableBytes, 1)[0];
    if (plan.persistentWeights) persistent.areas.set(tensors.weights, { weights: weightBuffers, table: tableBuffer });
    this.inputs = new Turns(buffers.slots("input", sizes.inputBytes, sizes.inputSlots));
    this.weights = new Turns(weightBuffers);
    const results = (count: number) => (job.scaling.measuresOnly ? 0 : count);
    this.convOutputs = new Turns(buffers.slots("convOutput", sizes.convBytes, results(sizes.convSlots)));
    this.outputs = new Turns(buffers.slots("output", sizes.outputBytes, results(sizes.outputSlots)));
    const channels = axis(0, plan.channels, 0, this.channelStep);
    this.table = tileView(tensors.table, "i8", axis(0, 1), channels, axis(0, 4), tableBuffer);
    this.residentWeights = this.weightView(0, sizes.agentBlocks, 0, sizes.rows, weightBuffers[0]);
  }

  items(): WorkItem[] {
    const { plan } = this.job;
    for (let y = 0; y < plan.stepsY; y++) for (let x = 0; x < plan.stepsX; x++) this.step(this.stepAt(y, x));
    return this.work;
  }

  private stepAt(stepY: number, stepX: number): Step {
    const { shape, plan, layer } = this.job;
    const { gridY, gridX, tileHeight, tileWidth } = plan;
    const tile = stepY * plan.stepsX + stepX;
    const place: Place = { grid: { gridY, gridX }, layer, tile };
    const finalY = axis(stepY * gridY * tileHeight, tileHeight, tileHeight);
    const finalX =
      plan.split === "columns"
        ? axis(stepX * gridX * tileWidth, tileWidth, 0, tileWidth)
        : axis(stepX * tileWidth, tileWidth);
    const conv = shape.pool ? inputAxes(finalY, finalX, shape.pool) : { y: finalY, x: finalX };
    const input = inputAxes(conv.y, conv.x, shape.geometry);
    const pending: Draft[] = [];
    if (tile === 0 && !this.isLoaded) {
      const once = plan.persistentWeights ? this.persistent.loads : pending;
      once.push(loadTile(place, this.table, this.weightMulticast));
      if (plan.weightsResident) once.push(loadTile(place, this.residentWeights, this.weightMulticast));
    }
    const [overlapY, overlapX] = overlapOf(shape.pool);
    const rows: TileAxis = {
      axis: conv.y,
      extent: shape.output.height,
      step: "stepA",
      isFirst: stepY === 0,
      overlap: overlapY,
    };
    const columns: TileAxis = {
      axis: conv.x,
      extent: shape.output.width,
      step: plan.split === "columns" ? "stepB" : null,
      isFirst: stepX === 0,
      overlap: overlapX,
    };
    return {
      place,
      finalY,
      finalX,
      convY: conv.y,
      convX: conv.x,
      inputY: input.y,
      inputX: input.x,
      pending,
      rows,
      columns,
    };
  }

  private step(step: Step): void {
    const { shape, plan, scaling } = this.job;
    const { kGroups, agentBlocks } = this.sizes;
    const source = plan.inputWhole ? this.loadInput(step, step.pending, 0, shape.inChannels) : null;
    const writesWhole = plan.outputWhole && !scaling.measuresOnly;
    const whole = writesWhole ? this.destinationView(step, axis(0, plan.channels, 0, this.channelStep)) : null;
    for (let kGroup = 0; kGroup < kGroups; kGroup++) {
      const firstBlock = kGroup * plan.blocks;
      const blocks = Math.min(plan.blocks, agentBlocks - firstBlock);
      const first = firstBlock * this.cols;
      const channels = axis(first, Math.min(blocks * this.cols, plan.channels - first), 0, this.channelStep);
      const destination = scaling.measuresOnly ? null : (whole ?? this.destinationView(step, channels));
      this.channelGroup(step, { firstBlock, blocks, channels }, source, destination);
      if (destination === null || (whole !== null && kGroup < kGroups - 1)) continue;
      if (shape.isKept) this.kept.push({ place: step.place, view: destination });
      else this.last.push(storeTile(step.place, destination));
    }
  }

  /** All convolutions, shifts and the pooling of one group of output channels. */
  private channelGroup(step: Step, group: ChannelGroup, source: TileView | null, destination: TileView | null): void {
    const { shape, plan, tensors, machine, epilogue, poolMode, scaling } = this.job;
    const { place, convY, convX } = step;
    const tensorProcessors = machine.parameters["agent.tensorProcessors"];
    const halves = plan.accumulatorTiles;
    const result =
      shape.pool && destination
        ? tileView(tensors.conv, tensors.convFormat, convY, convX, group.channels, this.convOutputs.next())
        : destination;
    let weights = plan.weightsResident ? this.residentWeights : null;
    let tp = 0;
    for (let strip = 0; strip < this.sizes.strips; strip++) {
      const firstRow = strip * plan.stripRows;
      const y = within(convY, firstRow, Math.min(plan.stripRows, this.sizes.convHeight - firstRow));
      tp = this.accumulatorTiles % tensorProcessors;
      const half = Math.floor(this.accumulatorTiles++ / tensorProcessors) % halves;
      const accRow = half * Math.floor(accumulatorRows(machine) / halves);
      const box = { tensor: tensors.conv, y, x: convX, c: group.channels, tp, accRow };
      const tile = { ...box, table: this.table, exponentIn: scaling.exponentIn };
      // chunked weights pass through their buffers once per strip; whole ones stay for all strips of the group
      if (this.sizes.chunks > 1 && !plan.weightsResident) weights = null;
      weights = this.convolve(step, group, box, source, weights);
      this.measure(step, tile, firstRow);
      if (result === null) continue;
      const channelOffset = shape.pool || shape.isKept ? 0 : tensors.destinationOffset;
      const { exponentOut } = scaling;
      this.last.push(shiftTile(place, { dst: result, ...tile, channelOffset, ...epilogue, exponentOut }));
    }
    if (shape.pool === null || result === null || destination === null) return;
    const pooling = { tensor: tensors.pooled, y: step.finalY, x: step.finalX, c: group.channels, tp };
    const channelOffset = tensors.destinationOffset;
    this.last.push(
      poolTile(place, {
        src: result,
        dst: destination,
        ...pooling,
        channelOffset,
        mode: poolMode,
        geometry: shape.pool,
      }),
    );
  }

  /** Counts a strip's accumulators: those that no other tile counts. */
  private measure(step: Step, tile: AccumulatorTile, firstRow: number): void {
    const { scaling } = this.job;
    if (scaling.range === null) return;
    const { convWidth } = this.sizes;
    const accHeight = tile.y.extent;
    for (const rows of ownParts(step.rows, firstRow, accHeight)) {
      for (const columns of ownParts(step.columns, 0, convWidth)) {
        const accRow = tile.accRow + (rows.start - firstRow) * convWidth + columns.start;
        const part = { ...tile, y: rows.axis, x: columns.axis, accRow, accHeight, accWidth: convWidth };
        this.last.push(rangeTile(step.place, { ...part, ...scaling.range }));
      }
    }
  }

  /** One accumulator tile, chunk by chunk of input channels. Returns the weights it used last. */
  private convolve(
    step: Step,
    group: ChannelGroup,
    tile: { tensor: number; y: Axis; x: Axis; c: Axis; tp: number; accRow: number },
    source: TileView | null,
    loadedWeights: TileView | null,
  ): TileView | null {
    const { shape, plan, tensors, packing } = this.job;
    const { geometry } = shape;
    const taps = geometry.kernel[0] * geometry.kernel[1];
    const groupIn = shape.inChannels / shape.groups;
    const groupOut = shape.output.channels / shape.groups;
    let weights = loadedWeights;
    for (let chunk = 0; chunk < this.sizes.chunks; chunk++) {
      const first = chunk * plan.chunk;
      const count = Math.min(plan.chunk, groupIn - first);
      const loads = step.pending.splice(0);
      let src = source;
      if (src === null) {
        const span = channelSpan(shape, group.channels, first, count);
        src = this.loadInput(step, loads, span.start, span.count);
      }
      if (loadedWeights === null) {
        weights = this.weightView(group.firstBlock, group.blocks, first * taps, count * taps, this.weights.next());
        loads.push(loadTile(step.place, weights, this.weightMulticast));
      }
      const conv = convTile(step.place, {
        src,
        weights: weights!,
        ...tile,
        add: chunk > 0,
        weightRow: first * taps,
        cBegin: tensors.inputOffset + first,
        cCount: count,
        groupIn,
        groupOut,
        geometry,
        packing,
      });
      this.work.push({ loads, compute: [conv] });
    }
    return weights;
  }

  /** Instructions of the item in the making. */
  private get last(): Draft[] {
    return this.work[this.work.length - 1].compute;
  }

  private loadInput(step: Step, loads: Draft[], start: number, count: number): TileView {
    const { tensors } = this.job;
    const channels = axis(tensors.inputOffset + start, count);
    const view = tileView(tensors.input, tensors.inputFormat, step.inputY, step.inputX, channels, this.inputs.next());
    loads.push(loadTile(step.place, view, this.inputMulticast));
    return view;
  }

  private destinationView(step: Step, channels: Axis): TileView {
    const { shape, tensors, scaling } = this.job;
    if (shape.isKept) return tileView(scaling.wide, "i32", step.finalY, step.finalX, channels, this.outputs.next());
    const moved = { ...channels, base: channels.base + tensors.destinationOffset };
    return tileView(tensors.destination, tensors.convFormat, step.finalY, step.finalX, moved, this.outputs.next());
  }

  private weightView(block: number, blocks: number, row: number, rows: number, buffer: Buffer): TileView {
    const { tensors } = this.job;
    const blockAxis = axis(block, blocks, 0, this.channelStep / this.cols);
    return tileView(tensors.weights, "i8", blockAxis, axis(row, rows), axis(0, this.cols), buffer);
  }
}

/** Input channels that these output channels and, within a group, channels first.. + count need. */
function channelSpan(shape: ConvShape, channels: Axis, first: number, count: number): { start: number; count: number } {
  if (shape.groups === 1) return { start: first, count };
  const groupIn = shape.inChannels / shape.groups;
  const groupOut = shape.output.channels / shape.groups;
  const last = Math.min(channels.base + channels.extent, shape.output.channels) - 1;
  const start = Math.floor(channels.base / groupOut) * groupIn;
  return { start, count: (Math.floor(last / groupOut) + 1) * groupIn - start };
}
