/** What every agent's share of every instruction costs, in tables: [instruction * agents + agent]. */
import type { MachineParameters } from "../../isa/index.ts";
import { COST_RATES, cost } from "./costs.ts";
import type { ProgramWork } from "./program-work.ts";

export interface CostTable {
  /** See `Cost`. */
  readonly occupancy: Float64Array;
  readonly tail: Float64Array;
  /** 1: its time comes from its DRAM requests instead. */
  readonly isTransfer: Uint8Array;
  /** Bytes of the agent's own SRAM that it reads and writes. */
  readonly sramBytes: Float64Array;
  /** Agent in whose SRAM it writes as many; -1: none. */
  readonly copiesTo: Int16Array;
}

function build({ stream, work }: ProgramWork, p: MachineParameters): CostTable {
  const { agents, instructions } = stream;
  const size = work.length * agents;
  const table = {
    occupancy: new Float64Array(size),
    tail: new Float64Array(size),
    isTransfer: new Uint8Array(size),
    sramBytes: new Float64Array(size),
    copiesTo: new Int16Array(size).fill(-1),
  };
  for (let i = 0; i < work.length; i++) {
    const shares = work[i];
    for (let agent = 0, end = 0; agent < shares.length; agent = end) {
      const share = shares[agent];
      while (end < shares.length && shares[end] === share) end++;
      const { occupancy, tail } = cost(instructions[i], share, p);
      const sramBytes = share.sramReadBytes + (share.copiesTo < 0 ? share.sramWriteBytes : 0);
      for (let at = i * agents + agent; at < i * agents + end; at++) {
        table.occupancy[at] = occupancy;
        table.tail[at] = tail;
        if (share.region !== null) table.isTransfer[at] = 1;
        table.sramBytes[at] = sramBytes;
        table.copiesTo[at] = share.copiesTo;
      }
    }
  }
  return table;
}

const known = new WeakMap<ProgramWork, { readonly rates: string; readonly table: CostTable }>();

/** The program's costs on a machine; those of the rates used last are kept. */
export function costTable(programWork: ProgramWork, p: MachineParameters): CostTable {
  const rates = COST_RATES.map((rate) => p[rate]).join();
  const latest = known.get(programWork);
  if (latest?.rates === rates) return latest.table;
  const table = build(programWork, p);
  known.set(programWork, { rates, table });
  return table;
}
