/** The stream of a schedule: constants are loaded some pieces of work early, across the borders of phases where SRAM has room. */
import type { Machine } from "../../isa/index.ts";
import type { Draft } from "../../kernels/index.ts";
import { weightBytes } from "../schedule/phase.ts";
import type { Step } from "../schedule/search.ts";
import { placeBarriers } from "./barriers.ts";
import { allocateByUse } from "./buffers.ts";
import type { PhaseItem } from "./phase-emit.ts";

/** Constants are loaded this many pieces of work ahead. */
const LOAD_AHEAD = 2;

/**
 * All work in program order, with addresses; null when it takes more SRAM than there is. A phase's first constants begin as early in the
 * phase before as their loading takes, or a little ahead, or with the phase itself: the earliest for which SRAM has room.
 * @param items of each step
 */
export function withPrefetch(
  items: readonly (readonly PhaseItem[])[],
  steps: readonly Step[],
  machine: Machine,
): Draft[] | null {
  const fits = (leads: readonly number[]): Draft[] | null => {
    const drafts = placeBarriers(inOrder(items, leads));
    return allocateByUse(drafts, 0) <= machine.parameters["sram.bytes"] ? drafts : null;
  };
  const early = steps.map((step, i) => leadOf(step, steps[i - 1], items[i - 1]?.length ?? 0, machine));
  const all = fits(early);
  if (all !== null) return all;
  const leads = steps.map(() => 0);
  if (fits(leads) === null) return null;
  for (let i = 1; i < steps.length; i++) {
    for (const lead of new Set([early[i], LOAD_AHEAD])) {
      leads[i] = lead;
      if (fits(leads) !== null) break;
      leads[i] = 0;
    }
  }
  // addresses are those of the last try
  return fits(leads);
}

/** Pieces of work of the phase before that take as long as loading a phase's resident weights. */
function leadOf(step: Step, before: Step | undefined, pieces: number, machine: Machine): number {
  if (step.kind !== "phase" || before?.kind !== "phase" || !step.choice.weightsResident) return LOAD_AHEAD;
  const loadCycles = weightBytes(step.shape, machine) / machine.parameters["dram.bytesPerCycle"];
  return LOAD_AHEAD + Math.ceil(pieces * Math.min(1, loadCycles / before.cost.cycles));
}

/** @param leads of each step: how many pieces its first constants go ahead; 0: none go before the step */
function inOrder(items: readonly (readonly PhaseItem[])[], leads: readonly number[]): Draft[] {
  const early: Draft[][] = items.flat().map(() => []);
  let at = 0;
  items.forEach((own, step) => {
    const start = at;
    const first = own.findIndex(({ constants }) => constants.length > 0);
    for (const [i, { constants }] of own.entries()) {
      const lead = i === first ? i + leads[step] : LOAD_AHEAD;
      const floor = leads[step] === 0 ? start : 0;
      early[Math.max(floor, at - lead)].push(...constants);
      at++;
    }
  });
  return items.flat().flatMap(({ drafts }, i) => [...early[i], ...drafts]);
}
