import {
  type Access,
  type CheckedProgram,
  HISTOGRAM_REGISTERS,
  type MemorySpace,
  SCALAR_REGISTERS,
  type UnitKind,
} from "../../isa/index.ts";
import { AccessLog } from "./access-log.ts";
import type { Order } from "./order.ts";

/** The kinds of units that touch a memory, of its own agent or, for DRAM, of all. */
const TOUCHED_BY: Readonly<Record<MemorySpace, readonly UnitKind[]>> = {
  dram: ["load", "store"],
  sram: ["load", "store", "link", "mac", "shift", "pool", "range"],
  accumulators: ["mac", "shift", "range"],
  registers: ["scalar", "link", "shift", "pool", "range"],
};

/**
 * DRAM is looked up by address, in so many parts; the other memories hold few live accesses each. More parts are slower:
 * tiles of a tensor span many of them.
 */
const DRAM_PAGES = 64;

/** The access logs of all memories of a chip. */
export class Memories {
  private readonly logs = new Map<string, AccessLog>();
  private readonly touching = new Map<AccessLog, ReadonlySet<number>>();
  private readonly copiesAcross: boolean;

  constructor(
    private readonly checked: CheckedProgram,
    private readonly order: Order,
    private readonly firstSweep: number,
  ) {
    this.copiesAcross = checked.bound.some(
      ({ instruction }) => instruction.op === "copy" && (instruction.offsetY !== 0 || instruction.offsetX !== 0),
    );
  }

  /** The log of the memory an access is in, made by a thread. */
  logOf({ space, agent, tp }: Access, thread: number): AccessLog {
    const key = `${space}${agent}.${tp}`;
    let log = this.logs.get(key);
    if (log === undefined) {
      const threads = this.threadsTouching(space, agent);
      const pages = space === "dram" ? DRAM_PAGES : 1;
      log = new AccessLog(this.bytes(space), pages, () => this.order.knownToAll(threads), this.firstSweep);
      this.logs.set(key, log);
      this.touching.set(log, new Set(threads));
    }
    if (!this.touching.get(log)!.has(thread)) throw new Error(`${space}: touched by a unit that TOUCHED_BY leaves out`);
    return log;
  }

  private threadsTouching(space: MemorySpace, agent: number): number[] {
    const { threads } = this.order;
    const kinds = TOUCHED_BY[space];
    if (space === "dram") return threads.ofKinds(kinds, "all");
    const own = threads.ofKinds(kinds, agent);
    const links = space === "sram" && this.copiesAcross ? threads.ofKinds(["link"], "all") : [];
    return [...new Set([...own, ...links])];
  }

  private bytes(space: MemorySpace): number {
    const { program } = this.checked;
    const p = program.machine.parameters;
    switch (space) {
      case "dram":
        return program.dramBytes;
      case "sram":
        return p["sram.bytes"];
      case "accumulators":
        return p["array.accumulatorBytes"];
      case "registers":
        return SCALAR_REGISTERS + HISTOGRAM_REGISTERS;
    }
  }
}
