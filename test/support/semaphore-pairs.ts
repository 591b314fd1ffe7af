// Deleting waits and signals from a program, for tests that show each of them is needed.
import type { Instruction, Program } from "../../isa/index.ts";

/** The k-th wait of a semaphore in a frame and the signal it takes, as indices into the body. */
export interface Pair {
  readonly semaphore: number;
  readonly signal: number;
  readonly wait: number;
  /** The signal is the one of the frame before. */
  readonly cross: boolean;
}

/** All pairs of a frame. */
export function semaphorePairs({ body, semaphores }: Program): Pair[] {
  return semaphores.flatMap(({ initial }, i) => {
    const semaphore = i + 1;
    const at = (list: "waits" | "signals") =>
      body.flatMap((instruction, index) => (instruction[list].includes(semaphore) ? [index] : []));
    const signals = at("signals");
    return at("waits").map((wait, k) => ({
      semaphore,
      wait,
      signal: signals[(k - initial + signals.length) % signals.length],
      cross: k < initial,
    }));
  });
}

function without(
  body: readonly Instruction[],
  index: number,
  list: "waits" | "signals",
  semaphore: number,
): Instruction[] {
  return body.map((item, i) =>
    i === index ? ({ ...item, [list]: item[list].filter((id) => id !== semaphore) } as Instruction) : item,
  );
}

/** The program with one wait or one signal gone. */
export function deleteOne(program: Program, pair: Pair, list: "waits" | "signals"): Program {
  return { ...program, body: without(program.body, list === "waits" ? pair.wait : pair.signal, list, pair.semaphore) };
}

/** The program with a wait and the signal it takes gone, so that all others pair as before. */
export function deletePair(program: Program, pair: Pair): Program {
  const body = without(
    without(program.body, pair.wait, "waits", pair.semaphore),
    pair.signal,
    "signals",
    pair.semaphore,
  );
  const semaphores = program.semaphores.map((semaphore, i) =>
    i === pair.semaphore - 1 && pair.cross ? { ...semaphore, initial: semaphore.initial - 1 } : semaphore,
  );
  return { ...program, body, semaphores };
}
