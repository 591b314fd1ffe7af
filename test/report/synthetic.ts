/** A made-up run: numbers chosen by hand so that a test can say what the report must show. */
import { loadPreset, type Program } from "../../isa/index.ts";
import type { Recording, Report, ReportParts } from "../../report/index.ts";
import { buildReport } from "../../report/index.ts";
import {
  COUNTERS,
  type Counters,
  type EnergyPj,
  type LayerResult,
  type TimingResult,
  type UnitResult,
} from "../../sim/result.ts";

const counters = (given: Partial<Counters>): Counters => ({
  ...(Object.fromEntries(Object.keys(COUNTERS).map((counter) => [counter, 0])) as Counters),
  ...given,
});

const energy = (given: Partial<EnergyPj>): EnergyPj => {
  const parts = {
    mac: 0,
    shift: 0,
    sram: 0,
    accumulator: 0,
    dma: 0,
    link: 0,
    dram: 0,
    scalar: 0,
    leakage: 0,
    clock: 0,
    ...given,
  };
  return { ...parts, total: Object.values(parts).reduce((sum, value) => sum + value, 0) };
};

function layer(name: string, op: string, given: Partial<LayerResult>): LayerResult {
  return {
    ...counters(given),
    name,
    op,
    fused: [],
    startCycle: 0,
    endCycle: given.attributedCycles ?? 0,
    attributedCycles: 0,
    busyCycles: { load: 0, store: 0, link: 0, scalar: 0, mac: 0, shift: 0, pool: 0, range: 0 },
    macUtilization: 0,
    energyPj: energy({ dram: 1e6 }),
    bound: "mac",
    ...given,
  };
}

const unit = (
  agent: number,
  kind: UnitResult["kind"],
  busyCycles: number,
  stalls: UnitResult["stalls"],
): UnitResult => ({
  agent,
  unit: kind,
  kind,
  busyCycles,
  stalls,
});

export const timing: TimingResult = {
  frames: 1,
  overlapFrames: false,
  totals: {
    ...counters({
      macs: 1_234_567_890,
      macsExecuted: 1_300_000_000,
      dramReadBytes: 12_345_678,
      dramWriteBytes: 3_400_000,
      dramRequestedBytes: 15_000_000,
      instructions: 4321,
    }),
    cycles: 2_000_000,
    prologueCycles: 100_000,
    latencyCycles: 1_900_000,
    intervalCycles: 1_900_000,
    seconds: 0.002,
    framesPerSecond: 526.3157894,
    macSlots: 8_192_000_000,
    macUtilization: 0.15070408325,
    hostBytes: 1_437_696,
    energyPj: energy({ dram: 600e6, mac: 250e6, sram: 100e6, leakage: 40e6, link: 10e6 }),
    averagePowerW: 0.5,
    framesPerJoule: 1000,
    areaMm2: { mac: 1, sram: 5, accumulator: 1, lanes: 0.5, control: 0.5, total: 8 },
    bounds: {
      computeCycles: 301_408,
      dramCycles: 1_180_000,
      trafficCycles: 1_230_131,
      shiftCycles: 1000,
      poolCycles: 0,
      sramCycles: 2000,
    },
  },
  units: [
    unit(0, "mac", 400_000, { waitLoad: 1_000_000, finished: 600_000 }),
    unit(1, "mac", 600_000, { waitLoad: 1_400_000 }),
    unit(0, "load", 1_800_000, { notIssued: 200_000 }),
    unit(-1, "dram", 1_900_000, { noRequest: 100_000 }),
  ],
  events: 0,
  layers: [
    layer("(start)", "start", { attributedCycles: 100_000, bound: "latency" }),
    layer("conv1", "conv", {
      attributedCycles: 1_500_000,
      macs: 1_000_000_000,
      macsExecuted: 1_060_000_000,
      macUtilization: 0.1628,
      dramReadBytes: 10_000_000,
      fused: ["pool1"],
    }),
    layer('fire2, "squeeze"', "conv", {
      attributedCycles: 400_000,
      macs: 234_567_890,
      macsExecuted: 240_000_000,
      macUtilization: 0.143,
      dramReadBytes: 2_345_678,
      dramWriteBytes: 3_400_000,
      bound: "dram",
    }),
  ],
};

export const program: ReportParts["program"] = {
  name: "squeezedet",
  machine: loadPreset("rap-e"),
  host: {
    input: {
      tensor: "image",
      height: 384,
      width: 1248,
      channels: 3,
      colorOrder: "BGR",
      mean: [0],
      scale: 1,
      format: "i8",
      exponent: 0,
    },
    outputs: [{ tensor: "conv12", height: 24, width: 78, channels: 72, format: "i8", exponents: [4] }],
    head: {
      kind: "convdet",
      tensor: "conv12",
      grid: [24, 78],
      anchorsPerCell: 1,
      classes: ["car"],
      channels: { classScores: [0, 1], confidence: [1, 2], boxDeltas: [2, 6] },
      anchors: [[1, 1]],
      confidenceThreshold: 0.4,
      topBoxes: 64,
      nmsIou: 0.4,
    },
    trained: false,
  } satisfies Program["host"],
  provenance: {
    rapsim: "0.1.0",
    source: "built-in squeezedet",
    sourceSha256: "ab".repeat(32),
    options: { seed: 1, packing: "full" },
  },
};

/** A full run of one picture with two cars. */
export function syntheticReport(changes: Partial<ReportParts> = {}): Report {
  return buildReport({
    rapsim: "0.1.0",
    program,
    programSha256: "cd".repeat(32),
    mode: "full",
    timing,
    images: [{ image: "street.png", width: 1242, height: 375 }],
    detections: [
      { image: "street.png", class: "car", score: 0.91234, box: [10.2, 20.7, 110, 90] },
      { image: "street.png", class: "car", score: 0.5, box: [200, 30, 260.4, 80] },
    ],
    outputs: [
      {
        image: "street.png",
        tensor: "conv12",
        height: 24,
        width: 78,
        channels: 72,
        format: "i8",
        minimum: -8,
        maximum: 7.9375,
        sha256: "ef".repeat(32),
      },
    ],
    notModelled: [
      "DRAM refresh",
      "interrupts and the operating system of the host, which add time to every frame that no counter here knows of",
    ],
    ...changes,
  });
}

/** The same with what happened when: the events given. */
export function recorded(recording: Partial<Recording>): Report {
  return syntheticReport({ recording: { instructions: [], stalls: [], dram: [], sram: null, ...recording } });
}
