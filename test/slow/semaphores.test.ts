// Is every wait and every signal the compiler places needed? Each is deleted in turn and must be missed.
import { expect, test } from "vitest";
import { buildNetwork } from "../../compiler/builders.ts";
import { compileModel } from "../../compiler/index.ts";
import { quantize } from "../../compiler/quantize.ts";
import { checkProgram, loadPreset, RapError } from "../../isa/index.ts";
import { analyseOrder, findRaces } from "../../sim/index.ts";
import { deleteOne, deletePair, semaphorePairs } from "../support/semaphore-pairs.ts";

const DELETIONS = 300;
const FRAMES = { frames: 2, overlapFrames: true };

/** A small generator, so that every run deletes the same. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

test("of SqueezeDet's waits and signals, each deletion is an order violation; with its partner, a race or redundant", () => {
  const program = compileModel(quantize(buildNetwork("squeezedet")), loadPreset("rap-e"));
  const { agents } = program.machine.parameters;
  const pairs = semaphorePairs(program);
  const draw = random(20);
  const counts = { orderViolations: 0, races: 0, redundant: 0 };
  for (let i = 0; i < DELETIONS; i++) {
    const pair = pairs[Math.floor(draw() * pairs.length)];
    const list = draw() < 0.5 ? "waits" : "signals";
    expect(() => checkProgram(deleteOne(program, pair, list), "deleted")).toThrow(RapError);
    counts.orderViolations++;
    const checked = checkProgram(deletePair(program, pair), "deleted");
    if (findRaces(checked, { ...FRAMES, limit: 1 }).length > 0) {
      counts.races++;
      continue;
    }
    const order = analyseOrder(checked, FRAMES);
    for (let agent = 0; agent < agents; agent++) {
      const signal = { index: program.prologue.length + pair.signal, agent, frame: pair.cross ? 0 : 1 };
      const wait = { index: program.prologue.length + pair.wait, agent, frame: 1 };
      expect(
        order.happensBefore(signal, wait),
        `semaphore ${pair.semaphore}, #${pair.signal} to #${pair.wait}, agent ${agent}`,
      ).toBe(true);
    }
    counts.redundant++;
  }
  console.log(`${DELETIONS} deletions among ${pairs.length} pairs: ${JSON.stringify(counts)}`);
});
