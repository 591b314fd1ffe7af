/** The amounts over time that a run's page draws, in the units that people read. */
import { cyclesOfBin } from "./activity.ts";
import { BUSY_COLOR, causeColor, componentColor, OCCUPIED_COLOR, READ_COLOR, WRITE_COLOR } from "./colors.ts";
import { significant } from "./numbers.ts";
import type { TimedReport } from "./report.ts";
import type { RunRecord } from "./run-record.ts";
import { causeText } from "./words.ts";

/** Areas on top of each other, in steps: value i holds from x i to x i + 1. */
export interface Chart {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly names: readonly string[];
  readonly colors: readonly string[];
  /** A line to stay below; 0: none. */
  readonly ceiling: number;
  /** Cycles, ascending. */
  readonly xs: readonly number[];
  readonly values: readonly (readonly number[])[];
  /** What a reader without eyes gets; the tables have the sums. */
  readonly summary: string;
}

type Recorded = TimedReport & { readonly record: RunRecord };

/** Steps of what the MAC arrays do. */
const MOST_STEPS = 500;

export function chartsOf(report: Recorded): Chart[] {
  return [arraysChart(report), bandwidthChart(report), occupancyChart(report), powerChart(report)].filter(
    (chart) => chart !== null,
  );
}

const digits = (value: number) => Number(value.toPrecision(5));

function described(chart: Omit<Chart, "summary">): Chart {
  const { names, unit, xs, values } = chart;
  const last = xs.length - 1;
  const parts = names.map((name, n) => {
    let [sum, most] = [0, 0];
    for (let i = 0; i < last; i++) {
      sum += values[n][i] * (xs[i + 1] - xs[i]);
      most = Math.max(most, values[n][i]);
    }
    return `${name} on average ${significant(sum / Math.max(1, xs[last] - xs[0]))} ${unit}, at most ${significant(most)}`;
  });
  return { ...chart, summary: `${chart.title}: ${parts.join("; ")}` };
}

/** Amounts of bins as amounts a second times `scale`. */
function perSecond({ totals, machine }: Recorded, bins: readonly number[], binCycles: number, scale: number): number[] {
  const rates = bins.map((amount, i) =>
    digits((amount * scale * machine.parameters.clockHz) / cyclesOfBin(i, binCycles, totals.cycles)),
  );
  // steps need the end of the last one
  return [...rates, rates[rates.length - 1]];
}

function binEdges(bins: number, binCycles: number, cycles: number): number[] {
  return Array.from({ length: bins + 1 }, (_, i) => Math.min(i * binCycles, cycles));
}

function bandwidthChart(report: Recorded): Chart {
  const { binCycles, dramReadBytes, dramWriteBytes } = report.record.activity;
  const { clockHz, "dram.bytesPerCycle": bytesPerCycle } = report.machine.parameters;
  return described({
    id: "bandwidth",
    title: "DRAM bandwidth",
    unit: "GB/s",
    names: ["read", "written"],
    colors: [READ_COLOR, WRITE_COLOR],
    ceiling: bytesPerCycle * clockHz * 1e-9,
    xs: binEdges(dramReadBytes.length, binCycles, report.totals.cycles),
    values: [dramReadBytes, dramWriteBytes].map((bins) => perSecond(report, bins, binCycles, 1e-9)),
  });
}

function powerChart(report: Recorded): Chart {
  const { binCycles, energyPj } = report.record.activity;
  const bins = Object.values(energyPj);
  return described({
    id: "power",
    title: "Power",
    unit: "W",
    names: Object.keys(energyPj),
    colors: bins.map((_, i) => componentColor(i)),
    ceiling: 0,
    xs: binEdges(bins[0]?.length ?? 0, binCycles, report.totals.cycles),
    values: bins.map((series) => perSecond(report, series, binCycles, 1e-12)),
  });
}

function occupancyChart({ record, totals }: Recorded): Chart | null {
  if (record.sram === null) return null;
  const { bytes, live, untilCycle } = record.sram;
  const changes: [cycle: number, kib: number][] = [[0, 0]];
  for (let i = 0; i < live.length && live[i] < untilCycle; i += 2) {
    if (live[i] === changes[changes.length - 1][0]) changes.pop();
    changes.push([live[i], digits(live[i + 1] / 1024)]);
  }
  const end = Math.min(untilCycle, totals.cycles);
  const [lastCycle, lastKib] = changes[changes.length - 1];
  if (lastCycle < end) changes.push([end, lastKib]);
  return described({
    id: "occupancy",
    title: "SRAM in use",
    unit: "KiB",
    names: ["in use"],
    colors: [OCCUPIED_COLOR],
    ceiling: bytes / 1024,
    xs: changes.map(([cycle]) => cycle),
    values: [changes.map(([, kib]) => kib)],
  });
}

/** Of all MAC arrays together: the share of each step that they work, or stand still and why. */
function arraysChart({ record, totals, units }: Recorded): Chart | null {
  const isArray = new Set(units.filter(({ kind }) => kind === "mac").map(({ agent, unit }) => `${agent} ${unit}`));
  const tracks = record.tracks.filter(({ agent, unit }) => isArray.has(`${agent} ${unit}`));
  if (tracks.length === 0) return null;
  const binCycles = Math.max(1, Math.ceil(totals.cycles / MOST_STEPS));
  const bins = Math.max(1, Math.ceil(totals.cycles / binCycles));
  const busy = new Float64Array(bins);
  const causes = record.causes.map(() => new Float64Array(bins));
  for (const { work, stalls } of tracks) {
    spread(work, 4, binCycles, () => busy);
    spread(stalls, 3, binCycles, (cause) => causes[cause]);
  }
  const shares = (series: Float64Array) => {
    const percents = Array.from(series, (cycles, i) =>
      digits((100 * cycles) / (tracks.length * cyclesOfBin(i, binCycles, totals.cycles))),
    );
    return [...percents, percents[percents.length - 1]];
  };
  const seen = causes.flatMap((series, i) => (series.some((cycles) => cycles > 0) ? [i] : []));
  return described({
    id: "arrays",
    title: "MAC arrays",
    unit: "%",
    names: ["busy", ...seen.map((i) => causeText(record.causes[i]))],
    colors: [BUSY_COLOR, ...seen.map((i) => causeColor(record.causes[i]))],
    ceiling: 0,
    xs: binEdges(bins, binCycles, totals.cycles),
    values: [shares(busy), ...seen.map((i) => shares(causes[i]))],
  });
}

const NO_BINS = new Float64Array(0);

/** Adds the cycles of packed intervals to the bins of what they are. */
function spread(
  flat: readonly number[],
  size: number,
  binCycles: number,
  binsOf: (what: number) => Float64Array | undefined,
) {
  let end = 0;
  for (let i = 0; i < flat.length; i += size) {
    const start = end + flat[i];
    end = start + flat[i + 1];
    const bins = binsOf(flat[i + 2]) ?? NO_BINS;
    // a report from elsewhere may say anything: nothing lies beyond the run
    const last = Math.min(end, bins.length * binCycles);
    for (let from = start; from < last; ) {
      const bin = Math.floor(from / binCycles);
      const to = Math.min(last, (bin + 1) * binCycles);
      bins[bin] += to - from;
      from = to;
    }
  }
}
