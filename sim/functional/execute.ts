/** What each instruction does: total over the instruction table. */
import { type Handlers, handlerOf, type Instruction, type InstructionOf, type Op } from "../../isa/index.ts";
import { type Chip, hasWork, type Site, type Step, type WorkSite } from "./chip.ts";
import { convStep } from "./convolution.ts";
import { addStep, poolStep } from "./elementwise.ts";
import { exponentStep, reduceStep, scalarStep } from "./exponents.ts";
import { rangeStep, shiftStep } from "./shift-range.ts";
import { copyAcrossStep, loadStep, storeStep } from "./transfer.ts";

type Prepare<O extends Op> = (instruction: InstructionOf<O>, chip: Chip, site: WorkSite) => Step | null;

/** An instruction clipped to nothing does nothing. */
const boxed =
  <O extends Op>(prepare: Prepare<O>) =>
  (instruction: InstructionOf<O>, chip: Chip, site: Site): Step | null =>
    hasWork(site) ? prepare(instruction, chip, site) : null;

/** Views are looked up beforehand; program order, which executes all agents' steps, needs no synchronisation. */
const nothing = () => null;

const EXECUTE: Handlers<[Chip, Site], Step | null> = {
  halt: nothing,
  view: nothing,
  sync: nothing,
  fence: nothing,
  load: boxed(loadStep),
  store: boxed(storeStep),
  conv: boxed(convStep),
  shift: boxed(shiftStep),
  pool: boxed(poolStep),
  add: boxed(addStep),
  copy: boxed(copyAcrossStep),
  range: boxed(rangeStep),
  reduce: (instruction, chip, { agent }) => (agent === 0 ? reduceStep(instruction, chip) : null),
  exponent: (instruction, chip, { agent }) => exponentStep(instruction, chip, agent),
  scalar: (instruction, chip, { agent }) => scalarStep(instruction, chip, agent),
};

/** Resolves one agent's share of an instruction; null when there is nothing to do. */
export function prepare(instruction: Instruction, chip: Chip, site: Site): Step | null {
  return handlerOf(EXECUTE, instruction)(instruction, chip, site);
}
