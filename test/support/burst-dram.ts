/** The burst-by-burst DRAM of test/reference with a machine's parameters, where `simulateTiming` takes a DRAM. */
import type { CreateDram } from "../../sim/timing/engine.ts";
import { BurstDram } from "../reference/dram.ts";

export const createBurstDram: CreateDram = (p, ports, _slots, host) =>
  new BurstDram(
    {
      bytesPerCycle: p["dram.bytesPerCycle"],
      burstBytes: p["dram.burstBytes"],
      banks: p["dram.banks"],
      rowBytes: p["dram.rowBytes"],
      tRCD: p["dram.activateCycles"],
      tRP: p["dram.prechargeCycles"],
      tRAS: p["dram.rowOpenCycles"],
      tRRD: p["dram.activateSpacingCycles"],
      writeRecovery: p["dram.writeRecoveryCycles"],
      readToWrite: p["dram.readToWriteCycles"],
      writeToRead: p["dram.writeToReadCycles"],
      tREFI: p["dram.refreshIntervalCycles"],
      tRFC: p["dram.refreshCycles"],
      quantumBytes: p["dram.quantumBytes"],
      ports: ports.count,
      urgentPort: ports.fetch,
    },
    host,
  );
