import fc from "fast-check";
import { test } from "vitest";
import { withParameters } from "../../isa/index.ts";
import { simulateTiming } from "../../sim/timing/index.ts";
import { build, plans } from "./random-program.ts";
const better: Record<string, (v: number) => number> = {
 "dram.bytesPerCycle": v => v*1.37, "dram.latencyCycles": v => Math.floor(v*0.6), "dma.bytesPerCycle": v=>v*1.5, "dma.setupCycles": v=>Math.floor(v/2), "dma.outstanding": v=>v+1,
 "link.bytesPerCycle": v=>v*1.5, "link.latencyCycles": v=>v>>1, "issue.cyclesPerInstruction": v=>Math.max(1,v-1), "issue.queueDepth": v=>v+1, "sync.latencyCycles": v=>v>>1, "scalar.cyclesPerOperation": v=>Math.max(1,v-1), "lanes.latencyCycles": v=>v>>1, "sram.banks": v=>Math.min(1024,v*2), "shift.lanes": v=>v*2, "pool.lanes": v=>v+1,
};
for (const mode of ["noStore1block", "all1block", "noStore", "all", "agents4"]) test("probe " + mode, () => {
  const kinds = ["load","conv","shift","pool","add","copy","range","exponent","reduce","sync","fence","view"] as const;
  let n=0, worse=0, worst=0; const by = new Map<string, number>(); const w = new Map<string, number>();
  fc.assert(fc.property(mode.startsWith("noStore") ? plans(1, kinds) : plans(mode==="agents4"?4:1), fc.constantFrom(...Object.keys(better)), fc.boolean(), fc.integer({min:1,max:3}), (plan, key, overlap, frames) => {
    const program = build({...plan, machine: {...plan.machine, ...(mode.endsWith("1block") ? {"issue.fetchInstructions": 512}: {})}});
    const machine = withParameters(program.program.machine, {[key]: better[key](program.program.machine.parameters[key as "dram.bytesPerCycle"])}, "x");
    const fr = mode.endsWith("1block") ? 1 : frames;
    const a = simulateTiming(program, {frames: fr, overlapFrames: overlap}).totals.cycles, b = simulateTiming(program, { machine, frames:fr, overlapFrames: overlap }).totals.cycles;
    n++; if (b > a) { worse++; by.set(key, (by.get(key)??0)+1); worst = Math.max(worst, (b-a)/a); w.set(key, Math.max(w.get(key)??0, (b-a))); }
  }), { numRuns: 4000 });
  console.log(mode, n, "worse", worse, worst, by, w);
}, 600000);
