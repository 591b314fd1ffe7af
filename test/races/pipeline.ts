import type { CheckedProgram, Instruction, Program } from "../../isa/index.ts";
import { axis, ProgramBuilder } from "../functional/builder.ts";

/** One signal and the wait that takes it, as indices into the body. */
export interface Pair {
  readonly semaphore: number;
  readonly signal: number;
  readonly wait: number;
}

const TILES = 6;
const BUFFERS = 2;

/**
 * A 1 x 1 convolution over the rows of a picture: load, convolve, shift, store, everything in two buffers that take
 * turns. Semaphores say "full" forwards and "free" backwards; free ones start at 2, or at `credits`.
 */
export function pipeline({ credits = BUFFERS, agents = 1, tiles = TILES } = {}): ProgramBuilder {
  const b = new ProgramBuilder({}, { gridY: 1, gridX: agents });
  const channels = 4 * agents;
  const input = b.tensor("input", [tiles, 4, 4], "i8", "input");
  const output = b.tensor("output", [tiles, 4, channels], "i8", "output");
  const weights = b.constant("weights", [agents, 4, 4], "i8", new Int8Array(16 * agents).fill(1));
  const table = b.constant("table", [1, channels, 4], "i8", new Int8Array(4 * channels));
  const mine = axis(0, 4, 0, 4);
  const weightsView = { y: axis(0, 1, 0, 1), x: axis(0, 4), c: axis(0, 4) };
  b.layer("convolve");

  const resident = () => ({
    w: b.view(weights, weightsView, 0),
    t: b.view(table, { y: axis(0, 1), x: mine, c: axis(0, 4) }, 16),
  });
  const { w, t } = resident();
  b.emit("load", { dst: w, ...weightsView });
  b.emit("load", { dst: t, y: axis(0, 1), x: mine, c: axis(0, 4) });
  b.endPrologue();

  const loaded = b.semaphore("load", "mac");
  const convolved = b.semaphore("mac", "shift");
  const shifted = b.semaphore("shift", "store");
  const inputFree = b.semaphore("mac", "load", { initial: credits });
  const accumulatorsFree = b.semaphore("shift", "mac", { initial: credits });
  const outputFree = b.semaphore("store", "shift", { initial: credits });
  const views = resident();
  for (let tile = 0; tile < tiles; tile++) {
    const buffer = tile % BUFFERS;
    const row = { y: axis(tile, 1), x: axis(0, 4) };
    const src = b.view(input, { ...row, c: axis(0, 4) }, 100 + 16 * buffer);
    const part = { ...row, c: mine };
    const dst = b.view(output, part, 200 + 16 * buffer);
    const kernel = { kernelY: 1, kernelX: 1, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1 };
    const accRow = 4 * buffer;
    b.emit("load", { dst: src, ...row, c: axis(0, 4), waits: [inputFree], signals: [loaded], multicast: "all" });
    b.emit("conv", {
      ...{ src, weights: views.w, tensor: output, ...part, accRow, ...kernel, cCount: 4, groupIn: 4 },
      groupOut: channels,
      waits: [loaded, accumulatorsFree],
      signals: [convolved, inputFree],
    });
    b.emit("shift", {
      ...{ table: views.t, dst, tensor: output, ...part, accRow, low: -128, high: 127 },
      waits: [convolved, outputFree],
      signals: [shifted, accumulatorsFree],
    });
    b.emit("store", { src: dst, ...part, waits: [shifted], signals: [outputFree] });
  }
  return b;
}

/** All pairs whose both ends are in one frame. */
export function pairsOf({ body, semaphores }: Program): Pair[] {
  return semaphores.flatMap(({ initial }, i) => {
    const semaphore = i + 1;
    const indices = (ends: "waits" | "signals") =>
      body.flatMap((instruction, index) => (instruction[ends].includes(semaphore) ? [index] : []));
    const signals = indices("signals");
    return indices("waits")
      .slice(initial)
      .map((wait, k) => ({ semaphore, wait, signal: signals[k] }));
  });
}

/** The program without some waits and signals of a semaphore. */
export function without(
  { program, bound }: CheckedProgram,
  semaphore: number,
  ends: readonly [number, "waits" | "signals"][],
): CheckedProgram {
  const body = program.body.map((instruction, index) => {
    let changed: Instruction = instruction;
    for (const [at, list] of ends) {
      if (at === index) changed = { ...changed, [list]: changed[list].filter((id) => id !== semaphore) } as Instruction;
    }
    return changed;
  });
  const first = program.prologue.length;
  return {
    program: { ...program, body },
    bound: bound.map((item, i) => (i < first ? item : { ...item, instruction: body[i - first] })),
  };
}
