/** What a simulation says about time, traffic and energy. The report is this plus provenance and detections. */
import type { UnitKind } from "../isa/index.ts";
import type { AreaMm2 } from "./area.ts";

/** Why a unit stands still, in order of priority: the first that holds is charged. */
export const STALL_CAUSES = {
  finished: "the unit has no instruction left in the run",
  notIssued:
    "its next instruction has not been issued: fetch, issue rate, or a full queue of another unit holds the scalar processor",
  sync: "a barrier holds it back",
  waitLoad: "waits for a load",
  waitStore: "waits for a store",
  waitLink: "waits for a copy",
  waitScalar: "waits for a scalar operation",
  waitMac: "waits for a MAC array",
  waitShift: "waits for a shift unit",
  waitPool: "waits for a pool unit",
  waitRange: "waits for a range unit",
  group: "waits for the other agents of a multicast load or a reduction",
  sram: "the instructions in flight take nearly all SRAM bank cycles",
  refresh: "DRAM: a request waits for a refresh",
  turnaround: "DRAM: the bus turns between reading and writing",
  row: "DRAM: a request waits for its row to open",
  noRequest: "DRAM: no request is waiting",
} as const;
export type StallCause = keyof typeof STALL_CAUSES;

/** Counters of layers and of the whole: unit and meaning. All add up from instructions to layers to totals. */
export const COUNTERS = {
  macs: { unit: "MAC", meaning: "useful multiply-accumulates: each output computed for the first time" },
  macsExecuted: { unit: "MAC", meaning: "multiply-accumulates done, recomputed halos included" },
  dramReadBytes: { unit: "B", meaning: "read from DRAM, rounded out to bursts; instruction fetch included" },
  dramWriteBytes: { unit: "B", meaning: "written to DRAM, rounded out to bursts" },
  dramRequestedBytes: { unit: "B", meaning: "asked of DRAM, read and written, before rounding" },
  sramReadBytes: { unit: "B", meaning: "read from SRAM by all units" },
  sramWriteBytes: { unit: "B", meaning: "written to SRAM by all units" },
  accumulatorAccesses: { unit: "int32", meaning: "accumulators read or written" },
  linkBytes: { unit: "B", meaning: "copied within and between agents" },
  dmaBytes: { unit: "B", meaning: "moved by DMA engines, every copy of a multicast counted" },
  fillBytes: { unit: "B", meaning: "padding that loads write beside the bytes they move" },
  shiftedValues: { unit: "values", meaning: "through shift, pool and range units" },
  instructions: { unit: "instructions", meaning: "issued, once per program, not per agent" },
} as const;
export type Counter = keyof typeof COUNTERS;
export type Counters = { [K in Counter]: number };

export const ENERGY_COMPONENTS = [
  "mac",
  "shift",
  "sram",
  "accumulator",
  "dma",
  "link",
  "dram",
  "scalar",
  "leakage",
  "clock",
] as const;
export type EnergyPj = { [K in (typeof ENERGY_COMPONENTS)[number]]: number } & { total: number };

/** A unit of one agent (`agent` -1: a channel of the chip's shared DRAM). busy + stalls = total cycles. */
export interface UnitResult {
  readonly agent: number;
  readonly unit: string;
  readonly kind: UnitKind | "dram";
  readonly busyCycles: number;
  readonly stalls: { readonly [C in StallCause]?: number };
}

/** One layer. Attributed cycles, counters and energy add up to the totals over all layers, `(start)` and `(end)` included. */
export interface LayerResult extends Counters {
  readonly name: string;
  readonly op: string;
  readonly fused: readonly string[];
  readonly startCycle: number;
  readonly endCycle: number;
  /** Cycles at which the oldest instruction, in program order, that had not ended was this layer's (docs/timing.md). */
  readonly attributedCycles: number;
  /** Busy cycles per unit kind, summed over agents. */
  readonly busyCycles: { readonly [K in UnitKind]: number };
  /** macs / (array.rows * array.cols * busyCycles.mac): of the arrays while they work on this layer; 0 when they do not. */
  readonly macUtilization: number;
  readonly energyPj: EnergyPj;
  /** What took longest of the layer's own work: mac, dram, load, store, shift, pool, link or latency. */
  readonly bound: string;
}

/** Cycles below which the run cannot end, whatever the schedule. */
export interface Bounds {
  /** useful MACs / peak */
  readonly computeCycles: number;
  /** (constants read + input + output bytes, burst-rounded) / bandwidth */
  readonly dramCycles: number;
  /** this program's own burst-rounded DRAM bytes / bandwidth */
  readonly trafficCycles: number;
  /** values through the shift units / all lanes */
  readonly shiftCycles: number;
  /** elements through the pool units / all lanes */
  readonly poolCycles: number;
  /** SRAM bytes / all ports */
  readonly sramCycles: number;
}

export interface TimingResult {
  readonly frames: number;
  readonly overlapFrames: boolean;
  readonly totals: Counters & {
    /** from the start of the prologue to the end of the last frame */
    readonly cycles: number;
    readonly prologueCycles: number;
    /** one frame, from input arrival in DRAM to the last output byte, the first frame after the prologue */
    readonly latencyCycles: number;
    /** steady-state distance between the ends of two frames; equals latencyCycles for one frame */
    readonly intervalCycles: number;
    readonly seconds: number;
    readonly framesPerSecond: number;
    /** peak x cycles */
    readonly macSlots: number;
    readonly macUtilization: number;
    /** bytes the host writes into DRAM: the input of every frame */
    readonly hostBytes: number;
    readonly energyPj: EnergyPj;
    readonly averagePowerW: number;
    readonly framesPerJoule: number;
    /** of the machine, whatever it runs: a proxy */
    readonly areaMm2: AreaMm2;
    /** of one frame */
    readonly bounds: Bounds;
  };
  readonly units: readonly UnitResult[];
  readonly layers: readonly LayerResult[];
  /** Events the simulator processed: its own effort, not the machine's. */
  readonly events: number;
}
