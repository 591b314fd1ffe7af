/** Groups without weights: pooling, addition, and copies into a concatenation. Tiling and instructions. */
import { FORMAT_BYTES, type Format, type Machine, RapError } from "../../isa/index.ts";
import {
  axis,
  type Draft,
  type Geometry,
  inputAxes,
  loadTile,
  type Place,
  storeTile,
  type TileView,
  tileView,
} from "../../kernels/index.ts";
import { aligned, type Pool } from "./buffers.ts";
import { interleave, type WorkItem } from "./pipeline.ts";
import { divisorPairs, splits } from "./splits.ts";

/** One operand: its DRAM tensor and the channel its data starts at. */
export interface Operand {
  readonly id: number;
  readonly tensor: { readonly channels: number; readonly format: Format };
  readonly offset: number;
}

export interface ElementwiseShape {
  readonly name: string;
  readonly inputs: readonly Operand[];
  readonly output: Operand;
  /** extents of the result */
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** the sliding window, or null when element meets element */
  readonly window: Geometry | null;
}

export interface ElementwisePlan {
  readonly gridY: number;
  readonly gridX: number;
  readonly split: "columns" | "channels";
  readonly tileHeight: number;
  readonly tileWidth: number;
  readonly tileChannels: number;
  readonly prefetch: boolean;
  /** estimated */
  readonly cycles: number;
}

const POINT: Geometry = { kernel: [1, 1], stride: [1, 1], pads: [0, 0, 0, 0] };
const OVERHEAD_CYCLES_PER_STEP = 300;

function stepsOf(shape: ElementwiseShape, plan: Omit<ElementwisePlan, "cycles">) {
  const { gridY, gridX, split, tileHeight, tileWidth, tileChannels } = plan;
  return {
    y: Math.ceil(shape.height / (gridY * tileHeight)),
    x: Math.ceil(shape.width / (tileWidth * (split === "columns" ? gridX : 1))),
    c: Math.ceil(shape.channels / (tileChannels * (split === "channels" ? gridX : 1))),
  };
}

function tileExtents(shape: ElementwiseShape, plan: Omit<ElementwisePlan, "cycles">) {
  const { kernel, stride } = shape.window ?? POINT;
  return {
    height: (plan.tileHeight - 1) * stride[0] + kernel[0],
    width: (plan.tileWidth - 1) * stride[1] + kernel[1],
  };
}

function bufferBytes(
  shape: ElementwiseShape,
  plan: Omit<ElementwisePlan, "cycles">,
): { input: number; output: number } {
  const { height, width } = tileExtents(shape, plan);
  return {
    input: height * width * plan.tileChannels * FORMAT_BYTES[shape.inputs[0].tensor.format],
    output: plan.tileHeight * plan.tileWidth * plan.tileChannels * FORMAT_BYTES[shape.output.tensor.format],
  };
}

/** The plan that moves least, by a simple model. @throws RapError naming the layer when no tile fits */
export function planElementwise(shape: ElementwiseShape, machine: Machine, sramBytes: number): ElementwisePlan {
  const p = machine.parameters;
  const channelsFollow = [...shape.inputs, shape.output].some(
    ({ tensor, offset }) => offset + shape.channels < tensor.channels,
  );
  let best: ElementwisePlan | null = null;
  for (const [gridY, gridX] of divisorPairs(p.agents)) {
    for (const split of ["columns", "channels"] as const) {
      if (split === "channels" && gridX === 1) continue;
      for (const tileHeight of splits(Math.ceil(shape.height / gridY))) {
        for (const tileWidth of splits(split === "columns" ? Math.ceil(shape.width / gridX) : shape.width)) {
          for (const size of splits(split === "channels" ? Math.ceil(shape.channels / gridX) : shape.channels)) {
            let fits = false;
            // bursts that two agents share would be moved twice
            for (const tileChannels of new Set([Math.min(shape.channels, roundUp(size, p["dram.burstBytes"])), size])) {
              // a tile must not reach into channels that are not this layer's
              if (channelsFollow && shape.channels % (tileChannels * (split === "channels" ? gridX : 1)) !== 0)
                continue;
              const found = [true, false]
                .map((prefetch) => ({ gridY, gridX, split, tileHeight, tileWidth, tileChannels, prefetch, cycles: 0 }))
                .find((plan) => {
                  const { input, output } = bufferBytes(shape, plan);
                  const slots = plan.prefetch ? 2 : 1;
                  return slots * (shape.inputs.length * aligned(input) + aligned(output)) <= sramBytes;
                });
              if (found === undefined) continue;
              fits = true;
              const cycles = estimate(shape, found, machine);
              if (best === null || cycles < best.cycles) best = { ...found, cycles };
            }
            // a smaller channel tile only makes shorter runs
            if (fits) break;
          }
        }
      }
    }
  }
  if (best === null) {
    throw new RapError(
      `${shape.name}: no tile of this layer fits ${sramBytes} B of free SRAM of machine ${machine.name}; make sram.bytes larger`,
    );
  }
  return best;
}

const roundUp = (size: number, unit: number) => Math.ceil(size / unit) * unit;

/** Instructions a plan takes, about: each tile's loads, its work, its store, and their views. */
export function elementwiseInstructions(shape: ElementwiseShape, plan: Omit<ElementwisePlan, "cycles">): number {
  const { y, x, c } = stepsOf(shape, plan);
  return 6 * y * x * c;
}

function estimate(shape: ElementwiseShape, plan: Omit<ElementwisePlan, "cycles">, machine: Machine): number {
  const p = machine.parameters;
  const steps = stepsOf(shape, plan);
  const { input, output } = bufferBytes(shape, plan);
  const run = plan.tileChannels;
  const isWhole = run === shape.output.tensor.channels || run % p["dram.burstBytes"] === 0;
  const rounding = isWhole ? 1 : (run + p["dram.burstBytes"]) / run;
  const agents = plan.gridY * plan.gridX;
  const moving = ((input * shape.inputs.length + output) * agents * rounding) / p["dram.bytesPerCycle"];
  const { kernel } = shape.window ?? POINT;
  const compute = (output * kernel[0] * kernel[1]) / p["pool.lanes"];
  return (
    steps.y * steps.x * steps.c * (Math.max(moving, compute) + OVERHEAD_CYCLES_PER_STEP) + Math.min(moving, compute)
  );
}

/** One tile's instruction: from input tiles to the output tile, for the output box given by the axes. */
export type TileKernel = (
  place: Place,
  tp: number,
  sources: readonly TileView[],
  destination: TileView,
  axes: { y: TileView["y"]; x: TileView["x"]; c: TileView["c"] },
) => Draft;

export function emitElementwise(
  shape: ElementwiseShape,
  plan: ElementwisePlan,
  machine: Machine,
  layer: number,
  buffers: Pool,
  kernel: TileKernel,
): Draft[] {
  const { gridY, gridX, tileHeight, tileWidth, tileChannels } = plan;
  const byColumns = plan.split === "columns";
  const steps = stepsOf(shape, plan);
  const total = steps.y * steps.x * steps.c;
  const bytes = bufferBytes(shape, plan);
  const slots = plan.prefetch && total > 1 ? 2 : 1;
  const inputs = shape.inputs.map((_, i) => buffers.slots(`input${i}-`, bytes.input, slots));
  const outputs = buffers.slots("output", bytes.output, slots);
  const items: WorkItem[] = [];
  for (let tile = 0; tile < total; tile++) {
    const stepC = tile % steps.c;
    const stepX = Math.floor(tile / steps.c) % steps.x;
    const stepY = Math.floor(tile / (steps.c * steps.x));
    const place: Place = { grid: { gridY, gridX }, layer, tile };
    const y = axis(stepY * gridY * tileHeight, tileHeight, tileHeight);
    const x = byColumns ? axis(stepX * gridX * tileWidth, tileWidth, 0, tileWidth) : axis(stepX * tileWidth, tileWidth);
    const c = byColumns
      ? axis(stepC * tileChannels, tileChannels)
      : axis(stepC * gridX * tileChannels, tileChannels, 0, tileChannels);
    const source = inputAxes(y, x, shape.window ?? POINT);
    const moved = (offset: number) => ({ ...c, base: c.base + offset });
    const sources = shape.inputs.map(({ id, tensor, offset }, i) =>
      tileView(id, tensor.format, source.y, source.x, moved(offset), inputs[i][tile % slots]),
    );
    const { output } = shape;
    const destination = tileView(output.id, output.tensor.format, y, x, moved(output.offset), outputs[tile % slots]);
    items.push({
      loads: sources.map((view) => loadTile(place, view, "none")),
      compute: [
        kernel(place, tile % machine.parameters["agent.tensorProcessors"], sources, destination, { y, x, c }),
        storeTile(place, destination),
      ],
    });
  }
  return interleave(items, slots === 2);
}
