/** Energy: so much per event, and leakage and clock tree over time. */
import type { MachineParameters } from "../isa/index.ts";
import { type Counters, ENERGY_COMPONENTS, type EnergyPj } from "./result.ts";

const PJ_PER_JOULE = 1e12;

/** Energy of what the counters say, over so many cycles. */
export function energyOf(counters: Counters, cycles: number, p: MachineParameters): EnergyPj {
  const components = {
    mac: counters.macsExecuted * p["energy.macPj"],
    shift: counters.shiftedValues * p["energy.shiftPj"],
    sram: (counters.sramReadBytes + counters.sramWriteBytes) * p["energy.sramPjPerByte"],
    accumulator: counters.accumulatorAccesses * p["energy.accumulatorPj"],
    dma: counters.dmaBytes * p["energy.dmaPjPerByte"],
    link: counters.linkBytes * p["energy.linkPjPerByte"],
    dram: (counters.dramReadBytes + counters.dramWriteBytes) * p["energy.dramPjPerByte"],
    // every agent buffers, decodes and dispatches the one stream
    scalar: counters.instructions * p.agents * p["energy.instructionPj"],
    leakage: (p["energy.leakageW"] * PJ_PER_JOULE * cycles) / p.clockHz,
    clock: p["energy.clockPjPerCycle"] * cycles,
  };
  return { ...components, total: ENERGY_COMPONENTS.reduce((sum, name) => sum + components[name], 0) };
}

export function sumEnergy(parts: readonly EnergyPj[]): EnergyPj {
  const sum = Object.fromEntries([...ENERGY_COMPONENTS, "total"].map((name) => [name, 0])) as EnergyPj;
  for (const part of parts) {
    for (const name of ENERGY_COMPONENTS) sum[name] += part[name];
    sum.total += part.total;
  }
  return sum;
}
