/** Bandwidth and power over time, in bins of equal width. */
import type { EnergyPj, LayerResult, TimingResult } from "../sim/result.ts";
import { groupBy, type Recording } from "./recording.ts";

type Component = Exclude<keyof EnergyPj, "total">;

/** Sums per bin; bin i covers cycles [i * binCycles, (i + 1) * binCycles). */
export interface Activity {
  readonly binCycles: number;
  readonly dramReadBytes: Float64Array;
  readonly dramWriteBytes: Float64Array;
  readonly energyPj: { readonly [C in Component]: Float64Array };
}

export const componentsOf = (energy: EnergyPj) =>
  Object.keys(energy).filter((name): name is Component => name !== "total");

/** Cycles of a bin that lie within the run: the last one may be cut short. */
export const cyclesOfBin = (i: number, binCycles: number, cycles: number) =>
  Math.min(binCycles, Math.max(1, cycles - i * binCycles));

interface Interval {
  readonly startCycle: number;
  readonly endCycle: number;
}

/** Units that spend a component's energy; null: every unit. DRAM, leakage and clock are spread otherwise. */
const SPENDERS = {
  mac: ["mac"],
  accumulator: ["mac"],
  shift: ["shift", "pool", "range"],
  dma: ["load", "store"],
  link: ["link"],
  sram: null,
  scalar: null,
} as const;

/**
 * Bytes lie where DRAM's bus moved them. A layer's energy is spread evenly over the time its instructions held the units that
 * spend it, DRAM's by bytes, leakage and clock over the whole run: bins add up to the totals, within a layer they are an estimate.
 */
export function activityOf(
  { totals, layers }: Pick<TimingResult, "totals" | "layers">,
  { instructions, dram }: Pick<Recording, "instructions" | "dram">,
  mostBins: number,
): Activity {
  const { cycles, energyPj: energy } = totals;
  const binCycles = Math.max(1, Math.ceil(cycles / mostBins));
  const bins = Math.max(1, Math.ceil(cycles / binCycles));
  const series = () => new Float64Array(bins);
  const energyPj = Object.fromEntries(componentsOf(energy).map((name) => [name, series()])) as Activity["energyPj"];
  const [dramReadBytes, dramWriteBytes] = [series(), series()];

  const whole = { startCycle: 0, endCycle: cycles };
  spread(energyPj.leakage, binCycles, [whole], energy.leakage);
  spread(energyPj.clock, binCycles, [whole], energy.clock);
  const moved = dram.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const request of dram) {
    spread(request.write ? dramWriteBytes : dramReadBytes, binCycles, [request], request.bytes);
    spread(energyPj.dram, binCycles, [request], (energy.dram * request.bytes) / moved);
  }
  if (moved === 0) spread(energyPj.dram, binCycles, [whole], energy.dram);

  const byLayer = groupBy(instructions, ({ layer }) => layer);
  for (const layer of layers) {
    const rows = byLayer.get(layer.name) ?? [];
    for (const [component, units] of Object.entries(SPENDERS) as [keyof typeof SPENDERS, readonly string[] | null][]) {
      const spending = units === null ? rows : rows.filter(({ unit }) => units.includes(kindOf(unit)));
      spread(energyPj[component], binCycles, spending.length > 0 ? spending : [span(layer)], layer.energyPj[component]);
    }
  }
  return { binCycles, dramReadBytes, dramWriteBytes, energyPj };
}

/** `mac2` -> `mac` */
const kindOf = (unit: string) => unit.replace(/\d+$/, "");

const span = ({ startCycle, endCycle }: LayerResult): Interval => ({ startCycle, endCycle });

/** Adds an amount to the bins, evenly over all cycles of the intervals. */
function spread(bins: Float64Array, binCycles: number, intervals: readonly Interval[], amount: number): void {
  if (amount === 0) return;
  // an interval without length counts as one cycle: nothing is lost
  const ends = intervals.map(({ startCycle, endCycle }) => Math.max(endCycle, startCycle + 1));
  const total = intervals.reduce((sum, { startCycle }, i) => sum + ends[i] - startCycle, 0);
  const last = bins.length - 1;
  intervals.forEach(({ startCycle }, i) => {
    const end = ends[i];
    for (let from = startCycle, bin = Math.floor(from / binCycles); from < end; bin++) {
      const to = Math.min(end, (bin + 1) * binCycles);
      bins[Math.min(bin, last)] += (amount * (to - from)) / total;
      from = to;
    }
  });
}
