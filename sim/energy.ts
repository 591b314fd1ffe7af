/** Energy: so much per event, and leakage and clock tree over time. The formulas of docs/energy.md. */
import type { MachineParameters } from "../isa/index.ts";
import { areaMm2 } from "./area.ts";
import { type Counters, ENERGY_COMPONENTS, type EnergyPj } from "./result.ts";
import { logicScale, REFERENCE_VOLTAGE, wireScale } from "./technology.ts";

const PJ_PER_JOULE = 1e12;

/** Banks for which the machine's energies per access are given. */
const SRAM_BANK_BYTES = 32 * 1024;
const ACCUMULATOR_BANK_BYTES = 2 * 1024;
/** Below this size the periphery takes all: a smaller bank costs no less. */
const SMALLEST_BANK_BYTES = 1024;

/**
 * An access to a bank of another size: bit lines and word lines grow with the square root of the capacity. (Horowitz's 8 KiB,
 * 32 KiB and 1 MiB at 10, 20 and 100 pJ for 64 bits lie on it within 13 %.)
 */
function bankFactor(bytes: number, givenForBytes: number): number {
  return Math.sqrt(Math.max(bytes, SMALLEST_BANK_BYTES) / givenForBytes);
}

/** A cell of the array: two weights (one in use, one coming), an activation, a partial sum. */
const CELL_REGISTER_BITS = 2 * 8 + 8 + 32;
/** A lane: an int32 and an 8-bit result. */
const LANE_REGISTER_BITS = 32 + 8;

/** Clocked bits of all arrays and lanes. */
function registerBits(p: MachineParameters): number {
  const lanes = p["shift.lanes"] + p["pool.lanes"] + p["range.lanes"];
  return (
    p.agents *
    p["agent.tensorProcessors"] *
    (p["array.rows"] * p["array.cols"] * CELL_REGISTER_BITS + lanes * LANE_REGISTER_BITS)
  );
}

/** Power that flows whatever the chip does, in watts. */
function leakageW(p: MachineParameters): number {
  return p["energy.leakageWPerMm2"] * areaMm2(p).total * (p["tech.voltage"] / REFERENCE_VOLTAGE);
}

/** Energy of what the counters say, over so many cycles. */
export function energyOf(counters: Counters, cycles: number, p: MachineParameters): EnergyPj {
  const logic = logicScale(p);
  const wire = wireScale(p);
  const sramPjPerByte = p["energy.sramPjPerByte"] * bankFactor(p["sram.bytes"] / p["sram.banks"], SRAM_BANK_BYTES);
  // one bank of accumulators for each column
  const accumulatorBank = p["array.accumulatorBytes"] / p["array.cols"];
  const accumulatorPj = p["energy.accumulatorPj"] * bankFactor(accumulatorBank, ACCUMULATOR_BANK_BYTES);
  const components = {
    mac: counters.macsExecuted * p["energy.macPj"] * logic,
    shift: counters.shiftedValues * p["energy.shiftPj"] * logic,
    sram: (counters.sramReadBytes + counters.sramWriteBytes) * sramPjPerByte * logic,
    accumulator: counters.accumulatorAccesses * accumulatorPj * logic,
    dma: counters.dmaBytes * p["energy.dmaPjPerByte"] * wire,
    link: counters.linkBytes * p["energy.linkPjPerByte"] * wire,
    dram: (counters.dramReadBytes + counters.dramWriteBytes) * p["energy.dramPjPerByte"],
    // every agent buffers, decodes and dispatches the one stream
    scalar: counters.instructions * p.agents * p["energy.instructionPj"] * logic,
    leakage: (leakageW(p) * PJ_PER_JOULE * cycles) / p.clockHz,
    clock: registerBits(p) * p["energy.registerPj"] * logic * cycles,
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
