/** shift and range: what reads int32 values, from accumulators or from a tile in SRAM. */
import { accumulatorTile, FORMAT_BYTES, type InstructionOf, SHIFT_ENTRY_BYTES } from "../../isa/index.ts";
import { boxExtents, type Chip, planeAt, readScalar, type Step, type WorkSite } from "./chip.ts";
import { histogramAt } from "./memory-map.ts";
import type { Probe } from "./probes.ts";

type Int32Reader = InstructionOf<"shift"> | InstructionOf<"range">;

const INT32_BYTES = FORMAT_BYTES.i32;
const LANES = 4;

/** Channels that lie side by side in accumulator rows: `channels` from `channel` of the box on, pixel rows of `cols`. */
interface Int32Block {
  /** Bytes from the tile's start. */
  readonly offset: number;
  readonly rowPixels: number;
  readonly cols: number;
  readonly channel: number;
  readonly channels: number;
}

interface Int32Tile {
  readonly blocks: readonly Int32Block[];
  /** Makes the values ready to be read and tells where the tile starts. */
  readonly fetch: () => number;
}

function int32Tile(instruction: Int32Reader, chip: Chip, site: WorkSite): Int32Tile {
  return instruction.source === "accumulators" ? accumulatorsRead(instruction, chip, site) : stagedTile(chip, site);
}

/** Accumulators lie as [block of array.cols channels][row][column], counted from the unclipped box. */
function accumulatorsRead(instruction: Int32Reader, chip: Chip, { agent, work }: WorkSite): Int32Tile {
  const { accRow, tp } = instruction;
  const { box, whole } = work;
  const cols = chip.program.machine.parameters["array.cols"];
  const { height, width: rowPixels } = accumulatorTile(work, instruction);
  const blockPixels = height * rowPixels;
  const firstPixel = accRow + (box.y0 - whole.y0) * rowPixels + (box.x0 - whole.x0);
  const blocks: Int32Block[] = [];
  for (let c = box.c0; c < box.c1; ) {
    const block = Math.floor((c - whole.c0) / cols);
    const column = (c - whole.c0) % cols;
    const end = Math.min(box.c1, whole.c0 + (block + 1) * cols);
    const offset = ((firstPixel + block * blockPixels) * cols + column) * INT32_BYTES;
    blocks.push({ offset, rowPixels, cols, channel: c - box.c0, channels: end - c });
    c = end;
  }
  const start = chip.map.accumulators(agent, tp);
  return { blocks, fetch: () => start };
}

/** A tile in SRAM is first made dense: kernels take rows of a multiple of four channels. */
function stagedTile(chip: Chip, { agent, work }: WorkSite): Int32Tile {
  const { kernels, scratch } = chip;
  const { box } = work;
  const { height, width, channels } = boxExtents(box);
  const cols = Math.ceil(channels / LANES) * LANES;
  const pixel = cols * INT32_BYTES;
  const bytes = channels * INT32_BYTES;
  const from = planeAt(chip, agent, work.view("src"), box.y0, box.x0, box.c0);
  const { staging } = scratch;
  staging.need(height * width * pixel);
  return {
    blocks: [{ offset: 0, rowPixels: width, cols, channel: 0, channels }],
    fetch: () => {
      kernels.copyBox(from.at, from.row, from.pixel, staging.address, width * pixel, pixel, height, width, bytes);
      return staging.address;
    },
  };
}

/** Address of the box's entries in the shift table, made dense if need be. */
function tableAddress(chip: Chip, { agent, work }: WorkSite): () => number {
  const view = work.view("table");
  const { box } = work;
  const from = planeAt(chip, agent, view, 0, box.c0, 0);
  const channels = box.c1 - box.c0;
  if (view.pixelPitch === SHIFT_ENTRY_BYTES || channels === 1) return () => from.at;
  const { kernels, scratch } = chip;
  scratch.table.need(channels * SHIFT_ENTRY_BYTES);
  return () => {
    const { address } = scratch.table;
    kernels.copyBox(from.at, 0, from.pixel, address, 0, SHIFT_ENTRY_BYTES, 1, channels, SHIFT_ENTRY_BYTES);
    return address;
  };
}

export function shiftStep(shift: InstructionOf<"shift">, chip: Chip, site: WorkSite): Step {
  const { kernels, probe } = chip;
  const { agent, work } = site;
  const tile = int32Tile(shift, chip, site);
  const table = tableAddress(chip, site);
  const view = work.view("dst");
  const { box } = work;
  const to = planeAt(chip, agent, view, box.y0, box.x0, box.c0 + shift.channelOffset);
  const { height, width } = boxExtents(box);
  const { low, high, exponentIn, exponentOut } = shift;
  const slopeA = shift.leaky ? shift.slopeA : -1;
  const slopeB = shift.leaky ? shift.slopeB : 0;
  const wide = view.format === "i32";
  return () => {
    const start = tile.fetch();
    if (probe.listener !== null) probe.listener(probeOf(shift, chip, site, tile, start));
    const entries = table();
    const fIn = readScalar(chip, agent, exponentIn);
    const fOut = readScalar(chip, agent, exponentOut);
    for (const block of tile.blocks) {
      const { rowPixels, cols, channel, channels } = block;
      const from = start + block.offset;
      const entry = entries + channel * SHIFT_ENTRY_BYTES;
      if (wide) {
        const at = to.at + channel * INT32_BYTES;
        kernels.shiftWide(from, rowPixels, cols, channels, height, width, entry, at, to.row, to.pixel, fIn);
      } else {
        const at = to.at + channel;
        kernels.shift(
          from,
          rowPixels,
          cols,
          channels,
          height,
          width,
          entry,
          at,
          to.row,
          to.pixel,
          low,
          high,
          slopeA,
          slopeB,
          fIn,
          fOut,
        );
      }
    }
  };
}

export function rangeStep(range: InstructionOf<"range">, chip: Chip, site: WorkSite): Step {
  const { kernels } = chip;
  const { agent } = site;
  const tile = int32Tile(range, chip, site);
  const table = tableAddress(chip, site);
  const bins = chip.map.histograms + histogramAt(agent, range.histogram) * INT32_BYTES;
  const relu = range.relu ? 1 : 0;
  const { height, width } = boxExtents(site.work.box);
  return () => {
    const start = tile.fetch();
    const entries = table();
    const fIn = readScalar(chip, agent, range.exponentIn);
    for (const block of tile.blocks) {
      const { rowPixels, cols, channel, channels } = block;
      const entry = entries + channel * SHIFT_ENTRY_BYTES;
      kernels.range(start + block.offset, rowPixels, cols, channels, height, width, entry, bins, fIn, relu);
    }
  };
}

function probeOf(shift: InstructionOf<"shift">, chip: Chip, site: WorkSite, tile: Int32Tile, start: number): Probe {
  const { index, agent, work } = site;
  const { height, width, channels } = boxExtents(work.box);
  const values = new Int32Array(height * width * channels);
  const memory = new Int32Array(chip.kernels.memory.buffer);
  for (const block of tile.blocks) {
    const first = (start + block.offset) / INT32_BYTES;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const from = first + (y * block.rowPixels + x) * block.cols;
        values.set(memory.subarray(from, from + block.channels), (y * width + x) * channels + block.channel);
      }
    }
  }
  const { layer } = chip.program.sourceMap[index];
  const { source, tensor } = shift;
  return { index, layer, tensor, agent, source, box: work.box, values };
}
