/** Laws that every result obeys. The traffic is counted a second time here, from the instructions' effects alone. */
import {
  type BoundInstruction,
  type CheckedProgram,
  type Context,
  effects,
  INSTRUCTION_BYTES,
  type Machine,
  multicastGroup,
  peakMacsPerCycle,
  regionBytes,
  UNIT_KINDS,
} from "../isa/index.ts";
import { COUNTER_NAMES } from "./counters.ts";
import { type Bounds, ENERGY_COMPONENTS, type TimingResult } from "./result.ts";

const ENERGY_TOLERANCE = 1e-9;
/** Bounds are quotients; a cycle count may lie this much below one. */
const ROUNDING = 1e-6;

/** Collects what is violated. */
class Verdict {
  readonly violations: string[] = [];

  equal(what: string, value: number, expected: number, tolerance = 0): void {
    if (Math.abs(value - expected) > tolerance * Math.max(Math.abs(value), Math.abs(expected))) {
      this.violations.push(`${what}: ${value}, must be ${expected}`);
    }
  }

  atLeast(what: string, value: number, least: number): void {
    if (!(value >= least)) this.violations.push(`${what}: ${value}, must be at least ${least}`);
  }

  count(what: string, value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) this.violations.push(`${what}: ${value} is no count`);
  }
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Violated laws as sentences; none for a right result. @param machine the one simulated, if not the program's own */
export function checkLaws(
  checked: CheckedProgram,
  result: TimingResult,
  machine: Machine = checked.program.machine,
): string[] {
  const verdict = new Verdict();
  unitLaws(verdict, result);
  layerLaws(verdict, result);
  energyLaws(verdict, result);
  timeLaws(verdict, result, machine);
  trafficLaws(verdict, checked, result, machine);
  return verdict.violations;
}

/** Every cycle of a unit is busy or has one cause. */
function unitLaws(verdict: Verdict, { units, totals }: TimingResult): void {
  for (const { agent, unit, busyCycles, stalls } of units) {
    const name = `agent ${agent} ${unit}`;
    verdict.count(`${name}: busy cycles`, busyCycles);
    for (const [cause, cycles] of Object.entries(stalls)) verdict.count(`${name}: ${cause}`, cycles);
    verdict.equal(`${name}: busy and idle cycles`, busyCycles + sum(Object.values(stalls)), totals.cycles);
  }
}

/** What belongs to layers adds up to the whole. */
function layerLaws(verdict: Verdict, { units, layers, totals }: TimingResult): void {
  const attributed = layers.map(({ attributedCycles }) => attributedCycles);
  verdict.equal("attributed cycles of all layers", sum(attributed), totals.cycles);
  for (const counter of COUNTER_NAMES) {
    verdict.count(counter, totals[counter]);
    verdict.equal(`${counter} of all layers`, sum(layers.map((layer) => layer[counter])), totals[counter]);
  }
  for (const kind of UNIT_KINDS) {
    const busy = units.filter((unit) => unit.kind === kind).map(({ busyCycles }) => busyCycles);
    verdict.equal(`busy cycles of ${kind}`, sum(layers.map(({ busyCycles }) => busyCycles[kind])), sum(busy));
  }
  for (const { name, startCycle, endCycle, attributedCycles } of layers) {
    verdict.count(`${name}: attributed cycles`, attributedCycles);
    verdict.atLeast(`${name}: end`, endCycle, startCycle);
    verdict.atLeast(`the run's end after ${name}`, totals.cycles, endCycle);
  }
}

function energyLaws(verdict: Verdict, { layers, totals }: TimingResult): void {
  for (const component of [...ENERGY_COMPONENTS, "total"] as const) {
    const ofLayers = sum(layers.map(({ energyPj }) => energyPj[component]));
    verdict.equal(`energy ${component} of all layers`, ofLayers, totals.energyPj[component], ENERGY_TOLERANCE);
  }
  const components = sum(ENERGY_COMPONENTS.map((component) => totals.energyPj[component]));
  verdict.equal("energy of all components", components, totals.energyPj.total, ENERGY_TOLERANCE);
}

/** Time: bounds from below, MACs within the array's slots, frames within the run. */
function timeLaws(verdict: Verdict, { totals, frames, overlapFrames, units }: TimingResult, machine: Machine): void {
  const { cycles, prologueCycles, latencyCycles, intervalCycles, macs, macsExecuted, macSlots, bounds } = totals;
  for (const [name, value] of Object.entries({ cycles, prologueCycles, latencyCycles, intervalCycles })) {
    verdict.count(name, value);
  }
  for (const name of Object.keys(bounds) as (keyof Bounds)[]) {
    verdict.atLeast(`latencyCycles against ${name}`, latencyCycles, bounds[name] - ROUNDING);
    verdict.atLeast(`cycles of all frames against ${name}`, cycles - prologueCycles, frames * bounds[name] - ROUNDING);
  }
  verdict.atLeast("trafficCycles against dramCycles", bounds.trafficCycles, bounds.dramCycles);
  verdict.equal("macSlots", macSlots, peakMacsPerCycle(machine) * cycles);
  verdict.atLeast("macsExecuted against macs", macsExecuted, macs);
  verdict.atLeast("macSlots against macsExecuted", macSlots, macsExecuted);
  verdict.atLeast("cycles against prologue and first frame", cycles, prologueCycles + latencyCycles);
  if (!overlapFrames && isIdealDram(machine)) {
    verdict.equal("cycles of frames that do not overlap", cycles, prologueCycles + frames * latencyCycles);
    verdict.equal("interval of frames that do not overlap", intervalCycles, latencyCycles);
  }
  if (!overlapFrames && frames <= 2) {
    const sum = prologueCycles + latencyCycles + (frames - 1) * intervalCycles;
    verdict.equal("cycles of one or two frames that do not overlap", cycles, sum);
  }
  const channels = units.filter(({ kind }) => kind === "dram");
  const moved = totals.dramReadBytes + totals.dramWriteBytes;
  const peak = machine.parameters["dram.bytesPerCycle"] / channels.length;
  const carried = sum(channels.map(({ busyCycles }) => busyCycles)) * peak;
  verdict.atLeast("bytes DRAM's busy cycles carry", carried + ROUNDING * moved, moved);
}

/** DRAM without refresh, and whose open rows cost nothing: all frames find it alike. */
function isIdealDram({ parameters: p }: Machine): boolean {
  const costs = [
    p["dram.activateCycles"],
    p["dram.prechargeCycles"],
    p["dram.rowOpenCycles"],
    p["dram.activateSpacingCycles"],
    p["dram.writeRecoveryCycles"],
    p["dram.readToWriteCycles"],
    p["dram.writeToReadCycles"],
    p["dram.refreshCycles"],
  ];
  return costs.every((cycles) => cycles === 0);
}

interface Traffic {
  requested: number;
  moved: number;
  filled: number;
  written: number;
  instructions: number;
}

/** What a stream moves between memories, by its effects: each agent's DRAM bytes, and all bytes written to SRAM. */
function trafficOf(context: Context, stream: readonly BoundInstruction[]): Traffic {
  const traffic = { requested: 0, moved: 0, filled: 0, written: 0, instructions: stream.length };
  const bytes = (accesses: ReturnType<typeof effects>) => accesses.map(({ region }) => regionBytes(region));
  for (const bound of stream) {
    const { instruction } = bound;
    for (let agent = 0; agent < context.machine.parameters.agents; agent++) {
      const accesses = effects(context, bound, agent);
      const dram = sum(bytes(accesses.filter(({ space }) => space === "dram")));
      const writes = bytes(accesses.filter(({ space, write }) => space === "sram" && write));
      // a load with fill writes its whole window, of which the box it moves is a part
      const written = instruction.op === "load" ? Math.max(0, ...writes) : sum(writes);
      const isRead = instruction.op !== "load" || multicastGroup(instruction, agent)[0] === agent;
      traffic.requested += isRead ? dram : 0;
      traffic.moved += dram;
      traffic.written += written;
      if (instruction.op === "load") traffic.filled += written - dram;
    }
  }
  return traffic;
}

/** DMA: bytes delivered x fan-out + fill = SRAM bytes written by loads; what is asked of DRAM is what effects say. */
function trafficLaws(verdict: Verdict, checked: CheckedProgram, result: TimingResult, machine: Machine): void {
  const { program, bound } = checked;
  const prologue = trafficOf(program, bound.slice(0, program.prologue.length));
  const frame = trafficOf(program, bound.slice(program.prologue.length));
  const whole = (name: keyof Traffic) => prologue[name] + result.frames * frame[name];
  const { totals } = result;
  const fetched = whole("instructions") * INSTRUCTION_BYTES;
  verdict.equal("instructions", totals.instructions, whole("instructions"));
  verdict.equal("dmaBytes", totals.dmaBytes, whole("moved"));
  verdict.equal("fillBytes", totals.fillBytes, whole("filled"));
  verdict.equal("sramWriteBytes", totals.sramWriteBytes, whole("written"));
  verdict.equal("dramRequestedBytes", totals.dramRequestedBytes, whole("requested") + fetched);
  const rounded = totals.dramReadBytes + totals.dramWriteBytes;
  verdict.atLeast("burst-rounded bytes", rounded, totals.dramRequestedBytes);
  verdict.equal("burst-rounded bytes over whole bursts", rounded % machine.parameters["dram.burstBytes"], 0);
}
