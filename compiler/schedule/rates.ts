/** How fast bytes move between DRAM and SRAM, from the machine's own parameters. */
import type { Machine } from "../../isa/index.ts";

export interface Rates {
  /** from a transfer's start to its first byte, another row of DRAM opened on the way, cycles */
  readonly startUp: number;
  /** DRAM bytes per cycle, refreshes taken off */
  readonly dram: number;
  /** of one agent's engine, bytes per cycle */
  readonly dma: number;
}

export function ratesOf({ parameters: p }: Machine): Rates {
  return {
    startUp: p["dma.setupCycles"] + p["dram.latencyCycles"] + p["dram.prechargeCycles"] + p["dram.activateCycles"],
    dram: p["dram.bytesPerCycle"] * (1 - p["dram.refreshCycles"] / p["dram.refreshIntervalCycles"]),
    dma: p["dma.bytesPerCycle"],
  };
}

/** Cycles of a transfer by every agent. @param bytes of one agent; @param dramBytes of all together */
export const transferCycles = (bytes: number, dramBytes: number, { startUp, dram, dma }: Rates) =>
  startUp + Math.max(bytes / dma, dramBytes / dram);
