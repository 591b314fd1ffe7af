/** The time of a program on a machine: runs the engine and turns what it saw into results. */
import {
  type CheckedProgram,
  type Machine,
  peakMacsPerCycle,
  RapError,
  structureDifferences,
  tensorBytes,
  UNIT_KINDS,
  unitName,
} from "../../isa/index.ts";
import { addCounters, noCounters } from "../counters.ts";
import { energyOf, sumEnergy } from "../energy.ts";
import type { SimulationEmitter } from "../events.ts";
import type { Counters, LayerResult, StallCause, TimingResult, UnitResult } from "../result.ts";
import { attributeCycles } from "./attribution.ts";
import { boundName, boundsOf } from "./bounds.ts";
import { Engine, type Listeners } from "./engine.ts";
import { type ProgramWork, programWork } from "./program-work.ts";
import { countSlots } from "./slot-counters.ts";
import { CAUSES } from "./timeline.ts";

export interface TimingOptions {
  /** Other rates than the program's machine has; the structure must be the same. */
  readonly machine?: Machine;
  /** Frames after the prologue; default 1. */
  readonly frames?: number;
  /** Frames follow each other without a barrier between them; default false. */
  readonly overlapFrames?: boolean;
  readonly events?: SimulationEmitter;
}

const MAX_FRAMES = 100_000;

/**
 * Simulates the time of a checked program: cycles, traffic and energy. Values play no part in it.
 * @throws RapError for a machine of another structure, or an impossible number of frames
 */
export function simulateTiming(checked: CheckedProgram, options: TimingOptions = {}): TimingResult {
  const { program } = checked;
  const { machine = program.machine, frames = 1, overlapFrames = false } = options;
  const differences = structureDifferences(program.machine, machine);
  if (differences.length > 0) {
    throw new RapError(
      `machine '${machine.name}': program '${program.name}' is compiled for another structure: ${differences.join("; ")}. Compile it for this machine`,
    );
  }
  if (!Number.isInteger(frames) || frames < 1 || frames > MAX_FRAMES) {
    throw new RapError(`frames = ${frames}: must be a whole number 1..${MAX_FRAMES}`);
  }
  const work = programWork(checked);
  const listeners = listenersOf(checked, work, options.events);
  const engine = new Engine(program, work, machine.parameters, { frames, overlapFrames }, listeners);
  engine.run();
  return resultOf(checked, work, engine, machine, { frames, overlapFrames });
}

/** Layer names by slot. */
function slotNames({ program }: CheckedProgram): string[] {
  return ["(start)", ...program.layers.map(({ name }) => name), "(end)"];
}

function listenersOf(checked: CheckedProgram, { stream }: ProgramWork, events?: SimulationEmitter): Listeners {
  const wants = (name: "instruction" | "stall" | "dram" | "frame") => (events?.listenerCount(name) ?? 0) > 0;
  const names = slotNames(checked);
  const place = unitPlaces(checked);
  return {
    onInstruction: wants("instruction")
      ? (unit, index, startCycle, endCycle) =>
          events!.emit("instruction", {
            ...place(unit),
            index,
            startCycle,
            endCycle,
            layer: names[stream.slotOf[index]],
          })
      : null,
    onStall: wants("stall")
      ? (unit, cause, startCycle, endCycle) => events!.emit("stall", { ...place(unit), cause, startCycle, endCycle })
      : null,
    onDram: wants("dram")
      ? (startCycle, endCycle, bytes, write, slot) =>
          events!.emit("dram", { startCycle, endCycle, bytes, write, layer: slot < 0 ? "(fetch)" : names[slot] })
      : null,
    onFrame: wants("frame")
      ? (frame, startCycle, endCycle) => events!.emit("frame", { frame, startCycle, endCycle })
      : null,
  };
}

/** Agent and name of a unit of the chip. */
function unitPlaces({ program }: CheckedProgram): (unit: number) => { agent: number; unit: string } {
  const tensorProcessors = program.machine.parameters["agent.tensorProcessors"];
  const units = 4 + 4 * tensorProcessors;
  return (unit) => ({ agent: Math.floor(unit / units), unit: unitName(unit % units, tensorProcessors) });
}

function resultOf(
  checked: CheckedProgram,
  work: ProgramWork,
  engine: Engine,
  machine: Machine,
  { frames, overlapFrames }: { frames: number; overlapFrames: boolean },
): TimingResult {
  const p = machine.parameters;
  const { segments } = engine;
  const slotCounters = countSlots(work, engine.transfers, p);
  const layers = layersOf(checked, work, engine, machine, frames, overlapFrames, slotCounters);

  const cycles = segments[segments.length - 1].endCycle;
  const inFrames = segments.filter(({ isPrologue }) => !isPrologue);
  const latencyCycles = inFrames[0].endCycle - inFrames[0].startCycle;
  const intervalCycles = frames === 1 ? latencyCycles : inFrames[frames - 1].endCycle - inFrames[frames - 2].endCycle;
  const totals = noCounters();
  for (const layer of layers) addCounters(totals, layer);
  const frameCounters = noCounters();
  for (const counters of slotCounters.frame) addCounters(frameCounters, counters);
  const macSlots = peakMacsPerCycle(machine) * cycles;
  const energyPj = sumEnergy(layers.map((layer) => layer.energyPj));
  const seconds = cycles / p.clockHz;
  const joules = energyPj.total * 1e-12;
  const input = checked.program.tensors.find(({ name }) => name === checked.program.host.input.tensor)!;
  return {
    frames,
    overlapFrames,
    totals: {
      ...totals,
      cycles,
      prologueCycles: segments[0].isPrologue ? segments[0].endCycle : 0,
      latencyCycles,
      intervalCycles,
      seconds,
      framesPerSecond: p.clockHz / intervalCycles,
      macSlots,
      macUtilization: totals.macs / macSlots,
      hostBytes: frames * tensorBytes(input),
      energyPj,
      averagePowerW: joules / seconds,
      framesPerJoule: joules === 0 ? 0 : frames / joules,
      bounds: boundsOf(checked, work, engine.transfers, frameCounters, machine),
    },
    units: unitsOf(checked, work, engine, cycles),
    layers,
    events: engine.events,
  };
}

function layersOf(
  checked: CheckedProgram,
  work: ProgramWork,
  engine: Engine,
  machine: Machine,
  frames: number,
  overlapFrames: boolean,
  slotCounters: { prologue: Counters[]; frame: Counters[] },
): LayerResult[] {
  const { stream } = work;
  const p = machine.parameters;
  const attributed = attributeCycles(stream, engine.segments, overlapFrames);
  const names = slotNames(checked);
  const needs = transferNeeds(work, engine, machine, frames);
  return names.map((name, slot) => {
    const counters = noCounters();
    addCounters(counters, slotCounters.prologue[slot]);
    addCounters(counters, slotCounters.frame[slot], frames);
    const { sums, busiest } = busyOf(work, engine, slot);
    const need = new Map<string, number>([
      ["mac", busiest.mac],
      ["dram", (counters.dramReadBytes + counters.dramWriteBytes) / p["dram.bytesPerCycle"]],
      ["load", needs.load[slot]],
      ["store", needs.store[slot]],
      ["shift", busiest.shift],
      ["pool", busiest.pool],
      ["link", busiest.link],
    ]);
    const attributedCycles = attributed[slot];
    const macSlots = peakMacsPerCycle(machine) * attributedCycles;
    const layer = checked.program.layers[slot - 1];
    return {
      ...counters,
      name,
      op: layer?.op ?? "",
      fused: layer?.fused ?? [],
      startCycle: Math.max(engine.slotStarts[slot], 0),
      endCycle: Math.max(engine.slotEnds[slot], 0),
      attributedCycles,
      busyCycles: sums,
      macUtilization: macSlots === 0 ? 0 : counters.macs / macSlots,
      energyPj: energyOf(counters, attributedCycles, p),
      bound: boundName(need, attributedCycles),
    };
  });
}

type KindCycles = { [K in (typeof UNIT_KINDS)[number]]: number };
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

/** Cycles that the transfers of each slot take the busiest DMA engine when DRAM is infinitely fast. */
function transferNeeds(
  { stream, work }: ProgramWork,
  _engine: Engine,
  machine: Machine,
  frames: number,
): { load: Float64Array; store: Float64Array } {
  const p = machine.parameters;
  const needs = { load: new Float64Array(stream.slots), store: new Float64Array(stream.slots) };
  for (const op of ["load", "store"] as const) {
    const byAgent = new Float64Array(stream.slots * stream.agents);
    work.forEach((shares, i) => {
      if (stream.instructions[i].op !== op) return;
      const times = i < stream.prologueLength ? 1 : frames;
      shares.forEach(({ idle, bytes, fillBytes }, agent) => {
        if (idle) return;
        const cycles = p["dma.setupCycles"] + (bytes + fillBytes) / p["dma.bytesPerCycle"];
        byAgent[stream.slotOf[i] * stream.agents + agent] += times * cycles;
      });
    });
    byAgent.forEach((cycles, at) => {
      const slot = Math.floor(at / stream.agents);
      needs[op][slot] = Math.max(needs[op][slot], cycles);
    });
  }
  return needs;
}

function unitsOf(checked: CheckedProgram, { stream }: ProgramWork, engine: Engine, cycles: number): UnitResult[] {
  const { timeline, dram, lastRequestEnd } = engine;
  const place = unitPlaces(checked);
  const units: UnitResult[] = [];
  for (let unit = 0; unit < stream.agents * stream.units; unit++) {
    const stalls: { [C in StallCause]?: number } = {};
    CAUSES.forEach((cause, k) => {
      const idle = timeline.stalls[unit * CAUSES.length + k];
      if (idle > 0) stalls[cause] = idle;
    });
    const kind = stream.unitKinds[unit % stream.units];
    units.push({ ...place(unit), kind, busyCycles: timeline.busy[unit], stalls });
  }
  const waited = lastRequestEnd - dram.busyCycles;
  const after = cycles - lastRequestEnd;
  units.push({
    agent: -1,
    unit: "dram",
    kind: "dram",
    busyCycles: dram.busyCycles,
    stalls: { ...(after > 0 ? { finished: after } : {}), ...(waited > 0 ? { noRequest: waited } : {}) },
  });
  return units;
}
