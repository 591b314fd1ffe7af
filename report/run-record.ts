/** What happened when, as data: the part of a report from which its page draws everything that has a time. */
import { type Activity, activityOf } from "./activity.ts";
import { groupBy, type Recording } from "./recording.ts";
import type { Report } from "./report.ts";
import { type Timeline, timelineOf } from "./run-intervals.ts";
import { liveBytes, type SramMap } from "./sram-map.ts";

/** Series over time have so many steps at most. */
const MOST_STEPS = 1000;

/** More buffers cannot be told apart in a picture, and make the page large. */
const MOST_BUFFERS = 12_000;

/** One operation of the instruction set, over the whole run. */
interface OperationCount {
  readonly op: string;
  /** instructions of the program */
  readonly instructions: number;
  /** by all agents, in all frames */
  readonly executed: number;
  /** from start to end, summed over agents */
  readonly cycles: number;
}

export interface RunRecord extends Timeline {
  readonly operations: readonly OperationCount[];
  /** Two numbers for each instruction of the program: its place in `operations` (-1: never executed) and its tile. */
  readonly instructions: readonly number[];
  readonly activity: {
    /** Sums over so many cycles, the last over what is left. */
    readonly binCycles: number;
    readonly dramReadBytes: readonly number[];
    readonly dramWriteBytes: readonly number[];
    readonly energyPj: { readonly [component: string]: readonly number[] };
  };
  /** null: no instruction used it */
  readonly sram: SramRecord | null;
}

interface SramRecord {
  readonly agent: number;
  readonly bytes: number;
  readonly pieceBytes: number;
  /** Most bytes that lived at once. */
  readonly peakBytes: number;
  /** Buffers that begin later are left out. */
  readonly untilCycle: number;
  readonly tensors: readonly string[];
  /** Six numbers a buffer: address, bytes, first cycle, cycles, layer that wrote it, tensor. */
  readonly buffers: readonly number[];
  /** Two numbers a change: a cycle, and the bytes that live from then on. */
  readonly live: readonly number[];
}

export function recordOf(report: Pick<Report, "units" | "layers" | "totals">, recording: Recording): RunRecord | null {
  const { totals, units, layers } = report;
  if (totals === null || recording.instructions.length === 0) return null;
  const operations = [...groupBy(recording.instructions, ({ op }) => op)].map(([op, rows]) => ({
    op,
    instructions: new Set(rows.map(({ index }) => index)).size,
    executed: rows.length,
    cycles: rows.reduce((sum, { startCycle, endCycle }) => sum + endCycle - startCycle, 0),
  }));
  return {
    operations,
    ...timelineOf({ units, layers }, recording),
    instructions: instructionsOf(recording, operations),
    activity: rounded(activityOf({ totals, layers }, recording, MOST_STEPS)),
    sram: recording.sram === null ? null : sramRecord(recording.sram, layers, totals.cycles),
  };
}

function instructionsOf({ instructions }: Recording, operations: readonly OperationCount[]): number[] {
  const numbers = new Map(operations.map(({ op }, i) => [op, i]));
  const last = instructions.reduce((most, { index }) => Math.max(most, index), -1);
  const flat = new Array<number>(2 * (last + 1)).fill(-1);
  for (const { index, op, tile } of instructions) {
    flat[2 * index] = numbers.get(op)!;
    flat[2 * index + 1] = tile;
  }
  return flat;
}

function rounded({ binCycles, dramReadBytes, dramWriteBytes, energyPj }: Activity): RunRecord["activity"] {
  const digits = (series: Float64Array) => Array.from(series, (value) => Number(value.toPrecision(6)));
  return {
    binCycles,
    dramReadBytes: digits(dramReadBytes),
    dramWriteBytes: digits(dramWriteBytes),
    energyPj: Object.fromEntries(Object.entries(energyPj).map(([component, series]) => [component, digits(series)])),
  };
}

function sramRecord(map: SramMap, layers: Report["layers"], cycles: number): SramRecord {
  const { agent, bytes, pieceBytes } = map;
  const layerOf = new Map(layers.map(({ name }, i) => [name, i]));
  const drawn = map.buffers.slice(0, MOST_BUFFERS);
  const tensors = [...new Set(drawn.map(({ tensor }) => tensor))];
  const tensorOf = new Map(tensors.map((name, i) => [name, i]));
  const live = liveBytes(drawn);
  return {
    ...{ agent, bytes, pieceBytes, tensors },
    peakBytes: live.reduce((most, { bytes: now }) => Math.max(most, now), 0),
    untilCycle: map.buffers[MOST_BUFFERS]?.startCycle ?? cycles,
    buffers: drawn.flatMap(({ address, bytes: size, startCycle, endCycle, layer, tensor }) => [
      ...[address, size, startCycle, endCycle - startCycle, layerOf.get(layer) ?? -1, tensorOf.get(tensor)!],
    ]),
    live: live.flatMap(({ cycle, bytes: now }) => [cycle, now]),
  };
}
