/** Results layer by layer, `(start)` and `(end)` included. */
import { type CheckedProgram, type Machine, UNIT_KINDS, type UnitKind } from "../../isa/index.ts";
import { addCounters, noCounters } from "../counters.ts";
import { energyOf } from "../energy.ts";
import type { Counters, LayerResult } from "../result.ts";
import { boundName } from "./bounds.ts";
import { sramBytesPerCycle } from "./costs.ts";
import type { Engine } from "./engine.ts";
import { slotNames } from "./names.ts";
import type { ProgramWork } from "./program-work.ts";

export function layersOf(
  checked: CheckedProgram,
  work: ProgramWork,
  engine: Engine,
  machine: Machine,
  slotCounters: { readonly prologue: readonly Counters[]; readonly frame: readonly Counters[] },
): LayerResult[] {
  const p = machine.parameters;
  const { frames } = engine.options;
  const spans = slotSpans(engine);
  const loads = transferCycles(work, machine, frames, "load");
  const stores = transferCycles(work, machine, frames, "store");
  return slotNames(checked).map((name, slot) => {
    const counters = noCounters();
    addCounters(counters, slotCounters.prologue[slot]);
    addCounters(counters, slotCounters.frame[slot], frames);
    const attributedCycles = engine.attribution.cycles[slot];
    const { sums, busiest } = busyOf(work, engine, slot);
    const needs = {
      mac: busiest.mac,
      dram: (counters.dramReadBytes + counters.dramWriteBytes) / p["dram.bytesPerCycle"],
      load: loads[slot],
      store: stores[slot],
      shift: busiest.shift,
      pool: busiest.pool,
      link: busiest.link,
    };
    const macSlots = p["array.rows"] * p["array.cols"] * sums.mac;
    const layer = checked.program.layers[slot - 1];
    return {
      ...counters,
      name,
      op: layer?.op ?? "",
      fused: layer?.fused ?? [],
      ...spans[slot],
      attributedCycles,
      busyCycles: sums,
      macUtilization: macSlots === 0 ? 0 : counters.macs / macSlots,
      energyPj: energyOf(counters, attributedCycles, p),
      bound: layer === undefined ? "latency" : boundName(needs, attributedCycles),
    };
  });
}

/** First start and last end of every slot; `(start)` ends when the first layer starts, `(end)` starts when the last one ends. */
function slotSpans({ slotStarts, slotEnds, segments }: Engine): { startCycle: number; endCycle: number }[] {
  const cycles = segments[segments.length - 1].endCycle;
  const last = slotStarts.length - 1;
  const begun = slotStarts.subarray(1, last).filter((cycle) => cycle >= 0);
  const ended = slotEnds.subarray(1, last).filter((cycle) => cycle >= 0);
  return Array.from(slotStarts, (start, slot) => {
    if (slot === 0) return { startCycle: 0, endCycle: begun.length > 0 ? Math.min(...begun) : cycles };
    if (slot === last) return { startCycle: ended.length > 0 ? Math.max(...ended) : cycles, endCycle: cycles };
    return { startCycle: Math.max(start, 0), endCycle: Math.max(slotEnds[slot], 0) };
  });
}

type KindCycles = Record<UnitKind, number>;
const noCycles = () => Object.fromEntries(UNIT_KINDS.map((kind) => [kind, 0])) as KindCycles;

/** Busy cycles of a slot by kind of unit: the sum over all units, and the busiest unit. */
function busyOf(
  { stream }: ProgramWork,
  { timeline }: Engine,
  slot: number,
): { sums: KindCycles; busiest: KindCycles } {
  const sums = noCycles();
  const busiest = noCycles();
  const chipUnits = stream.agents * stream.units;
  for (let unit = 0; unit < chipUnits; unit++) {
    const busy = timeline.slotBusy[slot * chipUnits + unit];
    const kind = stream.unitKinds[unit % stream.units];
    sums[kind] += busy;
    busiest[kind] = Math.max(busiest[kind], busy);
  }
  return { sums, busiest };
}

/** Cycles that the loads or stores of each slot take the busiest agent's engine when DRAM never keeps it waiting. */
function transferCycles(
  { stream, work }: ProgramWork,
  { parameters: p }: Machine,
  frames: number,
  op: "load" | "store",
): number[] {
  const rate = Math.min(p["dma.bytesPerCycle"], sramBytesPerCycle(p));
  const cycles = new Float64Array(stream.slots * stream.agents);
  work.forEach((shares, i) => {
    if (stream.instructions[i].op !== op) return;
    const times = i < stream.prologueLength ? 1 : frames;
    shares.forEach(({ idle, bytes, fillBytes }, agent) => {
      if (idle) return;
      cycles[stream.slotOf[i] * stream.agents + agent] += times * (p["dma.setupCycles"] + (bytes + fillBytes) / rate);
    });
  });
  return Array.from({ length: stream.slots }, (_, slot) =>
    Math.max(...cycles.subarray(slot * stream.agents, (slot + 1) * stream.agents)),
  );
}
