/** What the engine saw, as results. */
import { type CheckedProgram, type Machine, peakMacsPerCycle, tensorBytes } from "../../isa/index.ts";
import { areaMm2 } from "../area.ts";
import { addCounters, noCounters } from "../counters.ts";
import { sumEnergy } from "../energy.ts";
import type { StallCause, TimingResult, UnitResult } from "../result.ts";
import { boundsOf } from "./bounds.ts";
import type { Engine } from "./engine.ts";
import { layersOf } from "./layer-results.ts";
import { unitPlaces } from "./names.ts";
import type { ProgramWork } from "./program-work.ts";
import { countSlots } from "./slot-counters.ts";
import { CAUSES } from "./timeline.ts";

const JOULES_PER_PJ = 1e-12;

/** Results of a finished run. Totals are the sums of the layers. */
export function resultOf(checked: CheckedProgram, work: ProgramWork, engine: Engine, machine: Machine): TimingResult {
  const p = machine.parameters;
  const { segments } = engine;
  const { frames, overlapFrames } = engine.options;
  const slotCounters = countSlots(work, engine.transfers, engine.fetchPlan);
  const layers = layersOf(checked, work, engine, machine, slotCounters);
  const counters = noCounters();
  for (const layer of layers) addCounters(counters, layer);
  const frameCounters = noCounters();
  for (const ofSlot of slotCounters.frame) addCounters(frameCounters, ofSlot);

  const cycles = segments[segments.length - 1].endCycle;
  const inFrames = segments.filter(({ isPrologue }) => !isPrologue);
  const latencyCycles = inFrames[0].endCycle - inFrames[0].startCycle;
  const intervalCycles = frames === 1 ? latencyCycles : inFrames[frames - 1].endCycle - inFrames[frames - 2].endCycle;
  const macSlots = peakMacsPerCycle(machine) * cycles;
  const energyPj = sumEnergy(layers.map((layer) => layer.energyPj));
  const seconds = cycles / p.clockHz;
  const joules = energyPj.total * JOULES_PER_PJ;
  const input = checked.program.tensors.find(({ name }) => name === checked.program.host.input.tensor)!;
  return {
    frames,
    overlapFrames,
    totals: {
      ...counters,
      cycles,
      prologueCycles: segments[0].isPrologue ? segments[0].endCycle : 0,
      latencyCycles,
      intervalCycles,
      seconds,
      framesPerSecond: p.clockHz / intervalCycles,
      macSlots,
      macUtilization: counters.macs / macSlots,
      hostBytes: frames * tensorBytes(input),
      energyPj,
      averagePowerW: joules / seconds,
      framesPerJoule: joules === 0 ? 0 : frames / joules,
      areaMm2: areaMm2(p),
      bounds: boundsOf(checked, work, engine.transfers, frameCounters, machine),
    },
    units: unitsOf(checked, work, engine, cycles),
    layers,
    events: engine.events,
  };
}

type Stalls = { [C in StallCause]?: number };

function unitsOf(checked: CheckedProgram, { stream }: ProgramWork, engine: Engine, cycles: number): UnitResult[] {
  const { timeline } = engine;
  const place = unitPlaces(checked);
  const units = Array.from({ length: stream.agents * stream.units }, (_, unit): UnitResult => {
    const stalls: Stalls = {};
    CAUSES.forEach((cause, k) => {
      const idle = timeline.stalls[unit * CAUSES.length + k];
      if (idle > 0) stalls[cause] = idle;
    });
    return { ...place(unit), kind: stream.unitKinds[unit % stream.units], busyCycles: timeline.busy[unit], stalls };
  });
  return [...units, ...dramUnits(engine, cycles)];
}

/** DRAM's data bus, one for each channel: `finished` after its last request. */
function dramUnits({ dram }: Engine, cycles: number): UnitResult[] {
  return dram.usage.map((usage, channel) => {
    const { busyCycles, rowCycles, turnaroundCycles, refreshCycles, lastEnd } = usage;
    const idle: [StallCause, number][] = [
      ["finished", cycles - lastEnd],
      ["refresh", refreshCycles],
      ["turnaround", turnaroundCycles],
      ["row", rowCycles],
      ["noRequest", lastEnd - busyCycles - refreshCycles - turnaroundCycles - rowCycles],
    ];
    const stalls = Object.fromEntries(idle.filter(([, count]) => count > 0));
    const unit = dram.usage.length === 1 ? "dram" : `dram${channel}`;
    return { agent: -1, unit, kind: "dram", busyCycles, stalls };
  });
}
