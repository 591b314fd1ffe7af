/** A convolution group's instructions from its plan: tiles, output-channel groups, strips and input chunks. */
import { accumulatorRows, type LeakySlope, type Machine, type Packing } from "../../isa/index.ts";
import {
  axis,
  type Buffer,
  convTile,
  type Draft,
  inputAxes,
  loadTile,
  type Place,
  poolTile,
  shiftTile,
  storeTile,
  tileView,
  within,
} from "../../kernels/index.ts";
import type { Pool } from "./buffers.ts";
import { type ConvPlan, type ConvShape, convSizes } from "./conv-plan.ts";
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

export interface ConvEpilogue {
  readonly low: number;
  readonly high: number;
  readonly slope: LeakySlope | null;
}

/** Buffers filled once, before the first frame, and the loads that fill them. */
export interface Persistent {
  readonly pool: Pool;
  readonly loads: Draft[];
}

export function emitConv(
  shape: ConvShape,
  plan: ConvPlan,
  tensors: ConvTensors,
  epilogue: ConvEpilogue,
  poolMode: "max" | "average" | "averageAll",
  machine: Machine,
  packing: Packing,
  layer: number,
  buffers: Pool,
  persistent: Persistent,
): Draft[] {
  const cols = machine.parameters["array.cols"];
  const tps = machine.parameters["agent.tensorProcessors"];
  const sizes = convSizes(shape, plan, machine);
  const { geometry, pool } = shape;
  const taps = geometry.kernel[0] * geometry.kernel[1];
  const groupIn = shape.inChannels / shape.groups;
  const groupOut = shape.output.channels / shape.groups;
  const grid = { gridY: plan.gridY, gridX: plan.gridX };
  const byColumns = plan.split === "columns";
  const kStep = byColumns ? 0 : plan.channels;
  const weightMulticast = byColumns ? "all" : "column";
  const inputMulticast = byColumns ? "none" : "row";

  const inputs = buffers.slots("input", sizes.inputBytes, sizes.inputSlots);
  const weightPool = plan.persistentWeights ? persistent.pool : buffers;
  const weightBuffers = weightPool.slots(`${shape.name}/weights`, sizes.weightBytes, sizes.weightSlots);
  const tableBuffer = weightPool.slots(`${shape.name}/table`, sizes.tableBytes, 1)[0];
  const convOutputs = buffers.slots("convOutput", sizes.convBytes, sizes.convSlots);
  const outputs = buffers.slots("output", sizes.outputBytes, sizes.outputSlots);
  const accSlots = plan.prefetch ? 2 : 1;
  const accSlotRows = Math.floor(accumulatorRows(machine) / accSlots);

  const tableView = tileView(
    tensors.table,
    "i8",
    axis(0, 1),
    axis(0, plan.channels, 0, kStep),
    axis(0, 4),
    tableBuffer,
  );
  const residentWeights = tileView(
    tensors.weights,
    "i8",
    axis(0, sizes.agentBlocks, 0, kStep / cols),
    axis(0, sizes.rows),
    axis(0, cols),
    weightBuffers[0],
  );

  const items: WorkItem[] = [];
  let tile = 0;
  let unit = 0;
  let weightLoads = 0;
  let inputLoads = 0;
  let convTiles = 0;
  let outputTiles = 0;
  const slot = (list: readonly Buffer[], count: number) => list[count % list.length];

  for (let stepY = 0; stepY < plan.stepsY; stepY++) {
    for (let stepX = 0; stepX < plan.stepsX; stepX++, tile++) {
      const place: Place = { grid, layer, tile };
      const finalY = axis(stepY * plan.gridY * plan.tileHeight, plan.tileHeight, plan.tileHeight);
      const finalX = byColumns
        ? axis(stepX * plan.gridX * plan.tileWidth, plan.tileWidth, 0, plan.tileWidth)
        : axis(stepX * plan.tileWidth, plan.tileWidth);
      const conv = pool ? inputAxes(finalY, finalX, pool) : { y: finalY, x: finalX };
      const input = inputAxes(conv.y, conv.x, geometry);
      const pending: Draft[] = [];
      if (tile === 0) {
        const once = plan.persistentWeights ? persistent.loads : pending;
        once.push(loadTile(place, tableView, weightMulticast));
        if (plan.weightsResident) once.push(loadTile(place, residentWeights, weightMulticast));
      }
      const inputView = (start: number, count: number, buffer: Buffer) =>
        tileView(
          tensors.input,
          tensors.inputFormat,
          input.y,
          input.x,
          axis(tensors.inputOffset + start, count),
          buffer,
        );
      let src = inputView(0, shape.inChannels, slot(inputs, inputLoads));
      if (plan.inputWhole) {
        inputLoads++;
        pending.push(loadTile(place, src, inputMulticast));
      }

      const destinationView = (k0: number, count: number, buffer: Buffer) =>
        tileView(
          tensors.destination,
          tensors.convFormat,
          finalY,
          finalX,
          axis(tensors.destinationOffset + k0, count, 0, kStep),
          buffer,
        );
      let destination = destinationView(0, plan.channels, slot(outputs, outputTiles));
      if (plan.outputWhole) outputTiles++;

      for (let kGroup = 0; kGroup < sizes.kGroups; kGroup++) {
        const block0 = kGroup * plan.blocks;
        const blocks = Math.min(plan.blocks, sizes.agentBlocks - block0);
        const k0 = block0 * cols;
        const kCount = Math.min(blocks * cols, plan.channels - k0);
        const kAxis = axis(k0, kCount, 0, kStep);
        if (!plan.outputWhole) destination = destinationView(k0, kCount, slot(outputs, outputTiles++));
        const convView = pool
          ? tileView(tensors.conv, tensors.convFormat, conv.y, conv.x, kAxis, slot(convOutputs, convTiles++))
          : destination;
        let weights = residentWeights;

        for (let strip = 0; strip < sizes.strips; strip++, unit++) {
          const row0 = strip * plan.stripRows;
          const y = within(conv.y, row0, Math.min(plan.stripRows, sizes.convHeight - row0));
          const tp = unit % tps;
          const accRow = (Math.floor(unit / tps) % accSlots) * accSlotRows;
          for (let chunk = 0; chunk < sizes.chunks; chunk++) {
            const c0 = chunk * plan.chunk;
            const cCount = Math.min(plan.chunk, groupIn - c0);
            const loads = pending.splice(0);
            if (!plan.inputWhole) {
              const span = channelSpan(shape, k0, kCount, c0, cCount);
              src = inputView(span.start, span.count, slot(inputs, inputLoads++));
              loads.push(loadTile(place, src, inputMulticast));
            }
            if (!plan.weightsResident && (strip === 0 || sizes.chunks > 1)) {
              weights = tileView(
                tensors.weights,
                "i8",
                axis(block0, blocks, 0, kStep / cols),
                axis(c0 * taps, cCount * taps),
                axis(0, cols),
                slot(weightBuffers, weightLoads++),
              );
              loads.push(loadTile(place, weights, weightMulticast));
            }
            const compute: Draft[] = [
              convTile(place, {
                src,
                weights,
                tensor: tensors.conv,
                y,
                x: conv.x,
                c: kAxis,
                tp,
                accRow,
                add: chunk > 0,
                weightRow: c0 * taps,
                cBegin: tensors.inputOffset + c0,
                cCount,
                groupIn,
                groupOut,
                geometry,
                packing,
              }),
            ];
            items.push({ loads, compute });
          }
          const epilogueDrafts = items[items.length - 1].compute;
          epilogueDrafts.push(
            shiftTile(place, {
              table: tableView,
              dst: convView,
              tensor: tensors.conv,
              y,
              x: conv.x,
              c: kAxis,
              tp,
              accRow,
              channelOffset: pool ? 0 : tensors.destinationOffset,
              ...epilogue,
            }),
          );
          if (strip < sizes.strips - 1) continue;
          if (pool) {
            epilogueDrafts.push(
              poolTile(place, {
                src: convView,
                dst: destination,
                tensor: tensors.pooled,
                y: finalY,
                x: finalX,
                c: kAxis,
                tp,
                channelOffset: tensors.destinationOffset,
                mode: poolMode,
                geometry: pool,
              }),
            );
          }
          if (!plan.outputWhole || kGroup === sizes.kGroups - 1) epilogueDrafts.push(storeTile(place, destination));
        }
      }
    }
  }
  return interleave(items, plan.prefetch);
}

/** Input channels that output channels k0.. + kCount and, within a group, channels c0.. + cCount need. */
function channelSpan(
  shape: ConvShape,
  k0: number,
  kCount: number,
  c0: number,
  cCount: number,
): { start: number; count: number } {
  if (shape.groups === 1) return { start: c0, count: cCount };
  const groupIn = shape.inChannels / shape.groups;
  const groupOut = shape.output.channels / shape.groups;
  const last = Math.min(k0 + kCount, shape.output.channels) - 1;
  const start = Math.floor(k0 / groupOut) * groupIn;
  return { start, count: (Math.floor(last / groupOut) + 1) * groupIn - start };
}
