/** Evaluates tasks: the network once, its program once for each machine it is made for, its time once for each point. */
import { compileModel, decodeRapq, type QuantizedModel } from "../compiler/index.ts";
import {
  type CheckedProgram,
  checkProgram,
  createMachine,
  type Machine,
  RapError,
  sha256,
  withParameters,
} from "../isa/index.ts";
import { simulateTiming } from "../sim/index.ts";
import { figuresOf } from "./figures.ts";
import type { Outcome, Task } from "./task.ts";

/** The content of a network by its hash; null: it is not there. */
export type ReadModel = (sha256: string) => Promise<Uint8Array | null>;

export interface Evaluator {
  /** Hands out each point's outcome as soon as it is known. @throws Error when the network is not there */
  run(task: Task, onOutcome: (outcome: Outcome) => void): Promise<void>;
}

/** Networks a worker keeps: formats of one network follow each other. */
const MOST_MODELS = 2;

export function createEvaluator(readModel: ReadModel): Evaluator {
  const models = new Map<string, QuantizedModel>();
  let prepared: { readonly key: string; readonly program: CheckedProgram | string } | undefined;

  async function modelOf(hash: string): Promise<QuantizedModel> {
    const kept = models.get(hash);
    if (kept !== undefined) return kept;
    const file = await readModel(hash);
    if (file === null) throw new Error(`network ${hash}: is not there`);
    if (sha256(file) !== hash) throw new Error(`network ${hash}: its content has another hash, ${sha256(file)}`);
    if (models.size >= MOST_MODELS) models.delete(models.keys().next().value!);
    const model = decodeRapq(file, `network ${hash}`);
    models.set(hash, model);
    return model;
  }

  /** The program of a task, or why there is none. */
  async function programOf(task: Task): Promise<CheckedProgram | string> {
    const { points: _, ...program } = task;
    const key = JSON.stringify(program);
    if (prepared?.key === key) return prepared.program;
    // one program is in memory at a time
    prepared = undefined;
    const model = await modelOf(task.model);
    prepared = { key, program: attempt(() => compiled(task, model)) };
    return prepared.program;
  }

  return {
    async run(task, onOutcome) {
      const program = await programOf(task);
      for (const { index, rates } of task.points) {
        const figures =
          typeof program === "string"
            ? program
            : attempt(() => timed(program, withParameters(program.program.machine, rates, "point"), task));
        onOutcome(
          typeof figures === "string" ? { index, figures: null, error: figures } : { index, figures, error: null },
        );
        // lets messages out
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

function compiled({ machine, optimize, packing }: Task, model: QuantizedModel): CheckedProgram {
  const made = createMachine("sweep", machine, "machine");
  const program = compileModel(model, made, { optimize, ...(packing === null ? {} : { packing }) });
  return checkProgram(program, "program");
}

function timed(program: CheckedProgram, machine: Machine, { frames, overlapFrames }: Task) {
  return figuresOf(simulateTiming(program, { machine, frames, overlapFrames }), machine);
}

const MOST_CHARACTERS = 2000;

/** What was made, or the message of what went wrong: one point's failure is not the end of the others. */
function attempt<T>(make: () => T): T | string {
  try {
    return make();
  } catch (error) {
    const text = error instanceof RapError ? error.message : `a bug in rapsim: ${String(error)}`;
    return text.slice(0, MOST_CHARACTERS);
  }
}
