// Which means a schedule uses, read off the program: so that tests can say that they came to pass.
import type { Program, ScheduleStep } from "../../isa/index.ts";
import type { TimingResult } from "../../sim/index.ts";

export const MECHANISMS = [
  "several layers in a phase",
  "a layer by itself",
  "a convolution with its pooling by itself",
  "stripes",
  "columns",
  "kept rows",
  "halos computed again",
  "parts in SRAM",
  "exchanged margins",
  "exchanged corners",
  "uneven edges",
  "slices of output channels",
  "streamed weights",
  "input chunks",
  "stored pieces",
  "additions across a border",
  "parts of a concatenation across a border",
] as const;
export type Mechanism = (typeof MECHANISMS)[number];

export function mechanismsOf(program: Program, timing: TimingResult): Set<Mechanism> {
  const { schedule, layers, body, sourceMap, prologue, tensors } = program;
  const found = new Set<Mechanism>();
  const note = (mechanism: Mechanism, isThere: boolean) => {
    if (isThere) found.add(mechanism);
  };
  const inPhase = new Set<number>();
  for (const step of schedule) {
    const [first, end] = step.layers;
    for (let layer = first; layer < end; layer++) inPhase.add(layer);
    const [down, across] = [step.stripe[0] < step.tile[0], step.stripe[1] < step.tile[1]];
    const inSram = step.tensors.filter(({ home }) => home === "sram");
    note("several layers in a phase", end - first > 1);
    note("stripes", down);
    note("columns", across);
    note("parts in SRAM", inSram.length > 0);
    note("uneven edges", inSram.length > 0 && isUneven(program, step));
    note("slices of output channels", step.channels !== null);
    note("streamed weights", step.weights === "streamed");
    note("additions across a border", layers[first].op === "add" || layers[end - 1].op === "add");
  }
  note("a layer by itself", schedule.length > 0 && layers.some((_, layer) => !inPhase.has(layer)));
  note("halos computed again", schedule.length > 0 && timing.totals.macsExecuted > timing.totals.macs);
  const isLoaded = new Set(body.flatMap(({ op }, i) => (op === "load" ? [sourceMap[prologue.length + i].layer] : [])));
  const alone = layers.findIndex(({ op }, layer) => op.endsWith("pool") && !inPhase.has(layer) && !isLoaded.has(layer));
  note("a convolution with its pooling by itself", schedule.length > 0 && alone >= 0);
  // more than one step names a tensor it crosses a border with, as a writer of some of its channels
  const stores = new Set<string>();
  const writers = new Map<number, Set<number>>();
  body.forEach((instruction, i) => {
    const { layer, tile } = sourceMap[prologue.length + i];
    if (!inPhase.has(layer)) return;
    if (instruction.op === "conv") note("input chunks", instruction.add);
    if (instruction.op === "copy") {
      const { offsetY, offsetX } = instruction;
      note("exchanged margins", offsetY !== 0 || offsetX !== 0);
      note("exchanged corners", offsetY !== 0 && offsetX !== 0);
      note("kept rows", offsetY === 0 && offsetX === 0 && layers[layer].op !== "copy");
    }
    if (instruction.op === "store") {
      const key = `${layer},${tile}`;
      note("stored pieces", stores.has(key));
      stores.add(key);
    }
    if (instruction.op === "shift" || instruction.op === "pool") {
      const step = schedule.findIndex(({ layers: [first, end] }) => layer >= first && layer < end);
      const { channelOffset } = instruction;
      if (channelOffset > 0) writers.set(step, (writers.get(step) ?? new Set()).add(layer));
    }
  });
  for (const [step, placed] of writers) {
    const crossing = new Set(schedule[step].tensors.map(({ name }) => name));
    note(
      "parts of a concatenation across a border",
      placed.size > 0 &&
        tensors.some(({ name }) => crossing.has(name)) &&
        schedule.some((other, i) => i > step && other.tensors.some(({ name }) => crossing.has(name))),
    );
  }
  return found;
}

/** Whether the agents' parts of a step's result are not all of one size. */
function isUneven({ tensors, layers }: Program, { grid, tile, layers: [, end] }: ScheduleStep): boolean {
  const result = tensors.find(({ name }) => name === layers[end - 1].name);
  return result !== undefined && (grid[0] * tile[0] !== result.height || grid[1] * tile[1] !== result.width);
}
