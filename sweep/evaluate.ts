/** Evaluates tasks: the network once, its program once for each machine it is made for, its time once for each point. */
import { compileModel, decodeRapq, type QuantizedModel } from "../compiler/index.ts";
import { checkProgram, createMachine, RapError, sha256, withParameters } from "../isa/index.ts";
import { latencyOf, prepareTiming } from "../sim/index.ts";
import { type Figures, figuresOf } from "./figures.ts";
import type { Outcome, Task } from "./task.ts";

export interface Evaluator {
  /**
   * Hands out each point's outcome as soon as it is known.
   * @param file the network's .rapq file @throws Error when it is not the one that the task names
   */
  run(task: Task, file: Uint8Array, onOutcome: (outcome: Outcome) => void): Promise<void>;
}

type Rates = Task["points"][number]["rates"];
/** Times a program with some rates changed. */
type TimeWith = (rates: Rates) => Figures;

/** Networks an evaluator keeps: formats of one network follow each other. */
const MOST_MODELS = 2;

export function createEvaluator(): Evaluator {
  const models = new Map<string, QuantizedModel>();
  let prepared: { readonly key: string; readonly time: TimeWith | string } | undefined;

  function modelOf(hash: string, file: Uint8Array): QuantizedModel {
    const kept = models.get(hash);
    if (kept !== undefined) return kept;
    // threads share the file's memory; what reads it wants memory of its own
    const content = file.slice();
    if (sha256(content) !== hash) throw new Error(`network ${hash}: its content has another hash, ${sha256(content)}`);
    if (models.size >= MOST_MODELS) models.delete(models.keys().next().value!);
    const model = decodeRapq(content, `network ${hash}`);
    models.set(hash, model);
    return model;
  }

  return {
    async run(task, file, onOutcome) {
      const { points, ...program } = task;
      const key = JSON.stringify(program);
      if (prepared?.key !== key) {
        // one program is in memory at a time
        prepared = undefined;
        const model = modelOf(task.model, file);
        prepared = { key, time: attempt(() => prepare(task, model)) };
      }
      const { time } = prepared;
      for (const { index, rates } of points) {
        const figures = typeof time === "string" ? time : attempt(() => time(rates));
        onOutcome(
          typeof figures === "string" ? { index, figures: null, error: figures } : { index, figures, error: null },
        );
        // lets messages out
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

function prepare({ machine, optimize, packing, frames, overlapFrames }: Task, model: QuantizedModel): TimeWith {
  const compiledFor = createMachine("sweep", machine, "machine");
  const program = compileModel(model, compiledFor, { optimize, latencyOf, ...(packing === null ? {} : { packing }) });
  const time = prepareTiming(checkProgram(program, "program"));
  return (rates) => {
    const own = withParameters(compiledFor, rates, "point");
    return figuresOf(time({ machine: own, frames, overlapFrames }), own);
  };
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
