/**
 * A run as a trace in Chrome's trace event format (JSON object form), for ui.perfetto.dev and others: every agent a process, every
 * unit a track with its instructions and one with its stalls, DRAM's bus a track, counters of bandwidth, power and SRAM in use.
 * Slices are named after layers: viewers colour by name.
 */
import { type Activity, activityOf, cyclesOfBin } from "./activity.ts";
import { groupBy, type Recording, type TimelineRow } from "./recording.ts";
import type { Report } from "./report.ts";
import { liveBytes } from "./sram-map.ts";

/** One event; times in microseconds, of any fraction. */
interface TraceEvent {
  readonly ph: "X" | "C" | "M";
  readonly pid: number;
  readonly tid: number;
  readonly name: string;
  readonly cat?: string;
  readonly ts?: number;
  readonly dur?: number;
  readonly args: { readonly [key: string]: string | number };
}

const CHIP = 1;
/** Process of an agent; the chip's own comes first. */
const processOf = (agent: number) => agent + CHIP + 1;

/** Counters have so many points at most. */
const MOST_POINTS = 2000;

export function traceJson(report: Report, recording: Recording): string {
  const clockHz = report.machine.parameters.clockHz;
  const events = [
    ...unitEvents(report, recording, clockHz),
    ...dramEvents(recording, clockHz),
    ...counterEvents(report, recording, clockHz),
    ...occupancyEvents(recording, clockHz),
  ];
  const head = {
    displayTimeUnit: "ns",
    otherData: {
      rapsim: report.rapsim,
      program: report.program.name,
      programSha256: report.program.sha256,
      machine: report.machine.name,
      clockHz,
      cycles: report.totals?.cycles ?? 0,
    },
  };
  // one event a line: readable, and quick to search
  const lines = events.map((event) => JSON.stringify(event)).join(",\n");
  return `${JSON.stringify(head).slice(0, -1)},"traceEvents":[\n${lines}\n]}\n`;
}

/** Of a microsecond; about a picosecond. */
const GRID = 2 ** 20;

/**
 * Rounded up to a binary fraction, so that readers' own sums are exact: a slice then ends, to the last bit, where the next begins.
 * Up, because some cut to whole nanoseconds.
 */
const microseconds = (cycles: number, clockHz: number) => Math.ceil((cycles * 1e6 * GRID) / clockHz) / GRID;

const named = (pid: number, tid: number, what: "process" | "thread", name: string, order: number): TraceEvent[] => [
  { ph: "M", pid, tid, name: `${what}_name`, args: { name } },
  { ph: "M", pid, tid, name: `${what}_sort_index`, args: { sort_index: order } },
];

function slice(
  place: Pick<TraceEvent, "pid" | "tid">,
  name: string,
  cat: string,
  [startCycle, endCycle]: readonly [number, number],
  clockHz: number,
  args: TraceEvent["args"] = {},
): TraceEvent {
  const ts = microseconds(startCycle, clockHz);
  return {
    ph: "X",
    ...place,
    name,
    cat,
    ts,
    dur: microseconds(endCycle, clockHz) - ts,
    args: { ...args, startCycle, endCycle },
  };
}

/** Two tracks for each unit that did something: what it did, and why it did nothing. */
function unitEvents({ units }: Report, { instructions, stalls }: Recording, clockHz: number): TraceEvent[] {
  const key = ({ agent, unit }: { readonly agent: number; readonly unit: string }) => `${agent} ${unit}`;
  const rows = groupBy(instructions, key);
  const stalled = groupBy(stalls, key);
  const agents = new Set<number>();
  return units.flatMap((place, order) => {
    const work = rows.get(key(place));
    if (work === undefined) return [];
    const { agent, unit } = place;
    const pid = processOf(agent);
    const [tid, stallTid] = [2 * order + 1, 2 * order + 2];
    const isNew = !agents.has(agent);
    agents.add(agent);
    return [
      ...(isNew ? named(pid, 0, "process", `agent ${agent}`, pid) : []),
      ...named(pid, tid, "thread", unit, tid),
      ...withoutOverlap(work).map(({ row, from }) =>
        slice({ pid, tid }, row.layer, row.op, [from, row.endCycle], clockHz, argsOf(row, from)),
      ),
      ...named(pid, stallTid, "thread", `${unit}: stalls`, stallTid),
      ...(stalled.get(key(place)) ?? []).map(({ cause, startCycle, endCycle }) =>
        slice({ pid, tid: stallTid }, cause, "stall", [startCycle, endCycle], clockHz),
      ),
    ];
  });
}

/** A slice that begins late says when its instruction did. */
const argsOf = ({ op, index, tile, startCycle }: TimelineRow, from: number) => ({
  op,
  index,
  tile,
  ...(from > startCycle ? { issuedCycle: startCycle } : {}),
});

/**
 * Passes of consecutive instructions may overlap in their unit, slices of a track may not: each begins when the one before it ends.
 * Durations of a track then add up to the unit's busy cycles. What has no cycle of its own has no slice.
 */
function withoutOverlap(rows: readonly TimelineRow[]): { row: TimelineRow; from: number }[] {
  const sorted = [...rows].sort((a, b) => a.startCycle - b.startCycle || a.endCycle - b.endCycle);
  let end = 0;
  return sorted.flatMap((row) => {
    const from = Math.max(row.startCycle, end);
    if (from >= row.endCycle) return [];
    end = row.endCycle;
    return [{ row, from }];
  });
}

/** Requests on DRAM's bus; where channels work at the same time, as many tracks as there are requests at once. */
function dramEvents({ dram }: Recording, clockHz: number): TraceEvent[] {
  const sorted = [...dram].sort((a, b) => a.startCycle - b.startCycle);
  const ends: number[] = [];
  const slices = sorted.map(({ startCycle, endCycle, bytes, write, layer }) => {
    const free = ends.findIndex((end) => end <= startCycle);
    const lane = free < 0 ? ends.length : free;
    ends[lane] = endCycle;
    const cat = write ? "write" : "read";
    return slice({ pid: CHIP, tid: lane + 1 }, layer, cat, [startCycle, endCycle], clockHz, { bytes, direction: cat });
  });
  const tracks = ends.flatMap((_, lane) =>
    named(CHIP, lane + 1, "thread", lane === 0 ? "dram" : `dram, at the same time ${lane + 1}`, lane + 1),
  );
  return [...named(CHIP, 0, "process", "chip", CHIP), ...tracks, ...slices];
}

function counterEvents({ totals, layers }: Report, recording: Recording, clockHz: number): TraceEvent[] {
  if (totals === null) return [];
  const activity = activityOf({ totals, layers }, recording, MOST_POINTS);
  const { binCycles, dramReadBytes } = activity;
  const points = Array.from(dramReadBytes, (_, i) => {
    const cycles = cyclesOfBin(i, binCycles, totals.cycles);
    return [...counters(activity, i, cycles / clockHz)].map(([name, args]) =>
      counter(name, args, microseconds(i * binCycles, clockHz)),
    );
  });
  const end = microseconds(totals.cycles, clockHz);
  const last = [...counters(activity, 0, 1)].map(([name, args]) =>
    counter(name, Object.fromEntries(Object.keys(args).map((series) => [series, 0])), end),
  );
  return [...points.flat(), ...last];
}

/** Bytes that live in one agent's SRAM, at every change. */
function occupancyEvents({ sram }: Recording, clockHz: number): TraceEvent[] {
  if (sram === null) return [];
  return liveBytes(sram.buffers).map(({ cycle, bytes }) =>
    counter("SRAM in use, bytes", { live: bytes }, microseconds(cycle, clockHz), processOf(sram.agent)),
  );
}

const counter = (name: string, args: TraceEvent["args"], ts: number, pid = CHIP): TraceEvent => ({
  ph: "C",
  pid,
  tid: 0,
  name,
  ts,
  args,
});

const digits = (value: number) => Number(value.toPrecision(6));

/** What each counter shows at one bin. */
function counters({ dramReadBytes, dramWriteBytes, energyPj }: Activity, i: number, seconds: number) {
  const perSecond = (amount: number, unit: number) => digits((amount * unit) / seconds);
  const watts = Object.entries(energyPj).map(([name, series]) => [name, perSecond(series[i], 1e-12)] as const);
  return new Map<string, TraceEvent["args"]>([
    ["DRAM bandwidth, GB/s", { read: perSecond(dramReadBytes[i], 1e-9), write: perSecond(dramWriteBytes[i], 1e-9) }],
    ["power, W", Object.fromEntries(watts)],
  ]);
}
