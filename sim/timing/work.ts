/** How much work each agent's share of an instruction is, in quantities that no rate of the machine changes. */
import {
  type AgentWork,
  ARRAY_PASSES,
  agentWork,
  type BoundInstruction,
  type Box,
  boxVolume,
  type Context,
  clippingTensor,
  copyTarget,
  dramRegion,
  FORMAT_BYTES,
  fillBox,
  gridPosition,
  type Handlers,
  HISTOGRAM_BINS,
  handlerOf,
  hasBox,
  type Instruction,
  type InstructionOf,
  inDram,
  moves,
  type Op,
  type Region,
  regionBytes,
  SHIFT_ENTRY_BYTES,
  startOf,
} from "../../isa/index.ts";

/** One agent's share. What an operation does not have is 0. */
export interface Work {
  /** Nothing to do: clipped to nothing, or the agent is outside the grid. Waits and signals happen all the same. */
  idle: boolean;
  /** Output pixels: cycles one pass of a convolution streams. Of a pooling, times its taps. */
  pixels: number;
  /** Array passes over all blocks of a convolution. */
  passes: number;
  macs: number;
  /** Values through the lanes of the shift, pool or range unit. */
  values: number;
  /** How many of a pixel's channels the lanes find side by side: those of one accumulator row, or all of them in SRAM. */
  channelRuns: readonly number[];
  /** Bytes moved by DMA or link, fill not included. */
  bytes: number;
  /** Bytes of padding a load writes. */
  fillBytes: number;
  /** DRAM bytes of a load or store; of a multicast load, the same for all agents of the group. */
  region: Region | null;
  /** Agent whose SRAM a copy writes, -1: the agent's own. */
  copiesTo: number;
  sramReadBytes: number;
  sramWriteBytes: number;
  accumulatorAccesses: number;
}

const noWork = (idle: boolean): Work => ({
  idle,
  pixels: 0,
  passes: 0,
  macs: 0,
  values: 0,
  channelRuns: [],
  bytes: 0,
  fillBytes: 0,
  region: null,
  copiesTo: -1,
  sramReadBytes: 0,
  sramWriteBytes: 0,
  accumulatorAccesses: 0,
});
const IDLE = Object.freeze(noWork(true));
const BUSY = Object.freeze(noWork(false));

interface Window {
  readonly kernelY: number;
  readonly kernelX: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly dilationY?: number;
  readonly dilationX?: number;
}

/** Pairs of an output and a kernel tap along one axis for which the tap lies inside the input. */
function tapsInside(
  first: number,
  end: number,
  kernel: number,
  stride: number,
  dilation: number,
  pad: number,
  extent: number,
): number {
  let pairs = 0;
  for (let tap = 0; tap < kernel; tap++) {
    const shift = pad - tap * dilation;
    const from = Math.max(first, Math.ceil(shift / stride));
    const to = Math.min(end, Math.ceil((extent + shift) / stride));
    if (to > from) pairs += to - from;
  }
  return pairs;
}

/** Input elements of one channel that a window reads for all outputs of a box: padding is not read. */
function elementsRead(window: Window, box: Box, input: { height: number; width: number }): number {
  const { kernelY, kernelX, strideY, strideX, padTop, padLeft, dilationY = 1, dilationX = 1 } = window;
  return (
    tapsInside(box.y0, box.y1, kernelY, strideY, dilationY, padTop, input.height) *
    tapsInside(box.x0, box.x1, kernelX, strideX, dilationX, padLeft, input.width)
  );
}

const pixelsOf = (box: Box) => (box.y1 - box.y0) * (box.x1 - box.x0);

/** The channels of a box by accumulator rows, which hold blocks of `cols` channels from the first of the whole box on. */
function accumulatorRuns({ box, whole }: AgentWork, cols: number): number[] {
  const runs: number[] = [];
  for (let first = box.c0; first < box.c1; first += runs[runs.length - 1]) {
    runs.push(Math.min(box.c1 - first, cols - ((first - whole.c0) % cols)));
  }
  return runs;
}

type Measure<I> = (work: Work, instruction: I, share: AgentWork, bound: BoundInstruction, context: Context) => void;

const convWork: Measure<InstructionOf<"conv">> = (work, conv, { box }, { views }, context) => {
  const { "array.rows": rows, "array.cols": cols } = context.machine.parameters;
  const taps = conv.kernelY * conv.kernelX;
  const pixels = pixelsOf(box);
  let channelsRead = 0;
  for (let first = box.c0; first < box.c1; first += cols) {
    const end = Math.min(first + cols, box.c1);
    const groups = Math.floor((end - 1) / conv.groupOut) - Math.floor(first / conv.groupOut) + 1;
    const channels = groups * conv.cCount;
    const passes = ARRAY_PASSES[conv.packing](conv.kernelY, conv.kernelX, channels, rows);
    work.passes += passes;
    channelsRead += channels;
    // every pass writes its sums; all but the first read what they add to
    work.accumulatorAccesses += (2 * passes - (conv.add ? 0 : 1)) * pixels * (end - first);
  }
  const weightBytes = taps * conv.cCount * (box.c1 - box.c0);
  work.pixels = pixels;
  work.macs = weightBytes * pixels;
  work.sramReadBytes = weightBytes + elementsRead(conv, box, context.tensors[views.src.tensor]) * channelsRead;
};

/** Bytes of the shift table and of an int32 tile that a shift or range instruction reads, or its accumulators. */
const int32Work = (
  work: Work,
  instruction: InstructionOf<"shift"> | InstructionOf<"range">,
  share: AgentWork,
  _: BoundInstruction,
  { machine }: Context,
): void => {
  const { box } = share;
  work.values = boxVolume(box);
  work.pixels = pixelsOf(box);
  work.sramReadBytes = (box.c1 - box.c0) * SHIFT_ENTRY_BYTES;
  if (instruction.source === "accumulators") {
    work.accumulatorAccesses = work.values;
    work.channelRuns = accumulatorRuns(share, machine.parameters["array.cols"]);
  } else {
    work.sramReadBytes += work.values * FORMAT_BYTES.i32;
    work.channelRuns = [box.c1 - box.c0];
  }
};

const viewBytes = (share: AgentWork, field: string): number => FORMAT_BYTES[share.view(field).format];

/** Measures the share of an instruction with a box that is not clipped to nothing. */
const MEASURE_BOXED: {
  readonly [O in "load" | "store" | "conv" | "shift" | "pool" | "add" | "copy" | "range"]: Measure<InstructionOf<O>>;
} = {
  load: (work, load, share, { views }, { tensors }) => {
    const tensor = tensors[views.dst.tensor];
    work.region = dramRegion(inDram(tensor), share.box);
    work.bytes = regionBytes(work.region);
    if (load.fill) work.fillBytes = boxVolume(fillBox(share)) * FORMAT_BYTES[tensor.format] - work.bytes;
    work.sramWriteBytes = work.bytes + work.fillBytes;
  },
  store: (work, _, share, { views }, { tensors }) => {
    work.region = dramRegion(inDram(tensors[views.src.tensor]), share.box);
    work.bytes = regionBytes(work.region);
    work.sramReadBytes = work.bytes;
  },
  conv: convWork,
  shift: (work, shift, share, bound, context) => {
    int32Work(work, shift, share, bound, context);
    work.sramWriteBytes = work.values * viewBytes(share, "dst");
  },
  pool: (work, pool, { box }, { views }, { tensors }) => {
    const outputs = boxVolume(box);
    const taps = pool.kernelY * pool.kernelX;
    work.values = outputs * taps;
    work.pixels = pixelsOf(box) * taps;
    work.channelRuns = [box.c1 - box.c0];
    work.sramReadBytes = elementsRead(pool, box, tensors[views.src.tensor]) * (box.c1 - box.c0);
    work.sramWriteBytes = outputs;
  },
  add: (work, _, { box }) => {
    work.values = boxVolume(box);
    work.pixels = pixelsOf(box);
    work.channelRuns = [box.c1 - box.c0];
    work.sramReadBytes = 2 * work.values;
    work.sramWriteBytes = work.values;
  },
  copy: (work, _, share) => {
    work.bytes = boxVolume(share.box) * viewBytes(share, "src");
    work.sramReadBytes = work.bytes;
    work.sramWriteBytes = work.bytes;
  },
  range: int32Work,
};

const boxed =
  <O extends keyof typeof MEASURE_BOXED>(op: O) =>
  (instruction: InstructionOf<O>, bound: BoundInstruction, context: Context, agent: number): Work => {
    const share = agentWork(context, bound, agent);
    if (share === null) return IDLE;
    const work = noWork(false);
    MEASURE_BOXED[op](work, instruction, share, bound, context);
    return work;
  };
const none = () => IDLE;
const inGrid = (instruction: Instruction, _: BoundInstruction, __: Context, agent: number) =>
  gridPosition(instruction, agent) === null ? IDLE : BUSY;

const MEASURE: Handlers<[BoundInstruction, Context, number], Work> = {
  halt: none,
  view: none,
  sync: none,
  fence: none,
  load: boxed("load"),
  store: boxed("store"),
  conv: boxed("conv"),
  shift: boxed("shift"),
  pool: boxed("pool"),
  add: boxed("add"),
  copy: (copy, bound, context, agent) => {
    const target = copyTarget(copy, agent);
    if (target === null) return IDLE;
    const work = boxed("copy")(copy, bound, context, agent);
    if (!work.idle && target !== agent) work.copiesTo = target;
    return work;
  },
  range: boxed("range"),
  reduce: () => ({ ...noWork(false), bytes: HISTOGRAM_BINS * FORMAT_BYTES.i32 }),
  exponent: inGrid,
  scalar: inGrid,
};

/** The agent's share of an instruction. */
export function measure(context: Context, bound: BoundInstruction, agent: number): Work {
  const { instruction } = bound;
  return handlerOf(MEASURE, instruction)(instruction, bound, context, agent);
}

/** Starts of boxes along one axis from which no edge cuts anything off a box or off what it reads. */
interface Uncut {
  readonly first: number;
  readonly last: number;
}

function uncut(
  extent: number,
  length: number,
  kernel: number,
  stride: number,
  dilation: number,
  pad: number,
  inputLength: number,
): Uncut {
  const lastOutput = Math.floor((inputLength + pad - (kernel - 1) * dilation - 1) / stride);
  return { first: Math.ceil(pad / stride), last: Math.min(length - 1, lastOutput) - extent + 1 };
}

const isAlike = ({ first, last }: Uncut, start: number, other: number) =>
  start === other || (start >= first && start <= last && other >= first && other <= last);

/** Operations whose work follows from the size of the box, its channels, and how much of its window is padding. */
const BY_SIZE: ReadonlySet<Op> = new Set(["conv", "shift", "pool", "add", "range"]);

/**
 * Tells whether an agent's share is seen to be the same work as that of the agent before it, without measuring either: along rows and
 * columns their boxes start alike, or nothing is cut off either of them.
 */
export function likeness(context: Context, bound: BoundInstruction): (agent: number) => boolean {
  const { instruction, views } = bound;
  if (!hasBox(instruction)) return () => false;
  const { op, y, x, c, gridY, gridX } = instruction;
  const agents = gridY * gridX;
  if (op === "load" && ![y, x, c, views.dst.y, views.dst.x, views.dst.c].some(moves)) return (agent) => agent < agents;
  if (!BY_SIZE.has(op) || moves(c)) return () => false;
  const { height, width } = clippingTensor(context, bound);
  const window: Partial<Window> = "kernelY" in instruction ? instruction : {};
  const { kernelY = 1, strideY = 1, dilationY = 1, padTop = 0 } = window;
  const { kernelX = 1, strideX = 1, dilationX = 1, padLeft = 0 } = window;
  const input = window === instruction ? context.tensors[views.src.tensor] : { height, width };
  const rows = uncut(y.extent, height, kernelY, strideY, dilationY, padTop, input.height);
  const columns = uncut(x.extent, width, kernelX, strideX, dilationX, padLeft, input.width);
  return (agent) => {
    if (agent >= agents) return false;
    const iy = Math.floor(agent / gridX);
    const ix = agent % gridX;
    const [beforeY, beforeX] = ix > 0 ? [iy, ix - 1] : [iy - 1, gridX - 1];
    return (
      isAlike(rows, startOf(y, iy, ix), startOf(y, beforeY, beforeX)) &&
      isAlike(columns, startOf(x, iy, ix), startOf(x, beforeY, beforeX))
    );
  };
}
