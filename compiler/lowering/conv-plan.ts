/** Tiling of a convolution group: the cheapest plan, by a simple cost model, that fits SRAM and accumulators. */
import { ARRAY_PASSES, accumulatorRows, FORMAT_BYTES, type Machine, type Packing, RapError } from "../../isa/index.ts";
import type { Geometry } from "../../kernels/index.ts";
import { aligned } from "./buffers.ts";
import { divisorPairs, splits } from "./splits.ts";

/** What is to be tiled. Extents in elements; `final` is the pooling's output, or the convolution's when there is none. */
export interface ConvShape {
  readonly name: string;
  readonly input: { readonly height: number; readonly width: number };
  readonly output: { readonly height: number; readonly width: number; readonly channels: number };
  readonly final: { readonly height: number; readonly width: number };
  /** of an element stored; 0: nothing is stored */
  readonly finalBytes: 0 | 1 | 4;
  /** int32 results of all tiles stay in SRAM until the layer's exponent is known, and become bytes then */
  readonly isKept: boolean;
  readonly geometry: Geometry & { readonly dilation: readonly [number, number] };
  readonly pool: Geometry | null;
  readonly groups: number;
  /** input channels of the convolution (the input tensor may hold more) */
  readonly inChannels: number;
  /** the DRAM tensor written has channels behind these, so no store may reach beyond them */
  readonly channelsFollow: boolean;
}

/** How a convolution group is cut. */
export interface ConvPlan {
  readonly gridY: number;
  readonly gridX: number;
  /** what grid columns share out: image columns or output channels */
  readonly split: "columns" | "channels";
  /** final tile per agent */
  readonly tileHeight: number;
  readonly tileWidth: number;
  readonly stepsY: number;
  readonly stepsX: number;
  /** output channels per agent, a multiple of array.cols unless it is all */
  readonly channels: number;
  /** blocks of array.cols output channels per convolution instruction */
  readonly blocks: number;
  /** convolution rows per instruction */
  readonly stripRows: number;
  /** input channels per convolution instruction */
  readonly chunk: number;
  readonly weightsResident: boolean;
  readonly inputWhole: boolean;
  readonly outputWhole: boolean;
  /** two buffers for what is loaded more than once */
  readonly prefetch: boolean;
  /** 2: the shift unit empties one half of the accumulators while the arrays fill the other */
  readonly accumulatorTiles: 1 | 2;
  /** weights and shift table are loaded once, before the first frame */
  readonly persistentWeights: boolean;
  /** estimated */
  readonly cycles: number;
  readonly dramBytes: number;
}

/** A plan before its cost is known. */
type Tiling = Omit<ConvPlan, "cycles" | "dramBytes">;

const OVERHEAD_CYCLES_PER_STEP = 400;
const OVERHEAD_CYCLES_PER_INSTRUCTION = 40;

interface Candidate {
  readonly gridY: number;
  readonly gridX: number;
  readonly split: ConvPlan["split"];
  readonly tileHeight: number;
  readonly tileWidth: number;
  readonly persistentWeights: boolean;
}

const span = (out: number, kernel: number, stride: number, dilation = 1) =>
  (out - 1) * stride + (kernel - 1) * dilation + 1;

/** Sizes that follow from a plan. */
export function convSizes(shape: ConvShape, plan: Tiling, machine: Machine) {
  const cols = machine.parameters["array.cols"];
  const { geometry: g, pool } = shape;
  const convHeight = pool ? span(plan.tileHeight, pool.kernel[0], pool.stride[0]) : plan.tileHeight;
  const convWidth = pool ? span(plan.tileWidth, pool.kernel[1], pool.stride[1]) : plan.tileWidth;
  const inHeight = span(convHeight, g.kernel[0], g.stride[0], g.dilation[0]);
  const inWidth = span(convWidth, g.kernel[1], g.stride[1], g.dilation[1]);
  const agentBlocks = Math.ceil(plan.channels / cols);
  const groupIn = shape.inChannels / shape.groups;
  const rows = g.kernel[0] * g.kernel[1] * groupIn;
  const chunkRows = g.kernel[0] * g.kernel[1] * plan.chunk;
  const steps = plan.stepsY * plan.stepsX;
  const kGroups = Math.ceil(agentBlocks / plan.blocks);
  const strips = Math.ceil(convHeight / plan.stripRows);
  const chunks = Math.ceil(groupIn / plan.chunk);
  const copies = (many: boolean) => (many && plan.prefetch ? 2 : 1);
  const inputSlots = copies(steps > 1 || !plan.inputWhole);
  const weightSlots = plan.weightsResident ? 1 : copies(steps * kGroups * chunks > 1);
  const convSlots = pool ? copies(steps * kGroups > 1) : 0;
  const tiles = steps * (plan.outputWhole ? 1 : kGroups);
  const outputSlots = shape.isKept ? tiles : copies(tiles > 1);
  const loadedChannels = plan.inputWhole
    ? shape.inChannels
    : shape.groups === 1
      ? plan.chunk
      : groupedSpan(shape, plan.blocks * cols);
  const groupChannels = Math.min(plan.blocks * cols, plan.channels);
  const inputBytes = inHeight * inWidth * loadedChannels;
  const weightBytes = (plan.weightsResident ? agentBlocks * rows : plan.blocks * chunkRows) * cols;
  const convBytes = convHeight * convWidth * groupChannels;
  const outputBytes =
    plan.tileHeight * plan.tileWidth * (plan.outputWhole ? plan.channels : groupChannels) * shape.finalBytes;
  const keptSlots = shape.isKept ? copies(tiles > 1) : 0;
  return {
    convHeight,
    convWidth,
    inHeight,
    inWidth,
    agentBlocks,
    rows,
    steps,
    kGroups,
    strips,
    chunks,
    loadedChannels,
    inputSlots,
    weightSlots,
    convSlots,
    outputSlots,
    inputBytes,
    weightBytes,
    tableBytes: plan.channels * 4,
    convBytes,
    outputBytes,
    /** of bytes made from kept int32 tiles */
    keptSlots,
    keptBytes: outputBytes / FORMAT_BYTES.i32,
  };
}

/** Input channels, at most, that `channels` consecutive output channels starting at a multiple of themselves read. */
function groupedSpan(shape: ConvShape, channels: number): number {
  const groupOut = shape.output.channels / shape.groups;
  const groupIn = shape.inChannels / shape.groups;
  return Math.min(shape.groups, Math.ceil(channels / groupOut) + (channels % groupOut === 0 ? 0 : 1)) * groupIn;
}

/** SRAM one plan takes per agent. */
export function convSramBytes(shape: ConvShape, plan: Tiling, machine: Machine): number {
  const s = convSizes(shape, plan, machine);
  return (
    s.inputSlots * aligned(s.inputBytes) +
    (plan.persistentWeights ? 0 : s.weightSlots * aligned(s.weightBytes) + aligned(s.tableBytes)) +
    s.convSlots * aligned(s.convBytes) +
    s.outputSlots * aligned(s.outputBytes) +
    s.keptSlots * aligned(s.keptBytes) +
    (shape.isKept ? aligned(s.tableBytes) : 0)
  );
}

/** Instructions a plan takes, about: each tile a convolution, its shift, and its loads, stores and views. */
export function convInstructions(shape: ConvShape, plan: ConvPlan, machine: Machine): number {
  const { steps, kGroups, strips, chunks } = convSizes(shape, plan, machine);
  return 4 * steps * kGroups * strips * chunks;
}

/** The cost of going through a plan once more to measure its accumulators: everything but what is stored. */
export function measuringCycles(shape: ConvShape, plan: ConvPlan, machine: Machine, packing: Packing): number {
  return estimate({ ...shape, finalBytes: 0 }, plan, machine, packing).cycles;
}

/** What no plan of a tile size undercuts: its arrays' time. */
function leastCycles(shape: ConvShape, candidate: Candidate, machine: Machine, packing: Packing): number {
  const p = machine.parameters;
  const { gridY, gridX, split, tileHeight, tileWidth } = candidate;
  const byColumns = split === "columns";
  const steps =
    Math.ceil(shape.final.height / (gridY * tileHeight)) *
    Math.ceil(shape.final.width / ((byColumns ? gridX : 1) * tileWidth));
  const blocks = Math.ceil(shape.output.channels / p["array.cols"]);
  const passes = ARRAY_PASSES[packing](...shape.geometry.kernel, shape.inChannels / shape.groups, p["array.rows"]);
  const pixels = Math.max(tileHeight * tileWidth, p["array.rows"]);
  const mac = (Math.ceil(blocks / (byColumns ? 1 : gridX)) * passes * pixels) / p["agent.tensorProcessors"];
  return steps * (mac + OVERHEAD_CYCLES_PER_STEP);
}

/** The cost model: time of computing against time of moving, per step, overlapped when there are several. */
function estimate(
  shape: ConvShape,
  plan: Tiling,
  machine: Machine,
  packing: Packing,
): Pick<ConvPlan, "cycles" | "dramBytes"> {
  const p = machine.parameters;
  const s = convSizes(shape, plan, machine);
  const rows = p["array.rows"];
  const tps = p["agent.tensorProcessors"];
  const pixels = Math.min(plan.stripRows, s.convHeight) * s.convWidth;
  const groupIn =
    shape.groups === 1
      ? plan.chunk
      : (shape.inChannels / shape.groups) * Math.max(1, Math.min(p["array.cols"], shape.groups));
  const passCount = ARRAY_PASSES[packing](...shape.geometry.kernel, groupIn, rows) * s.chunks;
  const mac =
    (s.agentBlocks * passCount * s.strips * Math.max(pixels, rows) +
      s.kGroups * s.strips * s.chunks * OVERHEAD_CYCLES_PER_INSTRUCTION) /
    tps;
  // kept values pass the shift unit a second time
  const shift = ((shape.isKept ? 2 : 1) * s.convHeight * s.convWidth * plan.channels) / p["shift.lanes"] / tps;
  const pooled = shape.pool
    ? (plan.tileHeight * plan.tileWidth * plan.channels * shape.pool.kernel[0] * shape.pool.kernel[1]) /
      p["pool.lanes"] /
      tps
    : 0;
  const compute = Math.max(plan.accumulatorTiles === 2 ? Math.max(mac, shift) : mac + shift, pooled);
  const tiles = plan.split === "columns" ? plan.gridY * plan.gridX : plan.gridY;
  const inBytes = Math.min(
    tiles * Math.min(s.inHeight, shape.input.height) * Math.min(s.inWidth, shape.input.width),
    2 * shape.input.height * shape.input.width,
  );
  const burst = p["dram.burstBytes"];
  const loadedBytes = plan.inputWhole ? s.loadedChannels : Math.ceil(s.loadedChannels / burst) * burst;
  const loads = inBytes * loadedBytes * (plan.inputWhole ? 1 : s.kGroups * s.chunks);
  const weights = Math.ceil(shape.output.channels / p["array.cols"]) * s.rows * p["array.cols"];
  const storedBytes = shape.isKept ? 1 : shape.finalBytes;
  const segment =
    (plan.outputWhole ? plan.channels : Math.min(plan.channels, plan.blocks * p["array.cols"])) * storedBytes;
  const stores =
    storedBytes === 0
      ? 0
      : (shape.final.height * shape.final.width * shape.output.channels * storedBytes * (segment + burst / 2)) /
        segment /
        s.steps;
  const perStep = loads + stores + (plan.weightsResident ? 0 : weights);
  const moving = perStep / p["dram.bytesPerCycle"];
  const onceBytes = plan.weightsResident ? weights : 0;
  const perStepCycles = plan.prefetch ? Math.max(compute, moving) : compute + moving;
  return {
    cycles:
      onceBytes / p["dram.bytesPerCycle"] +
      s.steps * (perStepCycles + OVERHEAD_CYCLES_PER_STEP) +
      Math.min(compute, moving),
    dramBytes: onceBytes + s.steps * perStep,
  };
}

interface Variant {
  readonly weightsResident: boolean;
  readonly inputWhole: boolean;
  readonly chunked: boolean;
}
const VARIANTS: readonly Variant[] = [
  { weightsResident: true, inputWhole: true, chunked: false },
  { weightsResident: false, inputWhole: true, chunked: false },
  { weightsResident: false, inputWhole: true, chunked: true },
  { weightsResident: false, inputWhole: false, chunked: true },
];

/** What works beside what, the best first. */
const OVERLAPS: readonly Pick<ConvPlan, "prefetch" | "accumulatorTiles">[] = [
  { prefetch: true, accumulatorTiles: 2 },
  { prefetch: true, accumulatorTiles: 1 },
  { prefetch: false, accumulatorTiles: 1 },
];

/** The plans of one tile size that fit. Input channels are cut only when the tile does not fit otherwise. */
function candidatePlans(shape: ConvShape, machine: Machine, candidate: Candidate, sramBytes: number): Tiling[] {
  const plans: Tiling[] = [];
  for (const variant of candidate.persistentWeights ? VARIANTS.slice(0, 1) : VARIANTS) {
    if (variant.chunked && plans.length > 0) break;
    for (const plan of fittingPlans(shape, machine, candidate, variant, sramBytes)) {
      plans.push(plan);
      // with whole inputs the first is best; chunks trade loads of input against loads of weights
      if (!variant.chunked) break;
    }
  }
  return plans;
}

/** Sizes of input-channel chunks tried: fewer than all splits, and none below the array's rows but 1. */
function chunkSizes(channels: number, rows: number): number[] {
  return splits(channels).filter((size, i) => size === 1 || i < 4 || (size >= rows && size % rows === 0));
}

/** The plans of one tile size and variant that fit, those with the most blocks first. */
function* fittingPlans(
  shape: ConvShape,
  machine: Machine,
  { gridY, gridX, split, tileHeight, tileWidth, persistentWeights }: Candidate,
  { weightsResident, inputWhole, chunked }: Variant,
  sramBytes: number,
): Generator<Tiling> {
  const cols = machine.parameters["array.cols"];
  const { kernel, stride, dilation } = shape.geometry;
  const groupIn = shape.inChannels / shape.groups;
  const channels =
    split === "columns" ? shape.output.channels : Math.ceil(Math.ceil(shape.output.channels / cols) / gridX) * cols;
  if (split === "channels" && shape.channelsFollow && gridX * channels !== shape.output.channels) return;
  const agentBlocks = Math.ceil(channels / cols);
  /** of a block of output channels, per input channel */
  const weightBytes = kernel[0] * kernel[1] * cols;
  if (weightsResident && !persistentWeights && agentBlocks * weightBytes * groupIn > sramBytes) return;
  const stepsY = Math.ceil(shape.final.height / (gridY * tileHeight));
  const stepsX = Math.ceil(shape.final.width / (split === "columns" ? gridX * tileWidth : tileWidth));
  const convHeight = shape.pool ? span(tileHeight, shape.pool.kernel[0], shape.pool.stride[0]) : tileHeight;
  const convWidth = shape.pool ? span(tileWidth, shape.pool.kernel[1], shape.pool.stride[1]) : tileWidth;
  const inputPixels =
    span(convHeight, kernel[0], stride[0], dilation[0]) * span(convWidth, kernel[1], stride[1], dilation[1]);
  const chunks = chunked ? chunkSizes(groupIn, machine.parameters["array.rows"]) : [groupIn];
  for (const { prefetch, accumulatorTiles } of OVERLAPS) {
    const rowsAvailable = Math.floor(accumulatorRows(machine) / accumulatorTiles);
    if (rowsAvailable < convWidth) continue;
    const stripRows = Math.min(convHeight, Math.floor(rowsAvailable / convWidth));
    if (chunked && stripRows < convHeight) continue;
    const most = Math.max(1, Math.min(agentBlocks, Math.floor(rowsAvailable / (stripRows * convWidth))));
    const blockChoices = weightsResident && inputWhole ? [most] : [...new Set([most, Math.ceil(most / 2), 1])];
    for (const wanted of blockChoices) {
      const blocks = Math.ceil(agentBlocks / Math.ceil(agentBlocks / wanted));
      for (const outputWhole of [true, false]) {
        for (const chunk of chunks) {
          if (chunked && chunk === groupIn && inputWhole) continue;
          if (shape.groups > 1 && chunk !== groupIn) continue;
          // most do not fit by one buffer of input and one of weights alone
          const leastBytes =
            inputPixels * (inputWhole ? shape.inChannels : chunk) +
            (weightsResident ? 0 : blocks * weightBytes * chunk);
          if (leastBytes > sramBytes) continue;
          const plan: Tiling = {
            gridY,
            gridX,
            split,
            tileHeight,
            tileWidth,
            stepsY,
            stepsX,
            channels,
            blocks,
            stripRows,
            chunk,
            weightsResident,
            inputWhole,
            outputWhole,
            prefetch,
            accumulatorTiles,
            persistentWeights,
          };
          if (convSramBytes(shape, plan, machine) <= sramBytes) yield plan;
        }
      }
    }
  }
}

/**
 * The plan with the lowest estimated cost.
 * @param sramBytes free in every agent
 * @param persistentWeights weights and shift table lie elsewhere, in a persistent area
 * @throws RapError naming the layer when no tile fits
 */
export function planConv(
  shape: ConvShape,
  machine: Machine,
  packing: Packing,
  sramBytes: number,
  persistentWeights: boolean,
): ConvPlan {
  let best: ConvPlan | null = null;
  for (const [gridY, gridX] of divisorPairs(machine.parameters.agents)) {
    for (const split of ["columns", "channels"] as const) {
      // output channels are shared out only where all agents of a row need the same input
      if (split === "channels" && (gridX === 1 || shape.groups > 1)) continue;
      const widths = split === "columns" ? splits(Math.ceil(shape.final.width / gridX)) : splits(shape.final.width);
      for (const tileHeight of splits(Math.ceil(shape.final.height / gridY))) {
        for (const tileWidth of widths) {
          const candidate = { gridY, gridX, split, tileHeight, tileWidth, persistentWeights };
          if (best !== null && leastCycles(shape, candidate, machine, packing) >= best.cycles) continue;
          for (const plan of candidatePlans(shape, machine, candidate, sramBytes)) {
            const cost = estimate(shape, plan, machine, packing);
            if (best === null || cost.cycles < best.cycles) best = { ...plan, ...cost };
          }
        }
      }
    }
  }
  if (best === null) throw new RapError(doesNotFit(shape, machine, sramBytes));
  return best;
}

function doesNotFit(shape: ConvShape, machine: Machine, sramBytes: number): string {
  const { kernel } = shape.geometry;
  return (
    `${shape.name}: no tile of this ${kernel[0]}x${kernel[1]} convolution (${shape.inChannels} to ${shape.output.channels} channels) fits ` +
    `${sramBytes} B of free SRAM and ${machine.parameters["array.accumulatorBytes"]} B of accumulators of machine ${machine.name}; make sram.bytes or array.accumulatorBytes larger`
  );
}
