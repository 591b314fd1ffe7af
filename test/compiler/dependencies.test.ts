// Are the waits and signals placed by the compiler enough, and is each of them needed?
import fc from "fast-check";
import { expect, test } from "vitest";
import { compileModel } from "../../compiler/index.ts";
import { checkProgram, loadPreset, type Program, RapError, withParameters } from "../../isa/index.ts";
import { analyseOrder, findRaces } from "../../sim/index.ts";
import { arbitraryQuantizedModel } from "../arbitrary/quantized-model.ts";
import { deleteOne, deletePair, semaphorePairs } from "../support/semaphore-pairs.ts";

const FRAMES = { frames: 3, overlapFrames: true };

const small = withParameters(
  loadPreset("rap-small"),
  { agents: 4, "sram.bytes": 16384, "array.accumulatorBytes": 2048 },
  "test",
);

/** The model for four small agents, or null when it does not fit them. */
function compileOrNull(model: Parameters<typeof compileModel>[0]): Program | null {
  try {
    return compileModel(model, small);
  } catch (error) {
    if (error instanceof RapError) return null;
    throw error;
  }
}

test("a wait or a signal gone alone is an order violation; with its partner, a race, or implied by others", () => {
  const counts = { races: 0, implied: 0, harmless: 0 };
  fc.assert(
    fc.property(arbitraryQuantizedModel({ maxSteps: 3 }), fc.nat(), (model, draw) => {
      const program = compileOrNull(model);
      const pairs = program === null ? [] : semaphorePairs(program);
      if (program === null || pairs.length === 0) return;
      const pair = pairs[draw % pairs.length];
      for (const list of ["waits", "signals"] as const) {
        expect(() => checkProgram(deleteOne(program, pair, list), "deleted")).toThrow(/order: /);
      }
      const checked = checkProgram(deletePair(program, pair), "deleted");
      if (findRaces(checked, { ...FRAMES, limit: 1 }).length > 0) {
        counts.races++;
        return;
      }
      const order = analyseOrder(checked, FRAMES);
      const at = (index: number, agent: number, frame: number) => ({
        index: program.prologue.length + index,
        agent,
        frame,
      });
      const implied = [0, 1, 2, 3].every((agent) =>
        order.happensBefore(at(pair.signal, agent, pair.cross ? 1 : 2), at(pair.wait, agent, 2)),
      );
      if (implied) counts.implied++;
      else counts.harmless++;
    }),
    { numRuns: 80 },
  );
  expect(counts.races).toBeGreaterThan(10 * (counts.implied + counts.harmless));
});
